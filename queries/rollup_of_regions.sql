-- title: Emission of provinces by year, with what could not be computed
-- title_zh: 各省历年排放（含未能核算的条数）
select book, period, member as region_code, sum(emission_tco2e) as emission_tco2e, sum(lines) as lines,
  sum(unresolved_rows) as unresolved_rows
from business.emission_rollup
where level = 'province' and grain = 'year'
group by book, period, member
order by book, period, emission_tco2e desc, region_code
