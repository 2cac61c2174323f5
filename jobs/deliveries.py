"""Deliveries of a table, parsed once each into Parquet with their locators; what can't be read is refused with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.clean import found_header, headers
from jobs.lake import Lake
from jobs.land import Receipt
from jobs.readers import Request, read
from schemas.contract import Contract
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

    @property
    def files(self) -> list[str]:
        """The Parquet files of values as found."""
        return sorted(str(path) for path in self.folder.glob("part-*.parquet"))


def parse(lake: Lake, contract: Contract, receipts: Iterable[Receipt]) -> list[Parsed]:
    """Parse what was not parsed yet and return every delivery, the refused ones with their reason."""
    return [_parsed(lake, contract, receipt) for receipt in receipts]


def _parsed(lake: Lake, contract: Contract, receipt: Receipt) -> Parsed:
    folder = lake.read_folder(contract.table, receipt.delivery_id)
    done = _done(folder, _how(contract))
    if done:
        return Parsed(receipt.delivery_id, receipt.name, folder, tuple(done["columns"]), done["rows"], done["rejected"],
                      done["refused"])  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    one = _read(lake, contract, receipt, folder)
    # The mark comes last and whole: a folder without it is a reading that was cut off.
    mark = {"columns": one.columns, "rows": one.rows, "rejected": one.rejected, "refused": one.refused,
            "how": _how(contract)}  # fmt: skip
    temporary = folder / f".{MARK}"
    temporary.write_text(json.dumps(mark), encoding="utf-8")
    temporary.replace(folder / MARK)
    return one


def _read(lake: Lake, contract: Contract, receipt: Receipt, folder: Path) -> Parsed:
    source = contract.source
    assert source is not None
    request = Request(path=lake.delivery_path(receipt.sha256), out=folder, delivery=receipt.delivery_id,
                      name=receipt.name, options=source.options)  # fmt: skip
    try:
        found = read(source.format, request)
    except UserError as error:
        for path in folder.iterdir():
            path.unlink()
        return Parsed(receipt.delivery_id, receipt.name, folder, (), 0, 0, str(error), fresh=True)
    return Parsed(receipt.delivery_id, receipt.name, folder, found.columns, found.rows, found.rejected, fresh=True)


def _how(contract: Contract) -> str:
    """What the parsing depends on: a changed format or option parses again."""
    source = contract.source
    return json.dumps([source.format, source.options], sort_keys=True, default=str) if source else ""


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
             "rows": one.rows, "rejected": one.rejected, "reason": one.refused, "read_at": now}
            for one in parsed if one.fresh]  # fmt: skip


def by_shape(contract: Contract, parsed: Sequence[Parsed]) -> list[list[Parsed]]:
    """Group deliveries whose headers mean the same; raise UserError where a needed header is not there.

    A delivery that lacks a header has drifted: nothing of it is guessed, and the table waits.
    """
    shapes: dict[tuple[str, ...], list[Parsed]] = {}
    for one in parsed:
        if one.refused or not one.rows:
            continue
        used = _used(contract, one)
        shapes.setdefault(used, []).append(one)
    return list(shapes.values())


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
