-- title: The twenty cleanest hours of the grid
-- title_zh: 电网最清洁的二十个小时
select period_start, carbon_intensity_kgco2e_per_kwh,
  dense_rank() over (order by carbon_intensity_kgco2e_per_kwh) as place
from cleaned.grid_intensity_hour
order by carbon_intensity_kgco2e_per_kwh, period_start
limit 20
