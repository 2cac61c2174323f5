-- title: Years that documents speak of
-- title_zh: 文件提到的年份
select regexp_extract(text, '(20[0-9]{2}) ?年', 1) as year_named, count(*) as passages, min(document) as for_example
from knowledge.passage
where regexp_like(text, '20[0-9]{2} ?年')
group by regexp_extract(text, '(20[0-9]{2}) ?年', 1)
order by year_named
