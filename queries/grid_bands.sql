-- title: Emission flux of the Earth by band of latitude
-- title_zh: 各纬度带的排放通量
select cast(floor(lat / 30) * 30 as integer) as from_degree, count(*) as cells, sum(flux_kgco2_per_km2_day) as flux,
  max(flux_kgco2_per_km2_day) as highest
from thematic.grid_emission
group by cast(floor(lat / 30) * 30 as integer)
order by from_degree
