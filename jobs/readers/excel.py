"""Excel: tables of one or many sheets, with headers over several rows, as text with the place of each row or cell."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.cells import canonical
from jobs.readers.excel_info import info, title_unit
from jobs.readers.excel_open import Book, Opened, book
from jobs.readers.excel_options import Excel, blocks
from jobs.readers.excel_package import package
from jobs.readers.excel_table import Table, table
from jobs.readers.options import options
from jobs.readers.parts import Rejects, with_locators, write_parts
from schemas.errors import UserError

BATCH = 50_000
SHEET = "_sheet"


def read(request: Request) -> Read:
    """Read the tables that the options name, stacked; `_locator` is `Sheet!7`, or the cell where unpivoted."""
    began = time.perf_counter()
    given = options(Excel, request.options, request.name)
    wanted = blocks(given, request.name)
    tables, sheets, titles = [], [], set[str]()
    with package(request.path, request.name) as archive:
        opened = book(request.path, archive, request.name)
        names = _sheets(opened, given, request.name)
        for name in names:
            here = [block for block in wanted if re.fullmatch(block.only or ".*", name)]
            sheets += [one := opened.open(name)] if here else []
            titles |= {title_unit(one, block.heads[0]) if block.heads else "" for block in here}
            tables += [table(one, block, request.name) for block in here]
    if not tables:
        raise UserError("no sheet has one of the blocks", where=request.name, remedy="check `only` of the blocks")
    rows, rejected, schema = _written(request, tables, stacked=given.sheets is not None)
    if not rows and not rejected and not given.empty_ok:
        raise UserError("no data rows", where=request.name, remedy="check header, first_row and last_row")
    told = {"sheets": names} | info(opened, sheets, tables) | ({"title_unit": titles.pop()} if len(titles) == 1 else {})
    return Read(rows, rejected, tuple(schema.names[:-2]), told, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which sheets there are, how large, with merged cells and first rows, what is hidden, and propose tables."""
    from jobs.readers.excel_look import tables

    checked = options(Excel, given, path.name)
    with package(path, path.name) as archive:
        opened = book(path, archive, path.name)
        names = _sheets(opened, checked, path.name) if checked.sheet or checked.sheets else opened.names
        sheets = {name: opened.open(name) for name in names}
    told = {"sheets": {name: _look(one) for name, one in sheets.items()}} | info(opened, list(sheets.values()), [])
    found, notes = tables(opened, sheets, given)
    return told | ({"tables": found} if found else {}) | ({"notes": notes} if notes else {})


def _look(sheet: Opened) -> dict[str, Any]:
    first = [[canonical(sheet.cell(row, at)) for at in range(len(sheet.columns))] for row in range(min(8, sheet.height))]
    return {"rows": sheet.height, "columns": len(sheet.columns), "first_rows": first,
            "merged": [list(map(list, area)) for area in sheet.sheet.merged[:50]]}  # fmt: skip


def _sheets(opened: Book, given: Excel, where: str) -> list[str]:
    known = opened.names
    if given.sheet and given.sheets:
        raise UserError("options 'sheet' and 'sheets': both are given", where=where, remedy="keep one of them")
    if given.sheets:
        found = [name for name in known if re.fullmatch(given.sheets, name)]
        found = [name for name in found if given.hidden == "read" or name not in opened.hidden]
    else:
        shown = [name for name in known if given.hidden == "read" or name not in opened.hidden]
        found = [name for name in known if name == given.sheet] if given.sheet else shown[:1]
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
        if one.units != tables[0].units:
            raise UserError(f"its units differ from those of {tables[0].place}: {one.units}", where=f"{where}, {one.place}",
                            remedy="read it as a source of its own")  # fmt: skip
    bare = dict.fromkeys(name for one in tables for name in one.columns if name not in named)
    return (*named, *bare)


def _written(request: Request, tables: list[Table], stacked: bool) -> tuple[int, int, pa.Schema]:
    """Write the rows and what was set aside; return how many of each, and the schema."""
    columns = _columns(tables, request.name)
    names = (SHEET, *columns) if stacked else columns
    schema = with_locators([pa.field(name, pa.string()) for name in names], pa.string())
    with Rejects(request.out, request.delivery) as rejects:
        for one in tables:
            for locator, reason, raw in one.aside:
                rejects.add(locator, reason, raw)
        rows = write_parts(request.out, _batches(tables, schema, request.delivery))
    return rows, rejects.count, schema


def _batches(tables: list[Table], schema: pa.Schema, delivery: int) -> Iterator[pa.Table]:
    for one in tables:
        rows = len(one.locators)
        data: dict[str, pa.Array] = dict(zip(one.columns, one.values, strict=True))
        data |= {SHEET: pa.repeat(one.sheet, rows), "_delivery": pa.repeat(pa.scalar(delivery, pa.int64()), rows)}
        data["_locator"] = pa.array(one.locators, pa.string())
        whole = pa.table([data[name] if name in data else pa.nulls(rows, pa.string()) for name in schema.names], schema)
        yield from (whole.slice(start, BATCH) for start in range(0, rows, BATCH))
