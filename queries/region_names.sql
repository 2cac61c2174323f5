-- title: Regions by the first signs of their names
-- title_zh: 地区名称用字
select substr(name, 1, 1) as sign, count(*) as regions, array_join(array_agg(name order by region_code), '、') as names
from thematic.subject
where subject_type = 'region'
group by substr(name, 1, 1)
order by regions desc, sign
