"""Roll-ups as people ask for them: members of a level, what they are made of, their change on a year ago; named, and as bars."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from jobs.bars import Bar
from jobs.lake import Lake
from jobs.query import sql
from jobs.relation import literal
from schemas.codes import code_list
from schemas.contracts import contract
from schemas.errors import UserError

ROLLUP, STRUCTURE, CHANGE = "business.emission_rollup", "business.emission_structure", "business.emission_change"
STATES = {"complete": "已全部核算", "lacking": "另有活动未核算"}  # of a bar: is all activity in it?
GRAINS = {r"\d{4}": "year", r"\d{4}-Q[1-4]": "quarter", r"\d{4}-\d\d": "month", r"\d{4}-\d\d-\d\d": "day"}
CODES = {"nation": "region", "province": "region", "prefecture": "region", "county": "region", "section": "industry",
         "division": "industry", "group": "industry", "class": "industry", "sector": "emission_sector",
         "activity": "activity", "fuel": "energy_carrier", "fuel_group": "energy_carrier"}  # fmt: skip
WORDS = {"all": ("全部", "all"), "unknown": ("未知", "unknown"), "none": ("非燃料", "no fuel")}
LACKS = "未核算的活动（条数），不在上列数字之中 activity without a line (rows), in none of these figures:"
NAMED = 6  # activities without a line that a picture names
Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What is asked for: members of a level in a period (a year, quarter, month or day) of one book.

    `part` is a kind of structure, or empty; `change` asks for the change on a year ago.
    """

    level: str
    period: str = ""
    book: str = "enterprise"
    member: str = ""
    part: str = ""
    change: bool = False


def asked(lake: Lake, one: Asked) -> tuple[list[Row], str]:
    """Return a row for each member, or part of a member, the largest first, and the period: without one, the newest year.

    Raise UserError for a level, a kind of parts or a period that is none.
    """
    _demand("--by", one.part or "scope", _values(STRUCTURE, "kind"))
    _demand("LEVEL", one.level, _values(ROLLUP, "level"))
    period = one.period or _newest(lake, one)
    where = _where(one, period)
    order = "order by {} desc nulls last, member"
    if one.change:
        text = (
            "select member, year_ago_emission_tco2e, emission_tco2e, year_ago_change, year_ago_percent, complete, "
            f"year_ago_unresolved_rows, unresolved_rows from {CHANGE} where {where} {order.format('abs(year_ago_change)')}"
        )
    elif one.part:
        text = (
            "select member, part, emission_tco2e, share_percent, unresolved_rows "
            f"from {STRUCTURE} where {where} and kind = {literal(one.part)} {order.format('emission_tco2e')}, part"
        )
    else:
        text = (
            "select member, sum(emission_tco2e) as emission_tco2e, sum(lines)::bigint as lines, "
            "sum(unresolved_rows)::bigint as unresolved_rows "
            f"from {ROLLUP} where {where} group by member {order.format('emission_tco2e')}"
        )
    names = _subjects(lake) if one.level in ("park", "enterprise", "facility") else {}
    return [_with_names(row, one, names) for row in sql(lake, text).to_pylist()], period


def lacking(lake: Lake, one: Asked, period: str) -> list[str]:
    """Return what is not in any of it: activities without a line, in both languages, the most rows first."""
    found = sql(lake, f"select activity_code, sum(unresolved_rows)::bigint as n from {ROLLUP} where {_where(one, period)} "
                      "and unresolved_rows > 0 group by activity_code order by n desc, activity_code").to_pylist()  # fmt: skip
    if not found:
        return []
    names = [f"{' '.join(_named('activity', row['activity_code']))} {row['n']:,}" for row in found[:NAMED]]
    more = f" … +{len(found) - NAMED}" if len(found) > NAMED else ""
    return [
        "未核算的活动（条数），不在上列数字之中 activity without a line (rows), in none of these figures:",
        "; ".join(names) + more,
    ]


def bars(rows: list[Row], one: Asked) -> list[Bar]:
    """Return a bar for each row: its name in both languages, its tonnes or their change, and what it lacks."""
    return [_bar(row, one) for row in rows]


def title(one: Asked, period: str) -> str:
    """Return what a picture shows, in both languages."""
    what = "同比变化 change on a year ago" if one.change else f"构成 by {one.part}" if one.part else "排放 emissions"
    return f"{what} · {one.level} · {period} · {one.book}, CO2e"


def _bar(row: Row, one: Asked) -> Bar:
    value = row["year_ago_change" if one.change else "emission_tco2e"]
    share = row.get("year_ago_percent" if one.change else "share_percent")
    open_ = (row["unresolved_rows"] or 0) + (row.get("year_ago_unresolved_rows") or 0)
    told = [f"{float(share):+,.1f} %" if one.change else f"{float(share):,.1f} %"] if share is not None else []
    if value is None:
        told.append("不可比 not comparable" if one.change and row["emission_tco2e"] is not None else "未能核算 not computed")
    if open_:
        told.append(f"未核算 {open_:,} 条 unresolved")
    labels = [" · ".join(row[f"{name}{end}"] for name in ("name", "of") if f"{name}{end}" in row) for end in ("", "_en")]
    tonnes = None if value is None else float(value)
    return Bar(labels[0], labels[1], tonnes, ", ".join(told), "lacking" if open_ else "complete")


def _where(one: Asked, period: str) -> str:
    grain = next((grain for shape, grain in GRAINS.items() if re.fullmatch(shape, period)), None)
    first = _first(period)
    if grain is None or first is None:
        raise UserError(f"{period!r} is no period", where="--period", remedy="write 2024, 2024-Q3, 2024-03 or 2024-03-01")
    chosen = {"book": one.book, "grain": grain, "level": one.level} | ({"member": one.member} if one.member else {})
    same = [f"{name} = {literal(value)}" for name, value in chosen.items()]
    return " and ".join([*same, f"period = date {literal(first)}"])


def _first(period: str) -> str | None:
    """Return the first day of a period; None where there is no such day."""
    year, _, rest = period.partition("-")
    if rest.startswith("Q"):
        rest = f"{int(rest[1:]) * 3 - 2:02}"
    try:
        return date.fromisoformat("-".join([year, *(rest.split("-") if rest else []), "01", "01"][:3])).isoformat()
    except ValueError:
        return None


def _newest(lake: Lake, one: Asked) -> str:
    (row,) = sql(lake, f"select year(max(period)) as year from {ROLLUP} where book = {literal(one.book)} and grain = 'year' "
                       f"and level = {literal(one.level)} and lines > 0").to_pylist()  # fmt: skip
    if row["year"] is None:
        raise UserError(f"no line item is in the book {one.book!r}", where="--book",
                        remedy="`carbonlake sql --saved emission_of_books` lists the books")  # fmt: skip
    return str(row["year"])


def _demand(where: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"there is no {value!r}", where=where, remedy=f"one of {', '.join(known)}")


def _values(table: str, column: str) -> tuple[str, ...]:
    found = next(rule.values for rule in contract(table).rules if rule.rule == "one_of" and rule.column == column)
    return tuple(str(value) for value in found or ())


def _with_names(row: Row, one: Asked, subjects: Mapping[str, tuple[str, str]]) -> Row:
    name = subjects.get(row["member"]) or _member(one.level, row["member"])
    made = {"member": row["member"], "name": name[0], "name_en": name[1]}
    if one.part:
        of = _part(one.part, row["part"])
        made |= {"part": row["part"], "of": of[0], "of_en": of[1]}
    return made | {key: value for key, value in row.items() if key not in made}


def _member(level: str, member: str) -> tuple[str, str]:
    word, _, code = member.partition(":")
    if word == "unknown" and code:
        return tuple(f"{a} ({b})" for a, b in zip(WORDS[word], _named(CODES.get(level, ""), code), strict=True))  # type: ignore[return-value]
    return _named(CODES.get(level, ""), member)


def _part(kind: str, part: str) -> tuple[str, str]:
    return (f"范围 {part}", f"scope {part}") if kind == "scope" else _named(CODES.get(kind, ""), part)


def _named(codes: str, code: str) -> tuple[str, str]:
    return WORDS.get(code) or (_names(codes).get(code) if codes else None) or (code, code)


@cache
def _names(codes: str) -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["name"], row.get("name_en") or row["name"]) for row in code_list(codes)}


def _subjects(lake: Lake) -> dict[str, tuple[str, str]]:
    rows = sql(lake, "select subject_id, name, coalesce(name_en, name) as name_en from thematic.subject where latest").to_pylist()
    return {row["subject_id"]: (row["name"] or row["subject_id"], row["name_en"] or row["subject_id"]) for row in rows}
