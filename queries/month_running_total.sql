-- title: Emission of the enterprises added up over each year
-- title_zh: 企业排放年内逐月累计
select month, sum(emission_tco2e) as emission_tco2e,
  sum(sum(emission_tco2e)) over (partition by year(month) order by month) as since_january_tco2e
from business.emission_month
where book = 'enterprise'
group by month
order by month
