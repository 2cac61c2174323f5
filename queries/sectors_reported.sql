-- title: Sectors of China's greenhouse-gas profile, years side by side
-- title_zh: 中国温室气体清单分部门
select sector, gas,
  max(emission_ktco2e) filter (where year = 1994) as kt_1994,
  max(emission_ktco2e) filter (where year = 2005) as kt_2005,
  max(emission_ktco2e) filter (where year = 2014) as kt_2014
from cleaned.unfccc_profile
group by sector, gas
order by sector nulls last, gas nulls last
