"""The graph of tables, read from contracts: who is made from whom, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from schemas.contract import Contract
from schemas.contracts import contract, contracts
from schemas.errors import UserError

HAVING_ACTIVITY = "having: activity"
# Formats, and columns by which a search finds what a table of them holds.
SEARCHED = {"having: files": (("file",), {"file", "description"}),
            "having: passages": (("pdf", "word"), {"document", "place", "text"})}  # fmt: skip


def inputs(one: Contract) -> dict[str, tuple[str, ...]]:
    """Return parameter → tables; only what `having:` begins stands for any number of them."""
    return {name: _having(table) if several(table) else (table,) for name, table in one.inputs.items()}


def several(given: str) -> bool:
    """Tell whether an input stands for any number of tables, which the transform gets by their names."""
    return given == HAVING_ACTIVITY or given in SEARCHED


def _having(given: str) -> tuple[str, ...]:
    known = sorted(contracts().items())
    if given == HAVING_ACTIVITY:
        return tuple(table for table, one in known if one.activity)
    formats, columns = SEARCHED[given]
    return tuple(table for table, one in known if one.source and one.source.format in formats and one.columns.keys() >= columns)


def upstream(table: str) -> tuple[str, ...]:
    """Return the tables that a table is made from directly, references of its rules included."""
    one = contracts()[table]
    made_from = [t for tables in inputs(one).values() for t in tables]
    looked_at = [rule.table for rule in one.rules if rule.table and rule.table != table]
    return tuple(dict.fromkeys(made_from + looked_at))


def downstream(table: str) -> tuple[str, ...]:
    """Return the tables that are made from a table directly."""
    return tuple(other for other in contracts() if table in upstream(other))


def closure(table: str, step: str) -> set[str]:
    """Return everything above (`up`) or below (`down`) a table."""
    neighbours = upstream if step == "up" else downstream
    seen: set[str] = set()
    open_ = [table]
    while open_:
        for other in neighbours(open_.pop()):
            if other not in seen:
                seen.add(other)
                open_.append(other)
    return seen


def built() -> tuple[str, ...]:
    """Return the tables that a run builds, in an order in which inputs come first."""
    made = {t for t, c in contracts().items() if not c.recorded}
    nodes = {t: made.intersection(upstream(t)) for t in contracts() if t in made}
    try:
        return tuple(TopologicalSorter(nodes).static_order())
    except CycleError as error:
        raise UserError(f"tables are made from each other in a circle: {' → '.join(error.args[1])}",
                        remedy="take one of these out of the `inputs` of the other") from None  # fmt: skip


def select(terms: Iterable[str]) -> tuple[str, ...]:
    """Return the tables that terms name, in building order.

    A term is a table, `+table` (with all above), `table+` (with all below), `layer:x` or `source:zone`.
    No term means all. Raise UserError for a term that names nothing.
    """
    order, wanted = built(), set[str]()
    terms = tuple(terms)
    for term in terms:
        found = _term(term)
        if not found:
            raise UserError(f"{term!r} names no table", remedy="try a table, +table, table+, layer:cleaned or source:zone")
        if not found & set(order):
            raise UserError(f"{term!r} names only what is recorded as it happens, and never built",
                            remedy='`carbonlake sql "from raw.delivery"` shows such a table')  # fmt: skip
        wanted |= found
    return tuple(t for t in order if not terms or t in wanted)


def _term(term: str) -> set[str]:
    kind, _, value = term.partition(":")
    known = contracts()
    if value:
        by_layer = {table for table, one in known.items() if kind == "layer" and one.layer == value}
        return by_layer | {table for table, one in known.items() if kind == "source" and one.source and one.source.zone == value}
    table = contract(term.strip("+")).table
    found = {table}
    if term.startswith("+"):
        found |= closure(table, "up")
    if term.endswith("+"):
        found |= closure(table, "down")
    return found
