-- title: Which factors emission rests on, and how often
-- title_zh: 排放所用的因子及使用次数
select f.role, f.factor_set, f.source, count(*) as used, count(distinct i.line_id) as lines
from business.emission_input i
join knowledge.factor f on f.factor_id = i.ref_id
where i.kind = 'factor'
group by f.role, f.factor_set, f.source
order by used desc, f.role, f.factor_set, f.source
