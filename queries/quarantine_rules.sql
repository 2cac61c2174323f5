-- title: Rows in quarantine by table and rule
-- title_zh: 各表隔离行及规则
-- view: yes
select 'cleaned.enterprise' as of_table, rules, count(*) as rows_of_it from quarantine_cleaned.enterprise group by rules
union all
select 'cleaned.enterprise_energy_month', rules, count(*) from quarantine_cleaned.enterprise_energy_month group by rules
union all
select 'cleaned.enterprise_fuel_month', rules, count(*) from quarantine_cleaned.enterprise_fuel_month group by rules
union all
select 'cleaned.enterprise_output_month', rules, count(*) from quarantine_cleaned.enterprise_output_month group by rules
order by 1, 2
