-- title: Emission of enterprises by region and year
-- title_zh: 分地区历年企业排放
-- view: yes
select e.year, e.region_code, s.name as region, s.name_en as region_en, sum(e.emission_tco2e) as emission_tco2e
from business.emission_year e
left join thematic.subject s on s.subject_type = 'region' and s.region_code = e.region_code
where e.book = 'enterprise'
group by e.year, e.region_code, s.name, s.name_en
order by e.year, emission_tco2e desc, e.region_code
