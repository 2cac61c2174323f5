-- title: What the second edition says of China where the first said something else
-- title_zh: 两个版本对中国排放的不同说法
select n.year, o.co2_mt as before_mt, n.co2_mt as after_mt, o.total_ghg_mtco2e as ghg_before, n.total_ghg_mtco2e as ghg_after,
  o.co2_per_capita_t as per_capita_before, n.co2_per_capita_t as per_capita_after
from cleaned.owid_co2 n
join cleaned.owid_co2 o on o.country = n.country and o.year = n.year and o.edition_date < n.edition_date
where n.country = 'China' and o.co2_per_capita_t is distinct from n.co2_per_capita_t
order by n.year desc
limit 30
