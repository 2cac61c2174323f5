-- title: The ten countries that emitted most in 2018
-- title_zh: 2018 年排放最多的十个国家
select country, iso_code, co2_mt, co2_per_capita_t
from cleaned.owid_co2
where year = 2018 and length(iso_code) = 3
  and edition_date = (select max(edition_date) from cleaned.owid_co2)
order by co2_mt desc, country
limit 10
