-- title: Which enterprises have rows of fuel in quarantine
-- title_zh: 哪些企业的燃料数据被隔离
select case when raw like '{%' then json_extract_scalar(raw, '$.企业名称') end as enterprise,
  case when raw like '{%' then json_extract_scalar(raw, '$.月份') else raw end as month, rules
from quarantine_cleaned.enterprise_fuel_month
order by 3, 2, 1
