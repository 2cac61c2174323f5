"""Lineage of the columns of one transform: which input column each output column comes from, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["DIRECT", "INDIRECT"]
Subtype = Literal[
    "IDENTITY", "TRANSFORMATION", "AGGREGATION",
    "FILTER", "JOIN", "GROUP_BY", "SORT", "WINDOW", "CONDITIONAL",
]  # fmt: skip
STRENGTH: dict[Subtype, int] = {"IDENTITY": 0, "TRANSFORMATION": 1, "AGGREGATION": 2}
Place = tuple[str, str]
"""(table, column) of an input."""


@dataclass(frozen=True, order=True)
class Edge:
    """One input column that one output column depends on; kinds and subtypes are OpenLineage's."""

    input_table: str
    input_column: str
    kind: Kind
    subtype: Subtype

    @property
    def place(self) -> Place:
        """The input column."""
        return (self.input_table, self.input_column)


Edges = frozenset[Edge]
NONE: Edges = frozenset()


@dataclass(frozen=True)
class Lineage:
    """What every output column depends on.

    ``columns``: output column → its edges, sorted. ``confined``: output column → input columns by which the
    input may be narrowed (see `passes_through`). ``types``: output column → type where the walk knows it.
    ``opaque``: what could not be looked into, and so counts as everything from everything; say it loudly.
    """

    columns: Mapping[str, tuple[Edge, ...]]
    confined: Mapping[str, frozenset[Place]]
    types: Mapping[str, str | None]
    opaque: tuple[str, ...] = ()

    def identity(self, column: str) -> set[Place]:
        """Return the input columns whose values appear in this output column unchanged (or not at all)."""
        direct = [edge for edge in self.columns[column] if edge.kind == "DIRECT"]
        unchanged = {edge.place for edge in direct if edge.subtype == "IDENTITY"}
        return unchanged if all(edge.subtype == "IDENTITY" for edge in direct) else set()

    def passes_through(self, column: str) -> set[Place]:
        """Return (table, column) by which a table may be narrowed when only rows with column = value are wanted.

        Stronger than `identity`: every use of the table keeps the rows of one value apart from those of others,
        so `lag` over all months, a limit, or a second use of the table without the key rule it out. Rebuilding
        the touched partitions alone is right exactly where this holds. The value must not be NULL.
        """
        return set(self.confined[column])

    def inputs(self, column: str) -> set[Place]:
        """Return every input column that an output column depends on."""
        return {edge.place for edge in self.columns[column]}


def direct(edges: Iterable[Edge], subtype: Subtype) -> Edges:
    """Return the edges after a step that computes with the value; what was indirect stays so."""
    return frozenset(
        edge if edge.kind == "INDIRECT" or STRENGTH[edge.subtype] >= STRENGTH[subtype]
        else Edge(edge.input_table, edge.input_column, "DIRECT", subtype)
        for edge in edges
    )  # fmt: skip


def indirect(edges: Iterable[Edge], subtype: Subtype) -> Edges:
    """Return the edges after a step that only decides by the value: a filter, a join, an order."""
    return frozenset(Edge(edge.input_table, edge.input_column, "INDIRECT", subtype) for edge in edges)
