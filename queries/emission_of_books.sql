-- title: Emission of each book and year
-- title_zh: 各核算口径历年排放
-- view: yes
select book, year, emission_tco2e, lines, fallback_lines, unresolved_rows
from index.emission_cube
where dimension = 'total'
order by book, year
