-- title: 报告主体的设施
select s.name as "设施", s.subject_id as "主体标识", concat_ws(' ', s.industry_code, zh('industry', s.industry_code)) as "行业（GB/T 4754）",
  s.valid_from as "有效期起", s.valid_to as "有效期止"
from states s where s.subject_type = 'facility' order by s.subject_id, s.valid_from
