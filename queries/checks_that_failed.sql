-- title: Checks that found rows, by table and rule
-- title_zh: 发现问题的检查
-- view: yes
select table_name, rule, outcome, max(failed) as failed, max(rows) as rows_checked
from ops.check
where failed > 0
group by table_name, rule, outcome
order by table_name, rule, outcome
