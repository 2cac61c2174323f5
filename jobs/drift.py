"""Drift that headers do not show: a column whose values no longer fit its type, a measure whose scale jumped."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from jobs import staging
from jobs.clean import DELIVERY, LOCATOR, RULES, found_header
from jobs.deliveries import Parsed, as_found
from jobs.outcome import Job
from jobs.query import relation_sql
from jobs.relation import quote
from jobs.staging import Staged
from models import units
from quality.rules import RowCheck
from schemas import types
from schemas.contract import Contract
from schemas.errors import UserError

# A step of units is 1,000 (k, M) or 10,000 (万); a season or a new subject moves a median far less.
JUMP = 300.0
ENOUGH = 20
SAMPLE = 200_000
NEWEST = 100
REMEDY = "if the figures are right, build with --force; if they are wrong, `carbonlake withdraw {}`"


def check_types(
    job: Job, connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged], labels: Sequence[RowCheck],
    parsed: Sequence[Parsed],
) -> None:  # fmt: skip
    """Raise UserError where in most rows of a new delivery a column does not fit its type, as it did before."""
    aside = [file.path for file in staged if file.verdict != "ok"]
    bits = {check.columns: bit for bit, check in enumerate(labels) if check.columns}
    new = {one.delivery: one for one in _new(job, parsed)}
    if not new or not aside or not bits:
        return
    counts = ", ".join(f"count(*) filter (({RULES} & {1 << bit}) <> 0)" for bit in bits.values())
    listed = ", ".join(map(staging.quoted, aside))
    found = connection.execute(f"select {DELIVERY}, {counts} from read_parquet([{listed}]) group by {DELIVERY}").fetchall()
    for delivery, *numbers in sorted(found):
        for (names, bit), wrong in zip(bits.items(), numbers, strict=True):
            if delivery in new and 2 * wrong > new[delivery].rows:
                unfit = f"select {LOCATOR} from read_parquet([{listed}]) where ({RULES} & {1 << bit}) <> 0"
                raise _retyped(job, connection, new[delivery], names, wrong, unfit)


def _retyped(
    job: Job, connection: duckdb.DuckDBPyConnection, one: Parsed, names: Sequence[str], wrong: int, unfit: str
) -> UserError:  # fmt: skip
    if len(names) > 1:  # they share a bit, as in tables of very many columns
        return _drifted(job, one, f"{wrong} of {one.rows} rows do not fit the types of {', '.join(names)}")
    (name,) = names
    column = job.contract.columns[name]
    header = str(found_header(column, name, one.columns))
    seen: list[str] = []
    if header in one.columns:
        places = f"{LOCATOR} in ({unfit} and {DELIVERY} = {one.delivery})"
        sql = f"select distinct {quote(header)} from ({as_found([one])}) where {places} order by 1 limit 3"
        seen = [repr(row[0]) for row in connection.execute(sql).fetchall()]
    return _drifted(job, one, f"{name} (from {header!r}) is {column.type}, which {wrong} of {one.rows} rows do not fit, "
                              f"e.g. {', '.join(seen)}")  # fmt: skip


def _drifted(job: Job, one: Parsed, what: str) -> UserError:
    return UserError(
        f"the source has drifted: {what}", where=f"{job.contract.file}, delivery {one.delivery} ({one.name})",
        remedy="if the source has another format now, declare it (`format`, `pattern`, `null_values`); "
               + REMEDY.format(one.delivery))  # fmt: skip


def check_units(contract: Contract, parsed: Sequence[Parsed]) -> None:
    """Raise UserError where the units that a delivery names are others than the contract says."""
    for one in parsed:
        told = {} if one.refused else one.around.get("units", {})
        for name, column in contract.columns.items():
            header = found_header(column, name, one.columns)
            declared = column.unit_from or column.unit
            found = told.get(header) if isinstance(declared, str) else None
            if found and not _same_unit(found, str(declared)):
                raise UserError(
                    f"the delivery says that {header!r} is in {found}, the contract that {name} is in {declared}",
                    where=f"{contract.file}, delivery {one.delivery} ({one.name})",
                    remedy=f"declare `unit_from: {found}`, or if the delivery is wrong, `carbonlake withdraw {one.delivery}`",
                )  # fmt: skip


def _same_unit(found: str, declared: str) -> bool:
    bare = found.strip(units.BRACKETS)
    try:
        return bare == declared or units.factor(bare, declared) == 1
    except UserError:
        return False


def check_scale(job: Job, connection: duckdb.DuckDBPyConnection, staged: Sequence[Staged], parsed: Sequence[Parsed]) -> None:
    """Raise UserError where the median of a measure in a new delivery is 300 times off that of the table as it stands.

    The unit or the scale of the source has then most likely changed, and every later number would be wrong.
    """
    measures = [name for name, column in job.contract.columns.items()
                if types.decimal_parts(str(column.type)) and not column.derive]  # fmt: skip
    accepted = [file for file in staged if file.verdict == "ok"]
    new = _new(job, parsed)
    if not measures or not accepted or not new:
        return
    before = _medians(connection, relation_sql(job.lake, job.contract.table, job.version), measures)
    fresh = staging.relation(accepted, job.contract, (DELIVERY,))
    for one in new[-NEWEST:]:
        now = _medians(connection, f"select * from ({fresh}) where {DELIVERY} = {one.delivery}", measures)
        for name in measures:
            if now[name] and before[name] and not 1 / JUMP < now[name] / before[name] < JUMP:
                raise UserError(
                    f"the scale of {name} changed: its median is {now[name]:g} in the delivery, {before[name]:g} in the table",
                    where=f"{job.contract.file}, delivery {one.delivery} ({one.name})",
                    remedy="if the source's unit changed, declare it with `unit_from` in a source of its own; "
                           + REMEDY.format(one.delivery),
                )  # fmt: skip


def _new(job: Job, parsed: Sequence[Parsed]) -> list[Parsed]:
    """Return the deliveries that the table does not know yet and that say enough; none where nobody knows what was usual."""
    if job.force or job.note.get("rows", 0) < ENOUGH:
        return []
    last = int(job.note.get("last_delivery", 0))
    return [one for one in parsed if one.delivery > last and one.rows >= ENOUGH]


def _medians(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> dict[str, float]:
    # A sample is enough to tell a step of a thousand.
    sums = ", ".join(f'median(abs(cast("{name}" as double))) filter ("{name}" <> 0)' for name in names)
    row = connection.execute(f"select {sums} from (select * from ({relation}) limit {SAMPLE})").fetchone()
    return {name: float(value or 0) for name, value in zip(names, row or (), strict=True)}
