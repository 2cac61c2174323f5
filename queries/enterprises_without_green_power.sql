-- title: Enterprises that never bought green electricity
-- title_zh: 从未外购绿电的企业
select s.subject_id, s.name, s.industry_code
from thematic.subject s
where s.subject_type = 'enterprise' and s.latest and not exists (
  select 1 from cleaned.enterprise_energy_month m where m.subject_id = s.subject_id and m.electricity_green_kwh > 0
)
order by s.subject_id
