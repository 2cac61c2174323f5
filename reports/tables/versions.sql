-- title: 所用数据表的版本
select table_name as "数据表", version as "版本", run_id as "构建标识", built_at as "构建时间(UTC)" from versions order by table_name
