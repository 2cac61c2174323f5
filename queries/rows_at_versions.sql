-- title: Rows of two tables before and after their first build
-- title_zh: 首次构建前后的行数
select 'cleaned.gwp' as of_table, (select count(gas) from cleaned.gwp for version as of 0) as at_version_0,
  (select count(gas) from cleaned.gwp for version as of 1) as at_version_1
union all
select 'business.emission_year', (select count(book) from business.emission_year for version as of 0),
  (select count(book) from business.emission_year for version as of 1)
order by 1
