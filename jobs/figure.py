"""One figure in several states side by side: as published in a release, as known on a day, as of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from jobs import variants
from jobs.compare import Side
from jobs.lake import Lake
from jobs.relation import arrow_table, columns, connect, quote, relation_sql
from jobs.restate import restate
from jobs.session import Engine
from models.variant import Variant
from schemas.contracts import contract
from schemas.errors import UserError

BOOK = "book"
UNRESOLVED = "business.unresolved"
LACKS = "unresolved_activities"  # of the same subject, activity and year, in whatever book: the figure lacks what they emit


def figure(lake: Lake, table: str, where: Mapping[str, str], sides: Sequence[Side]) -> list[dict[str, Any]]:
    """Return the sums of a table's measures over the rows that values of columns select, one row for each state and group.

    A group is what the contract says adds up: a book, and a level, grain, unit … where the table has several. A measure
    that adds up within less than that, such as the mass of one gas, is left out until `where` says of which. Where the
    table does not count it itself, activity without a line is told beside an emission.
    Raise UserError for a column that is none, a table without measures, and a state that lacks the table.
    """
    one = contract(table)
    if unknown := [name for name in where if name not in one.columns]:
        raise UserError(f"no column {', '.join(unknown)}", where=table, remedy=f"columns: {', '.join(one.columns)}")
    measures = list(dict.fromkeys(name for name in one.measures if name in one.columns))
    if not measures:
        raise UserError("this table has nothing that adds up", where=table, remedy="its contract names no `balance`")
    within = {item.measure: ({*item.by, BOOK} & set(one.columns)) - set(where) for item in one.balance}
    groups = [name for name in one.columns if name in within[measures[0]]]
    fitting = [name for name in measures if within[name] <= set(groups)]
    return [row for side in sides for row in _sums(lake, side, table, where, groups, fitting)]


def _sums(
    lake: Lake, side: Side, table: str, where: Mapping[str, str], groups: Sequence[str], measures: Sequence[str]
) -> list[dict[str, Any]]:  # fmt: skip
    head = side.head(table)
    if head is None:
        raise UserError(f"{side.name} has no {table}", remedy="`carbonlake release show` tells what a release holds")
    there = columns(head)  # a release may be older than a column
    sums = [f"{f'sum({quote(name)})' if name in there else 'null'} as {quote(name)}" for name in measures]
    same = " and ".join(f"cast({quote(name)} as varchar) = ?" for name in where) or "true"
    names = [quote(name) for name in groups]
    grouped = f"group by {', '.join(names)} order by {', '.join(names)}" if names else ""
    with connect(lake.root, lake.storage_options) as duck:
        text = f"select {', '.join([*names, 'count(*) as rows', *sums])} from ({relation_sql(head)}) where {same} {grouped}"
        found = arrow_table(duck.sql(text, params=list(where.values()))).to_pylist()
        lacks = _lacks(duck, side, where) if "emission_tco2e" in measures and "unresolved_rows" not in measures else {}
    # A state that has nothing of it says so: a row less would pass for a state that was not asked.
    none = [dict.fromkeys(groups) | {"rows": 0} | dict.fromkeys(measures)]
    return [{"state": side.name, **row, **lacks} for row in found or none]


def _lacks(duck: duckdb.DuckDBPyConnection, side: Side, where: Mapping[str, str]) -> dict[str, int]:
    head = side.head(UNRESOLVED)
    if head is None:
        return {}
    places = {name: "year(date)" if name == "year" else quote(name) for name in ("subject_id", "activity_code", "year")}
    same = " and ".join(f"cast({places[name]} as varchar) = ?" for name in where if name in places) or "true"
    values = [value for name, value in where.items() if name in places]
    found = duck.execute(f"select count(*) from ({relation_sql(head)}) where {same}", values).fetchone()
    return {LACKS: found[0] if found else 0}


def known_on(lake: Lake, engine: Engine, day: date, **options: Any) -> Side:
    """Return the state with the factors known on a day: the restatement that there is, or a new one, `known-<day>`."""
    variant, name = Variant(known_on=day), f"known-{day}"
    for one in variants.listed(lake):
        if one.variant == variant and one.factors is None and not variants.behind(lake, one):
            return Side(f"known on {day}", variants.opened(lake, one.name))
    if any((one.name, one.variant, one.factors) == (name, variant, None) for one in variants.listed(lake)):
        variants.drop(lake, name)  # tables have changed since, so it says what was known of others
    restate(lake, engine, name, variant, **options)
    return Side(f"known on {day}", variants.opened(lake, name))
