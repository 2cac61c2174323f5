-- title: 主要数字的追溯命令
select zh('book', c.book) as "账册", c.emission_tco2e as "排放量(tCO2e)",
  'carbonlake trace business.emission_change book=' || c.book || ' grain=year period=' || c.period || ' level=' || c.level
  || ' member=' || c.member || (select coalesce(' --release ' || release, '') from asked) as "命令"
from changes c order by c.book <> (select book from asked), c.book
