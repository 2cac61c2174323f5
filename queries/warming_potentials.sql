-- title: Global warming potentials in each assessment report
-- title_zh: 各次评估报告的全球增温潜势
select gas, max(gas_name) as gas_name,
  max(gwp) filter (where gwp_set = 'SAR') as sar, max(gwp) filter (where gwp_set = 'AR4') as ar4,
  max(gwp) filter (where gwp_set = 'AR5') as ar5, max(gwp) filter (where gwp_set = 'AR6') as ar6
from cleaned.gwp
group by gas
order by gas
