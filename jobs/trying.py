"""Whether a source can be reached: its credentials are there, it answers, and what it has, without landing anything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conf.secrets import redact
from jobs import fetch, sources, store
from schemas.contract import Source
from schemas.errors import UserError

NAMES = ("connection", "host_key", "private_key")  # keys of `fetch` that name a connection


def tried(table: str, connections: Mapping[str, str], drop: str) -> dict[str, Any]:
    """Try a source, and return what is there, the milliseconds it took, and which connections it used.

    Raise UserError with a remedy where it can't be reached, or a connection that it names is not in the settings.
    """
    one = sources.source(table)
    assert one.source
    names = credentials(one.source)
    began = time.perf_counter()
    there = _reached(one.table, connections) if one.source.fetch else _lying(Path(drop) / one.table)
    took = round(1000 * (time.perf_counter() - began))
    return {"table": one.table, "from": place(one.source), "there": redact(there), "ms": took,
            "credentials": ", ".join(names) or "none needed"}  # fmt: skip


def credentials(source: Source) -> list[str]:
    """Return the names of the connections that a source uses; what they hold is known to the settings alone."""
    told = sources.flat(source.fetch.model_dump()) if source.fetch else {}
    return [str(value) for key, value in told.items() if key.split(".")[-1] in NAMES and value]


def place(source: Source) -> str:
    """Say where deliveries come from, as the contract has it."""
    how = source.fetch
    if how is None:
        return f"{source.zone}/{source.path}"
    named = [getattr(how, name, "") for name in ("connection", "url", "folder", "table", "query", "topic")]
    return " ".join([*(str(one) for one in named if one), *getattr(how, "topics", ())])


def _reached(table: str, connections: Mapping[str, str]) -> str:
    try:
        return fetch.tested(table, connections)
    except UserError:
        raise
    except Exception as error:
        if (told := store.explain(error)) is None:
            raise
        raise told from error


def _lying(folder: Path) -> str:
    """Say what lies in the drop folder; that there is none is no error: somebody may bring files by name."""
    if not folder.is_dir():
        return "no drop folder: files are named to `carbonlake land`"
    try:
        files = [one for one in folder.rglob("*") if one.is_file() and not one.name.startswith(".")]
        for one in files:
            with one.open("rb") as opened:
                opened.read(1)
    except OSError as error:
        raise UserError(f"what lies there can't be read: {error.strerror}", where=str(error.filename or folder),
                        remedy="let the user that runs carbonlake read it") from None  # fmt: skip
    return f"{len(files)} files of {sum(one.stat().st_size for one in files):,} bytes in the drop folder"
