"""The only writer of Delta tables: one compare-and-swap commit that makes staged files part of a table."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from jobs import footers, patience, store
from jobs.deltalog import NOTE, changed_partitions, commit_of, find_run, last_commit, touched
from jobs.footers import EXTRA, Checked, StagedFile
from jobs.lake import Lake, arrow_schema, properties, unstage
from schemas.contract import Contract
from schemas.errors import UserError

__all__ = [
    "Moved", "StagedFile", "append_rows", "changed_partitions", "commit_of", "describe", "evolve", "failpoint", "last_commit",
    "publish", "replace_rows", "retrying", "write_rows",
]  # fmt: skip
FAILPOINT = "CARBONLAKE_FAILPOINT"
ATTEMPTS = 12
PAUSE = 0.02
UPLOADS = 8
Replace = Literal["all", "append"] | list[str]
T = TypeVar("T")


class Moved(Exception):  # noqa: N818 - it is news of others, no error
    """The table changed under a build where the build rests on it: build again from what is there now."""


def failpoint(name: str) -> None:
    """Die at a named moment, as by kill -9, where a test asks for it."""
    if os.environ.get(FAILPOINT) == name:
        os.kill(os.getpid(), signal.SIGKILL)


def publish(
    lake: Lake, table_path: str, contract_schema: pa.Schema, files: Sequence[StagedFile], *, read_version: int,
    replace: Replace, commit_info: Mapping[str, Any], app_id: str | None = None, app_sequence: int = 0,
    extra: Sequence[str] = EXTRA, staging: str | None = None, head: DeltaTable | None = None,
) -> int:  # fmt: skip
    """Make staged files part of a table that was read at `read_version`, and return the new version.

    `replace` is "all", "append", or the values of the single partition column to be replaced; `commit_info` holds
    `run`, by which a repeated call is known and changes nothing; `staging` names the staging folder if it is not the
    run's; `head` is a handle on the table, which is brought up to date. Raise Moved when what the build rests on has
    changed since, UserError when a file is not what the contract says.
    """
    if replace == []:
        # delta-rs takes an empty list of partitions for the whole table.
        raise UserError("an empty list of partitions replaces nothing", where=table_path, remedy="skip the publish")
    head = _head(lake, table_path, head)
    partition_by = head.metadata().partition_columns
    if (done := _recorded(lake, head, commit_info["run"], read_version, app_id, app_sequence)) is not None:
        return done
    statistics = (head.metadata().configuration.get("delta.dataSkippingStatsColumns") or "").split(",")
    checked = [footers.check(file, contract_schema, partition_by, statistics, extra) for file in files]
    _check_replace(replace, checked, partition_by, table_path)
    write = _Write(lake, table_path, contract_schema, replace, read_version, dict(commit_info), app_id, app_sequence)
    failpoint("commit:before_move")
    targets = _targets(lake, table_path, commit_info["run"], checked, staging or commit_info["run"])
    adds: list[AddAction | RemoveAction] = [_add(one, target) for one, target in zip(checked, targets, strict=True)]
    try:
        with store.explained(table_path):
            _move(lake, table_path, [(store.local(one.file.path), target) for one, target in zip(checked, targets, strict=True)])
    except UserError:
        write.take_back(adds)
        raise
    failpoint("commit:after_move")
    return write.swap(adds, head)


def retrying(work: Callable[[], T], attempts: int = ATTEMPTS, pause: float = PAUSE) -> T:
    """Return what `work` returns, calling it again with growing, random pauses while it raises Moved."""
    for attempt in range(attempts):
        try:
            return work()
        except Moved as moved:
            reason = str(moved)
            time.sleep(random.uniform(0, pause * 2 ** min(attempt, 6)))
    raise UserError(f"others kept changing the table, {attempts} attempts failed: {reason}", remedy="run it again later")


class _Write:
    """One write on its way into the log."""

    def __init__(
        self, lake: Lake, path: str, schema: pa.Schema, replace: Replace, read_version: int, info: dict[str, Any],
        app_id: str | None, app_sequence: int,
    ) -> None:  # fmt: skip
        self.lake, self.path, self.schema, self.replace = lake, path, schema, replace
        self.read_version, self.info, self.app_id, self.app_sequence = read_version, info, app_id, app_sequence

    def swap(self, adds: list[AddAction | RemoveAction], head: DeltaTable) -> int:
        """Commit on the newest version until it holds; an exception means unknown, so look for the run first."""
        error: Exception | None = None
        for attempt in range(ATTEMPTS):
            if attempt:  # at first it has just been read, and a version that came since makes the commit fail
                head = _head(self.lake, self.path, head)
            if (done := find_run(head, self.info["run"], after=self.read_version)) is not None:
                return done
            if head.version() != self.read_version and touched(head, self.read_version, self.replace, self.app_id):
                self.take_back(adds)
                raise Moved(f"{self.path} went from version {self.read_version} to {head.version()}")
            try:
                self._commit(head, adds)
            except (DeltaError, OSError) as caught:
                error = caught
                time.sleep(random.uniform(0, PAUSE * 2 ** min(attempt, 6)))
                continue
            failpoint("commit:after_commit")
            return head.version() + 1  # the handle stays where it was read
        if not store.is_remote(self.path):  # there a request that timed out may still be under way
            self.take_back(adds)
        with store.explained(self.path):
            if isinstance(error, OSError):
                raise error
        raise UserError(f"{ATTEMPTS} commits failed, the last with: {error}", where=self.path, remedy="run it again later")

    def _commit(self, head: DeltaTable, adds: list[AddAction | RemoveAction]) -> None:
        """Write the next version on this very handle, without delta-rs's own retries: they miss what others did."""
        sequence = max(self.app_sequence, (head.transaction_version(self.app_id) or 0) + 1) if self.app_id else 0
        partition_by = head.metadata().partition_columns
        values = self.replace if isinstance(self.replace, list) else []
        whole = self.replace == "all"
        head.create_write_transaction(
            adds, "append" if self.replace == "append" else "overwrite",
            Schema.from_arrow(self.schema) if whole else head.schema(), partition_by,
            partition_filters=[(partition_by[0], "in", values)] if values else None,
            commit_properties=CommitProperties(
                max_commit_retries=0, custom_metadata={NOTE: self.info},
                app_transactions=[Transaction(self.app_id, sequence)] if self.app_id else None),
        )  # fmt: skip

    def take_back(self, adds: list[AddAction | RemoveAction]) -> None:
        """Delete our files, once no commit of ours can still come: each version we tried for is another's."""
        for add in adds:
            store.delete(f"{self.path}/{add.path}", self.lake.storage_options)


def _head(lake: Lake, path: str, known: DeltaTable | None = None) -> DeltaTable:
    """Return a handle on the newest version; one that is known is brought forward, in a tenth of the time of opening."""
    found = lake.forward(path, known) if known else lake.open_path(path)
    if found is None:
        raise UserError("there is no table here", where=path, remedy="create it from its contract first")
    return found


def _recorded(lake: Lake, head: DeltaTable, run: str, read_version: int, app_id: str | None, sequence: int) -> int | None:
    """Return the version a run committed already; raise Moved where its sequence number was another's when it read."""
    stood = 0
    if app_id:
        read = head if head.version() == read_version else lake.open_path(head.table_uri, read_version)
        stood = (read.transaction_version(app_id) or 0) if read else 0
    done = find_run(head, run, after=-1 if app_id and stood >= sequence else read_version)
    if done is None and app_id and stood >= sequence:
        # delta-rs records a lower number without a word, which would move the sequence back.
        raise Moved(f"{app_id} was at sequence {stood} already, this build has {sequence}")
    return done


def _check_replace(replace: Replace, checked: Sequence[Checked], partition_by: Sequence[str], path: str) -> None:
    if not isinstance(replace, list):
        return
    if len(partition_by) != 1:
        raise UserError("the table has no partitions to replace", where=path, remedy="replace it whole")
    for one in checked:
        if (value := one.file.partition_values[partition_by[0]]) not in replace:
            raise UserError(f"a file of {partition_by[0]}={value} while {', '.join(replace)} are replaced",
                            where=one.file.path, remedy=footers.REBUILD)  # fmt: skip


def _targets(lake: Lake, table_path: str, run: str, checked: Sequence[Checked], staging: str) -> list[str]:
    """Return the names that files get in the table, noted in staging first so that a sweep can find strays."""
    attempt, safe = uuid4().hex[:8], re.sub(r"[^A-Za-z0-9.-]", "-", run)
    targets = []
    for number, one in enumerate(checked):
        folders = [re.sub(r"[^A-Za-z0-9_.=-]", "_", f"{k}={v}") for k, v in one.file.partition_values.items()]
        targets.append("/".join([*folders, f"part-{safe}-{attempt}-{number}.parquet"]))
    note = {"table": table_path, "run": run, "files": targets}
    with store.explained(table_path):
        store.write(lake.staging(staging) / f"_publish-{attempt}.json", json.dumps(note).encode())
    return targets


def _move(lake: Lake, table_path: str, files: Sequence[tuple[Path, str]]) -> None:
    """Bring files to their places in the table, several at once where each is a request."""

    def one(file: tuple[Path, str]) -> None:
        store.move(file[0], f"{table_path}/{file[1]}", lake.storage_options)

    if not store.is_remote(table_path) or len(files) == 1:
        for file in files:
            one(file)
        return
    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(one, files))


def _add(one: Checked, target: str) -> AddAction:
    values: dict[str, str | None] = dict(one.file.partition_values)
    return AddAction(target, one.size, values, int(time.time() * 1000), True, one.stats)


def evolve(lake: Lake, table_path: str, schema: pa.Schema, known: DeltaTable | None = None) -> DeltaTable:
    """Add the columns that a table lacks, and return it. Raise UserError for any other change of the schema."""

    def add() -> DeltaTable:
        head = _head(lake, table_path, known)
        there = pa.schema(head.schema().to_arrow())
        have = {column.name: footers.plain(column.type) for column in there}
        for column in schema:
            if have.get(column.name, column.type) != column.type:
                raise UserError(f"{column.name!r} is {have[column.name]} there and {column.type} here", where=table_path,
                                remedy="declare it under `migrations` and build the table whole")  # fmt: skip
        missing = [column.with_nullable(True) for column in schema if column.name not in have]
        if not missing:
            return head
        fields = Schema.from_arrow(pa.schema(missing)).fields
        try:
            head.alter.add_columns(fields, commit_properties=CommitProperties(max_commit_retries=0))
        except (DeltaError, OSError) as error:
            if isinstance(error, OSError) and not patience.told_to_pass(error):
                raise
            raise Moved(str(error)) from error
        return _head(lake, table_path)

    return retrying(add)


def describe(lake: Lake, table_path: str, schema: pa.Schema, partition_by: Sequence[str]) -> None:
    """Bring a table's properties in line with a schema that a commit has changed."""
    head = _head(lake, table_path)
    wanted = {key: value for key, value in properties(schema, tuple(partition_by)).items() if value is not None}
    patience.waiting(lambda: head.alter.set_table_properties(wanted), table_path)


def write_rows(
    lake: Lake, table_path: str, rows: pa.Table, run: str, *, replace: Replace = "append",
    read_version: int | None = None, schema: pa.Schema | None = None, app_id: str | None = None, app_sequence: int = 0,
    new_run: bool = False, head: DeltaTable | None = None,
) -> int:  # fmt: skip
    """Write rows of a small table in one commit, and return the version; the same `run` twice changes nothing.

    With `read_version` a change since then raises Moved (for an append: one by the same `app_id`), otherwise it is
    retried. An empty append writes nothing. `new_run` says that nobody can have used this run id before. `head` is a
    handle on the table, if there is one; it is brought up to date.
    """
    head = _head(lake, table_path, head)
    if not rows.num_rows and replace == "append":
        return int(head.version())
    if not new_run and (done := find_run(head, run)) is not None:
        return done
    version = head.version() if read_version is None else read_version
    staging = f"rows-{uuid4().hex[:12]}"

    def once() -> int:
        files = _stage(rows, lake.staging(staging), head.metadata().partition_columns) if rows.num_rows else []
        at = version if read_version is not None else _head(lake, table_path, head).version()
        return publish(lake, table_path, schema or rows.schema, files, read_version=at, replace=replace,
                       commit_info={"run": run}, app_id=app_id, app_sequence=app_sequence, staging=staging,
                       head=head)  # fmt: skip

    try:
        return once() if read_version is not None else retrying(once)
    finally:
        unstage(lake.folder / "_staging" / staging)


def _stage(rows: pa.Table, folder: Path, partition_by: Sequence[str]) -> list[StagedFile]:
    with store.explained(folder):
        if not partition_by:
            pq.write_table(rows, folder / "0.parquet")
            return [StagedFile(str(folder / "0.parquet"), rows=rows.num_rows)]
        name, files = partition_by[0], []
        for number, value in enumerate(rows.column(name).unique().to_pylist()):
            path = folder / f"{number}.parquet"
            part = rows.filter(pa.compute.equal(rows.column(name), value)).drop_columns([name])
            pq.write_table(part, path)
            files.append(StagedFile(str(path), {name: str(value)}, part.num_rows))
        return files


def append_rows(
    lake: Lake, contract: Contract, rows: pa.Table, run_id: str, *, at: str | None = None, once: bool = False,
    after: DeltaTable | None = None, app_id: str = "",
) -> int:  # fmt: skip
    """Append rows to the table of a contract, made if need be; with `once`, a run's second call changes nothing.

    With `after`, the table as it was read, raise Moved where an append of the same `app_id` came since.
    """
    run = run_id if once else f"{run_id}.{uuid4().hex[:8]}"
    follows: dict[str, Any] = {}
    if after is not None:
        sequence = (after.transaction_version(app_id) or 0) + 1
        follows = {"read_version": after.version(), "app_id": app_id, "app_sequence": sequence}
    return _write_contract(lake, contract, rows, run, at=at, new_run=not once, **follows)


def replace_rows(lake: Lake, contract: Contract, rows: pa.Table, run_id: str, *, read_version: int | None = None) -> int:
    """Let rows take the place of a small table's; the same run twice changes nothing."""
    return _write_contract(lake, contract, rows, run_id, replace="all", read_version=read_version)


def _write_contract(lake: Lake, contract: Contract, rows: pa.Table, run: str, **options: Any) -> int:
    path = options.pop("at", None) or lake.table_path(contract.table)
    schema = arrow_schema(contract)
    head = evolve(lake, path, schema, lake.create(contract, path))
    return write_rows(lake, path, _fit(rows, schema, contract.table), run, schema=schema, head=head, **options)


def _fit(rows: pa.Table, schema: pa.Schema, table: str) -> pa.Table:
    """Return rows in the order and types of a schema; columns left out become NULL."""
    if unknown := sorted(set(rows.column_names) - set(schema.names)):
        raise UserError(f"unknown columns: {', '.join(unknown)}", where=table, remedy=f"known: {', '.join(schema.names)}")
    columns = [rows.column(f.name) if f.name in rows.column_names else pa.nulls(rows.num_rows, f.type) for f in schema]
    return pa.Table.from_arrays(columns, names=schema.names).cast(pa.schema([f.with_nullable(True) for f in schema]))
