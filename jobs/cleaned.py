"""Building a cleaned table: from deliveries to typed rows, one per key, with everything else set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import duckdb
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import corrections, drift, keep, land, staging
from jobs.clean import DELIVERY, LOCATOR, RULES, VERDICT, checks, clean
from jobs.commit import failpoint
from jobs.days import check_days
from jobs.deliveries import Parsed, by_shape, parse
from jobs.direct import Typed
from jobs.due import in_force
from jobs.land import Receipt
from jobs.outcome import Counts, Job, Mode, digest
from jobs.relation import table_files
from jobs.staging import Staged
from lineage.columns import Lineage, column_lineage
from quality.rules import RowCheck
from schemas.contract import Contract


@dataclass(frozen=True)
class Plan:
    """Which deliveries a build reads, and whether the table is made whole, by partitions or appended to.

    `earlier` are receipts that newer ones of their name replace, and that stand where these can't be read.
    """

    receipts: tuple[Receipt, ...]
    mode: Mode
    reason: str
    note: dict[str, object]
    earlier: tuple[Receipt, ...] = ()


@dataclass(frozen=True)
class Made:
    """What a build staged: files to publish, rows set aside, and the figures that must balance."""

    files: tuple[Staged, ...]
    aside: tuple[Staged, ...]
    parsed: tuple[Parsed, ...]
    labels: tuple[RowCheck, ...]
    counts: Counts
    replaced: tuple[str, ...]
    waived: int
    lineage: Lineage | None
    distinct: bool = False


def plan(job: Job) -> Plan | None:
    """Decide what to read; None where nothing changed since the last build."""
    every = land.receipts(job.lake, job.contract.table)
    receipts = in_force(job.contract, every)
    ids = [receipt.delivery_id for receipt in receipts]
    fixes = corrections.digest(job.decided)
    last = int(job.note.get("last_delivery", 0))
    note: dict[str, object] = {"last_delivery": max(ids, default=0), "deliveries": digest(ids), "corrections": fixes}
    same = job.same_recipe and job.note.get("corrections") == fixes
    if same and job.note.get("deliveries") == note["deliveries"]:
        return None
    fresh = tuple(receipt for receipt in receipts if receipt.delivery_id > last)
    before = digest([i for i in ids if i <= last])
    if same and last and job.note.get("deliveries") == before and _incremental(job.contract):
        mode: Mode = "append" if job.contract.write == "append" else "partitions"
        return Plan(fresh, mode, f"{len(fresh)} new deliveries", note)
    standing = set(ids)
    earlier = tuple(receipt for receipt in every if receipt.delivery_id not in standing)
    return Plan(receipts, "whole", _why_whole(job, before, fixes), note, earlier)


def _incremental(contract: Contract) -> bool:
    """Only where it is plain: appends, and replacements that stay inside one partition."""
    return contract.write == "append" or (contract.write in ("merge", "period") and keep.partition_follows(contract))


def _why_whole(job: Job, before: str, fixes: str) -> str:
    if not job.note:
        return "first build"
    if not job.same_recipe:
        return "contract or code changed"
    if job.note.get("corrections") != fixes:
        return "rows in quarantine were decided"
    if job.note.get("deliveries") != before:
        return "a delivery was withdrawn or replaced"
    return "new deliveries"


def read(job: Job, plan: Plan) -> list[Parsed]:
    """Parse the deliveries of a plan; where the newest of a name is refused, the one before it stands."""
    parsed = parse(job, plan.receipts)
    refused = {one.name for one in parsed if one.refused}
    for receipt in reversed(plan.earlier):
        if receipt.name in refused:
            found = parse(job, [receipt])
            parsed += found
            refused -= {one.name for one in found if not one.refused}
    return sorted(parsed, key=lambda one: one.delivery)


def make(
    job: Job, plan: Plan, parsed: Sequence[Parsed], connection: duckdb.DuckDBPyConnection, ready: Typed | None = None
) -> Made:
    """Type and judge the deliveries of a plan into staging, where they are not `ready`, and settle which rows stand."""
    check_days(job.contract)
    drift.check_units(job.contract, parsed)
    made = ready or _typed(job, by_shape(job.contract, parsed))
    labels, staged, lineage = made.labels, made.staged, made.lineage
    drift.check_types(job, connection, staged, labels, parsed)
    drift.check_scale(job, connection, staged, parsed)
    failpoint("build:after_write")
    drops = keep.find_drops(connection, [] if made.distinct else staged, job.contract)
    accepted = [file for file in staged if file.verdict == "ok"]
    standing = _without_drops(job, accepted, connection) if drops.any else accepted
    written = sum(file.rows for file in standing)
    touched = tuple(sorted({str(file.partition) for file in standing})) if plan.mode == "partitions" else ()
    survivors = _survivors(job, standing, touched)
    aside = tuple(file for file in staged if file.verdict != "ok")
    malformed = sum(one.rejected for one in parsed)
    counts = Counts(
        came_in=sum(one.rows for one in parsed) + malformed,
        written=written,
        set_aside=sum(file.rows for file in aside) + drops.conflicts + malformed,
        superseded=drops.superseded,
    )
    waived = corrections.waived(job.decided, {one.delivery for one in parsed})
    return Made((*standing, *survivors), aside, tuple(parsed), tuple(labels), counts, touched, waived, lineage,
                drops.distinct and plan.mode == "whole")  # fmt: skip


def _typed(job: Job, shapes: Sequence[Sequence[Parsed]]) -> Typed:
    """Type and judge rows as found, deliveries of one shape together."""
    labels: list[RowCheck] = []
    staged: list[Staged] = []
    lineage = None
    for number, shape in enumerate(shapes):
        found = corrections.applied(job.engine, job.decided, shape)
        labels = checks(job.contract, found.columns)
        frame = clean(found, job.contract, {one.delivery: one.name for one in shape})
        lineage = column_lineage(frame, {f"deliveries.{job.contract.name}": found})
        staged += staging.write(frame, job.staging / f"clean-{number}", job.contract)
    return Typed(labels, staged, lineage)


def _frame(job: Job, files: Sequence[Staged]) -> DataFrame:
    """Read staged files back, with the partition column and an open verdict."""
    roots = sorted({file.path.split(f"/{VERDICT}=")[0] for file in files})
    frames = [job.engine.session.read.parquet(f"{root}/{VERDICT}=ok") for root in roots]
    frame = reduce(lambda one, other: one.unionByName(other), frames)
    for name in job.contract.partition_by:
        frame = frame.withColumn(name, F.col(name).cast(str(job.contract.columns[name].type)))
    return frame


def _without_drops(job: Job, accepted: Sequence[Staged], connection: duckdb.DuckDBPyConnection) -> list[Staged]:
    """Write the accepted rows again without those that do not stand."""
    drops = str(job.staging / "drops.parquet")
    connection.execute(f"copy (select {DELIVERY}, {LOCATOR} from drops) to {staging.quoted(drops)} (format parquet)")
    gone = job.engine.session.read.parquet(drops).withColumnsRenamed({DELIVERY: "_gone_delivery", LOCATOR: "_gone_locator"})
    frame = _frame(job, accepted)
    same = (F.col(DELIVERY) == F.col("_gone_delivery")) & (F.col(LOCATOR) == F.col("_gone_locator"))
    kept = frame.join(gone, same, "left_anti").withColumn(VERDICT, F.lit("ok"))
    return staging.write(kept, job.staging / "standing", job.contract)


def _survivors(job: Job, fresh: Sequence[Staged], touched: Sequence[str]) -> list[Staged]:
    """Carry over the rows of the touched partitions that no new row replaces."""
    existing = _existing_rows(job, touched)
    kept: list[Staged] = []
    for number, some in enumerate(_chunks(existing)):
        name, by = job.contract.partition_by[0], keep.group(job.contract)
        values = [F.lit(value).cast(str(job.contract.columns[name].type)) for value in some]
        old = job.engine.delta(job.lake.table_path(job.contract.table), job.version).filter(F.col(name).isin(*values))
        new = _frame(job, fresh).filter(F.col(name).isin(*values)).select(*(F.col(c).alias(f"_new_{c}") for c in by))
        if by != job.contract.key:
            new = new.distinct()
        same = reduce(lambda a, b: a & b, [F.col(c) == F.col(f"_new_{c}") for c in by])
        left = old.join(new, same, "left_anti").select(*job.contract.columns, DELIVERY, LOCATOR)
        # Carried rows were judged when they came; the audit knows them by the mask they lack.
        left = left.withColumns({RULES: F.lit(None).cast("bigint"), VERDICT: F.lit("ok")})
        kept += staging.write(left, job.staging / f"kept-{number}", job.contract)
    return kept


def _existing_rows(job: Job, touched: Sequence[str]) -> dict[str, int]:
    """Return the rows that each touched partition holds now, from the log."""
    rows: dict[str, int] = {}
    for file in table_files(job.head) if touched else ():
        value = file.partition[job.contract.partition_by[0]]
        if value in touched:
            rows[value] = rows.get(value, 0) + file.rows
    return rows


def _chunks(rows: dict[str, int]) -> list[list[str]]:
    """Cut partitions into lots whose join fits into memory."""
    lots: list[list[str]] = []
    held = 0
    for value, number in sorted(rows.items()):
        if lots and held + number <= keep.ROWS_AT_A_TIME:
            lots[-1].append(value)
            held += number
        else:
            lots.append([value])
            held = number
    return lots
