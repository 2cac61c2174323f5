"""Rows that were set aside: kept with the rules they broke, their raw text and their place, until someone decides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from jobs import corrections, staging
from jobs.clean import DELIVERY, LOCATOR, RULES
from jobs.cleaned import Made
from jobs.commit import Moved, last_commit, write_rows
from jobs.deliveries import Parsed, as_found
from jobs.lake import Lake
from jobs.outcome import Job, Mode
from jobs.relation import read_rows
from jobs.staging import quoted
from quality.rules import RowCheck

SCHEMA = pa.schema([
    ("run_id", pa.string()), ("delivery_id", pa.int64()), ("locator", pa.string()), ("rules", pa.string()),
    ("raw", pa.string()),
])  # fmt: skip
COLUMNS = ", ".join(SCHEMA.names)


def put(job: Job, made: Made, connection: duckdb.DuckDBPyConnection, mode: Mode) -> dict[str, int]:
    """Write the rows that a build set aside, and return the version of the quarantine that belongs to it.

    It is written before the table: rows can wait in quarantine for a build that never ended, because readers go by
    the version that the table's own commit names; they are never missing.
    """
    path = job.lake.quarantine_path(job.contract.table)
    rows = _rows(job, made, connection)
    before = job.note.get("quarantine_version")
    if not rows.num_rows and before is None:
        return {}
    head = job.lake.create_path(path, SCHEMA, description=f"Rows set aside by {job.contract.table}")
    if mode != "whole" and before is not None:
        if not rows.num_rows and made.parsed:
            return {"quarantine_version": before}
        if made.parsed and head.version() == before and (version := _appended(job, head, rows, before)):
            return {"quarantine_version": version}
        rows = pa.concat_tables([_staying(job, made, connection, before), rows])
    # The whole content in one commit: its version says the same, whatever other builds write before or after it.
    version = write_rows(job.lake, path, rows, job.run_id, replace="all", schema=SCHEMA, new_run=True, head=head)
    return {"quarantine_version": version}


def _appended(job: Job, head: DeltaTable, rows: pa.Table, before: int) -> int | None:
    """Append rows to the version that belongs to the table as it stands; None where another build came in between."""
    path, run = job.lake.quarantine_path(job.contract.table), f"{job.run_id}.append"
    try:
        version = write_rows(job.lake, path, rows, run, read_version=before, new_run=True, head=head)
    except Moved:
        return None
    return version if version == before + 1 else None


def _staying(job: Job, made: Made, connection: duckdb.DuckDBPyConnection, before: int) -> pa.Table:
    """Return the rows that wait already, without those of partitions that a derived table has made anew."""
    head = job.lake.open_path(job.lake.quarantine_path(job.contract.table), before)
    waiting = read_rows(head) if head else SCHEMA.empty_table()
    if made.parsed:
        return waiting.select(SCHEMA.names).cast(SCHEMA)
    connection.register("waiting", waiting)
    listed = ", ".join(map(quoted, made.replaced)) or "''"
    place = f"json_extract_string(raw, '$.{job.contract.partition_by[0]}')"
    return _fetch(connection, f"select {COLUMNS} from waiting where coalesce({place}, '') not in ({listed})")


def _rows(job: Job, made: Made, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    parts = [*_judged(job, made, connection), *_malformed(job, made, connection)]
    table = pa.concat_tables(parts) if parts else SCHEMA.empty_table()
    gone = corrections.discarded(job.decided)
    if gone and table.num_rows:
        keep = [(d, w) not in gone for d, w in zip(table["delivery_id"].to_pylist(), table["locator"].to_pylist(), strict=True)]
        table = table.filter(pa.array(keep))
    return table


def _judged(job: Job, made: Made, connection: duckdb.DuckDBPyConnection) -> list[pa.Table]:
    """Rows that broke a rule, and rows of one key that contradict each other, with their raw text."""
    if not made.parsed:
        return [_derived(job, made, connection)] if made.aside else []
    broken = f"select {DELIVERY}, {LOCATOR}, {_labels(made.labels)} as rules from ("
    broken += staging.relation(made.aside, job.contract, (DELIVERY, LOCATOR, RULES)) + ")"
    conflicts = f"select {DELIVERY}, {LOCATOR}, 'duplicate_key' as rules from drops where why = 'conflict'"
    connection.execute(f"create or replace temp table aside as {broken} union all {conflicts}")
    waiting = {row[0] for row in connection.execute(f"select distinct {DELIVERY} from aside").fetchall()}
    found = [one for one in made.parsed if one.delivery in waiting]
    return [_fetch(connection, _with_raw(job, some)) for some in _by_folder(found)]


def _by_folder(parsed: Sequence[Parsed]) -> list[list[Parsed]]:
    """Return deliveries by where they lie, so that files which hold many are read once."""
    folders: dict[Path, list[Parsed]] = {}
    for one in parsed:
        folders.setdefault(one.folder, []).append(one)
    return list(folders.values())


def _with_raw(job: Job, parsed: Sequence[Parsed]) -> str:
    return f"""
        select '{job.run_id}' as run_id, a.{DELIVERY} as delivery_id, cast(a.{LOCATOR} as varchar) as locator, a.rules,
               cast(to_json(r) as varchar) as raw
        from ({as_found(parsed)}) r
        join aside a on r.{DELIVERY} = a.{DELIVERY} and r.{LOCATOR} = a.{LOCATOR}"""


def _derived(job: Job, made: Made, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Rows of a derived table that broke a rule; their place is their key."""
    relation = staging.relation(made.aside, job.contract, (RULES,))
    key = " || '/' || ".join(f"coalesce(cast(\"{name}\" as varchar), '')" for name in job.contract.key) or "''"
    return _fetch(
        connection,
        f"""
        select '{job.run_id}' as run_id, cast(null as bigint) as delivery_id, {key} as locator,
               {_labels(made.labels)} as rules, cast(to_json(r) as varchar) as raw from ({relation}) r""",
    )


def _malformed(job: Job, made: Made, connection: duckdb.DuckDBPyConnection) -> list[pa.Table]:
    """Rows that the reader could not take apart."""
    found = [one for one in made.parsed if one.rejected]
    return [
        _fetch(
            connection,
            f"""
        select '{job.run_id}' as run_id, {DELIVERY} as delivery_id, cast({LOCATOR} as varchar) as locator,
               'malformed: ' || reason as rules, raw from ({as_found(some, "rejected")})""",
        )
        for some in _by_folder(found)
    ]


def _labels(checks: Sequence[RowCheck]) -> str:
    """Return SQL that names the rules whose bits are set."""
    cases = [f"case when ({RULES} & {1 << bit}) <> 0 then {quoted(check.label)} end" for bit, check in enumerate(checks)]
    return f"concat_ws(', ', {', '.join(cases)})" if cases else "''"


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return connection.sql(sql).to_arrow_table().cast(SCHEMA)


def listed(lake: Lake, table: str) -> list[dict[str, Any]]:
    """Return the rows that wait in the quarantine of a table as it stands."""
    head = lake.open(table)
    version = last_commit(head).get("quarantine_version") if head else None
    if version is None:
        return []
    waiting = lake.open_path(lake.quarantine_path(table), version)
    rows: list[dict[str, Any]] = read_rows(waiting).to_pylist() if waiting else []
    made = corrections.decisions(lake, table)
    for row in rows:
        decision = made.get((row["delivery_id"], row["locator"]))
        row["decision"] = decision["decision"] if decision else ""
    return rows
