-- title: Emission of enterprises by region and year
-- title_zh: 分地区历年企业排放
-- view: yes
select c.year, c.member as region_code, c.member_name as region, s.name_en as region_en, c.emission_tco2e, c.unresolved_rows
from index.emission_cube c
left join thematic.subject s on s.subject_type = 'region' and s.region_code = c.member and s.latest
where c.book = 'enterprise' and c.dimension = 'region'
order by c.year, c.emission_tco2e desc, region_code
