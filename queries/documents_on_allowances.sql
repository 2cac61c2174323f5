-- title: Passages on allowances for emission
-- title_zh: 关于碳排放配额的条文
select document, place, strpos(text, '配额') as at, length(text) as signs, substr(text, 1, 30) as begins
from knowledge.passage
where text like '%配额%'
order by document, passage_id
