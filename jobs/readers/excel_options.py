"""Options of Excel: where a table is in a workbook, and what is done with what is no plain row of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from jobs.readers.options import options
from schemas.errors import UserError

ONE_OF = {"hidden": ("read", "leave"), "errors": ("set_aside", "keep"), "stale": ("set_aside", "name", "refuse")}


@dataclass(frozen=True)
class Unpivot:
    """Wide columns as rows: `id` columns stay, every other becomes a row with its header and its value."""

    id: list[str]
    name: str = "variable"
    value: str = "value"


@dataclass(frozen=True)
class Block:
    """Where a table is. Rows are as people count them, from 1; `area` limits columns, e.g. A:M; `columns` renames.

    `only` is a regular expression of the sheets that have this block, where there are several. `units_row` is the row of units,
    true the one below the header,
    `spread` names columns whose merged cells hold for every row they span, `totals` says how rows that add up others are
    found and checked. `hidden`, `errors` and `stale` say what is done with rows and columns that are not shown, with cells
    that hold an error, and with formulas whose saved value is not what they give.
    """

    header: int | list[int] = 1
    units_row: int | bool = False
    first_row: int | None = None
    last_row: int | None = None
    area: str | None = None
    skip_blank: bool = True
    columns: dict[str, str] | None = None
    unpivot: dict[str, Any] | None = None
    only: str | None = None
    spread: list[str] | None = None
    footnotes: bool = True
    totals: dict[str, Any] | None = None
    hidden: str = "read"
    errors: str = "set_aside"
    stale: str = "set_aside"

    @property
    def heads(self) -> list[int]:
        """The rows of the header."""
        return [self.header] if isinstance(self.header, int) else self.header

    @property
    def first(self) -> int:
        """The first row of data."""
        return self.first_row or max([*self.heads, self.units], default=0) + 1

    @property
    def units(self) -> int:
        """The row of units, 0 where there is none."""
        return max(self.heads, default=0) + 1 if self.units_row is True else int(self.units_row)


@dataclass(frozen=True)
class Excel(Block):
    """Options of Excel. `sheets` is a regular expression; `blocks` are several tables in a sheet, stacked."""

    sheet: str | None = None
    sheets: str | None = None
    blocks: list[dict[str, Any]] | None = None
    empty_ok: bool = False


def blocks(given: Excel, where: str) -> list[Block]:
    """Return the tables of a sheet; what a block does not say it takes from the options around it."""
    common = {one.name: getattr(given, one.name) for one in fields(Block)}
    if not given.blocks:
        return [_checked(Block(**common), where)]
    return [_checked(options(Block, common | one, f"{where}, blocks[{place}]"), f"{where}, blocks[{place}]")
            for place, one in enumerate(given.blocks)]  # fmt: skip


def _checked(block: Block, where: str) -> Block:
    for name, known in ONE_OF.items():
        if getattr(block, name) not in known:
            raise UserError(f"option {name!r}: {getattr(block, name)!r} is not known", where=where,
                            remedy=f"known: {', '.join(known)}")  # fmt: skip
    rows = [*block.heads, block.first, block.first if block.last_row is None else block.last_row]
    if any(type(row) is not int for row in rows) or min(rows) < 1 or block.units < 0:
        raise UserError("rows are counted from 1", where=where, remedy="check header, units_row, first_row and last_row")
    return block
