"""Keeping tables in shape: fewer and better files, no more versions than are needed, a short log, no strays."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from jobs import deltalog, patience, query, release, store
from jobs.deltalog import NOTE
from jobs.lake import Lake, alive, owner, unstage
from jobs.pins import RECORDS, kept_versions, retention
from jobs.relation import TableFile, table_files
from schemas.contracts import contracts
from schemas.errors import UserError

SMALL = 32 * 1024 * 1024
MANY = 8
CHECKPOINT_EVERY = 10
LOG_DAYS = 30
UNUSED_DAYS = 7


@dataclass(frozen=True)
class Work:
    """What maintenance did to one table: files merged and written, files deleted, a checkpoint, and how long it took."""

    table: str
    merged: int
    into: int
    deleted: int
    checkpoint: bool
    seconds: float


def maintain(
    lake: Lake, tables: Iterable[str] | None = None, *, keep: Mapping[str, set[int]] | None = None,
    now: datetime | None = None,
) -> list[Work]:  # fmt: skip
    """Bring the lake's format up to date, sweep what dead runs left, and tend tables (all that were made).

    No vacuum takes the versions that a release names; `keep` names further ones.
    """
    lake.init()
    sweep(lake)
    _trim(lake)
    heads = query.open_tables(lake)
    asked, published = keep or {}, release.pinned(lake)
    wanted = {name: asked.get(name, set()) | published.get(name, set()) for name in {*asked, *published}}
    kept = kept_versions(heads, now or datetime.now(UTC), wanted)
    chosen = {name: heads.get(name) or query.open_table(lake, name) for name in tables or heads}
    return [_tend(lake, name, head, kept.get(name, set())) for name, head in chosen.items()]


def _tend(lake: Lake, name: str, head: DeltaTable, kept: set[int]) -> Work:
    started, seen = time.monotonic(), int(head.version())
    merged, into = compact(lake, name, head)
    # What was written since we looked is as young as can be, and may be what a release names that was made meanwhile.
    kept = {*kept, *range(seen, int(_newest(lake, name, head).version()) + 1)}
    deleted = vacuum(lake, name, kept, head)
    made = checkpoint(lake, name, head)
    _shorten(head, kept)
    return Work(name, merged, into, deleted, made, time.monotonic() - started)


def _newest(lake: Lake, name: str, known: DeltaTable | None) -> DeltaTable:
    """Return the newest version of a table, by bringing a handle forward where there is one."""
    return (known and lake.forward(str(known.table_uri), known)) or query.open_table(lake, name)


def compact(lake: Lake, name: str, known: DeltaTable | None = None) -> tuple[int, int]:
    """Merge small files where a partition has many, by the contract's order if it has one.

    Return files merged and files written. `known` is a handle on the table, if there is one. A table that changes
    meanwhile in what was read is left for next time: delta-rs refuses such a commit, and an append alone does no harm
    (both tested).
    """
    table = _newest(lake, name, known)
    order = contracts()[name].cluster_by if name in contracts() else ()
    crowded = _crowded(table_files(table))
    if not crowded:
        return 0, 0
    note = CommitProperties(max_commit_retries=0, custom_metadata={NOTE: {"maintain": "cluster" if order else "compact"}})
    columns = table.metadata().partition_columns
    filters = [(columns[0], "in", crowded)] if columns else None
    try:
        if order:
            done = table.optimize.z_order(list(order), partition_filters=filters, commit_properties=note)
        else:
            done = table.optimize.compact(partition_filters=filters, commit_properties=note)
    except DeltaError:
        return 0, 0
    except OSError as error:
        if not patience.told_to_pass(error):
            raise
        return 0, 0  # whether it was done or not, rows are the same: next time will tell
    return int(done["numFilesRemoved"]), int(done["numFilesAdded"])


def _crowded(files: Iterable[TableFile]) -> list[str]:
    """Return the partition values (one empty text for a table without) that have many small files."""
    counts: dict[str, int] = {}
    for file in files:
        if file.size < SMALL:
            value = next(iter(file.partition.values()), "")
            counts[value] = counts.get(value, 0) + 1
    return sorted(value for value, count in counts.items() if count >= MANY)


def vacuum(lake: Lake, name: str, kept: set[int], known: DeltaTable | None = None) -> int:
    """Delete files that only versions beyond the kept ones name; return how many.

    Files that no version names are not touched: they may belong to a commit that is under way.
    """
    table = _newest(lake, name, known)
    versions = sorted({*kept, int(table.version())})
    if len(versions) > table.version():
        return 0  # every version there ever was is kept
    options: dict[str, Any] = {"retention_hours": 0, "enforce_retention_duration": False, "keep_versions": versions}
    # delta-rs names files again that are gone, as long as the log remembers them, and writes two versions each time.
    uri = str(table.table_uri).rstrip("/")
    there = _there(lake, uri, patience.waiting(lambda: table.vacuum(dry_run=True, **options), uri))
    if there:
        patience.waiting(lambda: table.vacuum(dry_run=False, **options), uri)
    return len(there)


def _there(lake: Lake, root: str, paths: Sequence[str]) -> list[str]:
    """Return those of a table's files that are still there."""
    if not paths or not store.is_remote(root):
        return [path for path in paths if store.exists(f"{root}/{unquote(path)}")]
    from jobs import objects

    found = {name for name, _ in objects.listed(root, lake.storage_options)}
    return [path for path in paths if unquote(path) in found]


def checkpoint(lake: Lake, name: str, known: DeltaTable | None = None) -> bool:
    """Write a checkpoint where the log has grown since the last one; tell whether it did."""
    table = _newest(lake, name, known)
    try:
        found = store.read(f"{str(table.table_uri).rstrip('/')}/_delta_log/_last_checkpoint", lake.storage_options)
        last = int(json.loads(found)["version"])
    except (FileNotFoundError, ValueError):
        last = -1
    if table.version() - last < CHECKPOINT_EVERY:
        return False
    patience.waiting(table.create_checkpoint, str(table.table_uri))
    return True


def _shorten(table: DeltaTable, kept: set[int]) -> None:
    """Let delta-rs drop log entries beyond its retention (30 days), unless a version that old is still needed.

    The entry of the newest build is: its note says what the table was made from and which quarantine belongs to it.
    """
    built = deltalog.last_commit(table).get("version")
    needed = [*kept, int(built)] if built is not None else list(kept)
    oldest = deltalog.moment(table, min(needed)) if needed else None
    if oldest and (datetime.now(UTC) - oldest).days < LOG_DAYS:
        patience.waiting(table.cleanup_metadata, str(table.table_uri))


def sweep(lake: Lake) -> list[str]:
    """Remove the staging of runs whose process is gone, and the files they moved but never published; name the runs."""
    return [run for run, _ in swept(lake)]


def swept(lake: Lake) -> list[tuple[str, str]]:
    """Sweep, and return each dead run with the table it was to build (none for other work)."""
    gone = []
    for folder in sorted((lake.folder / "_staging").glob("*")):
        run, mine = folder.name.split("~")[0], folder.with_name(f"{folder.name.split('~')[0]}~{uuid4().hex[:8]}")
        try:
            dead = _owner(folder)
            if dead is None or not folder.is_dir():
                continue
            folder.rename(mine)  # of several that sweep at once, one has it
        except FileNotFoundError:
            continue
        for note in mine.glob("_publish-*.json"):
            _take_strays(lake, json.loads(note.read_text()))
        unstage(mine)
        gone.append((run, str(dead.get("table", ""))))
    return gone


def _trim(lake: Lake) -> None:
    """Remove this machine's copies of deliveries that lie in an object store and were not used for a week."""
    old = time.time() - UNUSED_DAYS * 86400
    for path in (lake.folder / "_deliveries").glob("??/*") if lake.remote else ():
        if max(path.stat().st_atime, path.stat().st_mtime) < old:
            path.unlink(missing_ok=True)


def _owner(folder: Path) -> dict[str, Any] | None:
    """Return who made a staging folder; None where that process may still be at work."""
    found = owner(folder)
    if found is None:
        return None if time.time() - folder.stat().st_mtime < 3600 else {}
    return None if alive(found) else found


def _take_strays(lake: Lake, note: Mapping[str, Any]) -> None:
    try:
        table = DeltaTable(note["table"], storage_options=lake.for_delta)
    except TableNotFoundError:
        return
    known = deltalog.named_files(table)
    for path in note["files"]:
        if path not in known:
            store.delete(f"{note['table']}/{path}", lake.storage_options)


def history(lake: Lake, name: str, limit: int = 50) -> list[dict[str, Any]]:
    """Return the newest versions of a table first: when, by what, with which run, files and rows that came and went."""
    return deltalog.history(query.open_table(lake, name), limit)


def restore(lake: Lake, name: str, version: int) -> int:
    """Make an earlier version the newest, and return its new number; the next run builds what is out of date again.

    Raise UserError if its files are gone or the table changed meanwhile, and for a record of what happened, such as
    raw.delivery: numbers of deliveries given twice would be read as one.
    """
    if name.split(".")[0] in RECORDS:
        raise UserError(f"{name} is a record of what happened and never goes back", where=name,
                        remedy="`carbonlake withdraw` takes a delivery out of force")  # fmt: skip
    table = query.open_table(lake, name)
    query.open_table(lake, name, version)
    if version == table.version():
        raise UserError(
            f"version {version} is the newest already", where=name, remedy=f"`carbonlake history {name}` lists versions"
        )
    note = CommitProperties(max_commit_retries=0, custom_metadata={NOTE: {"restored": version}})
    try:
        table.restore(version, commit_properties=note)
    except DeltaError as error:
        remedy = f"`carbonlake history {name}` lists versions; they are kept for {retention(name).total_seconds() / 86400:g} days"
        raise UserError(f"version {version} cannot be restored: {error}", where=name, remedy=remedy) from None
    return int(query.open_table(lake, name).version())
