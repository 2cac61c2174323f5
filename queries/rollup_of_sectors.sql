-- title: Emission of sectors by quarter
-- title_zh: 分领域各季度排放
select period, member as sector, sum(emission_tco2e) as emission_tco2e, sum(unresolved_rows) as unresolved_rows
from business.emission_rollup
where book = 'enterprise' and level = 'sector' and grain = 'quarter'
group by period, member
order by period, emission_tco2e desc, sector
