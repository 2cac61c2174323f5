-- title: Enterprises that never bought green electricity
-- title_zh: 从未外购绿电的企业
select e.uscc, e.name, e.industry_code
from cleaned.enterprise e
where not exists (
  select 1 from cleaned.enterprise_energy_month m where m.uscc = e.uscc and m.electricity_green_kwh > 0
)
order by e.uscc
