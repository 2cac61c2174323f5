-- title: What came in against what went on, by table and measure
-- title_zh: 各表收支平衡
select table_name, measure, unit, came_in, went_on, set_aside, came_in - went_on - coalesce(set_aside, 0) as difference, closed
from ops.balance
order by table_name, measure, run_id
