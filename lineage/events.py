"""OpenLineage events of a build: what it read and wrote, how columns came about, what the checks found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    OutputDatasetFacet,
    RunFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    error_message_run,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    source_code_location_job,
)
from openlineage.client.serde import Serde

from lineage.edges import Edge, Lineage

PRODUCER = "https://github.com/carbonlake/carbonlake"
JOBS = "carbonlake"


@dataclass(frozen=True)
class Table:
    """A table as OpenLineage names it: `namespace` is the lake (`file` or `s3://bucket`), `version` Delta's.

    ``fields``: (name, type, description) of each column.
    """

    namespace: str
    name: str
    fields: tuple[tuple[str, str, str], ...] = ()
    version: int | None = None


@dataclass(frozen=True)
class Build:
    """One run of one table. ``run_id`` may be any text; OpenLineage's UUID is made of it.

    ``parent``: (run id, job) of the run that it is part of. ``code``: (URL, path, version) of the transform.
    ``engine``: (name, version).
    """

    run_id: str
    table: Table
    inputs: tuple[Table, ...] = ()
    parent: tuple[str, str] | None = None
    code: tuple[str, str, str] | None = None
    engine: tuple[str, str] | None = None


@dataclass(frozen=True)
class Assertion:
    """What one check found: `failed` of `rows`; `severity` is error or warn."""

    rule: str
    passed: bool
    column: str | None = None
    severity: str = "error"
    failed: int = 0
    rows: int = 0


def started(build: Build, at: datetime) -> RunEvent:
    """Return the START event of a build."""
    return _event(RunState.START, build, at, _dataset(build))


def completed(build: Build, at: datetime, lineage: Lineage | None, rows: int, size: int, files: int) -> RunEvent:
    """Return the COMPLETE event: with column lineage, and `rows`, `size` (bytes) and `files` written."""
    counts = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=rows, size=size, fileCount=files, producer=PRODUCER
    )
    facets: dict[str, DatasetFacet] = {"columnLineage": _columns(build, lineage)} if lineage else {}
    return _event(RunState.COMPLETE, build, at, _dataset(build, facets, {"outputStatistics": counts}))


def failed(build: Build, at: datetime, message: str) -> RunEvent:
    """Return the FAIL event of a build, with its message and no stack trace."""
    error = error_message_run.ErrorMessageRunFacet(message, "python", producer=PRODUCER)
    return _event(RunState.FAIL, build, at, _dataset(build), {"errorMessage": error})


def checked(build: Build, at: datetime, assertions: Iterable[Assertion]) -> RunEvent:
    """Return the event of the checks, a run of its own under the build.

    OpenLineage has assertions on inputs only; as an input of the build itself the table would be its own source.
    """
    facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        [_assertion(one) for one in assertions], producer=PRODUCER
    )
    table = build.table
    looked_at = InputDataset(table.namespace, table.name, {"dataQualityAssertions": facet}, facets=_facets(table))
    run = Run(run_uuid(f"checks of {build.run_id}"), {"parent": _parent(build.run_id, table.name)})
    job = Job(JOBS, f"{table.name}.checks", _job_facets(None))
    return RunEvent(
        eventTime=_time(at), producer=PRODUCER, run=run, job=job, eventType=RunState.COMPLETE, inputs=[looked_at], outputs=[]
    )


def to_dict(event: RunEvent) -> dict[str, Any]:
    """Return an event as plain JSON values."""
    made: dict[str, Any] = json.loads(Serde.to_json(event))
    return made


def event_row(event: RunEvent) -> dict[str, Any]:
    """Return an event as a row of the lake's own table of events."""
    return {
        "event_time": datetime.fromisoformat(event.eventTime),
        "event_type": event.eventType.value if event.eventType else None,
        "run_id": event.run.runId,
        "job": event.job.name,
        "inputs": [one.name for one in event.inputs or []],
        "outputs": [one.name for one in event.outputs or []],
        "event": Serde.to_json(event),
    }


def edge_rows(build: Build, lineage: Lineage) -> list[dict[str, Any]]:
    """Return column lineage as rows: one for each edge."""
    return [
        {"run_id": build.run_id, "table": build.table.name, "column": column, "input_table": edge.input_table,
         "input_column": edge.input_column, "kind": edge.kind, "subtype": edge.subtype}
        for column, edges in lineage.columns.items()
        for edge in edges
    ]  # fmt: skip


def run_uuid(run_id: str) -> str:
    """Return the UUID of a run: its own id if that is one, else one made of it, always the same."""
    try:
        return str(uuid.UUID(run_id))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRODUCER}/runs/{run_id}"))


def _event(
    state: RunState, build: Build, at: datetime, output: OutputDataset, facets: dict[str, RunFacet] | None = None
) -> RunEvent:
    inputs = [InputDataset(one.namespace, one.name, facets=_facets(one)) for one in build.inputs]
    run = Run(run_uuid(build.run_id), _run_facets(build) | (facets or {}))
    job = Job(JOBS, build.table.name, _job_facets(build.code))
    return RunEvent(eventTime=_time(at), producer=PRODUCER, run=run, job=job, eventType=state, inputs=inputs, outputs=[output])


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _run_facets(build: Build) -> dict[str, RunFacet]:
    facets: dict[str, RunFacet] = {}
    if build.parent:
        facets["parent"] = _parent(*build.parent)
    if build.engine:
        name, version = build.engine
        facets["processing_engine"] = processing_engine_run.ProcessingEngineRunFacet(version, name, producer=PRODUCER)
    return facets


def _parent(run_id: str, job: str) -> RunFacet:
    run = parent_run.Run(run_uuid(run_id))
    return parent_run.ParentRunFacet(run, parent_run.Job(JOBS, job), producer=PRODUCER)


def _job_facets(code: tuple[str, str, str] | None) -> dict[str, JobFacet]:
    facets: dict[str, JobFacet] = {"jobType": job_type_job.JobTypeJobFacet("BATCH", "CARBONLAKE", "TABLE", producer=PRODUCER)}
    if code:
        url, path, version = code
        facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
            "git", url, path=path, version=version, producer=PRODUCER
        )
    return facets


def _facets(table: Table) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {}
    if table.fields:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            [schema_dataset.SchemaDatasetFacetFields(name, type_, text or None) for name, type_, text in table.fields],
            producer=PRODUCER,
        )
    if table.version is not None:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(str(table.version), producer=PRODUCER)
    return facets


def _dataset(
    build: Build,
    facets: dict[str, DatasetFacet] | None = None,
    written: dict[str, OutputDatasetFacet] | None = None,
) -> OutputDataset:
    table = build.table
    return OutputDataset(table.namespace, table.name, written or {}, facets=_facets(table) | (facets or {}))


def _columns(build: Build, lineage: Lineage) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    spaces = {one.name: one.namespace for one in build.inputs}
    fields = {
        column: column_lineage_dataset.Fields(_inputs(edges, spaces, build.table.namespace))
        for column, edges in lineage.columns.items()
    }
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields, producer=PRODUCER)


def _inputs(edges: Sequence[Edge], spaces: dict[str, str], space: str) -> list[column_lineage_dataset.InputField]:
    grouped: dict[tuple[str, str], list[column_lineage_dataset.Transformation]] = {}
    for edge in edges:
        step = column_lineage_dataset.Transformation(edge.kind, edge.subtype)
        grouped.setdefault(edge.place, []).append(step)
    return [
        column_lineage_dataset.InputField(spaces.get(table, space), table, column, steps)
        for (table, column), steps in grouped.items()
    ]


def _assertion(one: Assertion) -> data_quality_assertions_dataset.Assertion:
    return data_quality_assertions_dataset.Assertion(
        one.rule, one.passed, column=one.column, severity=one.severity,
        actual=f"{one.failed} of {one.rows} rows fail", expected="0 rows fail",
    )  # fmt: skip
