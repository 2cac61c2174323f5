"""Telling others what happened: OpenLineage START, COMPLETE and FAIL of every build, and column lineage as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from jobs.cleaned import Made
from jobs.fingerprint import transform_file
from jobs.lake import Lake
from jobs.ops import Ops
from jobs.outcome import Job, Outcome
from lineage import events
from quality.audit import Verdict
from schemas import graph, rooms
from schemas.contract import Contract
from schemas.contracts import contracts

ENGINES = {"sail": "pysail", "spark": "pyspark"}
REPOSITORY = "https://github.com/carbonlake/carbonlake"


def started(job: Job, ops: Ops) -> None:
    """Tell that a build began."""
    build = _build(job.lake, job.contract, job.run_id, job.engine.name, {}, None)
    _tell(ops, job.contract, job.run_id, events.started(build, _now()))


def published(job: Job, made: Made, versions: Mapping[str, int], version_: int, ops: Ops) -> None:
    """Tell that a build was published: its columns' origins, its size, and what its checks found."""
    build = _build(job.lake, job.contract, job.run_id, job.engine.name, versions, version_)
    rows, size = sum(file.rows for file in made.files), sum(file.size for file in made.files)
    _tell(ops, job.contract, job.run_id, events.completed(build, _now(), made.lineage, rows, size, len(made.files)))
    checks = events.checked(build, _now(), map(_assertion, ops.judged.pop(job.run_id, ())))
    ops.tell(events.to_dict(checks))
    if made.lineage:
        found = events.edge_rows(build, made.lineage)
        ops.add("ops.lineage", [{**{k: v for k, v in row.items() if k not in ("table", "column")},
                                 "table_name": row["table"], "column_name": row["column"]} for row in found])  # fmt: skip


def ended(lake: Lake, contract: Contract, outcome: Outcome, ops: Ops, engine: str) -> None:
    """Tell that a build failed; a published one has told already."""
    if outcome.status == "failed":
        build = _build(lake, contract, outcome.run_id, engine, {}, None)
        _tell(ops, contract, outcome.run_id, events.failed(build, _now(), outcome.reason))


def _tell(ops: Ops, contract: Contract, run_id: str, event: Any) -> None:
    row = events.event_row(event)
    ops.tell(events.to_dict(event))
    ops.add("ops.event", [{"run_id": run_id, "table_name": contract.table, "event_type": row["event_type"],
                           "event_time": row["event_time"], "event": row["event"]}])  # fmt: skip


def _build(lake: Lake, one: Contract, run_id: str, engine: str, versions: Mapping[str, int], made: int | None) -> events.Build:
    namespace = lake.table_path("").rstrip("/") if "://" in str(lake.root) else "file"
    inputs = [_table(namespace, contracts()[name], versions.get(name)) for name in _inputs(one)]
    if one.source:
        inputs.append(events.Table(namespace, deliveries_of(one.table)))
    package = ENGINES[engine]
    return events.Build(run_id, _table(namespace, one, made), tuple(inputs), code=_code(one), engine=(package, version(package)))


def deliveries_of(table: str) -> str:
    """Return the name that lineage gives to the deliveries of a cleaned table."""
    return f"deliveries.{table.split('.')[1]}"


def _inputs(one: Contract) -> Sequence[str]:
    return tuple(dict.fromkeys(name for names in graph.inputs(one).values() for name in names))


def _table(namespace: str, one: Contract, version_: int | None) -> events.Table:
    fields = tuple((name, str(column.type), column.description or "") for name, column in one.columns.items())
    return events.Table(namespace, one.table, fields, version_)


def _code(one: Contract) -> tuple[str, str, str]:
    path = transform_file(one)
    return REPOSITORY, rooms.place(path) if path else one.file, version("carbonlake")


def _assertion(verdict: Verdict) -> events.Assertion:
    severity = "error" if verdict.outcome == "fail" else "warn"
    return events.Assertion(verdict.rule, verdict.passed, severity=severity, failed=verdict.failed, rows=verdict.rows)


def _now() -> datetime:
    return datetime.now(UTC)
