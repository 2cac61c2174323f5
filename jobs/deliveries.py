"""Deliveries of a table, parsed once each into Parquet with their locators; what can't be read is refused with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from jobs import groups, store
from jobs.clean import DELIVERY, found_header, headers
from jobs.fingerprint import reader
from jobs.integrity import as_sent
from jobs.lake import Lake, unstage
from jobs.land import Receipt, receipts
from jobs.outcome import Job
from jobs.readers import AROUND, TYPED, Read, Request, read_many, read_together
from jobs.readers.guards import CHECKED
from jobs.staging import quoted
from schemas.contract import Contract
from schemas.contracts import contract
from schemas.errors import UserError

MARK = "read.json"


@dataclass(frozen=True)
class Parsed:
    """A delivery as Parquet: its files, the headers as found, and how many rows were malformed.

    `sums` are those of the measures that balance, where they were counted already and the files hold only some rows.
    """

    delivery: int
    name: str
    folder: Path
    columns: tuple[str, ...]
    rows: int
    rejected: int
    refused: str = ""
    fresh: bool = False
    around: Mapping[str, Any] = field(default_factory=dict)
    beside: frozenset[int] = frozenset()  # the deliveries whose rows lie in the same files, where there are any
    sums: Mapping[str, str] | None = None


def files(parsed: Iterable[Parsed]) -> list[str]:
    """Return the Parquet files that hold the values of deliveries as found, and perhaps those of `strangers`."""
    folders = dict.fromkeys(one.folder for one in parsed)
    return [path for folder in folders for path in sorted(str(path) for path in folder.glob("part-*.parquet"))]


def strangers(parsed: Sequence[Parsed]) -> list[int]:
    """Return the deliveries whose rows lie in the files of some, and which are none of them."""
    beside = frozenset[int]().union(*{one.folder: one.beside for one in parsed}.values())
    return sorted(beside - {one.delivery for one in parsed})


def as_found(parsed: Sequence[Parsed], name: str = "part-*") -> str:
    """Return DuckDB SQL for the rows of deliveries as found, or for those that were malformed (`rejected`)."""
    folders = dict.fromkeys(one.folder for one in parsed)
    listed = ", ".join(quoted(str(path)) for folder in folders for path in sorted(folder.glob(f"{name}.parquet")))
    others = ", ".join(map(str, strangers(parsed)))
    return f"select * from read_parquet([{listed}])" + (f" where {DELIVERY} not in ({others})" if others else "")


def parse(job: Job, wanted: Sequence[Receipt]) -> list[Parsed]:
    """Parse what was not parsed yet and return every delivery, the refused ones with their reason.

    A reading is made in the staging of the run and moved to its place whole, so that builds at once do no harm.
    A forced build tries again what was refused.
    """
    return _parsed(job.lake, job.contract, lambda: job.staging, wanted, force=job.force)


def reading(lake: Lake, table: str, delivery: int, known: Iterable[Receipt] | None = None) -> Path:
    """Return the folder where a delivery lies as it was read; it is read again where this machine has no copy of that.

    Others may lie in the same files, so that its rows are those of its `_delivery`. `known` are the receipts in force, for
    those who ask for several.
    """
    one = contract(table)
    mine = receipts(lake, table) if known is None else [found for found in known if found.source == one.reads]
    receipt = next((found for found in mine if found.delivery_id == delivery), None)
    if not receipt or not one.source:
        return lake.read_folder(table, delivery)
    run = f"read-{uuid4().hex[:12]}"
    try:
        return _parsed(lake, one, lambda: lake.staging(run), [receipt])[0].folder
    finally:
        unstage(lake.folder / "_staging" / run)


def told(lake: Lake, table: str, delivery: int) -> Mapping[str, Any]:
    """Return what the reading of a delivery told: `rows`, `rejected` and why it was `refused`; zeros where there is none."""
    path = lake.read_folder(table, delivery) / MARK
    if path.is_file():
        mark: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return mark
    marks = (group.marks[delivery] for group in groups.known(lake.table_read_folder(table)) if delivery in group.marks)
    return next(marks, {"rows": 0, "rejected": 0, "refused": ""})


def _parsed(
    lake: Lake, contract: Contract, staging: Callable[[], Path], wanted: Sequence[Receipt], *, force: bool = False
) -> list[Parsed]:  # fmt: skip
    source = contract.source
    assert source is not None
    places = {one.delivery_id: lake.read_folder(contract.table, one.delivery_id) for one in wanted}
    how = _how(contract, wanted)
    together = groups.known(lake.table_read_folder(contract.table))
    in_group = dict(groups.valid(together, how))
    done: dict[int, Mapping[str, Any]] = {number: group.marks[number] for number, group in in_group.items()}
    for number, place in places.items():
        if number not in done and (found := _done(place, how[number])) and not (force and found["refused"]):
            done[number] = found
    fresh = [receipt for receipt in wanted if receipt.delivery_id not in done]
    if fresh and together:
        groups.put_away(together, how, staging())
    for lot in groups.lots(source, fresh):
        for group in _grouped(lake, contract, staging(), lot, how):
            in_group |= dict.fromkeys(group.marks, group)
            done |= group.marks
    requests = [request(lake, contract, staging(), receipt) for receipt in fresh if receipt.delivery_id not in done]
    for one, result in zip(requests, read_many(source.format, requests), strict=True):
        done[one.delivery] = _settled(one, result, places[one.delivery], how[one.delivery])
    new = {receipt.delivery_id for receipt in fresh}
    return [_as_marked(r, done[r.delivery_id], places[r.delivery_id], in_group.get(r.delivery_id), r.delivery_id in new)
            for r in wanted]  # fmt: skip


def _as_marked(receipt: Receipt, mark: Mapping[str, Any], place: Path, group: groups.Group | None, fresh: bool) -> Parsed:
    return Parsed(receipt.delivery_id, receipt.name, group.folder if group else place, tuple(mark["columns"]), mark["rows"],
                  mark["rejected"], mark["refused"], fresh=fresh, around=mark.get("around", {}),
                  beside=group.holds if group else frozenset())  # fmt: skip


def _grouped(
    lake: Lake, contract: Contract, staging: Path, lot: Sequence[Receipt], how: Mapping[int, str]
) -> list[groups.Group]:  # fmt: skip
    """Read small deliveries together, and put those of the same columns into one place.

    What is refused is no part of it: it is read once more for itself, as any other, and has a place of its own.
    """
    assert contract.source
    outs: dict[tuple[str, ...], Path] = {}

    def folder(columns: tuple[str, ...]) -> Path:
        outs[columns] = staging / f"{groups.PREFIX}{uuid4().hex}"
        outs[columns].mkdir()
        return outs[columns]

    requests = [Request(_bytes(lake, one), staging, one.delivery_id, one.name, contract.source.options) for one in lot]
    marks: dict[tuple[str, ...], dict[int, dict[str, Any]]] = {}
    for one, result in zip(requests, read_together(contract.source.format, requests, folder), strict=True):
        if isinstance(result, Read):
            marks.setdefault(result.columns, {})[one.delivery] = _mark(result, how[one.delivery])
    return [groups.settle(outs[columns], lake.table_read_folder(contract.table), some) for columns, some in marks.items()]


def request(lake: Lake, contract: Contract, staging: Path, receipt: Receipt) -> Request:
    """Return the request to read a delivery into an empty folder of a staging. Raise UserError where its bytes are gone."""
    assert contract.source
    path = _bytes(lake, receipt)
    out = staging / f"read-{receipt.delivery_id:08d}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return Request(path, out, receipt.delivery_id, receipt.name, contract.source.options)


def _bytes(lake: Lake, receipt: Receipt) -> Path:
    try:
        return lake.delivery(receipt.sha256)
    except FileNotFoundError as error:
        raise UserError(
            f"the bytes of delivery {receipt.delivery_id} ({receipt.name}) are not in the lake", where=error.filename,
            remedy=f"land them again or restore them from a copy; or `carbonlake withdraw {receipt.delivery_id}`",
        ) from None  # fmt: skip


def settled(
    lake: Lake, contract: Contract, receipt: Receipt, request: Request, result: Read | UserError, kept: str
) -> Parsed:  # fmt: skip
    """Put the reading of a delivery that keeps only some of its rows into its place; `kept` says which."""
    place = lake.read_folder(contract.table, receipt.delivery_id)
    mark = _settled(request, result, place, f"{_how(contract, [receipt])[receipt.delivery_id]} {kept}")
    return _as_marked(receipt, mark, place, None, fresh=True)


def _settled(request: Request, result: Read | UserError, place: Path, how: str) -> dict[str, Any]:
    """Put a reading into its place, with a mark of what it is, and return the mark."""
    if isinstance(result, UserError):
        store.check_room(request.out)  # what can't be read for lack of room is no fault of the delivery
        for path in request.out.iterdir():
            path.unlink()
        mark = {"columns": (), "rows": 0, "rejected": 0, "refused": str(result), "how": how}
    else:
        mark = _mark(result, how)
    (request.out / MARK).write_text(json.dumps(mark), encoding="utf-8")
    place.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(3):
        try:
            request.out.rename(place)
            return mark
        except OSError:
            # Another build was faster, with the same bytes and so the same rows; or there is a reading that is outdated, or
            # that was refused where this one is not.
            there = _done(place, how)
            if there and (mark["refused"] or not there["refused"]):
                return there
            if place.is_dir():
                place.rename(request.out.with_name(f"{request.out.name}-old-{attempt}"))
    raise UserError("the parsed delivery can't be put into its place", where=str(place), remedy="look into the folder")


def _mark(result: Read, how: str) -> dict[str, Any]:
    around = {key: result.info[key] for key in AROUND if key in result.info}
    return {"columns": result.columns, "rows": result.rows, "rejected": result.rejected, "refused": "", "how": how,
            "around": around}  # fmt: skip


def _how(contract: Contract, receipts: Iterable[Receipt]) -> dict[int, str]:
    """What each parsing depends on: other bytes under the number, a changed format, option or reader parse again."""
    source = contract.source
    assert source is not None
    given = [source.format, source.options, reader(source.format)]
    return {one.delivery_id: json.dumps([one.sha256, *given], sort_keys=True, default=str) for one in receipts}


def _done(folder: Path, how: str) -> dict[str, Any] | None:
    path = folder / MARK
    if not path.is_file():
        return None
    mark: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return mark if mark["how"] == how else None


def readings(contract: Contract, parsed: Sequence[Parsed], receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    """Return rows of ops.reading for the deliveries that were parsed just now."""
    now = datetime.now(UTC)
    sent = {one.delivery_id: as_sent(one) for one in receipts}
    found = []
    for one in (one for one in parsed if one.fresh):
        # Of a document its author and place are restricted: they stand in knowledge.document alone.
        note = {key: told for key, told in one.around.items() if key not in ("integrity", "documents")}
        grade = CHECKED if sent.get(one.delivery) else one.around.get("integrity")
        found.append({"table_name": contract.table, "delivery_id": one.delivery, "status": "refused" if one.refused else "read",
                      "rows": one.rows, "rejected": one.rejected, "reason": one.refused, "read_at": now,
                      "integrity": None if one.refused else grade,
                      "note": json.dumps(note, ensure_ascii=False) if note else ""})  # fmt: skip
    return found


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
    return tuple((column.name, str(column.type)) for column in pq.read_schema(files([one])[0]) if column.type != pa.string())


def _used(contract: Contract, one: Parsed) -> tuple[str, ...]:
    wanted = {name: column for name, column in contract.columns.items() if headers(column, name)}
    used = {name: found_header(column, name, one.columns) for name, column in wanted.items()}
    missing = [f"{name} (from {' or '.join(map(repr, headers(wanted[name], name)))})" for name, h in used.items()
               if not h and not wanted[name].optional]  # fmt: skip
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
