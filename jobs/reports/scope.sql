create or replace macro zh(l, c) as coalesce((select max(n.name) from names n where n.list = l and n.code = c), c);

create or replace temp table places as
select s.*, case when s.subject_type = 'enterprise' then s.subject_id when starts_with(s.parent_id, 'enterprise:') then s.parent_id
  else s.subject_id end as owner_id
from thematic.subject s, asked a
where case a.level
  when 'enterprise' then s.subject_id = a.member or s.parent_id = a.member
  when 'park' then s.subject_id = a.member or s.park_id = a.member
  when 'nation' then s.region_code = a.member or (a.member = 'CHN' and regexp_full_match(s.region_code, '[0-9]{6}'))
    or exists (select 1 from regions r where r.code = s.region_code and r.parent = a.member and r.level in ('province', 'grid'))
  when 'province' then s.region_code = a.member or (regexp_full_match(s.region_code, '[0-9]{6}') and s.region_code[1:2] || '0000' = a.member)
  when 'prefecture' then regexp_full_match(s.region_code, '[0-9]{6}') and s.region_code[1:4] || '00' = a.member
  else s.region_code = a.member end;

create or replace temp view states as
select p.* from places p, asked a
where year(p.valid_from) <= a.year and (p.valid_to is null or year(p.valid_to) >= a.year);

create or replace temp table all_lines as
select l.*, year(l.date) as year, p.owner_id, p.name, p.industry_code, p.region_code
from business.emission l join places p on p.subject_id = l.subject_id and p.valid_from = l.subject_from, asked a
where year(l.date) in (a.year - 1, a.year);

create or replace temp view lines as select l.* from all_lines l, asked a where l.year = a.year;

create or replace temp view inputs as
select i.*, l.activity_code, l.method_id, l.book from business.emission_input i join lines l using (line_id);

create or replace temp table opens as
select u.*, p.owner_id from business.unresolved u join places p on p.subject_id = u.subject_id and p.valid_from = u.subject_from, asked a
where year(u.date) = a.year;

create or replace temp table activities as
select t.* from thematic.activity t, asked a
where year(t.date) = a.year and exists (select 1 from states s where s.subject_id = t.subject_id
  and t.date between s.valid_from and coalesce(s.valid_to, date '9999-12-31'));

create or replace temp table rollup as
select r.* from business.emission_rollup r, asked a
where r.level = a.level and r.member = a.member and r.grain in ('month', 'year') and year(r.period) = a.year;

create or replace temp view changes as
select c.* from business.emission_change c, asked a
where c.level = a.level and c.member = a.member and c.grain = 'year' and c.period = a.first_day;

create or replace temp view structures as
select s.* from business.emission_structure s, asked a
where s.level = a.level and s.member = a.member and s.grain = 'year' and s.period = a.first_day;

create or replace temp table totals as
with both_years as (
  select l.book, l.scope, sum(l.emission_tco2e) filter (l.year = a.year) as now, sum(l.emission_tco2e) filter (l.year < a.year) as ago,
    count(distinct date_trunc('month', l.date)) filter (l.year = a.year) = count(distinct date_trunc('month', l.date)) filter (l.year < a.year) as alike
  from all_lines l, asked a group by l.book, l.scope
), parts as (
  select r.book, r.scope, sum(r.emission_tco2e) as emission_tco2e, sum(r.lines)::bigint as lines, sum(r.unresolved_rows)::bigint as unresolved_rows
  from rollup r, asked a where r.grain = 'year' and r.period = a.first_day and a.level <> 'enterprise' group by r.book, r.scope
)
select c.book, null::integer as scope, c.emission_tco2e, c.lines, c.unresolved_rows, c.year_ago_emission_tco2e, c.year_ago_change, c.year_ago_percent
from changes c, asked a where a.level = 'enterprise'
union all
select p.book, p.scope, p.emission_tco2e, p.lines, p.unresolved_rows, y.ago,
  case when y.alike and c.year_ago_change is not null then y.now - y.ago end,
  case when y.alike and c.year_ago_change is not null and y.ago > 0 then cast(100 * (y.now - y.ago)::double / y.ago::double as decimal(28, 6)) end
from parts p join changes c on c.book = p.book left join both_years y on y.book = p.book and y.scope = p.scope;
