-- title: 主体基本信息（报告期内每个状态一行）
select s.name as "名称", s.subject_id as "主体标识", zh('subject_type', s.subject_type) as "类型",
  concat_ws(' ', s.industry_code, zh('industry', s.industry_code)) as "行业（GB/T 4754）",
  concat_ws(' ', s.region_code, zh('region', s.region_code)) as "行政区划", s.park_id as "所在园区",
  coalesce(e.main_products, p.main_products) as "主要产品", e.capacity as "产能",
  s.valid_from as "有效期起", s.valid_to as "有效期止"
from states s
left join cleaned.enterprise e on e.subject_id = s.subject_id and e.valid_from = s.valid_from
left join cleaned.park p on p.subject_id = s.subject_id and p.valid_from = s.valid_from
where s.subject_id in ((select member from asked), (select 'region:' || member from asked))
order by s.valid_from
