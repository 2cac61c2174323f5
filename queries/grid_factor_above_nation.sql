-- title: Provinces whose grid factor lies above the nation's
-- title_zh: 电网因子高于全国平均的省份
select p.data_year, count(*) as provinces, max(p.value_tco2_per_mwh) as highest,
  array_join(array_agg(p.area_name order by p.value_tco2_per_mwh desc, p.area_name), '、') as names
from cleaned.grid_factor p
join cleaned.grid_factor n on n.data_year = p.data_year and n.level = 'national' and n.kind = 'average'
where p.level = 'province' and p.kind = 'average' and p.value_tco2_per_mwh > n.value_tco2_per_mwh
group by p.data_year
order by p.data_year
