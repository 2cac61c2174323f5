"""Deliveries of a table, parsed once each into Parquet with their locators; what can't be read is refused with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import store
from jobs.clean import found_header, headers
from jobs.fingerprint import reader
from jobs.lake import Lake, unstage
from jobs.land import Receipt, receipts
from jobs.outcome import Job
from jobs.readers import AROUND, TYPED, Read, Request, read_many
from schemas.contract import Contract
from schemas.contracts import contract
from schemas.errors import UserError

MARK = "read.json"


@dataclass(frozen=True)
class Parsed:
    """A delivery as Parquet: its files, the headers as found, and how many rows were malformed."""

    delivery: int
    name: str
    folder: Path
    columns: tuple[str, ...]
    rows: int
    rejected: int
    refused: str = ""
    fresh: bool = False
    around: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """The Parquet files of values as found."""
        return sorted(str(path) for path in self.folder.glob("part-*.parquet"))


def parse(job: Job, wanted: Sequence[Receipt]) -> list[Parsed]:
    """Parse what was not parsed yet and return every delivery, the refused ones with their reason.

    A reading is made in the staging of the run and moved to its place whole, so that builds at once do no harm.
    A forced build tries again what was refused.
    """
    return _parsed(job.lake, job.contract, lambda: job.staging, wanted, force=job.force)


def reading(lake: Lake, table: str, delivery: int) -> Path:
    """Return the folder of a delivery as it was read; it is read again where this machine has no copy of that."""
    folder, one = lake.read_folder(table, delivery), contract(table)
    receipt = next((found for found in receipts(lake, table) if found.delivery_id == delivery), None)
    if receipt and one.source and not _done(folder, _how(one, receipt)):
        run = f"read-{uuid4().hex[:12]}"
        try:
            _parsed(lake, one, lambda: lake.staging(run), [receipt])
        finally:
            unstage(lake.folder / "_staging" / run)
    return folder


def _parsed(
    lake: Lake, contract: Contract, staging: Callable[[], Path], wanted: Sequence[Receipt], *, force: bool = False
) -> list[Parsed]:  # fmt: skip
    source = contract.source
    assert source is not None
    places = {one.delivery_id: lake.read_folder(contract.table, one.delivery_id) for one in wanted}
    how = {one.delivery_id: _how(contract, one) for one in wanted}
    done = {number: found for number, place in places.items() if (found := _done(place, how[number]))
            and not (force and found["refused"])}  # fmt: skip
    fresh = [receipt for receipt in wanted if receipt.delivery_id not in done]
    requests = [request(lake, contract, staging(), receipt) for receipt in fresh]
    for one, result in zip(requests, read_many(source.format, requests), strict=True):
        done[one.delivery] = _settled(one, result, places[one.delivery], how[one.delivery])
    new = {receipt.delivery_id for receipt in fresh}
    return [
        Parsed(r.delivery_id, r.name, places[r.delivery_id], tuple(mark["columns"]), mark["rows"], mark["rejected"],
               mark["refused"], fresh=r.delivery_id in new, around=mark.get("around", {}))
        for r in wanted for mark in [done[r.delivery_id]]
    ]  # fmt: skip


def request(lake: Lake, contract: Contract, staging: Path, receipt: Receipt) -> Request:
    """Return the request to read a delivery into an empty folder of a staging. Raise UserError where its bytes are gone."""
    assert contract.source
    try:
        path = lake.delivery(receipt.sha256)
    except FileNotFoundError as error:
        raise UserError(
            f"the bytes of delivery {receipt.delivery_id} ({receipt.name}) are not in the lake", where=error.filename,
            remedy=f"land them again or restore them from a copy; or `carbonlake withdraw {receipt.delivery_id}`",
        ) from None  # fmt: skip
    out = staging / f"read-{receipt.delivery_id:08d}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return Request(path, out, receipt.delivery_id, receipt.name, contract.source.options)


def settled(
    lake: Lake, contract: Contract, receipt: Receipt, request: Request, result: Read | UserError, kept: str
) -> Parsed:  # fmt: skip
    """Put the reading of a delivery that keeps only some of its rows into its place; `kept` says which."""
    place = lake.read_folder(contract.table, receipt.delivery_id)
    mark = _settled(request, result, place, f"{_how(contract, receipt)} {kept}")
    return Parsed(receipt.delivery_id, receipt.name, place, tuple(mark["columns"]), mark["rows"], mark["rejected"],
                  mark["refused"], fresh=True, around=mark.get("around", {}))  # fmt: skip


def _settled(request: Request, result: Read | UserError, place: Path, how: str) -> dict[str, Any]:
    """Put a reading into its place, with a mark of what it is, and return the mark."""
    if isinstance(result, UserError):
        store.check_room(request.out)  # what can't be read for lack of room is no fault of the delivery
        for path in request.out.iterdir():
            path.unlink()
        mark = {"columns": (), "rows": 0, "rejected": 0, "refused": str(result), "how": how}
    else:
        mark = {"columns": result.columns, "rows": result.rows, "rejected": result.rejected, "refused": "", "how": how,
                "around": {key: result.info[key] for key in AROUND if key in result.info}}  # fmt: skip
    (request.out / MARK).write_text(json.dumps(mark), encoding="utf-8")
    place.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(3):
        try:
            request.out.rename(place)
            return mark
        except OSError:
            # Another build was faster, with the same bytes and so the same rows; or there is an outdated reading.
            if place.is_dir() and not _done(place, how):
                place.rename(request.out.with_name(f"{request.out.name}-old-{attempt}"))
            elif place.is_dir():
                return _done(place, how) or mark
    raise UserError("the parsed delivery can't be put into its place", where=str(place), remedy="look into the folder")


def _how(contract: Contract, receipt: Receipt) -> str:
    """What the parsing depends on: other bytes under the number, a changed format, option or reader parse again."""
    source = contract.source
    assert source is not None
    given = [receipt.sha256, source.format, source.options, reader(source.format)]
    return json.dumps(given, sort_keys=True, default=str)


def _done(folder: Path, how: str) -> dict[str, Any] | None:
    path = folder / MARK
    if not path.is_file():
        return None
    mark: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return mark if mark["how"] == how else None


def readings(contract: Contract, parsed: Sequence[Parsed]) -> list[dict[str, Any]]:
    """Return rows of ops.reading for the deliveries that were parsed just now."""
    now = datetime.now(UTC)
    return [{"table_name": contract.table, "delivery_id": one.delivery, "status": "refused" if one.refused else "read",
             "rows": one.rows, "rejected": one.rejected, "reason": one.refused, "read_at": now,
             "note": json.dumps(one.around, ensure_ascii=False) if one.around else ""}
            for one in parsed if one.fresh]  # fmt: skip


def by_shape(contract: Contract, parsed: Sequence[Parsed]) -> list[list[Parsed]]:
    """Group deliveries whose headers mean the same; raise UserError where a needed header is not there.

    A delivery that lacks a header has drifted: nothing of it is guessed, and the table waits.
    """
    shapes: dict[tuple[object, ...], list[Parsed]] = {}
    for one in parsed:
        if one.refused or not one.rows:
            continue
        shapes.setdefault((_used(contract, one), _typed(contract, one)), []).append(one)
    return list(shapes.values())


def _typed(contract: Contract, one: Parsed) -> tuple[tuple[str, str], ...]:
    """Return the columns that are no text, with their types: no engine reads files together where these differ."""
    if contract.source is None or contract.source.format not in TYPED:
        return ()
    return tuple((column.name, str(column.type)) for column in pq.read_schema(one.files[0]) if column.type != pa.string())


def _used(contract: Contract, one: Parsed) -> tuple[str, ...]:
    wanted = {name: column for name, column in contract.columns.items() if headers(column, name)}
    used = {name: found_header(column, name, one.columns) for name, column in wanted.items()}
    missing = [f"{name} (from {' or '.join(map(repr, headers(wanted[name], name)))})" for name, h in used.items() if not h]
    if missing:
        known = {header for name, column in wanted.items() for header in headers(column, name)}
        extra = [header for header in one.columns if header not in known and not header.startswith("_")]
        raise UserError(
            f"the source has drifted: no column for {', '.join(missing)}; columns that no one expects: "
            f"{', '.join(map(repr, extra)) or 'none'}",
            where=f"{contract.file}, delivery {one.delivery} ({one.name})",
            remedy="if a column was renamed, add the new header to its `from` list; if the delivery is wrong, "
                   f"`carbonlake withdraw {one.delivery}`",
        )  # fmt: skip
    return tuple(str(header) for header in used.values())
