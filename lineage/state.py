"""What one walk over a plan collects: uses of operations, opaque steps, occurrences of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lineage.nodes import Node
from lineage.scope import Column, Leaves, Scope

Message = Any
Schema = list[tuple[str, str]]
"""(name, type) of every column of a relation, as the engine analyses it."""


@dataclass(frozen=True)
class Use:
    """One operation at work: its name, its arguments as far as known, and where it stands.

    ``flags`` tell the surroundings: `window`, `ordered`, `settled` (order of the result does not matter),
    `to_utc`, `distinct`. ``nodes`` and ``relation`` serve to ask the engine for a type.
    """

    operation: str
    args: tuple[Column, ...] = ()
    flags: frozenset[str] = frozenset()
    place: str = ""
    nodes: tuple[Node, ...] = ()
    relation: Message = None

    @property
    def types(self) -> tuple[str | None, ...]:
        """Types of the arguments."""
        return tuple(arg.type for arg in self.args)


@dataclass
class Walk:
    """The state of one walk. ``schema`` asks the engine to analyse a relation; it is used as little as possible."""

    schema: Callable[[Message], Schema]
    tables: Callable[[Message], tuple[str, Callable[[], Schema]] | None]
    uses: list[Use] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    plans: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    leaves: list[str] = field(default_factory=list)
    references: dict[int, Scope] = field(default_factory=dict)
    named: dict[str, Scope] = field(default_factory=dict)

    def leaf(self, table: str) -> int:
        """Return the number of a new occurrence of an input in the plan."""
        self.leaves.append(table)
        return len(self.leaves) - 1

    def remember(self, plan: int, scope: Scope) -> None:
        """Remember the columns of a sub-plan, so that `a.id` is told from `b.id` above it."""
        self.plans.setdefault(plan, []).extend((column.name or "", column.id) for column in scope.columns)

    def note(self, what: str, place: str = "") -> None:
        """Remember a step that can't be looked into."""
        self.opaque.append(f"{what} ({place})" if place else what)


@dataclass(frozen=True)
class Here:
    """Where an expression stands: over which columns, inside what."""

    walk: Walk
    scope: Scope
    relation: Message = None
    flags: frozenset[str] = frozenset()
    variables: Mapping[str, Column] = field(default_factory=dict)
    aliases: tuple[Column, ...] = ()
    limits: list[Leaves] = field(default_factory=list)
    place: str = ""

    def within(self, *flags: str) -> Here:
        """Return the place inside an operation that its arguments should know of."""
        return replace(self, flags=self.flags | set(flags))

    def binding(self, names: Sequence[str], values: Sequence[Column]) -> Here:
        """Return the place inside a lambda."""
        return replace(self, variables={**self.variables, **dict(zip(names, values, strict=False))})

    def use(self, operation: str, node: Node, args: Sequence[Column], nodes: Sequence[Node]) -> None:
        """Remember that an operation is at work here."""
        flags = self.flags | node.flags
        self.walk.uses.append(Use(operation, tuple(args), flags, node.place or self.place, tuple(nodes), self.relation))


def quiet(here: Here) -> Here:
    """Return the place for looking at an expression a second time, without counting its operations twice."""
    return replace(here, walk=replace(here.walk, uses=[], opaque=[]), limits=[])
