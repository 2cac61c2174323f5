"""Releases: which version of every table was published under a name, kept for good and never given twice."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from jobs import deltalog, query, relation, variants
from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.pins import RECORDS
from schemas.contracts import contract, contracts
from schemas.errors import UserError

TABLE = "ops.release"
YEARS = "business.emission_year"  # whose totals tell what was published
NOW = "now"  # what is published at this moment, in no release
NAME = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][\w.-]{0,63}")
TOTALS = """select book, year, sum(emission_tco2e) as emission_tco2e, sum(lines)::bigint as lines from ({}) group by all
order by all"""


def create(lake: Lake, name: str, note: str = "", now: datetime | None = None) -> list[dict[str, Any]]:
    """Put down under a name which version of every table stands now, and return its rows as `release` does.

    Raise UserError where the name is taken or none, where nothing is published yet, and where a table was made from
    what is no longer the newest of an input, so that figures of the release would not follow from each other.
    """
    _of_published(checked(name, "release"), lake)
    if name in _names(lake):
        raise _taken(name)
    heads = {table: head for table in _published() if (head := lake.open(table)) is not None}
    if not any(head.version() for table, head in heads.items() if table.startswith("business.")):
        raise UserError("nothing is published yet", where=str(lake.root), remedy="`carbonlake run` builds the tables first")
    _follows(heads)
    at = now or datetime.now(UTC)
    rows = [_row(lake, table, head) | {"release": name, "note": note, "created_at": at, "program": version_of("carbonlake")}
            for table, head in heads.items()]  # fmt: skip
    one = contract(TABLE)
    # Two at once have the same run id: the second commit finds the first and changes nothing.
    append_rows(lake, one, pa.Table.from_pylist(rows, schema=arrow_schema(one)), f"release:{name}", once=True)
    made = release(lake, name)
    if made[0]["created_at"] != at:
        raise _taken(name)
    return made


def checked(name: str, what: str) -> str:
    """Return a name. Raise UserError for one that can't be a folder or be told on a command line."""
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a {what}", remedy="letters, digits, . _ - and at most 64 of them, e.g. 2025-06")
    if name == NOW:
        raise UserError(f"{name!r} is what stands now, not the name of a {what}", remedy="take another name, e.g. 2025-06")
    return name


def _of_published(name: str, lake: Lake) -> str:
    """Raise UserError for a restatement: its tables count their versions anew, so a release would name other figures."""
    if (one := variants.noted(lake.folder)) is not None:
        raise UserError(f"a release is of what is published, not of the restatement {one.name!r}", where=f"--variant {one.name}",
                        remedy=f"leave --variant out; `carbonlake compare {name} {one.name}` sets both side by side")  # fmt: skip
    return name


def _taken(name: str) -> UserError:
    return UserError(f"the release {name!r} is there already and never changes", where=TABLE,
                     remedy=f"take another name, e.g. {name}-2; `carbonlake release show {name}` tells what it is")  # fmt: skip


def _published() -> list[str]:
    return [table for table, one in contracts().items() if one.layer not in RECORDS]


def _follows(heads: Mapping[str, DeltaTable]) -> None:
    """Refuse tables of which one was made from rows that have changed since."""
    for table, head in heads.items():
        for source, used in (deltalog.last_commit(head).get("inputs") or {}).items():
            if source not in heads or used == heads[source].version():
                continue
            moved = deltalog.changed_partitions(heads[source], int(used), int(heads[source].version()))
            if moved is None or moved:
                raise UserError(f"it was made from version {used} of {source}, which is at {heads[source].version()}",
                                where=table, remedy="`carbonlake run` brings all tables up to date; then release")  # fmt: skip


def _row(lake: Lake, table: str, head: DeltaTable) -> dict[str, Any]:
    note = deltalog.last_commit(head)
    totals = json.dumps(_totals(lake, head), default=str) if table == YEARS else None
    return {"table_name": table, "version": int(head.version()), "rows": sum(one.rows for one in relation.table_files(head)),
            "run_id": note.get("run"), "recipe": note.get("recipe"), "inputs": json.dumps(note.get("inputs") or {}),
            "totals": totals}  # fmt: skip


def _totals(lake: Lake, head: DeltaTable) -> list[dict[str, Any]]:
    with relation.connect(lake.root, lake.storage_options) as duck:
        found = relation.arrow_table(duck.sql(TOTALS.format(relation.relation_sql(head))))
    return found.to_pylist()  # type: ignore[no-any-return]


def _rows(lake: Lake, where: str = "true") -> list[dict[str, Any]]:
    head = lake.open(TABLE)
    return relation.plain_rows(relation.read_rows(head, where)) if head else []


def _names(lake: Lake) -> list[str]:
    return sorted({row["release"] for row in _rows(lake)})


def releases(lake: Lake) -> list[dict[str, Any]]:
    """Return the releases, the newest first: name, when, tables, rows, activity without a line, note."""
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(lake):
        one = found.setdefault(row["release"], {"release": row["release"], "created_at": row["created_at"], "tables": 0,
                                                "rows": 0, "unresolved": 0, "note": row["note"]})  # fmt: skip
        one["tables"] += 1
        one["rows"] += row["rows"]
        one["unresolved"] += row["rows"] if row["table_name"] == "business.unresolved" else 0
    return sorted(found.values(), key=lambda one: (one["created_at"], one["release"]), reverse=True)


def release(lake: Lake, name: str) -> list[dict[str, Any]]:
    """Return a release as rows, one for each table. Raise UserError with near names where there is none."""
    rows = _rows(lake, f"release = {relation.literal(_of_published(name, lake))}")
    if not rows:
        known = _names(lake)
        near = difflib.get_close_matches(name, known, n=3) or known[-3:]
        raise UserError(f"there is no release {name!r}", where=TABLE,
                        remedy=f"did you mean {', '.join(near)}?" if near else f"`carbonlake release create {name}`")  # fmt: skip
    return sorted(rows, key=lambda row: str(row["table_name"]))


def versions(lake: Lake, name: str) -> dict[str, int]:
    """Return table → version of a release. Raise UserError where there is no such release."""
    return {row["table_name"]: int(row["version"]) for row in release(lake, name)}


def version(lake: Lake, name: str, table: str) -> int:
    """Return the version of a table in a release. Raise UserError where either is not there."""
    found = versions(lake, name)
    if table not in found:
        raise query.not_released(table, found)
    return found[table]


def pinned(lake: Lake) -> dict[str, set[int]]:
    """Return the versions of tables that releases name, which no maintenance may take away."""
    found: dict[str, set[int]] = {}
    for row in _rows(lake) if variants.noted(lake.folder) is None else ():
        found.setdefault(row["table_name"], set()).add(int(row["version"]))
    return found
