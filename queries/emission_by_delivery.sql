-- title: Emission by the delivery that it was measured in
-- title_zh: 按交付文件统计的排放
with told as (
  select a.activity_id, d.name as delivery, d.publisher, d.licence
  from thematic.activity a
  join raw.delivery d on d.delivery_id = a.delivery_id
), open as (
  select t.delivery, t.publisher, t.licence, count(*) as unresolved_rows
  from business.unresolved u
  join told t on t.activity_id = u.activity_id
  group by t.delivery, t.publisher, t.licence
)
select l.book, t.delivery, t.publisher, t.licence, sum(l.emission_tco2e) as emission_tco2e, count(*) as lines,
  coalesce(max(o.unresolved_rows), 0) as unresolved_rows_of_any_book
from business.emission l
join told t on t.activity_id = l.activity_id
left join open o on o.delivery = t.delivery and o.publisher = t.publisher and o.licence = t.licence
group by l.book, t.delivery, t.publisher, t.licence
order by l.book, delivery
