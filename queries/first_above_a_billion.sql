-- title: The first year in which a country emitted more than a billion tonnes
-- title_zh: 首次超过十亿吨的年份
select country, min(year) as first_year, max(co2_mt) as highest_mt, count(*) as years_above
from cleaned.owid_co2
where co2_mt > 1000 and length(iso_code) = 3 and edition_date = date '2020-11-27'
group by country
having count(*) > 1
order by first_year, country
