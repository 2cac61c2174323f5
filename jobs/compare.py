"""What lies between two states of the line items, split into effects that add up exactly to the change.

Effects are taken one after the other, each from where the one before ended, so that their sum is the change to the last
digit: what only one side has (boundary; activity where the source stream is in both; factor or method where the same
activity has a line on one side only), lines that moved to another region, industry or category (code_list), the quantity at
the old factors (activity), the factors or the method, and at last the warming potentials (gwp). A change of method counts
whole, its factors included: each method brings its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from jobs import comparing, release, variants
from jobs.lake import Lake
from jobs.relation import arrow_table, columns, connect, literal, relation_sql
from models import units
from schemas.errors import UserError

NOW = release.NOW
EFFECTS = ("boundary", "code_list", "activity", "factor", "method", "gwp")
BY = {"year": "year", "subject": "subject_id", "region": "region_code", "industry": "industry_code", "category": "category",
      "scope": "scope", "gas": "gas", "activity": "activity_code"}  # fmt: skip
LINES, ACTIVITY, SUBJECT = "business.emission", "thematic.activity", "thematic.subject"
FACTOR, METHOD, UNRESOLVED = "knowledge.factor", "knowledge.method", "business.unresolved"


@dataclass(frozen=True)
class Side:
    """One state of the line items: a lake and, for a release, the version of each table."""

    name: str
    lake: Lake
    versions: Mapping[str, int] | None = None

    def head(self, table: str) -> DeltaTable | None:
        """Return a handle on a table as this side has it, None where it has none."""
        if self.versions is not None and table not in self.versions:
            return None
        return self.lake.open(table, self.versions[table] if self.versions is not None else None)


@dataclass(frozen=True)
class Comparison:
    """Rows of one group each: before, every effect, change, after; and activity without a line on either side."""

    before: str
    after: str
    rows: Sequence[Mapping[str, Any]]
    unresolved: tuple[int, int] = field(default=(0, 0))


def side(lake: Lake, name: str) -> Side:
    """Return what a name means: `now`, a release or a restatement. Raise UserError where it is none, or both."""
    if name == NOW:
        return Side(name, lake)
    released = {one["release"] for one in release.releases(lake)}
    restated = {one.name for one in variants.listed(lake)}
    kind, _, bare = name.rpartition(":")
    if bare in released and bare in restated and not kind:
        raise UserError(f"{name!r} is a release and a restatement", remedy=f"write release:{name} or variant:{name}")
    if bare in released and kind in ("", "release"):
        return Side(name, lake, release.versions(lake, bare))
    if bare in restated and kind in ("", "variant"):
        return Side(name, variants.opened(lake, bare))
    known = ", ".join([NOW, *sorted(released), *sorted(restated)])
    raise UserError(
        f"there is no release or restatement {name!r}", remedy=f"known: {known}; `carbonlake release create` names one"
    )


def compare(lake: Lake, before: str, after: str, by: Sequence[str] = ()) -> Comparison:
    """Return the change from one state to another, by book and what else is asked for, split into effects (tCO2e).

    Raise UserError for names that are none, and where a side has no line items.
    """
    if unknown := [name for name in by if name not in BY]:
        raise UserError(f"there is no {unknown[0]!r} to compare by", where="--by", remedy=f"one of {', '.join(BY)}")
    sides = (side(lake, before), side(lake, after))
    with connect(lake.root, lake.storage_options) as duck:
        duck.execute("set preserve_insertion_order = false")
        duck.execute(f"set temp_directory = {literal(str(lake.folder / '_spill'))}")
        for letter, one in zip("ab", sides, strict=True):
            _views(duck, letter, one)
        rows = split(duck, by)
        waiting = tuple(_count(duck, f"select count(*) from {letter}_unresolved") for letter in "ab")
    return Comparison(before, after, rows, (waiting[0], waiting[1]))


def split(duck: duckdb.DuckDBPyConnection, by: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the rows of a comparison from the views `a_lines`, `b_lines` and what stands beside them."""
    _units(duck)
    comparing.effects(duck)
    groups = ["book", *(BY[name] for name in dict.fromkeys(by))]
    found: list[dict[str, Any]] = arrow_table(duck.sql(comparing.report(groups, EFFECTS))).to_pylist()
    return found


def _count(duck: duckdb.DuckDBPyConnection, text: str) -> int:
    return int((duck.execute(text).fetchone() or (0,))[0])


def _views(duck: duckdb.DuckDBPyConnection, letter: str, one: Side) -> None:
    """Make what a side has visible under its letter; what it need not have is empty."""
    heads = {table: one.head(table) for table in (LINES, ACTIVITY, SUBJECT, FACTOR, METHOD, UNRESOLVED)}
    for table in (LINES, ACTIVITY, SUBJECT, FACTOR):
        if heads[table] is None:
            raise UserError(f"{one.name} has no {table}", remedy="`carbonlake run` builds it")
    for table, head in heads.items():
        if head is not None:
            duck.execute(f"create view {letter}_{_short(table)} as {relation_sql(head)}")
    if heads[METHOD] is None:
        duck.execute(f"create view {letter}_method as select null::varchar as method_id where false")
    if heads[UNRESOLVED] is None:
        empty = "null::varchar as activity_id, null::varchar as method_id"
        duck.execute(f"create view {letter}_unresolved as select {empty} where false")
    duck.execute(comparing.lines(letter, _columns(heads[LINES]), _columns(heads[SUBJECT]), _columns(heads[METHOD])))
    if _count(duck, f"select count(*) from {letter}_lines") != _count(duck, f"select count(*) from {letter}_emission"):
        raise UserError(f"lines of {one.name} meet several rows of {SUBJECT}, {ACTIVITY} or {METHOD}", where=LINES,
                        remedy="`carbonlake run` builds them with distinct keys")  # fmt: skip


def _short(table: str) -> str:
    return table.rpartition(".")[2]


def _columns(head: DeltaTable | None) -> list[str]:
    return list(columns(head)) if head else ["method_id"]


def _units(duck: duckdb.DuckDBPyConnection) -> None:
    """Fill `times` with what a quantity in a unit of side b is multiplied by to be in that of side a."""
    both = "a_activity a join b_activity b using (activity_id)"
    pairs = duck.execute(f"select distinct a.unit, b.unit from {both} where a.unit <> b.unit")
    found = [(one, other, _times(other, one)) for one, other in pairs.fetchall()]
    rows = pa.table({"a_unit": pa.array([row[0] for row in found], pa.string()), "b_unit": pa.array([row[1] for row in found],
                     pa.string()), "scale": pa.array([row[2] for row in found], pa.float64())})  # fmt: skip
    duck.execute("create table times as select * from rows")
    del rows


def _times(given: str, wanted: str) -> float | None:
    try:
        return units.factor(given, wanted)
    except UserError:  # another dimension: the quantities can't be set side by side
        return None
