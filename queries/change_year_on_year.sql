-- title: Months of 2024 against the month before and a year ago
-- title_zh: 2024 年各月排放环比与同比
select period, emission_tco2e, previous_change, previous_percent, year_ago_change, year_ago_percent, complete,
  unresolved_rows
from business.emission_change
where book = 'enterprise' and level = 'total' and grain = 'month' and period >= date '2024-01-01'
order by period
