"""HTML: one table of a page as rows, spans of cells resolved; nothing is fetched."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.readers import Read, Request
from jobs.readers.html_page import ACROSS, Row, Table, tables
from jobs.readers.options import options
from jobs.readers.parts import OURS, Rejects, check_names, with_locators, write_parts
from schemas.errors import UserError

SHOWN = 5


@dataclass(frozen=True)
class Html:
    """Options of HTML.

    `table` is the number of the table on the page, from 1, or a text of its id or caption; without it the page has one.
    `header` is the number of its header rows; without it those of `thead`, or the first rows whose cells are all `th`.
    `columns` names the columns where there are none. `encoding` is for pages that do not say theirs.
    """

    table: int | str | None = None
    header: int | None = None
    columns: list[str] | None = None
    encoding: str | None = None
    empty_ok: bool = False


def read(request: Request) -> Read:
    """Read the rows of a table; `_locator` is `table 2 row 5`, both counted from 1, header rows too.

    A row that is wider or narrower than the header is set aside; one cell that spans all columns is no row.
    """
    began = time.perf_counter()
    given = options(Html, request.options, request.name)
    table = _chosen(tables(request.path, given.encoding, request.name), given, request.name)
    names, first = _names(table, given, request.name)
    schema = with_locators([pa.field(name, pa.string()) for name in names], pa.string())
    with Rejects(request.out, request.delivery) as rejects:
        rows = write_parts(request.out, _batches(table, first, schema, request.delivery, rejects))
    if not rows and not rejects.count and not given.empty_ok:
        raise UserError(f"table {table.number} has no rows below its header", where=request.name,
                        remedy="look at the options `table` and `header`")  # fmt: skip
    return Read(rows, rejects.count, tuple(names), {"table": table.number}, time.perf_counter() - began)


def probe(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say which tables there are, the largest first, each with the options that read it; of one, how it looks."""
    chosen = options(Html, given, path.name)
    found = tables(path, chosen.encoding, path.name)
    if chosen.table is None and len(found) > 1:
        largest = sorted(found, key=lambda one: (-len(one.rows) * one.width, one.number))
        return {"tables": {_label(one): {"table": one.number} | _lacking(one, chosen) for one in largest},
                "sizes": {_label(one): f"{len(one.rows)} rows, {one.width} columns" for one in largest}}  # fmt: skip
    table = _chosen(found, chosen, path.name)
    if more := _lacking(table, chosen):
        return {"options": more}
    names, first = _names(table, chosen, path.name)
    rows = [row.cells for row in table.rows[first : first + SHOWN]]
    return {"table": _label(table), "rows": len(table.rows), "columns": names, "first_rows": rows}


def _label(table: Table) -> str:
    return f"table {table.number} {table.caption or table.id}".strip()


def _lacking(table: Table, given: Html) -> dict[str, Any]:
    """Return the options that a table needs and that were not given."""
    header = {} if given.header is not None or given.columns or table.header else {"header": 1}
    names = [] if given.columns else _apart(_headers(table, header.get("header", given.header)))
    return header | ({"columns": names} if names else {})


def _chosen(found: list[Table], given: Html, where: str) -> Table:
    listed = ", ".join(f"{one.number}{f' ({one.caption})' if one.caption else ''}" for one in found[:20])
    fits = [one for one in found if given.table is None or given.table == one.number
            or (isinstance(given.table, str) and given.table in (one.id, one.caption))]  # fmt: skip
    if not found:
        raise UserError("the page has no table", where=where,
                        remedy="the source may have answered with an error page or a login; open it in a browser")  # fmt: skip
    if not fits:
        raise UserError(f"there is no table {given.table!r}", where=where, remedy=f"the page has {listed}")
    if len(fits) > 1:
        raise UserError(f"the page has {len(fits)} tables", where=where,
                        remedy=f"say which by the option `table`: {listed}; `carbonlake probe` shows them")  # fmt: skip
    return fits[0]


def _names(table: Table, given: Html, where: str) -> tuple[list[str], int]:
    """Return the names of the columns and the number of the first row of data, from 0."""
    place = f"{where}, table {table.number}"
    height = given.header if given.header is not None else table.header
    if not 0 <= height <= len(table.rows):
        raise UserError(f"option 'header': the table has {len(table.rows)} rows", where=place, remedy="name fewer")
    if given.columns:
        return check_names(list(given.columns), place), height
    if not height:
        raise UserError("the table does not say which rows are its header", where=place,
                        remedy="say how many by the option `header`, or name the columns: `header: 0` and `columns`")  # fmt: skip
    names = _headers(table, height)
    try:
        return check_names(names, place), height
    except UserError as error:
        raise UserError(error.what, where=place, remedy=f"name the {len(names)} columns by the option `columns`") from None


def _headers(table: Table, height: int | None) -> list[str]:
    """Return the texts of the header rows above each column, each text once."""
    rows = table.rows[: table.header if height is None else height]
    width = max((len(row.cells) for row in rows), default=0)
    parts = zip(*(row.cells + [None] * (width - len(row.cells)) for row in rows), strict=True)
    return [" ".join(dict.fromkeys(filter(None, column))) or f"column_{at}" for at, column in enumerate(parts, 1)]


def _apart(names: list[str]) -> list[str]:
    """Return names that tell columns of one name apart by numbers; nothing where they are apart already."""
    found: list[str] = []
    for name in names:
        number = 1 + sum(other.casefold() == name.casefold() for other in names[: len(found)])
        found.append(f"{name}_{number}" if number > 1 or name in OURS else name)
    return found if found != names else []


def _batches(table: Table, first: int, schema: pa.Schema, delivery: int, rejects: Rejects) -> Iterator[pa.Table]:
    width = len(schema.names) - 2
    kept: list[tuple[int, list[str | None]]] = []
    for number, row in enumerate(table.rows[first:], first + 1):
        if reason := _reason(row, width):
            rejects.add(f"table {table.number} row {number}", reason, " | ".join(cell or "" for cell in row.cells))
        elif any(row.cells):
            kept.append((number, row.cells))
    data: dict[str, Any] = {name: [cells[at] for _, cells in kept] for at, name in enumerate(schema.names[:-2])}
    data |= {"_delivery": [delivery] * len(kept), "_locator": [f"table {table.number} row {number}" for number, _ in kept]}
    yield pa.table({name: pa.array(data[name], schema.field(name).type) for name in schema.names}, schema)


def _reason(row: Row, width: int) -> str:
    if row.wrong and any(row.cells) and not (width == 1 and row.wrong == ACROSS):
        return row.wrong
    return f"{len(row.cells)} cells where the header has {width}" if len(row.cells) != width and any(row.cells) else ""
