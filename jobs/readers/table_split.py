"""Several rows of values between two ruled lines: told apart by their lines of text, and doubted where these are uneven."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import median

from jobs.readers.doubts import is_number
from jobs.readers.pdf_cells import Line
from jobs.readers.table_grid import Cell

Rows = list[list[Cell | None]]
Tops = list[tuple[float, float]]


def split_rows(rows: Rows, tops: Tops) -> tuple[Rows, Tops]:
    """Return the rows with those taken apart in which a column of numbers has several lines; spans are counted anew."""
    made: Rows = []
    places: Tops = []
    starts: dict[int, int] = {}
    for at, (row, (top, bottom)) in enumerate(zip(rows, tops, strict=True)):
        starts[at] = len(made)
        parts = _parts(row)
        made += parts or [row]
        places += _heights(row, len(parts), top, bottom) if parts else [(top, bottom)]
    starts[len(rows)] = len(made)
    if len(made) == len(rows):
        return rows, tops
    # Cells that were not taken apart span as many more rows as there are now.
    spans: dict[int, Cell] = {}
    for place, row in enumerate(made):
        for cell in row:
            if cell and id(cell) not in spans and "split" not in cell.signs:
                spans[id(cell)] = replace(cell, rows=(starts.get(cell.rows[0], place), starts.get(cell.rows[1], place + 1)))
    return [[spans.get(id(cell), cell) if cell else None for cell in row] for row in made], places


def _parts(row: list[Cell | None]) -> Rows:
    """Take a row apart; nothing where it is one."""
    cells = {id(cell): cell for cell in row if cell and cell.lines and not cell.high}
    stacked = [cell for cell in cells.values() if len(cell.lines) > 1 and all(is_number(line.text) for line in cell.lines)]
    if not stacked:
        return []
    count = max(len(cell.lines) for cell in stacked)
    leading = next(cell for cell in stacked if len(cell.lines) == count)
    anchors = [_middle(line) for line in leading.lines]
    others = [cell for cell in cells.values() if cell is not leading and _even(cell, anchors)]
    if not others:
        return []  # a number that was broken over lines, it may be; its text has a blank inside, which is doubted
    even = len([cell for cell in others if cell in stacked]) > 0
    labels = _labels(row)
    made: dict[int, list[Cell]] = {key: _shares(cell, anchors, even, key in labels) for key, cell in cells.items()}
    return [[made[id(cell)][place] if cell and id(cell) in made else cell for cell in row] for place in range(count)]


def _labels(row: list[Cell | None]) -> set[int]:
    """Return the cells on the left that have one line for all rows: a number there is a label."""
    found: set[int] = set()
    for cell in row:
        if cell is None or len(cell.lines) > 1:
            break
        found.add(id(cell))
    return found


def _middle(line: Line) -> float:
    return (line.top + line.bottom) / 2


def _even(cell: Cell, anchors: list[float]) -> bool:
    """Tell whether the lines of a cell stand beside those of the numbers."""
    if len(cell.lines) != len(anchors):
        return False
    height = median(line.bottom - line.top for line in cell.lines)
    return all(abs(_middle(line) - anchor) < 0.5 * height for line, anchor in zip(cell.lines, anchors, strict=True))


def _shares(cell: Cell, anchors: list[float], even: bool, label: bool) -> list[Cell]:
    """Return what each of the new rows has of a cell; a single line stands for all of them."""
    signs = cell.signs | {"split"} | (set() if even else {"uneven"})
    if len(cell.lines) == 1:
        spread = {"spread"} if is_number(cell.text) and not label else set()
        return [replace(cell, signs=signs | spread)] * len(anchors)
    if _even(cell, anchors):
        return [_share(cell, line.text, line, signs) for line in cell.lines]
    shares: list[list[Line]] = [[] for _ in anchors]
    for line in cell.lines:
        nearest = min(range(len(anchors)), key=lambda at: abs(anchors[at] - _middle(line)))
        shares[nearest].append(line)
    return [_share(cell, " ".join(line.text for line in share), share[0] if share else None, signs | {"uneven"})
            for share in shares]  # fmt: skip


def _share(cell: Cell, text: str, line: Line | None, signs: frozenset[str]) -> Cell:
    box = cell.box and line and (cell.box[0], line.top, cell.box[2], line.bottom)
    return replace(cell, text=text, lines=(line,) if line else (), box=box or cell.box, signs=signs)


def _heights(row: list[Cell | None], count: int, top: float, bottom: float) -> Tops:
    """Return the top and bottom of each new row, by the lines of the cells that have as many."""
    cell = next(cell for cell in row if cell and len(cell.lines) == count)
    middles = [_middle(line) for line in cell.lines]
    borders = [top, *((one + other) / 2 for one, other in pairwise(middles)), bottom]
    return list(pairwise(borders))
