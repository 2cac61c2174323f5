-- title: Published inventories of China against each other
-- title_zh: 中国公开清单之间的差异
-- view: yes
select year, compared_as, gas, a_publisher, a_edition, b_publisher, b_edition,
  a_emission_tco2e, b_emission_tco2e, difference_tco2e, difference_percent, cause, evidence
from business.inventory_comparison
where subject_id = 'region:CHN' and kind in ('publishers', 'editions', 'parts')
order by year, compared_as, gas, a_edition, b_edition
