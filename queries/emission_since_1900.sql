-- title: Emission of large countries added up since 1900
-- title_zh: 主要国家 1900 年以来累计排放
select country, year, co2_mt,
  sum(co2_mt) over (partition by country order by year rows between unbounded preceding and current row) as since_1900_mt,
  first_value(year) over (partition by country order by year) as first_year
from cleaned.owid_co2
where iso_code in ('CHN', 'USA', 'IND', 'DEU') and year between 1900 and 2018 and edition_date = date '2020-11-27'
order by country, year
