"""Simple formulas computed again: SUM, + - * / and brackets over numbers of the same sheet."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jobs.readers.cells import column_of, letters
from jobs.readers.excel_sheet import Formula, Place, Sheet

# Doubles added in another order differ by some units of the sixteenth digit of what was added.
NOISE = 1e-11
NUMBERS_OR_NONE = {float, str, bool}
WORK = 20_000_000  # cells looked at, for a thousand sums over a thousand rows each
TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(\$?)([A-Za-z]{1,3})(\$?)(\d{1,7})(?![\w(!.])|(SUM)(?=\()|([-+*/():,%]))",
    re.IGNORECASE,
)
Reference = tuple[int, bool, int, bool]  # row, whether it moves with the cell, column, whether it does
Value = tuple[float, float]  # a number, and how large what it was made from may be


class NotSimpleError(Exception):
    """The formula is of another kind, or takes what is no number; it can't be computed here."""


@dataclass(frozen=True)
class Stale:
    """A formula whose saved value is not what it gives."""

    place: Place
    text: str
    saved: float
    gives: float

    def __str__(self) -> str:
        return f"{letters(self.place[1])}{self.place[0] + 1}: ={self.text} gives {self.gives!r}, saved is {self.saved!r}"


def stale(sheet: Sheet, columns: Sequence[Sequence[Any]]) -> tuple[list[Stale], int]:
    """Return the formulas whose saved value is another one than they give, and how many could be computed."""
    found, computed, cells = [], 0, _Cells(columns, sheet)
    for place, formula in sheet.formulas.items():
        try:
            saved = cells.number(*place)
            gives, size = _give(sheet.formulas, formula, place, cells)
        except (NotSimpleError, RecursionError, OverflowError):
            continue
        computed += 1
        if not abs(gives - saved) <= NOISE * max(size, abs(saved)):
            found.append(Stale(place, _text(sheet.formulas, formula), saved, gives))
    return found, computed


def _text(formulas: Mapping[Place, Formula], formula: Formula) -> str:
    return formula.text if formula.like is None else f"{formulas[formula.like].text} (moved)"


def _give(formulas: Mapping[Place, Formula], formula: Formula, place: Place, cells: _Cells) -> Value:
    """Compute a formula; one that shares the text of another takes what lies as far from it (ECMA-376-1, 18.3.1.40)."""
    master = formula.like or place
    text = formulas[master].text
    if not text:
        raise NotSimpleError
    return _Computed(_tokens(text), (place[0] - master[0], place[1] - master[1]), cells).whole()


class _Cells:
    """The numbers of a sheet, with a bound on the work."""

    def __init__(self, columns: Sequence[Sequence[Any]], sheet: Sheet) -> None:
        self.columns, self.work = columns, WORK
        self.no_number: dict[int, set[int]] = {}
        for row, column in (*sheet.errors, *sheet.unsaved, *sheet.exact):
            self.no_number.setdefault(column, set()).add(row)

    def at(self, row: int, column: int) -> Any:
        if row < 0 or column < 0 or row in self.no_number.get(column, ()):
            raise NotSimpleError
        return self.columns[column][row] if column < len(self.columns) and row < len(self.columns[column]) else ""

    def number(self, row: int, column: int) -> float:
        value = self.at(row, column)
        if type(value) is not float:
            raise NotSimpleError
        return float(value)

    def operand(self, row: int, column: int) -> float:
        """Return the number of a cell; an empty one counts as 0."""
        return 0.0 if self.at(row, column) in ("", None) else self.number(row, column)

    def summed(self, first: Place, last: Place) -> Value:
        """Add up a range: text, booleans and empty cells in it are no part of a sum."""
        counted: list[float] = []
        for column in range(first[1], min(last[1] + 1, len(self.columns))):
            self.work -= last[0] + 1 - first[0] + len(self.no_number.get(column, ()))
            if self.work < 0 or any(first[0] <= row <= last[0] for row in self.no_number.get(column, ())):
                raise NotSimpleError
            values = self.columns[column][first[0] : last[0] + 1]
            kinds = set(map(type, values))
            if not kinds <= NUMBERS_OR_NONE:
                raise NotSimpleError  # dates are numbers there
            counted += values if kinds == {float} else [value for value in values if type(value) is float]
        return math.fsum(counted), sum(map(abs, counted))


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[Any, ...]:
    """Split a formula into numbers, references and signs; raise NotSimpleError where something else is in it."""
    tokens: list[Any] = []
    at = 0
    text = text.strip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise NotSimpleError
        at = found.end()
        number, fixed_column, column, fixed_row, row, name, sign = found.groups()
        if number:
            tokens.append(float(number))
        elif column:
            tokens.append((int(row) - 1, not fixed_row, column_of(column), not fixed_column))
        else:
            tokens.append((name or sign).upper())
    return tuple(tokens)


class _Computed:
    """A formula read from left to right (18.17.2.2: the order of operations)."""

    def __init__(self, tokens: tuple[Any, ...], moved: Place, cells: _Cells) -> None:
        self.tokens, self.moved, self.cells, self.next = tokens, moved, cells, 0

    def whole(self) -> Value:
        value = self._sum()
        if self.next < len(self.tokens):
            raise NotSimpleError
        return value

    def _peek(self) -> Any:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def _take(self, *wanted: str) -> Any:
        token = self._peek()
        if token is None or (wanted and token not in wanted):
            raise NotSimpleError
        self.next += 1
        return token

    def _sum(self) -> Value:
        value, size = self._product()
        while self._peek() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            more, its = self._product()
            value, size = value + sign * more, size + its
        return value, size

    def _product(self) -> Value:
        value, size = self._signed()
        while self._peek() in ("*", "/"):
            if self._take() == "*":
                more, its = self._signed()
                value, size = value * more, size * its
            else:
                more, its = self._signed()
                if not more or not math.isfinite(value / more):
                    raise NotSimpleError
                value, size = value / more, size / abs(more) * max(1.0, its / abs(more))
        return value, size

    def _signed(self) -> Value:
        if self._peek() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            value, size = self._signed()
            return sign * value, size
        value, size = self._one()
        while self._peek() == "%":
            self._take()
            value, size = value / 100, size / 100
        return value, size

    def _one(self) -> Value:
        token = self._take()
        if isinstance(token, float):
            return token, abs(token)
        if isinstance(token, tuple):
            if self._peek() == ":":
                raise NotSimpleError
            number = self.cells.operand(*self._place(token))
            return number, abs(number)
        if token == "(":
            value = self._sum()
            self._take(")")
            return value
        if token == "SUM":
            return self._summed()
        raise NotSimpleError

    def _summed(self) -> Value:
        self._take("(")
        value, size = self._part()
        while self._take(",", ")") == ",":
            more, its = self._part()
            value, size = value + more, size + its
        return value, size

    def _part(self) -> Value:
        """Add up one argument of SUM: a range, a cell or what can be computed."""
        token = self._peek()
        following = self.tokens[self.next + 1] if self.next + 1 < len(self.tokens) else None
        if isinstance(token, tuple) and following in (":", ",", ")"):
            first = self._place(self._take())
            last = first
            if self._peek() == ":":
                self._take()
                end = self._take()
                if not isinstance(end, tuple):
                    raise NotSimpleError
                last = self._place(end)
            return self.cells.summed(
                (min(first[0], last[0]), min(first[1], last[1])), (max(first[0], last[0]), max(first[1], last[1]))
            )
        return self._sum()

    def _place(self, token: Reference) -> Place:
        row, moves_down, column, moves_right = token
        return row + self.moved[0] * moves_down, column + self.moved[1] * moves_right
