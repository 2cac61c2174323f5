-- title: Fuel factors of two sets beside each other
-- title_zh: 两套燃料因子对照
select g.fuel_name, g.fuel_name_en, g.ncv_gj_per_unit as general_ncv, e.ncv_gj_per_unit as sector_ncv,
  coalesce(e.ncv_gj_per_unit, g.ncv_gj_per_unit) - g.ncv_gj_per_unit as difference
from cleaned.fuel_factor g
left join cleaned.fuel_factor e on e.carrier_code = g.carrier_code and e.unit = g.unit and e.factor_set = 'ETS_SECTOR'
where g.factor_set = 'NDRC_GENERAL'
order by g.fuel_name, sector_ncv nulls last, general_ncv
