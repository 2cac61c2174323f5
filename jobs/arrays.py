"""Arrays written back as they came: a copy of the delivery, in which cells that were corrected hold their new value.

What the lake keeps of a delivery are its bytes, so that packed values, attributes, calendars and filters of the copy are
those of the delivery to the bit. Each value of the table is held against the delivery before the copy is handed out.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import query
from jobs.clean import DELIVERY, LOCATOR, headers
from jobs.deliveries import reading
from jobs.direct import FORMATS
from jobs.lake import Lake
from jobs.land import Receipt, receipts
from jobs.readers.cage import patch_caged
from jobs.relation import literal, quote
from schemas.contract import Column, Contract
from schemas.contracts import contract
from schemas.errors import UserError
from schemas.types import decimal_parts

CELL = re.compile(r".*\[([0-9,]*)\]$")
MOST = 100_000  # corrected cells of a file


@dataclass(frozen=True)
class Written:
    """A file that was written, the cells in it that the lake has corrected, and those that the lake set aside."""

    path: Path
    corrected: int
    aside: int


def export(lake: Lake, table: str, format: str, folder: Path, delivery: int | None = None) -> Written:
    """Write a delivery of a table, the newest without a number, as a file with the values that the lake has.

    Raise UserError where the table has no such delivery, or a value that the packing of the file can't hold exactly.
    """
    one = contract(table)
    if one.source is None or one.source.format not in FORMATS or one.source.format != format:
        has = one.source.format if one.source else "no deliveries"
        raise UserError(f"{table} has {has}, and not {format}", where=one.file, remedy="export it as what it came")
    receipt = _receipt(lake, one, delivery)
    changes, aside = _changes(lake, one, receipt)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / Path(receipt.name).name
    if target.exists():
        raise UserError("there is a file already", where=str(target), remedy="name another folder with --folder")
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(lake.delivery(receipt.sha256, anew=True), part)
        if changes:
            patch_caged(format, part, receipt.name, changes)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return Written(target, sum(map(len, changes.values())), aside)


def _receipt(lake: Lake, one: Contract, delivery: int | None) -> Receipt:
    known = [receipt for receipt in receipts(lake, one.reads) if delivery in (None, receipt.delivery_id)]
    if not known or lake.open(one.table) is None:
        which = "none yet" if delivery is None else f"no {delivery}"
        raise UserError(f"of the deliveries of {one.table} there is {which}", remedy=f"`carbonlake run {one.table}` builds it")
    return known[-1]


def _changes(lake: Lake, one: Contract, receipt: Receipt) -> tuple[dict[str, list[Any]], int]:
    """Return array → cells whose value in the lake is not the delivered one, and how many cells the lake does not have."""
    parts = sorted(str(path) for path in reading(lake, one.table, receipt.delivery_id).glob("part-*.parquet"))
    found: dict[str, list[Any]] = {}
    with query.connection(lake, {one.table: None}) as duck:
        duck.execute(f"create temp view found as from read_parquet([{', '.join(map(literal, parts))}]) "
                     f"where {DELIVERY} = {receipt.delivery_id}")  # fmt: skip
        kinds = {row[0]: row[1] for row in duck.execute("describe found").fetchall()}
        join = f"from found f join {one.table} t on t.{LOCATOR} = f.{LOCATOR} and t.{DELIVERY} = {receipt.delivery_id}"
        both = duck.execute(f"select count(*) {join}").fetchone() or (0,)
        total = duck.execute("select count(*) from found").fetchone() or (0,)
        for name, column in one.columns.items():
            header = headers(column, name)[0] if headers(column, name) else ""
            if kinds.get(header) not in ("DOUBLE", "BIGINT") or not _kept(column) or header.endswith("_index"):
                continue
            value, there = f"t.{quote(name)}", f"f.{quote(header)}"
            # Whole numbers as such: beyond 2^53 a double does not tell one from the next.
            whole = kinds[header] == "BIGINT" and column.type in ("int", "bigint")
            near = f"{value} = {there}" if whole else f"abs(cast({value} as double) - {there}) <= {_half(column)}"
            differ = f"({value} is null) <> ({there} is null) or not coalesce({near}, true)"
            taken = value if whole else f"cast({value} as double)"
            rows = duck.execute(f"select f.{LOCATOR}, {taken} {join} where {differ} limit {MOST + 1}").fetchall()
            if len(rows) > MOST:
                raise UserError(f"{header} has more than {MOST:,} cells that are not as delivered", where=one.table,
                                remedy="with so many others it is no copy; ask for a new delivery")  # fmt: skip
            if rows:
                found[header] = [(_cell(place, header, one), value_) for place, value_ in rows]
    return found, total[0] - both[0]


def _kept(column: Column) -> bool:
    """Tell whether a column has the values of its array, in their unit."""
    return not (column.derive or column.unit_from or column.pattern)


def _half(column: Column) -> str:
    parts = decimal_parts(str(column.type))
    return f"{0.5000001 * 10 ** -parts[1]!r}" if parts else "0"


def _cell(place: Any, header: str, one: Contract) -> list[int]:
    found = CELL.match(str(place))
    if not found:
        raise UserError(f"{header} was corrected, and cells that are counted can't be found in the file", where=one.file,
                        remedy="take the option `cell_numbers` out of the source")  # fmt: skip
    return [int(at) for at in found[1].split(",") if at]
