-- title: Shares of groups of fuels in the emission of each sector, 2024
-- title_zh: 2024 年各领域排放的燃料结构
select member as sector, part as fuel_group, emission_tco2e, share_percent, unresolved_rows
from business.emission_structure
where book = 'enterprise' and level = 'sector' and grain = 'year' and period = date '2024-01-01' and kind = 'fuel_group'
order by sector, emission_tco2e desc, fuel_group
