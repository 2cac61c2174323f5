"""How sure a sum of line items is: error propagation beside Monte Carlo, over the inputs that are in the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.lake import Lake
from jobs.query import sql
from models.monte_carlo import Drawn, Line, Spread, monte_carlo
from models.uncertainty import BY_GRADE, total
from schemas.contracts import contract
from schemas.errors import UserError

TABLE = "business.emission"
MOST = 20_000  # lines: all of their inputs are held in memory


@dataclass(frozen=True)
class Compared:
    """A sum by both approaches of IPCC 2006 vol. 1 chapter 3, and the lines whose uncertainty nobody knows."""

    lines: int
    emission_tco2e: float
    unknown_lines: int
    unknown_tco2e: float
    propagated_percent: float | None
    drawn: Spread | None


def compare(lake: Lake, where: Mapping[str, str], draws: int = 10_000, seed: int = 1) -> Compared:
    """Return the uncertainty of the line items of one book that fit `where` (columns of business.emission, and year).

    Raise UserError for a column that isn't there, for no lines, for those of several books, or more than MOST.
    """
    rows = _lines(lake, where)
    known = [row for row in rows if row["uncertainty_percent"] is not None]
    value = sum(float(row["emission_tco2e"]) for row in known)
    propagated = total((float(row["emission_tco2e"]), row["uncertainty_percent"]) for row in known) if value else None
    drawn = monte_carlo(_inputs(lake, known), draws, seed) if known else None
    whole, open_ = (sum(float(row["emission_tco2e"]) for row in some) for some in (rows, [r for r in rows if r not in known]))
    return Compared(len(rows), whole, len(rows) - len(known), open_, propagated, drawn)


def _lines(lake: Lake, where: Mapping[str, str]) -> list[dict[str, Any]]:
    columns = contract(TABLE).columns
    if wrong := [name for name in where if name not in columns and name != "year"]:
        raise UserError(f"{TABLE} has no column {wrong[0]!r}", where=f"{wrong[0]}={where[wrong[0]]}",
                        remedy=f"year, or one of {', '.join(columns)}")  # fmt: skip
    tests = [f"{'year(date)' if name == 'year' else name} = {_literal(value)}" for name, value in where.items()]
    asked = "line_id, method_id, book, data_grade, emission_tco2e, uncertainty_percent"
    fitting = f"{TABLE} where {' and '.join(tests) or 'true'}"
    found: list[dict[str, Any]] = sql(lake, f"select {asked} from {fitting} order by line_id limit {MOST + 1}").to_pylist()
    books = sorted({row["book"] for row in found})
    if len(found) > MOST or len(books) != 1:
        told = (
            f"more than {MOST} lines" if len(found) > MOST else f"lines of {len(books)} books: {', '.join(books) or 'none fits'}"
        )
        raise UserError(told, where=" ".join(f"{k}={v}" for k, v in where.items()),
                        remedy="name one book, a subject and a year; nothing is added across books")  # fmt: skip
    return found


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _inputs(lake: Lake, rows: list[dict[str, Any]]) -> list[Line]:
    """The inputs of each line; the GWP is taken as exact, as it is in propagation."""
    ids = ", ".join(_literal(row["line_id"]) for row in rows)
    found = sql(lake, "select line_id, role, kind, ref_id, value, uncertainty_percent from business.emission_input "
                      f"where line_id in ({ids})").to_pylist()  # fmt: skip
    told: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        told.setdefault(one["line_id"], []).append(one)
    lines: list[Line] = []
    for row in rows:
        of_activity = BY_GRADE[row["data_grade"]]
        parts = {one["role"]: Drawn(one["ref_id"], one["value"], of_activity if one["kind"] == "activity" else
                 one["uncertainty_percent"] or 0.0) for one in told[row["line_id"]] if one["role"] != "gwp"}  # fmt: skip
        gwp = next(one["value"] for one in told[row["line_id"]] if one["role"] == "gwp")
        lines.append((row["method_id"], gwp, parts))
    return lines
