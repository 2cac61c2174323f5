"""Excel: tables of one or many sheets, with headers over several rows, as text with the place of each row or cell."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from jobs.readers import Read, Request
from jobs.readers.cells import canonical
from jobs.readers.excel_table import Excel, Table, blocks, table
from jobs.readers.options import options
from jobs.readers.parts import Rejects, with_locators, write_parts
from schemas.errors import UserError

BATCH = 50_000
SHEET = "_sheet"


def read(request: Request) -> Read:
    """Read the tables that the options name, stacked; `_locator` is `Sheet!7`, or the cell where unpivoted."""
    began = time.perf_counter()
    given = options(Excel, request.options, request.name)
    workbook = _open(request.path, request.name)
    names = _sheets(workbook, given, request.name)
    tables = [table(request.path, workbook, name, block, request.name)
              for name in names for block in blocks(given) if re.fullmatch(block.only or ".*", name)]  # fmt: skip
    columns = _columns(tables, request.name)
    stacked = given.sheets is not None
    schema = _schema(columns, stacked)
    with Rejects(request.out, request.delivery):
        rows = write_parts(request.out, _batches(tables, columns, schema, request.delivery))
    if not rows and not given.empty_ok:
        raise UserError("no data rows", where=request.name, remedy="check header, first_row and last_row")
    found = tuple(schema.names[:-2])
    return Read(rows, 0, found, {"sheets": names}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which sheets there are, how large, with merged cells and first rows."""
    workbook = _open(path, path.name)
    return {"sheets": {name: _look(workbook, name) for name in workbook.sheet_names}}


def _look(workbook: CalamineWorkbook, name: str) -> dict[str, Any]:
    sheet = workbook.get_sheet_by_name(name)
    first = [[canonical(value) for value in row] for row in sheet.to_python(skip_empty_area=False, nrows=8)]
    return {"rows": sheet.total_height, "columns": sheet.total_width, "first_rows": first,
            "merged": [list(map(list, area)) for area in (sheet.merged_cell_ranges or [])[:50]]}  # fmt: skip


def _open(path: Path, where: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(str(path))
    except PasswordError:
        raise UserError("the workbook is under a password", where=where, remedy="ask for one without") from None
    except (CalamineError, OSError) as error:
        raise UserError(f"the workbook can't be opened: {error}", where=where) from None


def _sheets(workbook: CalamineWorkbook, given: Excel, where: str) -> list[str]:
    known = workbook.sheet_names
    if given.sheet and given.sheets:
        raise UserError("options 'sheet' and 'sheets': give one of them", where=where)
    if given.sheets:
        found = [name for name in known if re.fullmatch(given.sheets, name)]
    else:
        found = [name for name in known if name == given.sheet] if given.sheet else known[:1]
    if not found:
        raise UserError(f"there is no sheet {given.sheets or given.sheet!r}", where=where,
                        remedy=f"the workbook has {', '.join(map(repr, known))}")  # fmt: skip
    return found


def _columns(tables: list[Table], where: str) -> tuple[str, ...]:
    """Return the columns that all tables have; columns without a header may be in some only."""
    named = tables[0].named
    for one in tables[1:]:
        if one.named != named:
            extra, missing = set(one.named) - set(named), set(named) - set(one.named)
            raise UserError(f"its columns differ from those of {tables[0].place}: it lacks {sorted(missing)}, has more "
                            f"{sorted(extra)}{'' if extra or missing else ', and another order'}",
                            where=f"{where}, {one.place}", remedy="read it as a source of its own")  # fmt: skip
    bare = dict.fromkeys(name for one in tables for name in one.columns if name not in named)
    return (*named, *bare)


def _schema(columns: tuple[str, ...], stacked: bool) -> pa.Schema:
    names = (SHEET, *columns) if stacked else columns
    return with_locators([pa.field(name, pa.string()) for name in names], pa.string())


def _batches(tables: list[Table], columns: tuple[str, ...], schema: pa.Schema, delivery: int) -> Iterator[pa.Table]:
    for one in tables:
        for start in range(0, len(one.rows), BATCH):
            rows = one.rows[start : start + BATCH]
            place = {name: index for index, name in enumerate(one.columns)}
            data: dict[str, list[Any]] = {name: [row[place[name]] if name in place else None for row in rows] for name in columns}
            data |= {SHEET: [one.sheet] * len(rows), "_delivery": [delivery] * len(rows)}
            data["_locator"] = one.locators[start : start + BATCH]
            yield pa.table({name: pa.array(data[name], schema.field(name).type) for name in schema.names}, schema)
