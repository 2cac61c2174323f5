-- title: Which columns yearly emission is made from
-- title_zh: 年度排放由哪些列得出
select distinct column_name, input_table, input_column, kind, subtype
from ops.lineage
where table_name = 'business.emission_year' and column_name = 'emission_tco2e'
order by input_table, input_column, kind, subtype
