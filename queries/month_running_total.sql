-- title: Emission of the enterprises added up over each year
-- title_zh: 企业排放年内逐月累计
select period as month, sum(emission_tco2e) as emission_tco2e,
  sum(sum(emission_tco2e)) over (partition by year(period) order by period) as since_january_tco2e,
  sum(sum(unresolved_rows)) over (partition by year(period) order by period) as unresolved_since_january
from business.emission_rollup
where book = 'enterprise' and level = 'total' and grain = 'month'
group by period
order by month
