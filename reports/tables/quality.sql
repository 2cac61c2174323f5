-- title: 数据质量与不确定度
select zh('book', book) as "账册", count(*) as "明细条数", count(*) filter (measured) as "使用实测参数",
  count(*) filter (defaulted) as "使用方法缺省参数", count(*) filter (fallback) as "使用往年因子",
  count(*) filter (data_grade in ('estimated', 'modelled')) as "估算或模型推算",
  round(100 * sqrt(sum(pow(emission_tco2e::double * uncertainty_percent / 100, 2)))
    / nullif(abs(sum(emission_tco2e) filter (uncertainty_percent is not null))::double, 0), 4) as "不确定度(%)",
  count(*) filter (uncertainty_percent is null) as "不确定度未知的明细"
from lines group by book order by book <> (select book from asked), book
