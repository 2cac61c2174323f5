-- title: Emission per output of enterprises, scopes 1 and 2
-- title_zh: 企业单位产品排放（范围一与二）
select i.year, s.name, i.denominator, i.intensity, i.denominator_unit, i.unresolved_rows
from business.emission_intensity i
join thematic.subject s on s.subject_id = i.member and s.latest
where i.book = 'enterprise' and i.level = 'enterprise' and i.scopes = '1+2'
order by i.denominator, i.year, i.intensity desc, s.name
