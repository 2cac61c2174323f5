-- title: 数据等级
select zh('book', book) as "账册", zh('scope', scope::varchar) as "范围", zh('grade', data_grade) as "数据等级", count(*) as "明细条数",
  sum(emission_tco2e) as "排放量(tCO2e)"
from lines group by book, scope, data_grade order by book <> (select book from asked), book, scope, data_grade
