-- title: Weight of the provinces by quarter and sector
-- title_zh: 各省分季度分部门权重
select w.region_code, s.name as province, w.sector, year(w.month) as year, quarter(w.month) as quarter, avg(w.weight) as weight
from cleaned.provincial_weight w
left join thematic.subject s on s.subject_type = 'region' and s.region_code = w.region_code
group by w.region_code, s.name, w.sector, year(w.month), quarter(w.month)
order by w.region_code, w.sector, year, quarter
