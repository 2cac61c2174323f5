-- title: Share of each delivery's rows that was set aside
-- title_zh: 各交付文件的隔离比例
select r.delivery_id, d.name, r.rows, coalesce(q.set_aside, 0) as set_aside,
  cast(coalesce(q.set_aside, 0) as double) / cast(r.rows as double) as share
from ops.reading r
join raw.delivery d on d.delivery_id = r.delivery_id
left join (
  select delivery_id, count(*) as set_aside from quarantine_cleaned.enterprise_fuel_month group by delivery_id
) q on q.delivery_id = r.delivery_id
where r.table_name = 'cleaned.enterprise_fuel_month'
order by r.delivery_id
