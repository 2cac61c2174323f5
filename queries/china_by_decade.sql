-- title: Emission of China by decade and fuel
-- title_zh: 中国分年代分燃料排放
select year - year % 10 as decade, sum(co2_mt) as co2_mt, sum(coal_co2_mt) as coal_mt, sum(oil_co2_mt) as oil_mt,
  sum(gas_co2_mt) as gas_mt, sum(cement_co2_mt) as cement_mt
from cleaned.owid_co2
where iso_code = 'CHN' and edition_date = date '2020-11-27'
group by year - year % 10
order by decade
