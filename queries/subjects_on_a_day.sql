-- title: Who there was on a day, with the place, industry, park and enterprise of that day
-- title_zh: 某日的主体及其当日所在地、行业、园区与所属企业
select subject_id, subject_type, name, region_code, industry_code, park_id, enterprise_id, valid_from, valid_to
from thematic.subject
where subject_type <> 'region' and date '2024-06-30' between valid_from and coalesce(valid_to, date '9999-12-31')
order by subject_type, subject_id
