"""What each kind of relation makes of the columns below it, whether it came as protobuf or as SQL text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Literal

from lineage.edges import NONE, Edges, direct, indirect
from lineage.expressions import evaluate, every
from lineage.nodes import Node
from lineage.scope import NOWHERE, Column, Leaves, Scope, unite
from lineage.state import Here, Message, Schema, Use, Walk, quiet

How = Literal["inner", "cross", "left", "right", "full", "semi", "anti"]
EQUAL = ("==", "=", "<=>")
GENERATORS = {"explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "json_tuple"}


def project(walk: Walk, scope: Scope, nodes: Sequence[Node], relation: Message = None) -> Scope:
    """Return the columns that a list of expressions selects."""
    made: list[Column] = []
    limits: list[Leaves] = []
    for node in nodes:
        here = Here(walk, scope, relation, aliases=tuple(made), limits=limits)
        made += _selected(node, here)
    decides = scope.indirect | _rows(nodes, Here(walk, scope))
    return _restricted(Scope(tuple(made), decides, scope.columns, scope.ordered), limits)


def _rows(nodes: Sequence[Node], here: Here) -> Edges:
    """Return what the number of rows depends on: the arguments of functions that make rows."""
    makers = [part for node in nodes for part in node.walk() if part.kind == "call" and part.name in GENERATORS]
    return indirect(every([arg for maker in makers for arg in maker.args], quiet(here)), "FILTER")


def _selected(node: Node, here: Here) -> list[Column]:
    if node.kind == "star":
        found = here.scope.star(node.names)
        return list(found) or [replace(evaluate(Node("column", names=node.names), here), name=None)]
    value = evaluate(node, here)
    if node.kind == "alias" and len(node.names) > 1:
        return [replace(value.new(name), type=None) for name in node.names]
    if node.kind == "column":
        return [value]
    return [value if node.kind == "alias" else value.new(None)]


def _restricted(scope: Scope, limits: Sequence[Leaves]) -> Scope:
    """Keep only the ways of narrowing that every window of the relation allows, or none after chance."""
    if not limits:
        return scope
    return scope.limited(reduce(frozenset.intersection, limits))


def with_columns(walk: Walk, scope: Scope, nodes: Sequence[Node], relation: Message = None) -> Scope:
    """Return the columns with some replaced in their place and others added at the end."""
    limits: list[Leaves] = []
    columns = list(scope.columns)
    for node in nodes:
        value = evaluate(node, Here(walk, scope, relation, limits=limits))
        places = [i for i, c in enumerate(columns) if (c.name or "").lower() == node.names[0].lower()]
        for place in places:
            columns[place] = value
        if not places:
            columns.append(value)
    return _restricted(replace(scope, columns=tuple(columns), hidden=scope.columns), limits)


def keep(walk: Walk, scope: Scope, condition: Node, relation: Message = None) -> Scope:
    """Return the columns of the rows that meet a condition."""
    limits: list[Leaves] = []
    value = evaluate(condition, Here(walk, scope, relation, limits=limits))
    return _restricted(scope.depending(indirect(value.edges, "FILTER")), limits)


def join(
    walk: Walk,
    sides: tuple[Scope, Scope],
    how: How,
    condition: Node | None,
    using: Sequence[str],
    relation: Message = None,
) -> Scope:
    """Return the columns of a join; equal columns carry the ways of narrowing of both sides."""
    left, right = sides
    both = Scope(left.columns + right.columns, left.indirect | right.indirect, left.hidden + right.hidden)
    pairs = [(unite(left.find((name,))[0]), unite(right.find((name,))[0])) for name in using]
    decides: Edges = frozenset().union(NONE, *(a.edges | b.edges for a, b in pairs))
    for a, b in pairs:
        walk.uses.append(Use("==", (a, b), frozenset({"key"})))
    if condition is not None:
        here = Here(walk, both, relation, frozenset({"key"}))
        decides |= evaluate(condition, here).edges
        pairs += _equal(condition, here, left, right)
    both = _carried(both, pairs)
    both = both.depending(indirect(decides, "JOIN"))
    if using:
        return _used(both, left, right, how, using)
    if how in ("semi", "anti"):
        return replace(both, columns=both.columns[: len(left.columns)], hidden=(), indirect=_met(both, right))
    return both


def _met(both: Scope, right: Scope) -> Edges:
    """A semi or anti join depends on the rows of its right side; which they are, the condition tells."""
    return both.indirect | indirect(right.indirect, "JOIN")


def _equal(node: Node, here: Here, left: Scope, right: Scope) -> list[tuple[Column, Column]]:
    """Return the pairs of columns of the two sides that a condition demands to be equal."""
    if node.kind != "call" or node.name not in ("and", *EQUAL):
        return []
    if node.name == "and":
        return [pair for arg in node.args for pair in _equal(arg, here, left, right)]
    if any(arg.kind != "column" for arg in node.args):
        return []
    one, two = (evaluate(arg, quiet(here)) for arg in node.args)
    sides = {c.id for c in left.columns}, {c.id for c in right.columns}
    if one.id in sides[1] and two.id in sides[0]:
        one, two = two, one
    return [(one, two)] if one.id in sides[0] and two.id in sides[1] else []


def _carried(scope: Scope, pairs: Sequence[tuple[Column, Column]]) -> Scope:
    """Let columns that are equal, in one type, carry each other's ways of narrowing."""
    more: dict[int, Leaves] = {}
    for a, b in pairs:
        if a.type is not None and a.type == b.type:
            more[a.id] = more.get(a.id, a.carries) | b.carries
            more[b.id] = more.get(b.id, b.carries) | a.carries
    columns = (replace(c, carries=c.carries | more.get(c.id, NOWHERE)) for c in scope.columns)
    return replace(scope, columns=tuple(columns))


def _used(both: Scope, left: Scope, right: Scope, how: How, using: Sequence[str]) -> Scope:
    """Return the columns of a join by names: the shared ones once and first, then the rest of both sides."""
    width = len(left.columns)
    shared, gone = [], set()
    for name in using:
        a = next(c for c in both.columns[:width] if (c.name or "").lower() == name.lower())
        b = next(c for c in both.columns[width:] if (c.name or "").lower() == name.lower())
        gone |= {a.id, b.id}
        shared.append(_shared(a, b, how))
    rest = [c for c in both.columns[:width] if c.id not in gone]
    if how not in ("semi", "anti"):
        rest += [c for c in both.columns[width:] if c.id not in gone]
    hidden = tuple(c for c in both.columns if c.id in gone)
    return replace(both, columns=(*shared, *rest), hidden=hidden)


def _shared(a: Column, b: Column, how: How) -> Column:
    if how == "full":  # coalesce(left, right)
        edges = direct(a.edges | b.edges, "TRANSFORMATION")
        return Column(a.name, edges, a.type if a.type == b.type else None, a.traits | b.traits, a.carries & b.carries)
    return b if how == "right" else a


def aggregate(walk: Walk, scope: Scope, groups: Sequence[Node], values: Sequence[Node], relation: Message = None) -> Scope:
    """Return the grouping columns, then the aggregates."""
    here = Here(walk, scope, relation)
    keys = [column for node in groups for column in _selected(node, here)]
    grouped: Edges = frozenset().union(NONE, *(c.edges for c in keys))
    inside = replace(here, aliases=tuple(keys), limits=[])
    made = [column for node in values for column in _selected(node, inside)]
    kept = frozenset().union(NOWHERE, *(c.carries for c in keys))
    values_ = tuple(replace(c, carries=NOWHERE) for c in made)
    return Scope((*keys, *values_), scope.indirect | indirect(grouped, "GROUP_BY"), scope.limited(kept).columns)


def union(walk: Walk, left: Scope, right: Scope, by_name: bool = False, place: str = "") -> Scope:
    """Return the columns of two relations one below the other, by position or by name."""
    pairs = _by_name(left, right) if by_name else list(zip(left.columns, right.columns, strict=False))
    return Scope(tuple(_stacked(walk, a, b, place) for a, b in pairs), left.indirect | right.indirect)


def _by_name(left: Scope, right: Scope) -> list[tuple[Column | None, Column | None]]:
    others = {(c.name or "").lower(): c for c in right.columns}
    shared = [(c, others.pop((c.name or "").lower(), None)) for c in left.columns]
    return [*shared, *((None, c) for c in others.values())]


def _stacked(walk: Walk, a: Column | None, b: Column | None, place: str) -> Column:
    if a is None or b is None:
        one = a or b
        assert one is not None
        walk.uses.append(Use("union", (one, Column(one.name, type="void")), place=place))
        return one.new(one.name)
    walk.uses.append(Use("union", (a, b), place=place))
    edges = a.edges | b.edges
    if a.type != b.type or a.type is None:
        edges = direct(edges, "TRANSFORMATION")
    return Column(a.name, edges, a.type if a.type == b.type else None, _stacked_traits(a, b), a.carries | b.carries)


def _stacked_traits(a: Column, b: Column) -> frozenset[str]:
    """Warnings hold if either side has them, assurances only if both have."""
    return (a.traits & b.traits) | ((a.traits | b.traits) & {"nan", "hash"})


def subtract(left: Scope, right: Scope) -> Scope:
    """Return the rows of the left relation that the right one has not, or has too: EXCEPT and INTERSECT."""
    decides = indirect(left.everything() | right.everything(), "FILTER")
    columns = tuple(
        replace(a, carries=a.carries | (b.carries if a.type == b.type else NOWHERE))
        for a, b in zip(left.columns, right.columns, strict=False)
    )
    return Scope(columns, left.indirect | right.indirect | decides)


def distinct(scope: Scope, names: Sequence[str] = ()) -> Scope:
    """Return one row for each value of the named columns, or of all."""
    lowered = {name.lower() for name in names}
    keys = [c for c in scope.columns if not names or (c.name or "").lower() in lowered]
    decides = indirect(frozenset().union(NONE, *(c.edges for c in keys)), "GROUP_BY")
    allowed = frozenset().union(NOWHERE, *(c.carries for c in keys))
    return scope.limited(allowed).depending(decides)


def sort(walk: Walk, scope: Scope, nodes: Sequence[Node], relation: Message = None) -> Scope:
    """Return the same columns in an order; which rows come does not depend on it until a limit cuts."""
    edges = every(nodes, Here(walk, scope, relation))
    return replace(scope.depending(indirect(edges, "SORT")), ordered=True)


def limit(walk: Walk, scope: Scope, operation: str, place: str = "") -> Scope:
    """Return the first rows; which they are depends on the order, or on chance."""
    walk.uses.append(Use(operation, flags=frozenset({"ordered"} if scope.ordered else ()), place=place))
    return scope.frozen()


def opaque(walk: Walk, inputs: Sequence[Scope], names: Schema, what: str, place: str) -> Scope:
    """Return the columns of a step that can't be looked into: everything depends on everything."""
    walk.note(what, place)
    edges = direct(frozenset().union(NONE, *(scope.everything() for scope in inputs)), "TRANSFORMATION")
    rows = indirect(edges, "FILTER")
    return Scope(tuple(Column(name, edges, type_) for name, type_ in names), rows)
