-- title: Methods of accounting by gas and scope
-- title_zh: 核算方法一览
select gas, scope, count(*) as methods, array_join(array_agg(title_zh order by method_id), '；') as titles
from knowledge.method
group by gas, scope
order by gas, scope
