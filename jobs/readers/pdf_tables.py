"""Tables of a PDF's page as grids: found by their ruled lines (or guessed from alignment), with merged cells and open sides."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from jobs.readers.pdf_cells import Char, Line, joined, lines
from jobs.readers.table_grid import Box, Cell, Grid
from jobs.readers.table_split import split_rows
from schemas.errors import UserError

NEAR, OPEN = 3.0, 6.0  # points: borders that are one; text that far outside of a table belongs to it
MOST_EDGES = 30_000  # on one page; the search for cells grows with their square
Found = tuple[list[Box], Box]


def grids(page: Any, ruled: bool, where: str) -> list[Grid]:
    """Return the tables of a page with more than one column, from top to bottom."""
    if len(page.edges) > MOST_EDGES:
        raise UserError(f"page {page.page_number} has {len(page.edges)} lines, too many to look for tables among", where=where,
                        remedy="choose other pages by the option `tables`: {pages: 1-3}")  # fmt: skip
    how = {} if ruled else {"vertical_strategy": "text", "horizontal_strategy": "text"}
    found = [_open_sides(page, one.cells, one.bbox) if ruled else (list(one.cells), one.bbox) for one in page.find_tables(how)]
    made = [_grid(page, cells, box) for cells, box in found]
    kept = [one for one in made if one.width > 1]
    for one in kept:
        one.signs = frozenset() if ruled else frozenset({"aligned"})
    return sorted(kept, key=lambda one: (one.box or (0, 0))[1])


def _open_sides(page: Any, cells: list[Box], box: Box) -> Found:
    """Close a table whose outer lines are missing left or right, where its rules run on over text there."""
    rules = [one for one in page.horizontal_edges if box[1] - NEAR <= one["top"] <= box[3] + NEAR
             and one["x0"] < box[2] and one["x1"] > box[0]]  # fmt: skip
    left = min([one["x0"] for one in rules], default=box[0])
    right = max([one["x1"] for one in rules], default=box[2])
    sides = [side for side, inner in ((left, box[0]), (right, box[2])) if abs(side - inner) > OPEN]
    outside = [one for one in page.chars if box[1] < _middle(one)[1] < box[3] and one["text"].strip()
               and (left <= _middle(one)[0] < box[0] or box[2] < _middle(one)[0] <= right)]  # fmt: skip
    if not sides or not outside:
        return cells, box
    area = (max(left - 1, 0), max(box[1] - NEAR, 0), min(right + 1, page.width), min(box[3] + NEAR, page.height))
    within = page.crop(area, strict=False).find_tables({"explicit_vertical_lines": [left, right]})
    best = max(within, key=lambda one: len(one.cells), default=None)
    return (list(best.cells), best.bbox) if best and len(best.cells) >= len(cells) else (cells, box)


def _grid(page: Any, boxes: list[Box], box: Box) -> Grid:
    xs = _borders(side for one in boxes for side in (one[0], one[2]))
    ys = _borders(side for one in boxes for side in (one[1], one[3]))
    spans = {one: ((_at(ys, one[1]), _at(ys, one[3])), (_at(xs, one[0]), _at(xs, one[2]))) for one in boxes}
    places: dict[tuple[int, int], Box] = {}
    # The smaller cell stands where two overlap: the larger one is a frame around it.
    for one in sorted(boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1])):
        (r0, r1), (c0, c1) = spans[one]
        places.update({(row, column): one for row in range(r0, r1) for column in range(c0, c1)})
    inside: dict[Box, list[Char]] = {}
    gaps, crossing = _settle(page.chars, box, xs, ys, places, inside)
    cells = {one: _cell(one, spans[one], inside.get(one, []), one in crossing) for one in boxes}
    rows: list[list[Cell | None]] = [
        [cells[places[row, column]] if (row, column) in places else None for column in range(len(xs) - 1)]
        for row in range(len(ys) - 1)
    ]
    for row in gaps:
        rows[row] = [cell.doubted("gap") if cell else None for cell in rows[row]]
    kept, tops = _without_padding(rows, ys)
    kept, tops = split_rows(kept, tops)
    number = str(page.page_number)
    return Grid(kept, [locator(number, (box[0], top, box[2], bottom)) for top, bottom in tops], number, box=box)


def locator(page: str, box: Box) -> str:
    """Return where something is: page, and box in points from the top left."""
    return f"page {page} ({','.join(f'{side:.0f}' for side in box)})"


def _borders(sides: Iterable[float]) -> list[float]:
    found: list[float] = []
    for side in sorted(sides):
        if not found or side - found[-1] > NEAR:
            found.append(side)
    return found


def _at(borders: Sequence[float], side: float) -> int:
    return max(bisect_right(borders, side + 0.01) - 1, 0)


def _middle(one: Char) -> tuple[float, float]:
    return (one["x0"] + one["x1"]) / 2, (one["top"] + one["bottom"]) / 2


def _settle(
    chars: Sequence[Char], box: Box, xs: list[float], ys: list[float], places: dict[tuple[int, int], Box],
    inside: dict[Box, list[Char]],
) -> tuple[set[int], set[Box]]:  # fmt: skip
    """Give every character to the cell that its middle is in; return rows with text in no cell, and cells whose text crosses."""
    gaps, crossing = set(), set()
    before: tuple[Char, Box | None] | None = None
    for one in chars:
        x, y = _middle(one)
        if not (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
            continue
        row, column = _at(ys, y), _at(xs, x)
        cell = places.get((min(row, len(ys) - 2), min(column, len(xs) - 2)))
        if cell:
            inside.setdefault(cell, []).append(one)
        elif one["text"].strip():
            gaps.add(min(row, len(ys) - 2))
        if before and before[1] != cell and _one_word(before[0], one):
            crossing |= {found for found in (before[1], cell) if found}
        before = (one, cell)
    return gaps, crossing


def _one_word(left: Char, right: Char) -> bool:
    """Tell whether two characters follow each other as within a word; in Chinese every character is one."""
    if not (left["text"].strip() and right["text"].strip() and left["text"].isascii() and right["text"].isascii()):
        return False
    return bool(abs(left["top"] - right["top"]) < 1 and abs(right["x0"] - left["x1"]) < 0.1 * left["size"])


def _cell(box: Box, span: tuple[tuple[int, int], tuple[int, int]], chars: Sequence[Char], crosses: bool) -> Cell:
    found, signs = lines(chars)
    text = " ".join(joined(found).split())
    return Cell(text, *span, box, tuple(found), frozenset(signs | ({"crossing"} if crosses else set())))


def _without_padding(
    rows: list[list[Cell | None]], ys: list[float]
) -> tuple[list[list[Cell | None]], list[tuple[float, float]]]:  # fmt: skip
    """Leave out rows and columns that only keep others apart: no text lies wholly in them."""
    filled = {id(cell): cell for row in rows for cell in row if cell and cell.text}.values()
    columns = _carrying([cell.columns for cell in filled])
    lasting = _carrying([cell.rows for cell in filled])
    kept = [[_moved(rows[row][column], lasting, columns) for column in columns] for row in lasting]
    cache: dict[Cell, Cell] = {}
    kept = [[cache.setdefault(cell, cell) if cell else None for cell in row] for row in kept]
    return kept, [(ys[row], ys[row + 1]) for row in lasting]


def _carrying(spans: list[tuple[int, int]]) -> list[int]:
    """Return the places that hold something alone, and the first of each span that covers none of these."""
    alone = {begin for begin, end in spans if end - begin == 1}
    for begin, end in sorted(spans, key=lambda span: span[1] - span[0]):
        if not any(begin <= at < end for at in alone):
            alone.add(begin)
    return sorted(alone)


def _moved(cell: Cell | None, rows: list[int], columns: list[int]) -> Cell | None:
    """Return a cell with its span in what is kept."""
    if cell is None:
        return None
    spans = [tuple(bisect_right(kept, side - 1) for side in span) for kept, span in ((rows, cell.rows), (columns, cell.columns))]
    return Cell(cell.text, spans[0], spans[1], cell.box, cell.lines, cell.signs)  # type: ignore[arg-type]


def words_by_column(cell: Cell, borders: Sequence[tuple[float, float]]) -> list[str] | None:
    """Return the last line of a wide header as one text per column, where every column has a share of it."""
    line: Line | None = cell.lines[-1] if cell.lines else None
    if line is None or len(borders) < 2:
        return None
    shares = ["" for _ in borders]
    for text, x0, x1 in line.words:
        middle = (x0 + x1) / 2
        for at, (left, right) in enumerate(borders):
            if left <= middle <= right:
                shares[at] = f"{shares[at]} {text}".strip()
    return shares if all(shares) else None


def edges(grid: Grid) -> list[tuple[float, float]]:
    """Return the left and right side of every column, from cells that span it alone."""
    found: list[tuple[float, float]] = []
    for column in range(grid.width):
        boxes = [cell.box for row in grid.rows for cell in (row[column],) if cell and cell.box and not cell.wide]
        found.append((min((b[0] for b in boxes), default=0.0), max((b[2] for b in boxes), default=0.0)))
    return found if all(a[1] <= b[1] for a, b in pairwise(found)) else []
