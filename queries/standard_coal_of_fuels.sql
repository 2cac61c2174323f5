-- title: Fuel of the enterprises in standard coal
-- title_zh: 企业燃料折标准煤
select f.carrier_code, max(f.fuel_name) as fuel, sum(f.consumption_t) as consumption_t,
  cast(sum(f.consumption_t) as double) * max(c.coefficient) as standard_coal_t
from cleaned.enterprise_fuel_month f
join cleaned.standard_coal c on c.carrier_code = f.carrier_code and c.unit = 'kgce/kg'
where f.consumption_t is not null
group by f.carrier_code
order by f.carrier_code
