-- title: Emission of electricity where it is generated and where it is used
-- title_zh: 电力排放的属地视角与消费视角
select year, region, view, emission_tco2e, electricity_kwh, lines, unresolved_rows
from business.electricity_view
order by year, region, view
