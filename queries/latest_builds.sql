-- title: The newest build of each table
-- title_zh: 各表最近一次构建
-- view: yes
select table_name, status, reason, started_at, seconds, rows_in, rows_written, rows_set_aside
from (
  select *, row_number() over (partition by table_name order by started_at desc, run_id desc) as place
  from ops.run
)
where place = 1
order by table_name
