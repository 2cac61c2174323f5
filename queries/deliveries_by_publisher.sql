-- title: Deliveries in force by publisher and licence
-- title_zh: 有效交付物的来源与许可
select publisher, licence, count(*) as deliveries, sum(size_bytes) as bytes, max(received_at) as last_received
from raw.delivery
where status = 'received'
group by publisher, licence
order by publisher, licence
