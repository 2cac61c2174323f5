"""How values are written in a report: two digits of a decimal, thousands apart, and never a total without what it lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
NOTHING = "—"
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML 1.0, section 2.2, excludes


def legible(value: Any) -> Any:
    """Return a value of which office files can hold every character: control characters become U+FFFD."""
    return CONTROL.sub("\ufffd", value) if isinstance(value, str) else value


def text(value: Any) -> str:
    """Return a value as a report writes it; decimals of the lake (six digits) are rounded half up to two."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return f"{value.quantize(CENT, ROUND_HALF_UP):,f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.10g}"
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)


def total(parts: Mapping[str, tuple[Decimal | None]], unresolved: int, months: int | None = None) -> str:
    """Return totals in tonnes of CO2 equivalents by scope, never added, with what they lack beside them.

    They may lack activity, and months of a year that has gaps. The one of an enterprise is named nothing.
    """
    found = [f"{name} {text(value)} tCO2e".strip() for name, (value,) in parts.items() if value is not None]
    if not found:
        return f"未能核算（{unresolved:,} 条活动数据没有结果）"
    lacks = [f"不含 {unresolved:,} 条未能核算的活动数据"] if unresolved else []
    lacks += [f"全年只有 {months} 个月的数据"] if months is not None else []
    lacks += ["各范围不相加"] if len(found) > 1 else []
    return "；".join(found) + (f"（{'；'.join(lacks)}）" if lacks else "")


def change(value: Decimal | None, percent: Decimal | None) -> str:
    """Return the change against the year before, or that nothing can be compared."""
    if value is None:
        return "上年无可比数据"
    word = "增加" if value > 0 else "减少"
    share = f"（{text(percent)}%）" if percent is not None else ""
    return f"较上年{word} {text(abs(value))} tCO2e{share}" if value else "与上年持平"


def number(value: Any) -> bool:
    """Tell whether a value is a number, which stands at the right."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
