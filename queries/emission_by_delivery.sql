-- title: Emission by the delivery that it was measured in
-- title_zh: 按交付文件统计的排放
select l.book, d.name as delivery, d.publisher, d.licence, sum(l.emission_tco2e) as emission_tco2e, count(*) as lines
from business.emission l
join thematic.activity a on a.activity_id = l.activity_id
join raw.delivery d on d.delivery_id = a.delivery_id
group by l.book, d.name, d.publisher, d.licence
order by l.book, delivery
