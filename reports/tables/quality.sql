-- title: 数据质量与不确定度
with sure as (
  select r.book, t.scope, cast(round(sqrt(sum(pow(r.uncertainty_tco2e::double, 2))), 6) as decimal(28, 6)) as apart,
    sum(r.uncertainty_most_tco2e) as most, sum(r.unrated_tco2e) as unrated_tco2e, sum(r.unrated_lines)::bigint as unrated_lines
  from rollup r join totals t on t.book = r.book and coalesce(t.scope, r.scope) = r.scope
  where r.grain = 'year' and r.period = (select first_day from asked) group by r.book, t.scope
), used as (
  select l.book, t.scope, count(*) as n, count(*) filter (measured) as measured, count(*) filter (defaulted) as defaulted,
    count(*) filter (fallback) as fallback, count(*) filter (data_grade in ('estimated', 'modelled')) as guessed
  from lines l join totals t on t.book = l.book and coalesce(t.scope, l.scope) = l.scope group by l.book, t.scope
)
select zh('book', u.book) as "账册", coalesce(zh('scope', u.scope::varchar), '各范围合计') as "范围", u.n as "明细条数",
  u.measured as "使用实测参数", u.defaulted as "使用方法缺省参数", u.fallback as "使用往年因子", u.guessed as "估算或模型推算",
  s.apart as "不确定度(tCO2e)", s.most as "不确定度上界(tCO2e)", s.unrated_tco2e as "不确定度未知的排放(tCO2e)", s.unrated_lines as "不确定度未知的明细"
from used u join sure s on s.book = u.book and s.scope is not distinct from u.scope
order by u.book <> (select book from asked), u.book, u.scope
