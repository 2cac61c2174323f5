"""What the log of a Delta table says: actions of a version, our note on a commit, what changed between two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from jobs import store

NOTE = "carbonlake"
COMMENTS = "comments"


def actions(table: DeltaTable, version: int) -> list[dict[str, Any]] | None:
    """Return the actions of one version, None where the log no longer holds it."""
    path = f"{table.table_uri.rstrip('/')}/_delta_log/{version:020d}.json"
    try:
        text = store.read(path, table._storage_options)
    except FileNotFoundError:
        return None
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def commit_of(table: DeltaTable, version: int) -> dict[str, Any]:
    """Return our note on the commit of a version; empty where it carries none or the log is gone."""
    return _note(actions(table, version) or [])


def _note(found: list[dict[str, Any]]) -> dict[str, Any]:
    return next((dict(action["commitInfo"].get(NOTE) or {}) for action in found if "commitInfo" in action), {})


def last_commit(table: DeltaTable, version: int | None = None) -> dict[str, Any]:
    """Return the note of the build that a version (the newest) shows, with its `version`; empty if there is none.

    Compactions change nothing and are passed over; a restored version is what it was then, so that a build
    on top of it does not take it for up to date.
    """
    version = table.version() if version is None else version
    while version >= 0:
        found = actions(table, version)
        if found is None:
            return {}
        note = _note(found)
        if "restored" in note:
            version = int(note["restored"])
        elif "run" in note:
            return {**note, "version": version}
        else:
            version -= 1
    return {}


def find_run(table: DeltaTable, run: str, *, after: int = -1) -> int | None:
    """Return the version that a run committed, looking from the newest back to the one after `after`."""
    for version in range(table.version(), after, -1):
        found = actions(table, version)
        if found is None:
            return None
        if any(action.get("commitInfo", {}).get(NOTE, {}).get("run") == run for action in found):
            return version
    return None


def changed_partitions(table: DeltaTable, from_version: int, to_version: int) -> set[str] | None:
    """Return the values of the partition column whose rows changed; None for the whole table.

    None is also the answer where nothing better is known: no partitions, another schema, a log that is gone,
    or going backwards.
    """
    columns = table.metadata().partition_columns
    if from_version > to_version:
        return None
    values: set[str] = set()
    for version in range(from_version + 1, to_version + 1):
        found = actions(table, version)
        if found is None or _altered(found):
            return None
        changed = list(_changed(found))
        if changed and len(columns) != 1:
            return None
        values |= {str(partition[columns[0]]) for partition in changed}
    return values


def _altered(found: list[dict[str, Any]]) -> bool:
    """Tell whether a version changed the table itself; other words for it and its columns are no change."""
    changed = any("metaData" in action or "protocol" in action for action in found)
    return changed and _note(found).get("maintain") != COMMENTS


def _changed(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the partition values of files whose rows came or went; compaction only moves rows."""
    for action in found:
        change = action.get("add") or action.get("remove")
        if change and change.get("dataChange", True):
            yield change.get("partitionValues") or {}


def touched(table: DeltaTable, since: int, replace: str | list[str], app_id: str | None) -> bool:
    """Tell whether what a write rests on changed after a version: its partitions, or its app's earlier writes."""
    for version in range(since + 1, table.version() + 1):
        found = actions(table, version)
        if found is None or _altered(found):
            return True
        if replace == "append":
            if app_id and any(action.get("txn", {}).get("appId") == app_id for action in found):
                return True
        elif any(replace == "all" or set(map(str, values.values())) & set(replace) for values in _changed(found)):
            return True
    return False


def moment(table: DeltaTable, version: int) -> datetime | None:
    """Return when a version was committed, None where the log is gone."""
    for action in actions(table, version) or ():
        if "commitInfo" in action:
            return datetime.fromtimestamp(action["commitInfo"]["timestamp"] / 1000, UTC)
    return None


def named_files(table: DeltaTable) -> set[str]:
    """Return the files that any version in the log names, and those of the newest, as paths below the table."""
    found = {unquote(path) for path in pa.table(table.get_add_actions()).column("path").to_pylist()}
    for version in range(table.version(), -1, -1):
        entries = actions(table, version)
        if entries is None:
            break
        found |= {unquote(action["add"]["path"]) for action in entries if "add" in action}
    return found


def history(table: DeltaTable, limit: int) -> list[dict[str, Any]]:
    """Return the newest versions first, each with what its log entry says."""
    found = []
    for version in range(table.version(), max(-1, table.version() - limit), -1):
        entries = actions(table, version)
        if entries is None:
            break
        found.append(_summary(version, entries))
    return found


def _summary(version: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
    info: dict[str, Any] = next((action["commitInfo"] for action in entries if "commitInfo" in action), {})
    note = info.get(NOTE) or {}
    adds = [action["add"] for action in entries if "add" in action]
    stamp = info.get("timestamp")
    return {
        "version": version,
        "at": datetime.fromtimestamp(stamp / 1000, UTC) if stamp is not None else None,
        "operation": note.get("maintain") or info.get("operation", ""),
        "run": note.get("run", ""),
        "rows_added": sum(json.loads(add.get("stats") or "{}").get("numRecords", 0) for add in adds),
        "files_added": len(adds),
        "files_removed": sum("remove" in action for action in entries),
        "note": note,
    }
