"""A table of a document as a grid: its cells with text, place and signs of doubt, whichever format it came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from jobs.readers.doubts import is_number
from jobs.readers.pdf_cells import Line

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Cell:
    """One cell: the rows and columns of the grid that it spans (end excluded), its text, its box, what makes it doubtful."""

    text: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    box: Box | None = None
    lines: tuple[Line, ...] = ()
    signs: frozenset[str] = frozenset()

    @property
    def wide(self) -> bool:
        """Whether it spans several columns."""
        return self.columns[1] - self.columns[0] > 1

    @property
    def high(self) -> bool:
        """Whether it spans several rows."""
        return self.rows[1] - self.rows[0] > 1

    def doubted(self, *signs: str) -> Cell:
        """Return the cell with further signs."""
        return replace(self, signs=self.signs | set(signs))


@dataclass
class Grid:
    """A table: for each row the cell of every column (None where there is none), the place of each row, and its own place."""

    rows: list[list[Cell | None]]
    places: list[str]
    page: str = ""
    number: int = 0
    heading: str = ""
    box: Box | None = None
    signs: frozenset[str] = frozenset()
    # Whether text stands above or below it on its page: a table that goes on over pages has none.
    above: bool = False
    below: bool = False
    breaks: set[int] = field(default_factory=set)

    @property
    def width(self) -> int:
        """The number of columns."""
        return max((len(row) for row in self.rows), default=0)

    def texts(self, row: int) -> list[str]:
        """Return the texts of a row, "" where there is no cell."""
        return [cell.text if cell else "" for cell in self.rows[row]]


def once(grid: Grid) -> list[list[str | None]]:
    """Return the texts of a table, that of a merged cell at its first place only."""
    seen: set[int] = set()
    texts: list[list[str | None]] = []
    for row in grid.rows:
        texts.append([cell.text if cell and id(cell) not in seen else "" for cell in row])
        texts[-1] = [text if at == 0 or row[at] is not row[at - 1] else "" for at, text in enumerate(texts[-1])]
        seen |= {id(cell) for cell in row}
    return texts


def across(row: list[Cell | None]) -> bool:
    """Tell whether one cell takes the whole row, or all but an empty first: a title or a note, no row of values."""
    filled = [cell for cell in row if cell and cell.text]
    return bool(filled) and filled[0].wide and all(cell is filled[0] for cell in filled) and len(filled) >= len(row) - 1


def row_signs(row: list[Cell | None]) -> set[str]:
    """Return the signs of a row: those of its cells, of places without one, and of numbers that stand for several."""
    signs = {sign for cell in row if cell for sign in cell.signs}
    if any(cell is None for cell in row):
        signs.add("gap")
    label = True
    for at, cell in enumerate(row):
        if cell is None or (at and cell is row[at - 1]):
            continue
        # A group to the left of what it groups: a number there is a label, such as a running number.
        label = label and (cell.high or not at)
        if is_number(cell.text) and (cell.wide or (cell.high and not label)):
            signs.add("spread")
    return signs
