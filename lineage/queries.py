"""What a SQL query shows, over relations that are known by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from lineage import operations, sql
from lineage.expressions import AGGREGATES
from lineage.nodes import Node
from lineage.operations import How
from lineage.scope import Scope
from lineage.state import Use, Walk

READ = {"with_", "from_", "with", "from", "joins", "where", "group", "having", "expressions", "distinct", "order",
        "limit", "kind", "hint", "this", "expression", "by_name", "side", "on"}  # fmt: skip
HOW: dict[str, How] = {
    "left": "left", "right": "right", "full": "full", "semi": "semi", "anti": "anti", "cross": "cross",
}  # fmt: skip
Tables = Mapping[str, Scope]


class _UnreadableError(Exception):
    """Something in the query that the walk does not know."""


def scope(text: str, walk: Walk) -> Scope | None:
    """Return the columns of a query, None where any part of it is not known."""
    tree = sql.query(text)
    try:
        return _query(tree, walk, dict(walk.named)) if tree is not None else None
    except _UnreadableError:
        return None


def _query(tree: Any, walk: Walk, tables: dict[str, Scope]) -> Scope:
    if any(value for key, value in tree.args.items() if key not in READ):
        raise _UnreadableError
    for cte in tree.ctes:
        tables = {**tables, cte.alias.lower(): _named(_query(cte.this, walk, tables), cte.alias)}
    if isinstance(tree, exp.SetOperation):
        made = _set(tree, walk, tables)
    elif isinstance(tree, exp.Select):
        made = _select(tree, walk, tables)
    else:
        raise _UnreadableError
    if order := tree.args.get("order"):
        made = operations.sort(walk, made, [_node(item.this, made) for item in order.expressions])
    return operations.limit(walk, made, "limit") if tree.args.get("limit") else made


def _set(tree: Any, walk: Walk, tables: dict[str, Scope]) -> Scope:
    left, right = _query(tree.this, walk, tables), _query(tree.expression, walk, tables)
    if isinstance(tree, exp.Union):
        made = operations.union(walk, left, right, bool(tree.args.get("by_name")))
        return operations.distinct(made) if tree.args.get("distinct") else made
    if isinstance(tree, exp.Intersect) and not tree.args.get("distinct"):
        walk.uses.append(Use("intersectAll"))
    return operations.subtract(left, right)


def _select(tree: Any, walk: Walk, tables: dict[str, Scope]) -> Scope:
    source = tree.args.get("from_") or tree.args.get("from")
    made = _source(source.this, walk, tables) if source else Scope(())
    for one in tree.args.get("joins") or ():
        made = _join(one, made, walk, tables)
    if where := tree.args.get("where"):
        made = operations.keep(walk, made, sql.convert(where.this))
    items = [sql.convert(item) for item in tree.expressions]
    group = tree.args.get("group")
    if group or any(_aggregates(item) for item in items):
        made = _grouped(group, items, made, walk)
    else:
        made = operations.project(walk, made, items)
    if having := tree.args.get("having"):
        made = operations.keep(walk, made, sql.convert(having.this))
    if len(made.columns) == len(items):
        titled = zip(made.columns, tree.expressions, strict=True)
        made = replace(made, columns=tuple(c if c.name else replace(c, name=item.sql("spark")) for c, item in titled))
    return operations.distinct(made) if tree.args.get("distinct") else made


def _grouped(group: Any, items: Sequence[Node], source: Scope, walk: Walk) -> Scope:
    if group and any(value for key, value in group.args.items() if key != "expressions"):
        raise _UnreadableError
    listed = group.expressions if group else ()
    keys = [items[int(k.this) - 1] if isinstance(k, exp.Literal) else sql.convert(k) for k in listed]
    made = operations.aggregate(walk, source, keys, items)
    return replace(made, columns=made.columns[len(keys) :])


def _aggregates(node: Node) -> bool:
    windows = [part for part in node.walk() if part.kind == "window"]
    inside = {id(part) for window in windows for part in window.args[0].walk()}
    return any(p.kind == "call" and p.name in AGGREGATES and id(p) not in inside for p in node.walk())


def _source(tree: Any, walk: Walk, tables: dict[str, Scope]) -> Scope:
    if isinstance(tree, exp.Subquery):
        return _named(_query(tree.this, walk, tables), tree.alias)
    if not isinstance(tree, exp.Table) or tree.name.lower() not in tables or tree.args.get("pivots"):
        raise _UnreadableError
    return _named(tables[tree.name.lower()], tree.alias or tree.name)


def _join(tree: Any, left: Scope, walk: Walk, tables: dict[str, Scope]) -> Scope:
    right = _source(tree.this, walk, tables)
    word = (tree.kind if tree.kind in ("SEMI", "ANTI", "CROSS") else tree.side).lower()
    how = HOW.get(word, "inner")
    on, using = tree.args.get("on"), [name.name for name in tree.args.get("using") or ()]
    return operations.join(walk, (left, right), how, sql.convert(on) if on else None, using)


def _named(made: Scope, alias: str) -> Scope:
    return replace(made, columns=tuple(replace(c, qualifier=(alias.lower(),)) for c in made.columns)) if alias else made


def _node(tree: Any, made: Scope) -> Node:
    if isinstance(tree, exp.Literal) and not tree.is_string:
        return Node("column", names=(made.columns[int(tree.this) - 1].name or "",))
    return sql.convert(tree)
