"""Inventories against each other and against ours as people ask for them: chosen, the widest gap first, with names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Any

from jobs.bars import Bar
from jobs.lake import Lake
from jobs.query import sql
from jobs.relation import literal
from schemas.codes import code_list
from schemas.contracts import contract
from schemas.errors import UserError

TABLE = "business.inventory_comparison"
KINDS = {"publishers": "发布者之间", "editions": "版本之间", "parts": "各省之和与全国", "sectors": "部门之和与合计",
         "fuels": "燃料之和与合计", "ours": "公布值与本湖核算"}  # fmt: skip
CAUSES = {"unit": "单位或数量级", "rounding": "修约", "time": "报告期", "boundary": "核算边界", "missing": "一方缺项",
          "factors": "排放因子", "revision": "版本修订", "statistical": "统计口径", "unexplained": "原因不明"}  # fmt: skip
Row = dict[str, Any]


def gaps(lake: Lake, wanted: Mapping[str, str]) -> list[Row]:
    """Return the rows that fit, column → value, the widest gap first. Raise UserError for one that is none."""
    for name, known in (("kind", KINDS), ("cause", CAUSES)):
        if wanted.get(name, next(iter(known))) not in known:
            raise UserError(f"there is no {name} {wanted[name]!r}", where=f"--{name}", remedy=f"one of {', '.join(known)}")
    types = {name: str(one.type) for name, one in contract(TABLE).columns.items()}
    chosen = [f"cast({name} as varchar) = {literal(value)}" for name, value in wanted.items() if name in types]
    where = f" where {' and '.join(chosen)}" if chosen else ""
    order = "abs(difference_tco2e) desc nulls last, subject_id, year, a_edition, b_edition, compared_as, fuel"
    found: list[Row] = sql(lake, f"select * from {TABLE}{where} order by {order}").to_pylist()
    if not found:
        _somebody(lake, wanted)
    return found


def _somebody(lake: Lake, wanted: Mapping[str, str]) -> None:
    """Refuse a subject of whom there is nothing at all, with the nearest names; one without a gap that fits has none."""
    subject = wanted.get("subject_id")
    known = {str(row["subject_id"]) for row in sql(lake, f"select distinct subject_id from {TABLE}").to_pylist()}
    if subject is None or subject in known:
        return
    short = {name.partition(":")[2]: name for name in known}
    near = difflib.get_close_matches(subject, known, n=3) + [short[one] for one in difflib.get_close_matches(subject, short, n=3)]
    offer = f"did you mean {', '.join(dict.fromkeys(near))}?" if near else f"there are {', '.join(sorted(known)[:3])}"
    every = f'carbonlake sql "select distinct subject_id from {TABLE} order by 1" lists all {len(known)}'
    raise UserError(f"no inventory of a subject {subject!r} differs from another", where="--subject", remedy=f"{offer}; {every}")


def told(row: Row) -> Row:
    """Return of a row what fits on a terminal, in whole tonnes."""
    what = row["a_sector"] + ("" if row["fuel"] == "all" else f", {row['fuel']}")
    return {
        "who": _who(row)[0], "year": row["year"], "of": what, "kind": row["kind"],
        **{f"{name}_t": _whole(row[f"{side}_emission_tco2e"]) for name, side in (("first", "a"), ("second", "b"))},
        "percent": _percent(row).removesuffix(" %"), "cause": row["cause"], "evidence": row["evidence"],
    }  # fmt: skip


def causes(rows: list[Row]) -> dict[str, int]:
    """Return how many rows have each cause, in the order of the rules."""
    return {cause: n for cause in CAUSES if (n := sum(row["cause"] == cause for row in rows))}


def bars(rows: list[Row]) -> list[Bar]:
    """Return a bar for each row that has a gap: who, year and what in both languages, the gap, and its cause."""
    return [Bar(_label(row, 0), _label(row, 1), float(row["difference_tco2e"]), _percent(row), row["cause"])
            for row in rows if row["difference_tco2e"] is not None]  # fmt: skip


def _whole(tonnes: Any) -> int | None:
    return None if tonnes is None else round(float(tonnes))


def _label(row: Row, language: int) -> str:
    parts = (_who(row)[language], str(row["year"]), _named("sector", row["a_sector"])[language],
             "" if row["fuel"] == "all" else _named("activity", row["fuel"])[language])  # fmt: skip
    return " · ".join(part for part in parts if part)


def _percent(row: Row) -> str:
    share = row["difference_percent"]
    return "" if share is None else f"{float(share):+,.1f} %"


def _who(row: Row) -> tuple[str, str]:
    if row["region_code"]:
        return _named("region", row["region_code"])
    return (row["a_publisher"], row["a_publisher"])


def _named(codes: str, code: str) -> tuple[str, str]:
    return _names(codes).get(code, (code, code))


@cache
def _names(codes: str) -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["name"], row.get("name_en") or row["name"]) for row in code_list(codes)}
