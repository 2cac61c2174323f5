-- title: Carbon intensity of the grid by month: mean, spread, extremes
-- title_zh: 电网碳强度月度统计
select cast(date_trunc('month', date) as date) as month, avg(carbon_intensity_kgco2e_per_kwh) as mean,
  stddev_samp(carbon_intensity_kgco2e_per_kwh) as deviation,
  min(carbon_intensity_kgco2e_per_kwh) as lowest, max(carbon_intensity_kgco2e_per_kwh) as highest
from cleaned.grid_intensity_hour
group by cast(date_trunc('month', date) as date)
order by month
