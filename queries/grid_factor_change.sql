-- title: Grid factors of the provinces over the years
-- title_zh: 各省电网因子逐年变化
-- view: yes
select area_name, region_code, data_year, value_tco2_per_mwh,
  value_tco2_per_mwh - lag(value_tco2_per_mwh) over (partition by region_code order by data_year) as change
from cleaned.grid_factor
where level = 'province' and kind = 'average' and data_year >= 2021
order by region_code, data_year
