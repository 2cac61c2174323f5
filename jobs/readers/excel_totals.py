"""Rows that are the sum of others: found by label or declared, and compared with the sum of their parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from itertools import chain
from typing import Any

from jobs.readers.cells import canonical, letters
from jobs.readers.excel_open import Opened
from schemas.errors import UserError

LABEL = r"(?:.*(?:合\s*计|总\s*计|小\s*计|共\s*计)|(?:(?:sub|grand|overall)[\s-]*)?totals?\b.*|.*\btotal|sum)(?:\s*[(（].*[)）])?"
ULP = 2.0**-53
WIDE = Context(prec=700)  # every sum of doubles has fewer digits
LONGEST = 100  # letters of a label; a text is no label
WORK = 20_000_000  # cells added up, for thousands of totals over one another


@dataclass(frozen=True)
class Totals:
    """How totals are found and checked.

    `label` is a regular expression of what stands in a cell before the numbers, `rows` names rows instead; `columns` are
    those that add up (else every one with a number), `parts` says where the parts stand, `tolerance` what a sum may differ
    by, and `mismatch` what becomes of a total that does not hold.
    """

    label: str = LABEL
    rows: list[int] | None = None
    columns: list[str] | None = None
    parts: str = "any"
    tolerance: int | float | str = 0
    mismatch: str = "set_aside"

    def check(self, columns: Sequence[str], where: str) -> Totals:
        """Return these options; raise UserError for a value that can't be."""
        for name, value, known in (("parts", self.parts, ("any", "above", "below")),
                                   ("mismatch", self.mismatch, ("set_aside", "refuse"))):  # fmt: skip
            if value not in known:
                raise UserError(f"option {name!r}: {value!r} is not known", where=where, remedy=f"known: {', '.join(known)}")
        if missing := set(self.columns or ()) - set(columns):
            raise UserError(f"option 'columns': there is no column {sorted(missing)}", where=where,
                            remedy=f"columns: {', '.join(columns)}")  # fmt: skip
        try:
            re.compile(self.label)
            fine = Decimal(str(self.tolerance)) >= 0
        except (re.error, ArithmeticError):
            fine = False
        if not fine:
            raise UserError("option 'label' is a regular expression, 'tolerance' a number that is not negative", where=where,
                            remedy="check the option `totals`")  # fmt: skip
        return self


@dataclass(frozen=True)
class Checked:
    """A total and what came of comparing it: the parts that add up to it, or why none do."""

    row: int
    label: str
    parts: str = ""
    columns: int = 0
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is the sum of its parts in every column."""
        return not self.reason


@dataclass
class _Rows:
    """The rows of a table, those of them that are totals with their labels, and the columns that add up."""

    opened: Opened
    rows: list[int]
    totals: dict[int, str]
    columns: list[int]
    tolerance: Decimal
    work: int = WORK
    order: dict[int, int] = field(default_factory=dict)


def checked(opened: Opened, rows: list[int], columns: dict[str, int], given: Totals) -> list[Checked]:
    """Find the totals among the rows and compare each with the sum of its parts."""
    places = list(columns.values())
    totals = _found(opened, rows, places, given)
    adding = [columns[name] for name in given.columns] if given.columns else [at for at in places if float in opened.kinds[at]]
    all_ = _Rows(opened, rows, totals, adding, Decimal(str(given.tolerance)), order={row: n for n, row in enumerate(rows)})
    return [_checked(all_, row, given.parts) for row in totals]


def _found(opened: Opened, rows: list[int], places: list[int], given: Totals) -> dict[int, str]:
    """Return row → label of the totals."""
    if given.rows:
        named = {row - 1 for row in given.rows}
        return {row: _label(opened, row, places) for row in rows if row in named}
    label = re.compile(given.label, re.IGNORECASE | re.DOTALL)
    found: set[int] = set()
    for at in places:
        column, run = opened.columns[at], opened.run(at)
        texts = {
            value for value in chain(column[: run.start], column[run.stop :]) if type(value) is str and len(value) <= LONGEST
        }
        hits = {value for value in texts if label.fullmatch(value.strip().rstrip(":：").strip())}
        found |= {row for row in rows if column[row] in hits and not _numbers_before(opened, row, places, at)} if hits else set()
    return {row: _label(opened, row, places) for row in sorted(found)}


def _text(value: Any) -> bool:
    return type(value) is str and value != ""


def _numbers_before(opened: Opened, row: int, places: list[int], at: int) -> bool:
    return any(type(opened.columns[place][row]) is float for place in places if place < at)


def _label(opened: Opened, row: int, places: list[int]) -> str:
    said = [opened.columns[at][row].strip() for at in places if _text(opened.columns[at][row])]
    return " ".join(said)[:100] or f"row {row + 1}"


def _checked(all_: _Rows, row: int, parts: str) -> Checked:
    """Compare a total with every set of rows that its place suggests; where none adds up, tell of the nearest."""
    near: tuple[int, Checked] | None = None
    label = all_.totals[row]
    columns = [at for at in all_.columns if type(all_.opened.columns[at][row]) is float]
    if not columns:
        return Checked(row, label, reason=f"the total {label!r} has no number that could be compared")
    for name, some in _candidates(all_, row, parts):
        all_.work -= len(some) * len(columns)
        if all_.work < 0:
            return Checked(row, label, reason=f"the total {label!r} is one of too many to compare them all")
        wrong = [at for at in columns if not _holds(all_, row, at, some)]
        if not wrong:
            return Checked(row, label, name, len(columns))
        if near is None or len(columns) - len(wrong) > near[0]:
            more = f", and {len(wrong) - 1} more of {len(columns)} columns differ" if len(wrong) > 1 else ""
            told = f"the total {label!r} is not the sum of its parts: {_differs(all_, row, wrong[0], some)} ({name}){more}"
            near = (len(columns) - len(wrong), Checked(row, label, name, len(columns), told))
    return near[1] if near else Checked(row, label, reason=f"the total {label!r} has no parts that could be added up")


def _candidates(all_: _Rows, row: int, parts: str) -> Iterator[tuple[str, list[int]]]:
    """Yield the sets of rows that may add up to a total, the nearest first, none of them twice."""
    at, seen = all_.order[row], set[tuple[int, int, int]]()
    sides = {"above": all_.rows[:at][::-1], "below": all_.rows[at + 1 :]}
    for side, rows in sides.items():
        if parts not in ("any", side):
            continue
        for some in _sets(all_, row, rows):
            key = (len(some), some[0], some[-1]) if some else (0, 0, 0)
            if some and key not in seen:
                seen.add(key)
                what = "totals" if some[0] in all_.totals else "rows"
                first, last = min(some) + 1, max(some) + 1
                count = f"{len(some)} {what if len(some) > 1 else what[:-1]} {side}"
                yield f"{count}, {first}" + (f" to {last}" if last > first else ""), some


def _sets(all_: _Rows, row: int, rows: list[int]) -> Iterator[list[int]]:
    """Yield rows to one side, from the nearest on: up to a gap, to the next total, to the next of its name, all; then totals."""
    totals, label = all_.totals, all_.totals[row]
    until = next((n for n, one in enumerate(rows) if one in totals), len(rows))
    same = next((n for n, one in enumerate(rows) if totals.get(one) == label), len(rows))
    steps = [row, *rows]
    gap = next((n for n in range(1, len(rows)) if abs(steps[n + 1] - steps[n]) > 1), len(rows))
    yield rows[:until]
    yield rows[: min(until, gap)]
    yield [one for one in rows[:same] if one not in totals]
    yield [one for one in rows if one not in totals]
    for other in dict.fromkeys(totals[one] for one in rows[:same] if one in totals):
        yield [one for one in rows[:same] if totals.get(one) == other]
    yield [one for one in rows[:same] if one in totals]
    yield [one for one in rows if one in totals]


def _holds(all_: _Rows, row: int, at: int, parts: list[int]) -> bool:
    column = all_.opened.columns[at]
    values = [column[part] for part in parts]
    if set(map(type, values)) != {float}:
        values = [value for value in values if type(value) is float]
    return agree(column[row], values, all_.tolerance)


def _differs(all_: _Rows, row: int, at: int, parts: list[int]) -> str:
    """Return how a total differs from the sum of its parts in a column."""
    column = all_.opened.columns[at]
    values = [value for part in parts if type(value := column[part]) is float]
    total = column[row]
    if not all(map(math.isfinite, (total, *values))):
        return f"{letters(at)}{row + 1} or a part of it is no finite number"
    return f"{letters(at)}{row + 1} says {canonical(total)}, and the parts add up to {_sum(values)}"


def agree(total: float, parts: Sequence[float], tolerance: Decimal = Decimal(0)) -> bool:
    """Return whether a total is the sum of parts, decimal by decimal, rounded as the total is written.

    Both are doubles of what a person or a program wrote. What binary sums lose is no difference: about half a unit of
    the sixteenth digit for each part that is added.
    """
    try:
        exact = math.fsum(parts)
    except (OverflowError, ValueError):
        return False
    if not (math.isfinite(total) and math.isfinite(exact)):
        return False
    lost = ULP * (8 + math.sqrt(len(parts))) * max(sum(map(abs, parts)), abs(total))
    if abs(exact - total) <= lost:
        return True
    said = _decimal(total)
    # What is further off than a total is rounded by needs no exact look, which takes a hundred times as long.
    if abs(exact - total) > lost + float(tolerance) + 0.51 * 10.0 ** int(said.as_tuple().exponent):
        return False
    summed = _sum(parts)
    if abs(WIDE.subtract(said, summed)) <= tolerance:
        return True
    return any(summed.quantize(said, rounding, WIDE) == said for rounding in (ROUND_HALF_UP, ROUND_HALF_EVEN))


def _decimal(value: float) -> Decimal:
    """Return a double as it is written, with a whole number down to its ones."""
    found = Decimal(canonical(float(value)) or "0")
    return found if int(found.as_tuple().exponent) <= 0 else Decimal(int(found))


def _sum(parts: Sequence[float]) -> Decimal:
    total = Decimal(0)
    for value in parts:
        total = WIDE.add(total, _decimal(value))
    return total
