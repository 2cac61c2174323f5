-- title: Emission of enterprises by industry and year
-- title_zh: 分行业历年企业排放
-- view: yes
select year, member as industry_code, member_name as industry, emission_tco2e, lines, fallback_lines, unresolved_rows
from index.emission_cube
where book = 'enterprise' and dimension = 'industry'
order by year, emission_tco2e desc, industry_code
