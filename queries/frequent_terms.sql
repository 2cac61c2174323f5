-- title: The terms that documents use most
-- title_zh: 文件中最常见的词
select t.term, count(*) as passages
from index.passage p
cross join unnest(split(p.terms, ' ')) as t(term)
where length(t.term) = 2
group by t.term
order by passages desc, t.term
limit 25
