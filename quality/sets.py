"""Rules on the whole table: aggregates over what was written, by DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from quality.declared import columns_of
from quality.outliers import OUTLIERS
from quality.recount import quoted
from quality.scene import Scene
from quality.twice import seen_twice
from quality.verdict import Verdict, not_run
from schemas.ages import age
from schemas.contract import Rule
from schemas.contracts import contracts
from schemas.errors import UserError


def set_verdict(scene: Scene, rule: Rule) -> Verdict:
    """Judge one set rule; what DuckDB cannot answer did not run."""
    try:
        if rule.rule in OUTLIERS:
            found = OUTLIERS[rule.rule](scene, rule)
            return Verdict(rule.label, "set", rule.outcome, found.failed, scene.new.rows, not found.failed, found.detail,
                           examples=found.examples)  # fmt: skip
        failed, detail = _RULES[rule.rule](scene, rule)
    except (duckdb.Error, KeyError, UserError) as error:
        return not_run(rule.label, "set", f"{error}".splitlines()[0])
    return Verdict(rule.label, "set", rule.outcome, failed, scene.new.rows, failed == 0, detail)


def _unique(scene: Scene, rule: Rule) -> tuple[int, str]:
    """Count the rows whose key another row has too. Hashes first: only keys of equal hashes are compared."""
    columns = columns_of(rule)
    names = ", ".join(quoted(name) for name in columns)
    if scene.distinct and columns == scene.contract.key:
        return 0, ""
    if not seen_twice(scene.connection, '"new"', names, "_unique_twice"):
        return 0, ""
    twice = "select h from _unique_twice"
    given = " and ".join(f"{quoted(name)} is not null" for name in columns)
    groups = (f'select {names}, count(*) as n from "new" where {given} and hash({names}) in ({twice}) '
              f"group by {names} having n > 1")  # fmt: skip
    rows = scene.connection.execute(f"select sum(n) over (), * from ({groups}) order by n desc limit 1").fetchone()
    if rows is None:
        return 0, ""
    example = ", ".join(f"{name}={value}" for name, value in zip(columns, rows[1:-1], strict=True))
    return int(rows[0]), f"{rows[0]} rows share a key, e.g. {example} ({rows[-1]} rows)"


def _reference(scene: Scene, rule: Rule) -> tuple[int, str]:
    """Count the rows whose value the other table lacks; NULL refers to nothing and passes."""
    columns = columns_of(rule)
    if not rule.table or not columns:
        raise UserError("`reference` needs `table` and `column`")
    view = '"new"' if rule.table == scene.contract.table else ".".join(quoted(part) for part in rule.table.split("."))
    named = {row[0] for row in scene.connection.execute(f"describe {view}").fetchall()}
    theirs = columns if named >= set(columns) else contracts()[rule.table].key
    if len(theirs) != len(columns):
        raise UserError(f"{rule.table} has neither {', '.join(columns)} nor a key of as many columns")
    if rule.table == scene.contract.table:  # a parent in the same table is found by the key, not by its own column
        theirs = scene.contract.key
    return _orphans(scene, columns, theirs, view, rule.table)


def _orphans(scene: Scene, ours: tuple[str, ...], theirs: tuple[str, ...], view: str, table: str) -> tuple[int, str]:
    names = ", ".join(quoted(name) for name in ours)
    given = " and ".join(f"{quoted(name)} is not null" for name in ours)
    joined = " and ".join(f"a.{quoted(a)} = b.{quoted(b)}" for a, b in zip(ours, theirs, strict=True))
    missing = (f'select * from (select {names}, count(*) as n from "new" where {given} group by {names}) a '
               f"anti join {view} b on {joined}")  # fmt: skip
    row = scene.connection.execute(f"select sum(n) over (), * from ({missing}) order by n desc limit 1").fetchone()
    if row is None:
        return 0, ""
    example = ", ".join(f"{name}={value}" for name, value in zip(ours, row[1:-1], strict=True))
    return int(row[0]), f"{row[0]} rows refer to nothing in {table}, e.g. {example}"


def _monotone(scene: Scene, rule: Rule) -> tuple[int, str]:
    """Count the rows below the one before them, within `by`, in the order of `columns` (or the rest of the key)."""
    order = rule.columns or tuple(name for name in scene.contract.key if name not in (*rule.by, rule.column))
    if not rule.column or not order:
        raise UserError("`monotone` needs `column`, and `columns` that give the order")
    column, by = quoted(rule.column), ", ".join(quoted(name) for name in rule.by)
    window = f"({f'partition by {by} ' if by else ''}order by {', '.join(quoted(name) for name in order)})"
    steps = f'select *, lag({column}) over {window} as _before from "new" where {column} is not null'
    shown = ", ".join(quoted(name) for name in (*rule.by, *order))
    row = scene.connection.execute(
        f"select count(*) over (), _before, {column}, {shown} from ({steps}) where {column} < _before limit 1"
    ).fetchone()
    if row is None:
        return 0, ""
    at = ", ".join(f"{name}={value}" for name, value in zip((*rule.by, *order), row[3:], strict=True))
    return int(row[0]), f"{row[0]} rows fall, e.g. {rule.column} from {row[1]} to {row[2]} at {at}"


def _no_overlap(scene: Scene, rule: Rule) -> tuple[int, str]:
    """Count the rows whose period begins before one of the same `by` has ended; NULL begins ever and never ends.

    The last day belongs to a period of days, the last moment does not. `expression` says which rows are looked at.
    """
    by = ", ".join(quoted(name) for name in rule.by)
    begin = f"coalesce(cast({quoted(str(rule.column))} as timestamp), timestamp '0001-01-01')"
    end = f"coalesce(cast({quoted(str(rule.of))} as timestamp), timestamp '9999-12-31')"
    key = f"concat_ws('|', {', '.join(quoted(name) for name in scene.contract.key or rule.by)})"
    judged = f'select *, {begin} as _begin, {end} as _end, {key} as _key from "new" where {rule.expression or "true"}'
    window = f"(partition by {by} order by _begin, _end, _key rows between unbounded preceding and 1 preceding)"
    steps = f"select *, max(struct_pack(e := _end, k := _key)) over {window} as _before from ({judged})"
    meets = "<=" if scene.contract.columns[str(rule.of)].type == "date" else "<"
    row = scene.connection.execute(
        f"select count(*) over (), _before.k, _key, {quoted(str(rule.column))} from ({steps}) "
        f"where _begin {meets} _before.e order by _key limit 1"
    ).fetchone()
    if row is None:
        return 0, ""
    pair = f"e.g. {row[2]} (from {row[3] or 'ever'}) and {row[1]}"
    remedy = f"end the earlier by {rule.of}, or tell them apart by {', '.join(rule.by)}"
    return int(row[0]), f"{row[0]} rows hold while another does, {pair}: {remedy}"


def _freshness(scene: Scene, rule: Rule) -> tuple[int, str]:
    allowed = age(str(rule.limit or scene.contract.freshness))
    latest = scene.new.numbers[f"latest {rule.column}"]
    if latest is None:
        return 1, f"{rule.column} has no value"
    then = datetime.fromtimestamp(float(latest) / 1e6, UTC)
    old = scene.now - then > allowed
    return int(old), f"the latest {rule.column} is {then:%Y-%m-%d %H:%M} UTC, more than {rule.limit} ago" if old else ""


def _row_count(scene: Scene, rule: Rule) -> tuple[int, str]:
    rows = scene.new.rows
    if rule.low is not None and rows < Decimal(str(rule.low)):
        return 1, f"{rows} rows, at least {rule.low} expected"
    if rule.high is not None and rows > Decimal(str(rule.high)):
        return 1, f"{rows} rows, at most {rule.high} expected"
    return _change(scene, rule, "rows", "rows") if rule.limit is not None else (0, "")


def _sum_change(scene: Scene, rule: Rule) -> tuple[int, str]:
    if rule.limit is None:
        raise UserError("`sum_change` needs `limit`, e.g. 0.2")
    return _change(scene, rule, f"sum {rule.column}", f"sum of {rule.column}")


def _change(scene: Scene, rule: Rule, name: str, what: str) -> tuple[int, str]:
    """Compare a number with that of the version before; a first version has nothing to differ from."""
    if scene.old is None:
        return 0, "no earlier version"
    here, before = scene.new.numbers[name] or Decimal(0), scene.old.numbers[name] or Decimal(0)
    if abs(here - before) <= abs(before) * Decimal(str(rule.limit)):
        return 0, ""
    change = f"{float((here - before) / abs(before)):+.1%}" if before else "from nothing"
    return 1, f"{what}: {here} after {before} ({change}, at most ±{float(rule.limit or 0):.1%} allowed)"


_RULES: dict[str, Callable[[Scene, Rule], tuple[int, str]]] = {
    "unique": _unique,
    "reference": _reference,
    "monotone": _monotone,
    "no_overlap": _no_overlap,
    "freshness": _freshness,
    "row_count": _row_count,
    "sum_change": _sum_change,
}
