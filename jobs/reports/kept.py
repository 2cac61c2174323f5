"""Versions of reports: the files of each below the lake's root, and a ledger of what became of them."""

from __future__ import annotations

import difflib
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from jobs import relation, store
from jobs.commit import append_rows, retrying
from jobs.lake import Lake, arrow_schema
from jobs.reports.figures import Figures
from jobs.reports.template import Template
from schemas.contracts import contract
from schemas.errors import UserError

TABLE, FOLDER = "ops.report", "_reports"
Row = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A report that was made: its row of the ledger, and whether it is a new version or the last one again, and why."""

    row: Row
    outcome: str


def keep(lake: Lake, figures: Figures, files: Mapping[str, bytes], templates: Mapping[str, Template]) -> Made:
    """Keep the files (ending → bytes) of a report as a new version, or say that the last one is the same.

    The row of the ledger comes first: of two that make a report at once one has the version, and the other looks again.
    """
    return retrying(lambda: _kept(lake, figures, files, templates))


def _kept(lake: Lake, figures: Figures, files: Mapping[str, bytes], templates: Mapping[str, Template]) -> Made:
    asked, head = figures.asked, lake.create(contract(TABLE))
    last = max((row for row in listed(lake, head) if row["series"] == asked.stem), key=_version, default=None)
    tables = json.dumps(dict(sorted(figures.versions.items())))
    told = {end: {"file": one.where, "sha256": one.sha256} for end, one in sorted(templates.items())}
    held = {f".{end}": hashlib.sha256(content).hexdigest() for end, content in sorted(files.items())}
    before = {Path(name).suffix: sha for name, sha in json.loads(last["files"]).items()} if last else {}
    grows = last is not None and (last["status"] in ("draft", "failed") or set(held) <= set(before))  # what was sent stays
    same = (
        grows and last is not None and last["tables"] == tables and all(before.get(end, sha) == sha for end, sha in held.items())
    )
    if same and set(held) <= set(before) and last is not None:
        _write(lake, last["report_id"], files)
        return Made(last, "unchanged")
    version = last["version"] + (not same) if last else 1
    report_id = f"{asked.stem}-v{version}"
    known = (before if same else {}) | held
    row = {"report_id": report_id, "series": asked.stem, "version": version, "kind": asked.kind, "member": asked.member,
           "name": figures.facts["name"], "year": asked.year, "release": asked.release, **figures.headline,
           "files": json.dumps({report_id + end: sha for end, sha in sorted(known.items())}),
           "templates": json.dumps((json.loads(last["templates"]) if same and last else {}) | told, ensure_ascii=False),
           "tables": tables, "status": "draft", "program": version_of("carbonlake")}  # fmt: skip
    why = "formats added" if same else "first version" if last is None else _why(last, tables, told, held)
    row = note(lake, row, head)
    _write(lake, report_id, files)
    return Made(row, why)


def _version(row: Row) -> int:
    return int(row["version"])


def _why(last: Row, tables: str, told: Mapping[str, Any], held: Mapping[str, str]) -> str:
    if last["tables"] != tables:
        old, new = json.loads(last["tables"]), json.loads(tables)
        return f"new version: {', '.join(sorted(name for name in new if old.get(name) != new[name]))} changed"
    before = {Path(name).suffix: sha for name, sha in json.loads(last["files"]).items()}
    if all(before.get(end, sha) == sha for end, sha in held.items()):
        return f"new version: another format, and v{last['version']} is {last['status']}"
    other = [one["file"] for end, one in told.items() if json.loads(last["templates"]).get(end, one) != one]
    return f"new version: {', '.join(dict.fromkeys(other)) or 'the program'} changed"


def note(lake: Lake, row: Row, head: DeltaTable | None = None) -> Row:
    """Add a row to the ledger, at this moment, and return it.

    With `head`, raise Moved where somebody noted anything of that series since the ledger stood there.
    """
    one = contract(TABLE)
    if head is None:
        return retrying(lambda: note(lake, row, lake.create(one)))
    made, series = row | {"at": datetime.now(UTC)}, f"report:{row['series']}"
    rows = pa.Table.from_pylist([made], schema=arrow_schema(one))
    append_rows(lake, one, rows, f"report:{row['report_id']}", after=head, app_id=series)
    return made


def became(lake: Lake, report_id: str, **what: str) -> Row:
    """Put down what became of a report, e.g. its `status`, beside all else that the ledger says of it at this moment."""

    def once() -> Row:
        head = lake.create(contract(TABLE))
        (row,) = (row for row in listed(lake, head) if row["report_id"] == report_id)
        return note(lake, row | what, head)

    return retrying(once)


def listed(lake: Lake, head: DeltaTable | None = None) -> list[Row]:
    """Return the state of every report, the newest first; as of the ledger's `head`, where one is given."""
    states = {row["report_id"]: row for row in history(lake, head)}
    return sorted(states.values(), key=lambda row: (row["at"], row["version"]), reverse=True)


def history(lake: Lake, head: DeltaTable | None = None) -> list[Row]:
    """Return all rows of the ledger in the order of time."""
    head = head or lake.open(TABLE)
    rows = relation.plain_rows(relation.read_rows(head)) if head else []
    return sorted(rows, key=lambda row: row["at"])


def report(lake: Lake, report_id: str) -> Row:
    """Return the state of a report; a name without version is its newest. Raise UserError with near names."""
    rows = listed(lake)
    found = [row for row in rows if row["report_id"] == report_id] or \
        sorted((row for row in rows if row["series"] == report_id), key=lambda row: -row["version"])  # fmt: skip
    if not found:
        near = difflib.get_close_matches(report_id, [row["report_id"] for row in rows], n=3)
        raise UserError(f"there is no report {report_id!r}", where=TABLE,
                        remedy=f"did you mean {', '.join(near)}?" if near else "`carbonlake report list` names them")  # fmt: skip
    return found[0]


def place(lake: Lake, name: str) -> str:
    """Return where a file of a report lies."""
    return lake.place(FOLDER, Path(name).stem, name)


def files(lake: Lake, row: Row) -> dict[str, bytes]:
    """Return the files of a report by name. Raise UserError for one that is gone or not what it was."""
    found = {}
    for name, sha in json.loads(row["files"]).items():
        where = place(lake, name)
        try:
            found[name] = store.read(where, lake.storage_options)
        except FileNotFoundError:
            raise UserError("the file of the report is gone", where=where, remedy="make the report again") from None
        if hashlib.sha256(found[name]).hexdigest() != sha:
            raise UserError("the file is not what was kept", where=where, remedy="delete it and make the report again")
    return found


def _write(lake: Lake, report_id: str, files: Mapping[str, bytes]) -> None:
    for end, content in files.items():
        target = place(lake, f"{report_id}.{end}")
        if not lake.remote:
            store.write(store.local(target), content)
            continue
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "file").write_bytes(content)
            store.move(Path(folder) / "file", target, lake.storage_options)
