"""The columns that a relation shows to the expressions above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count

from lineage.edges import NONE, Edges, direct

Leaf = tuple[int, str]
"""(number of the occurrence of an input in the plan, column)."""
Leaves = frozenset[Leaf]
NOWHERE: Leaves = frozenset()
_numbers = count(1)


@dataclass(frozen=True)
class Column:
    """One column of a relation.

    ``carries``: where equality with a value may be pushed to. ``traits``: what the fences need to remember
    (`nan`: may be NaN, `zoned`: wall-clock time, `digits`: text of a decimal, `small`: far from overflow).
    ``id`` stays the same while the column is only passed on.
    """

    name: str | None
    edges: Edges = NONE
    type: str | None = None
    traits: frozenset[str] = frozenset()
    carries: Leaves = NOWHERE
    qualifier: tuple[str, ...] = ()
    id: int = field(default_factory=lambda: next(_numbers))

    def new(self, name: str | None) -> Column:
        """Return the same value as a new column under a name."""
        return replace(self, name=name, qualifier=(), id=next(_numbers))


@dataclass(frozen=True)
class Scope:
    """The columns of a relation in order, what every one depends on indirectly, and columns still in reach.

    ``hidden``: columns of the input that a projection left out; Spark lets a filter or a sort above use them.
    ``ordered``: whether the rows come sorted.
    """

    columns: tuple[Column, ...]
    indirect: Edges = NONE
    hidden: tuple[Column, ...] = ()
    ordered: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, '' where only the engine knows."""
        return tuple(column.name or "" for column in self.columns)

    def everything(self) -> Edges:
        """Return every edge of the relation."""
        return frozenset().union(self.indirect, *(column.edges for column in self.columns))

    def find(self, parts: Sequence[str]) -> tuple[tuple[Column, ...], tuple[str, ...]]:
        """Return the columns that a name may mean, and the parts left over as struct fields."""
        for columns in (self._shown, self._hidden):
            for used in range(len(parts), 0, -1):
                found = tuple(c for c in columns.get(parts[used - 1].lower(), ()) if _qualified(c, parts[: used - 1]))
                if found:
                    return found, tuple(parts[used:])
        return (), ()

    @cached_property
    def _shown(self) -> dict[str, list[Column]]:
        return _by_name(self.columns)

    @cached_property
    def _hidden(self) -> dict[str, list[Column]]:
        return _by_name(self.hidden)

    def star(self, qualifier: Sequence[str]) -> tuple[Column, ...]:
        """Return the columns that `*` or `a.*` stands for."""
        if not qualifier:
            return self.columns
        tail = tuple(part.lower() for part in qualifier)
        return tuple(c for c in self.columns if c.qualifier[-len(tail) :] == tail)

    def limited(self, allowed: Leaves) -> Scope:
        """Return the scope after a step that keeps only some of the ways of narrowing."""
        columns, hidden = (tuple(replace(c, carries=c.carries & allowed) for c in some) for some in (self.columns, self.hidden))
        return replace(self, columns=columns, hidden=hidden)

    def frozen(self) -> Scope:
        """Return the scope after a step that mixes all rows: no narrowing below it is right."""
        return self.limited(NOWHERE)

    def depending(self, edges: Iterable[object]) -> Scope:
        """Return the scope with more that every column depends on."""
        return replace(self, indirect=self.indirect.union(edges))  # type: ignore[arg-type]


def unite(columns: Sequence[Column]) -> Column:
    """Return one column for a name that may mean several: edges of all, and no more identity than all agree on."""
    if len(columns) == 1:
        return columns[0]
    first = columns[0]
    edges = frozenset().union(*(c.edges for c in columns))
    if any(c.edges != first.edges for c in columns):
        edges = direct(edges, "TRANSFORMATION")
    carries = first.carries.intersection(*(c.carries for c in columns))
    traits = frozenset().union(*(c.traits for c in columns))
    return Column(first.name, edges, first.type, traits, carries)


def _by_name(columns: Iterable[Column]) -> dict[str, list[Column]]:
    found: dict[str, list[Column]] = {}
    for column in columns:
        found.setdefault((column.name or "").lower(), []).append(column)
    return found


def _qualified(column: Column, parts: Sequence[str]) -> bool:
    return not parts or column.qualifier[-len(parts) :] == tuple(part.lower() for part in parts)
