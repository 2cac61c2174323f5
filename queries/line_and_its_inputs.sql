-- title: Line items of an enterprise with the values that went in
-- title_zh: 企业核算明细及其取值
select l.line_id, l.category, l.gas, l.emission_tco2e, i.role, i.kind, i.value, i.unit
from business.emission l
join business.emission_input i on i.line_id = l.line_id
where l.subject_id = 'enterprise:91130000EXAMPLE01T' and l.date = date '2024-06-01'
order by l.line_id, i.role, i.ref_id
