-- title: Change of each enterprise's emission over the year before
-- title_zh: 企业排放同比变化
with yearly as (
  select member as subject_id, year(period) as year, sum(emission_tco2e) as emission_tco2e, sum(unresolved_rows) as unresolved_rows
  from business.emission_rollup
  where book = 'enterprise' and level = 'enterprise' and grain = 'year'
  group by member, year(period)
), changed as (
  select subject_id, year, emission_tco2e, unresolved_rows,
    emission_tco2e - lag(emission_tco2e) over (partition by subject_id order by year) as change_tco2e,
    cast(emission_tco2e as double) / cast(lag(emission_tco2e) over (partition by subject_id order by year) as double) as ratio,
    lag(unresolved_rows) over (partition by subject_id order by year) as unresolved_before
  from yearly
)
select s.name, c.year, c.emission_tco2e, c.change_tco2e, c.ratio, c.unresolved_rows, c.unresolved_before
from changed c
join thematic.subject s on s.subject_id = c.subject_id and s.latest
where c.change_tco2e is not null
order by c.change_tco2e desc, s.name, c.year
