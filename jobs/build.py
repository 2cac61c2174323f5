"""Building one table: plan, write once, audit, publish, tell."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from conf.secrets import redact
from jobs import (
    cleaned,
    derived,
    direct,
    documents,
    finish,
    patience,
    quarantine,
    reconcile,
    relation,
    repair,
    store,
    telemetry,
    telling,
    variables,
)
from jobs.cleaned import Made
from jobs.commit import Moved, failpoint, retrying
from jobs.deliveries import readings
from jobs.energy import Meter
from jobs.lake import Lake, process, unstage
from jobs.ops import Ops
from jobs.outcome import NO_DELIVERY, Job, Outcome, new_run, start
from jobs.session import Engine, told
from schemas.contract import Contract
from schemas.contracts import contract as contract_of
from schemas.errors import UserError

LOG = logging.getLogger("carbonlake")
# The audit shares two cores with the engine that has just finished; it spills rather than grow.
AUDIT_MEMORY = "2GB"


def build(
    lake: Lake, engine: Engine, table: str, ops: Ops, other: Callable[[str], Engine], *, force: bool = False,
    meter: Meter | None = None, month: str = "",
) -> Outcome:  # fmt: skip
    """Build one table and return how it ended; errors that a person can mend end as `failed`, never as a trace.

    A contract that names an engine is built on that one, which `other` returns by its name. Building twice, after a
    half-finished run, or beside another build gives the same table.
    """
    contract, meter = contract_of(table), meter or Meter()
    name = contract.engine or engine.name
    with telemetry.about(table=table), telemetry.span(table, engine=name) as note:
        meter.start(table)
        began = time.perf_counter()
        outcome = _tried(lake, engine, other, contract, ops, force, month)
        outcome = outcome.after(time.perf_counter() - began, meter.stop(table))
        if outcome.status != "skipped":
            ops.outcome(outcome, name)
        telling.ended(lake, contract, outcome, ops, name)
        note(outcome.reason if outcome.status == "failed" else "", **_logged(outcome))
    return outcome


def _tried(
    lake: Lake, engine: Engine, other: Callable[[str], Engine], contract: Contract, ops: Ops, force: bool, month: str
) -> Outcome:  # fmt: skip
    """Build as often as it takes, and say what any error means."""
    table, name = contract.table, contract.engine or engine.name

    def once() -> Outcome:
        return _attempt(lake, lambda: engine if engine.name == name else other(name), contract, ops, force, month)

    try:
        if not lake.remote:
            return retrying(once)
        return patience.waiting(lambda: retrying(once), lake.table_path(table), patience.told_by_engine)
    except derived.NeverBuilt as error:
        return Outcome(table, new_run(), "waiting", str(error))
    except UserError as error:
        return _failed(table, str(error))
    except Moved as error:
        return _failed(table, f"other builds kept changing the table: {error}\n  → build it again")
    except Exception as error:
        return _failed(table, _gone(error, name, table))


def _logged(outcome: Outcome) -> dict[str, Any]:
    """Write the line of a build that ended, and return what it says as attributes."""
    counts = outcome.counts
    said = {"status": outcome.status, "seconds": round(outcome.seconds, 3), "rows_in": counts.came_in,
            "rows_written": counts.written, "rows_set_aside": counts.set_aside, "version": outcome.version}  # fmt: skip
    telemetry.add(run=outcome.run_id)
    level = {"failed": logging.ERROR, "skipped": logging.DEBUG}.get(outcome.status, logging.INFO)
    if outcome.status == "waiting" and outcome.reason != NO_DELIVERY:
        level = logging.WARNING  # its input is there to be built, and nobody has
    LOG.log(level, "%s: %s", outcome.status, outcome.reason, extra={**said, "summary": True})
    for warning in outcome.warnings:
        LOG.warning("%s", warning, extra={"summary": True})
    return said


def _failed(table: str, reason: str) -> Outcome:
    """Return a failure; its reason is kept and sent, so no secret that an error tells stays in it."""
    return Outcome(table, new_run(), "failed", redact(reason))


def _gone(error: Exception, engine: str, table: str) -> str:
    """Say what an engine's own error means; a defect of ours fails its table, not the run, and leaves its trace."""
    name = f"{type(error).__module__}.{type(error).__name__}"
    system = store.explain(error)
    if system:
        return str(system)
    if "grpc" in name or "pyspark" in name or "Connection" in name:
        again = "nothing was published; run it again, or see `carbonlake doctor`"
        if name.endswith("AnalysisException"):  # the plan does not fit, and will not the next time either
            again = f"nothing was published; where an input was built by older code: carbonlake run +{table}"
        return f"the engine {engine} gave up: {told(error)[:300]}\n  → {again}"
    where = traceback.extract_tb(error.__traceback__)[-1]
    LOG.debug("unexpected", exc_info=error)
    place = f"{Path(where.filename).name}:{where.lineno}"
    return f"unexpected {name}: {error} ({place})\n  → a defect; CARBONLAKE_LOG_LEVEL=debug shows its trace"


def _attempt(lake: Lake, serving: Callable[[], Engine], contract: Contract, ops: Ops, force: bool, month: str) -> Outcome:
    lake.require()
    job = start(lake, serving, contract, derived.recipe_of(lake, contract), force, month)
    telemetry.add(run=job.run_id)
    with _workplace(job) as connection:
        return _cleaned(job, connection, ops) if contract.source else _derived(job, connection, ops)


@contextmanager
def _workplace(job: Job) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection of the build's own, and its staging, swept at the end."""
    connection = relation.connect(job.lake.root, job.lake.storage_options, {"memory_limit": AUDIT_MEMORY})
    try:
        yield connection
    finally:
        connection.close()
        unstage(job.lake.folder / "_staging" / job.run_id)


def _cleaned(job: Job, connection: duckdb.DuckDBPyConnection, ops: Ops) -> Outcome:
    plan = cleaned.plan(job)
    if plan is None:
        return _unchanged(job, ops)
    if not plan.receipts and not job.note:
        return Outcome(job.contract.table, job.run_id, "waiting", NO_DELIVERY)
    _begin(job, ops)
    with telemetry.span("parse", deliveries=len(plan.receipts)):
        parsed, ready = direct.read(job, plan.receipts) or (cleaned.read(job, plan), None)
        if ready and plan.earlier and any(one.refused for one in parsed):
            parsed, ready = cleaned.read(job, plan), None
    ops.add("ops.reading", readings(job.contract, parsed, plan.receipts))
    ops.add(variables.TABLE, variables.rows(job.contract, parsed, plan.receipts))
    ops.add(documents.TABLE, documents.rows(job.contract, parsed))
    compared = reconcile.compared(job, plan.receipts, parsed, connection)
    ops.add(reconcile.TABLE, compared)
    failpoint("build:after_read")
    with telemetry.span("write", mode=plan.mode):
        made = cleaned.make(job, plan, parsed, connection, ready)
    with telemetry.span("audit"):
        judged = finish.judge_cleaned(job, plan.mode, made, connection, ops, reconcile.verdict(compared))
    failpoint("build:after_audit")
    pinned = quarantine.put(job, made, connection, plan.mode)
    note = {**plan.note, **pinned, "delivery_ids": [one.delivery for one in made.parsed][-1000:]}
    refused = tuple(f"delivery {one.delivery} ({one.name}) refused: {one.refused}" for one in made.parsed if one.refused)
    return _publish(job, made, plan.mode, plan.reason, note, (*refused, *judged), ops)


def _derived(job: Job, connection: duckdb.DuckDBPyConnection, ops: Ops) -> Outcome:
    plan = derived.plan(job)
    if plan is None:
        return _unchanged(job, ops)
    _begin(job, ops)
    with telemetry.span("write", mode=plan.mode):
        plan, made = derived.made_for(job, plan)
    failpoint("build:after_write")
    with telemetry.span("audit"):
        judged = finish.judge_derived(job, plan, made, connection, ops)
    failpoint("build:after_audit")
    pinned = quarantine.put(job, made, connection, plan.mode)
    note = {"inputs": dict(plan.versions), **pinned}
    return _publish(job, made, plan.mode, plan.reason, note, judged, ops)


def _begin(job: Job, ops: Ops) -> None:
    if late := repair.untold(job, ops):
        ops.outcome(late, job.engine.name)
    job.lake.staging(job.run_id, job.contract.table)
    telling.started(job, ops)


def _unchanged(job: Job, ops: Ops) -> Outcome:
    run = job.note.get("run", job.run_id)
    return repair.untold(job, ops) or Outcome(job.contract.table, run, "skipped", "nothing changed", version=job.version)


def _publish(
    job: Job, made: Made, mode: Any, reason: str, note: Mapping[str, Any], warnings: tuple[str, ...], ops: Ops,
) -> Outcome:  # fmt: skip
    whole = {"run": job.run_id, "recipe": job.recipe, "mode": mode, "process": process(),
             "rows": finish.rows_after(job, mode, made), "counts": vars(made.counts), **note}  # fmt: skip
    failpoint("build:after_quarantine")
    with telemetry.span("commit", rows=made.counts.written, files=len(made.files)):
        version = finish.publish(job, mode, made, whole)
    failpoint("build:after_commit")
    telling.published(job, made, note.get("inputs") or {}, version, ops)
    return Outcome(job.contract.table, job.run_id, "built", reason, mode, made.counts, version=version, note=whole,
                   warnings=warnings)  # fmt: skip
