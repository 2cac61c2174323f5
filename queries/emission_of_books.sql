-- title: Emission of each book and year
-- title_zh: 各核算口径历年排放
-- view: yes
select book, year, sum(emission_tco2e) as emission_tco2e, sum(lines) as lines, sum(fallback_lines) as fallback_lines
from business.emission_year
group by book, year
order by book, year
