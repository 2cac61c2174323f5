-- title: Places of the provinces in January and December
-- title_zh: 各省权重一月与十二月的名次
with ranked as (
  select region_code, sector, month, rank() over (partition by sector, month order by weight desc) as place
  from cleaned.provincial_weight
)
select j.region_code, j.sector, j.place as january, d.place as december, j.place - d.place as went_up
from ranked j
join ranked d on d.region_code = j.region_code and d.sector = j.sector
where j.month = date '2019-01-01' and d.month = date '2019-12-01'
order by abs(j.place - d.place) desc, j.sector, j.region_code
