-- title: Share of each enterprise in the emission of its region
-- title_zh: 企业占所在地区排放的份额
select e.year, e.region_code, s.name, sum(e.emission_tco2e) as emission_tco2e,
  cast(sum(e.emission_tco2e) as double) / cast(sum(sum(e.emission_tco2e)) over (partition by e.year, e.region_code) as double) as share
from business.emission_year e
join thematic.subject s on s.subject_id = e.subject_id and s.latest
where e.book = 'enterprise'
group by e.year, e.region_code, s.name
order by e.year, e.region_code, share desc, s.name
