-- title: Countries in four parts by emission per head
-- title_zh: 按人均排放四分位的国家
select part, count(*) as countries, min(co2_per_capita_t) as lowest_t, max(co2_per_capita_t) as highest_t
from (
  select country, co2_per_capita_t, ntile(4) over (order by co2_per_capita_t, country) as part
  from cleaned.owid_co2
  where year = 2017 and length(iso_code) = 3 and co2_per_capita_t is not null and edition_date = date '2020-11-27'
)
group by part
order by part
