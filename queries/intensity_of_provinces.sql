-- title: Emission per product and person of provinces, of what this lake holds
-- title_zh: 各省单位地区生产总值与人均排放（限于本库所载）
select year, member as region_code, scopes, denominator, intensity, denominator_value, denominator_unit, source, confidence,
  unresolved_rows
from business.emission_intensity
where book = 'enterprise' and level = 'province'
order by year, scopes, denominator, intensity desc, region_code
