"""What came in = what went on + what was set aside: in rows, and in each declared measure, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

import duckdb

from quality.counts import WHOLE
from quality.recount import quoted
from quality.scene import Scene
from quality.verdict import Verdict, not_run
from schemas.contract import Balance, Contract
from schemas.contracts import contracts
from schemas.errors import UserError
from schemas.graph import inputs, several

EXACT = ("DECIMAL", "INTEGER", "BIGINT", "HUGEINT", "SMALLINT", "TINYINT", "UINTEGER", "UBIGINT", "UHUGEINT")


def row_balance(written: int, aside: Mapping[str, int], rows_in: int, superseded: int) -> Verdict:
    """Judge rows in = written + set aside + superseded."""
    set_aside = aside.get(WHOLE, sum(aside.values()))
    out = written + set_aside + superseded
    told = f"{rows_in} rows in, {written} written + {set_aside} set aside + {superseded} superseded = {out}"
    gap = out - rows_in
    detail = f"{told}: {abs(gap)} {'too many' if gap > 0 else 'missing'}" if gap else told
    return Verdict("balance_rows", "balance", "fail", abs(gap), rows_in, not gap, detail, Decimal(out), Decimal(rows_in), "rows")


def measure_balance(scene: Scene, one: Balance, inflow: Mapping[str, Decimal] | None, aside: Mapping[str, Decimal]) -> Verdict:
    """Judge one measure, against its inputs or, in a cleaned table, against what was read and set aside."""
    label = f"balance_{one.measure}"
    try:
        if one.equals:
            return _against(scene, one, one.equals)
        if scene.contract.layer != "cleaned":
            found = _against(scene, one, _same_column(scene, one))
            return found if found.passed or one.by else _by_period(scene, one, found)
        if inflow is None or one.measure not in inflow:
            return not_run(label, "balance", f"nobody counted {one.measure} in the delivery")
        here = scene.new.numbers[f"sum {one.measure}"] or Decimal(0)
        return _compare(scene, one, here + aside.get(one.measure, Decimal(0)), inflow[one.measure])
    except (duckdb.Error, KeyError, UserError) as error:
        return not_run(label, "balance", str(error).splitlines()[0])


def period_column(contract: Contract, among: Iterable[str]) -> str | None:
    """Return the column that says when, of some names: what `period` names, a day, an instant, or else a year."""
    names = [name for name in (*contract.period, *contract.columns) if name in among]
    timed = (name for name in names if name in contract.period or contract.columns[name].type in ("date", "timestamp"))
    return next(timed, "year" if "year" in names else None)


def _by_period(scene: Scene, one: Balance, found: Verdict) -> Verdict:
    """Tell a gap by period, where the inputs have the column that says when."""
    period = period_column(scene.contract, scene.contract.columns)
    if period is None:
        return found
    finer = one.model_copy(update={"by": (period,)})
    try:
        return replace(found, detail=_against(scene, finer, _same_column(scene, finer)).detail or found.detail)
    except (duckdb.Error, UserError):  # an input knows no such column
        return found


def _compare(scene: Scene, one: Balance, here: Decimal, there: Decimal) -> Verdict:
    unit = _unit(scene, one)
    detail = "" if here == there else _gap(f"{one.measure} ({unit})", here, there)
    return Verdict(f"balance_{one.measure}", "balance", "fail", int(here != there), 1, here == there, detail, here, there, unit)


def _unit(scene: Scene, one: Balance) -> str:
    column = scene.contract.columns.get(one.measure)
    return (column.unit if column else None) or "1"


def _gap(what: str, here: Decimal, there: Decimal) -> str:
    more = here > there
    return f"{what}: {here} here, {there} in what came in, {abs(here - there)} {'too much' if more else 'missing'}"


def _same_column(scene: Scene, one: Balance) -> str:
    """Without `equals`, a measure is that of the inputs that have a column of the same name.

    What flows in by `having: activity` is the quantity that each table declares, in the unit of its column.
    """
    parts, names = [], ", ".join(quoted(name) for name in (*one.by, one.measure))
    wide = {param for param, table in scene.contract.inputs.items() if several(table)}
    for param, tables in inputs(scene.contract).items():
        for table in tables:
            view = ".".join(quoted(part) for part in table.split("."))
            columns = {row[0] for row in scene.connection.execute(f"describe {view}").fetchall()}
            if param in wide:
                parts += _activities(one, table, view)
            elif one.measure in columns:
                parts.append(f"select {names} from {view}")
    if not parts:
        raise UserError(f"no input has a column {one.measure!r}; say in `equals` what its sum should be")
    return " union all ".join(dict.fromkeys(parts))


def _activities(one: Balance, table: str, view: str) -> list[str]:
    """Return SELECTs of the quantities that a table declares, each with the `by` columns that follow from the contract."""
    contract = contracts()[table]
    parts = []
    for code, activity in contract.activity.items():
        known = {"unit": contract.columns[activity.quantity].unit or "", "activity_code": code, "source_table": table}
        if unknown := [name for name in one.by if name not in known]:
            raise UserError(f"activity is balanced by {', '.join(known)}, not by {', '.join(unknown)}")
        by = "".join(f"'{known[name]}' as {quoted(name)}, " for name in one.by)
        rows = f" where {activity.only}" if activity.only else ""
        parts.append(f"select {by}{quoted(activity.quantity)} as {quoted(one.measure)} from {view}{rows}")
    return parts


def _against(scene: Scene, one: Balance, sql: str) -> Verdict:
    """Compare the sums of each group with those of `sql` (the `by` columns, then the sum)."""
    by, run = [quoted(name) for name in one.by], scene.connection.execute
    names = ", ".join([*by, "v"])
    there = f"(select * from ({sql.strip().rstrip(';')})) as t({names})"
    type_ = str(run(f"describe select v from {there}").fetchall()[0][1])
    if not type_.startswith(EXACT):
        raise UserError(f"`equals` gives {type_}, which does not add up exactly; cast to decimal before adding")
    keys = ", ".join([*by, "1 as _one"])
    on = " and ".join([f"a.{name} is not distinct from b.{name}" for name in by] + ["a._one = b._one"])
    shown = "".join(f"coalesce(a.{name}, b.{name}), " for name in by)
    rows = run(
        f'with a as (select {keys}, sum({quoted(one.measure)}) as v from "new" group by all), '
        f"b as (select {keys}, sum(v) as v from {there} group by all), "
        f"c as (select {shown}coalesce(a.v, 0) as here, coalesce(b.v, 0) as there from a full join b on {on}) "
        "select *, here <> there, sum(here) over (), sum(there) over (), count(*) over (), "
        "count(*) filter (here <> there) over () from c order by here <> there desc, abs(here - there) desc limit 3"
    ).fetchall()
    return _told(scene, one, rows)


def _told(scene: Scene, one: Balance, rows: list[tuple[object, ...]]) -> Verdict:
    """Turn the worst groups into a verdict; a row is the group, here, there, differs, both totals, groups, failed."""
    n, unit, label = len(one.by), _unit(scene, one), f"balance_{one.measure}"
    if not rows:
        return Verdict(label, "balance", "fail", 0, 0, True, "", Decimal(0), Decimal(0), unit)
    details = []
    for row in (row for row in rows if row[n + 2]):
        group = ", ".join(f"{name}={value}" for name, value in zip(one.by, row[:n], strict=True))
        details.append(
            _gap(f"{one.measure} ({unit}){f', {group}' if group else ''}", Decimal(str(row[n])), Decimal(str(row[n + 1])))
        )
    here, there, groups, failed = (Decimal(str(value)) for value in rows[0][n + 3 :])
    detail = "; ".join(details) + (f"; {failed} of {groups} groups in all" if failed > len(details) else "")
    return Verdict(label, "balance", "fail", int(failed), int(groups), not failed, detail, here, there, unit)
