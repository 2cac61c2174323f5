"""The walk over the relations of a plan, from its leaves up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lineage import operations, plan, queries
from lineage.edges import Edge, direct, indirect
from lineage.expressions import evaluate
from lineage.nodes import Node
from lineage.operations import How
from lineage.scope import Column, Scope
from lineage.state import Here, Message, Schema, Use, Walk

PASSED = ("hint", "repartition", "repartition_by_expression", "with_watermark")
JOINS: dict[int, How] = {1: "inner", 2: "full", 3: "left", 4: "right", 5: "anti", 6: "semi", 7: "cross"}


def visit(relation: Message, walk: Walk) -> Scope:
    """Return what a relation shows; asks the engine only for names and widths that nobody else knows."""
    known = walk.tables(relation)
    scope = leaf(walk, *known) if known else _inner(relation, walk)
    if any(column.name is None for column in scope.columns):
        scope = _named(relation, walk, scope)
    if relation.common.HasField("plan_id"):
        walk.remember(relation.common.plan_id, scope)
    return scope


def leaf(walk: Walk, table: str, schema: Callable[[], Schema]) -> Scope:
    """Return the columns of an input."""
    number = walk.leaf(table)
    columns = (
        Column(name, frozenset({Edge(table, name, "DIRECT", "IDENTITY")}), type_, carries=frozenset({(number, name)}))
        for name, type_ in schema()
    )
    return Scope(tuple(columns))


def _inner(relation: Message, walk: Walk) -> Scope:
    kind = plan.kind(relation, "rel_type")
    body: Any = plan.body(relation) if kind else None
    if kind in PASSED:
        return replace(visit(body.input, walk), ordered=False)
    reader = READERS.get(kind)
    return reader(body, relation, walk) if reader else _unknown(body, relation, walk)


def _named(relation: Message, walk: Walk, scope: Scope) -> Scope:
    """Fill in names and types from the engine; one expression of unknown width takes what is over."""
    schema = walk.schema(relation)
    columns = list(scope.columns)
    over = len(schema) - len(columns)
    blank = [i for i, column in enumerate(columns) if column.name is None]
    if over and len(blank) == 1:
        one = columns[blank[0]]
        columns[blank[0] : blank[0] + 1] = [replace(one.new(None), type=None) for _ in range(over + 1)]
    if len(columns) != len(schema):
        return operations.opaque(walk, [scope], list(schema), "columns whose number only the engine knows", "")
    filled = tuple(
        replace(column, name=column.name or name, type=column.type or type_)
        for column, (name, type_) in zip(columns, schema, strict=True)
    )
    return replace(scope, columns=filled)


def _unknown(body: Any, relation: Message, walk: Walk) -> Scope:
    what = plan.kind(relation, "rel_type").replace("_", " ") or "empty relation"
    below = [getattr(body, name) for name in ("input", "left", "right", "other") if _has(body, name)]
    inputs = [visit(one, walk) for one in below]
    place = relation.common.origin.python_origin.call_site
    return operations.opaque(walk, inputs, walk.schema(relation), what, place)


def _has(message: Any, name: str) -> bool:
    return bool(name in message.DESCRIPTOR.fields_by_name and message.HasField(name))


def _read(body: Any, relation: Message, walk: Walk) -> Scope:
    if plan.kind(body, "read_type") == "named_table":
        name = body.named_table.unparsed_identifier
        walk.uses.append(Use("named table", (Column(name),)))
    else:
        name = body.data_source.paths[0] if body.data_source.paths else body.data_source.format
    return leaf(walk, name, lambda: walk.schema(relation))


def _constant(body: Any, relation: Message, walk: Walk) -> Scope:
    """Rows written in the transform itself depend on nothing."""
    if plan.kind(relation, "rel_type") == "range":
        return Scope((Column("id", type="bigint"),))
    fields = _fields(getattr(body, "schema", ""))
    return Scope(tuple(Column(name, type=type_) for name, type_ in fields or walk.schema(relation)))


def _fields(schema: str) -> Schema:
    """Return names and types of a local relation whose schema is JSON of plain types."""
    names = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
    try:
        fields = json.loads(schema)["fields"]
        return [(f["name"], names.get(f["type"], f["type"])) for f in fields if isinstance(f["type"], str)]
    except (ValueError, KeyError, TypeError):
        return []


def _project(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    return operations.project(walk, scope, [plan.read(e) for e in body.expressions], body.input)


def _with_columns(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    values = [(tuple(a.name), plan.read(a.expr)) for a in body.aliases]
    nodes = [Node("alias", names=names, args=(value,), place=value.place) for names, value in values]
    return operations.with_columns(walk, scope, nodes, body.input)


def _filter(body: Any, relation: Message, walk: Walk) -> Scope:
    return operations.keep(walk, visit(body.input, walk), plan.read(body.condition), body.input)


def _join(body: Any, relation: Message, walk: Walk) -> Scope:
    left, right = visit(body.left, walk), visit(body.right, walk)
    condition = plan.read(body.join_condition) if body.HasField("join_condition") else None
    return operations.join(walk, (left, right), JOINS[body.join_type], condition, list(body.using_columns), relation)


def _aggregate(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    groups = [plan.read(e) for e in body.grouping_expressions]
    values = [plan.read(e) for e in body.aggregate_expressions]
    if body.HasField("pivot"):
        return _pivot(body, relation, walk, scope, groups, values)
    made = operations.aggregate(walk, scope, groups, values, body.input)
    if body.group_type in (body.GROUP_TYPE_ROLLUP, body.GROUP_TYPE_CUBE, body.GROUP_TYPE_GROUPING_SETS):
        return replace(made, hidden=())
    return made


def _pivot(body: Any, relation: Message, walk: Walk, scope: Scope, groups: list[Node], values: list[Node]) -> Scope:
    """Columns after the grouping ones come by value of the pivot column, and within it by aggregate."""
    made = operations.aggregate(walk, scope, groups, values, body.input)
    heading = indirect(evaluate(plan.read(body.pivot.col), Here(walk, scope, body.input)).edges, "CONDITIONAL")
    width = len(made.columns) - len(values)
    schema = walk.schema(relation)
    aggregates = made.columns[width:]
    spread = tuple(
        replace(aggregates[i % len(values)].new(name), type=type_, edges=aggregates[i % len(values)].edges | heading)
        for i, (name, type_) in enumerate(schema[width:])
    )
    keys = tuple(replace(c, name=c.name or name) for c, (name, _) in zip(made.columns[:width], schema, strict=False))
    return Scope((*keys, *spread), made.indirect)


def _set(body: Any, relation: Message, walk: Walk) -> Scope:
    left, right = visit(body.left_input, walk), visit(body.right_input, walk)
    place = relation.common.origin.python_origin.call_site
    if body.set_op_type == body.SET_OP_TYPE_UNION:
        left, right = _typed(body.left_input, left, walk), _typed(body.right_input, right, walk)
        made = operations.union(walk, left, right, body.by_name, place)
        return made if body.is_all else operations.distinct(made)
    shared = body.set_op_type == body.SET_OP_TYPE_INTERSECT
    if shared and body.is_all:
        walk.uses.append(Use("intersectAll", place=place))
    return operations.subtract(left, right)


def _typed(relation: Message, scope: Scope, walk: Walk) -> Scope:
    """Return the columns with every type filled in: a union needs them all."""
    if all(column.type for column in scope.columns):
        return scope
    types = [type_ for _, type_ in walk.schema(relation)]
    columns = tuple(replace(c, type=c.type or t) for c, t in zip(scope.columns, types, strict=True))
    return replace(scope, columns=columns)


def _cut(kind: str) -> Callable[[Any, Message, Walk], Scope]:
    def cut(body: Any, relation: Message, walk: Walk) -> Scope:
        return operations.limit(walk, visit(body.input, walk), kind, relation.common.origin.python_origin.call_site)

    return cut


def _deduplicate(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    names = list(body.column_names)
    if names and len(set(names)) < len(scope.columns):
        place = relation.common.origin.python_origin.call_site
        walk.uses.append(Use("dropDuplicates", tuple(Column(name) for name in names), place=place))
    return operations.distinct(scope, names)


def _drop(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    names = {name.lower() for name in body.column_names}
    here = Here(walk, scope, body.input)
    gone = {evaluate(node, here).id for node in map(plan.read, body.columns) if _shown(node, here)}
    names |= {n.names[0].lower() for n in map(plan.read, body.columns) if n.kind == "column" and n.plan is None}
    kept = tuple(c for c in scope.columns if c.id not in gone and (c.name or "").lower() not in names)
    return replace(scope, columns=kept)


def _shown(node: Node, here: Here) -> bool:
    return node.kind == "column" and bool(here.scope.find(node.names)[0])


def _renamed(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    new = {r.col_name.lower(): r.new_col_name for r in body.renames}
    new |= {old.lower(): name for old, name in body.rename_columns_map.items()}
    return replace(scope, columns=tuple(
        c.new(new[c.name.lower()]) if c.name and c.name.lower() in new else c for c in scope.columns
    ))  # fmt: skip


def _to_df(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    return replace(scope, columns=tuple(c.new(n) for c, n in zip(scope.columns, body.column_names, strict=True)))


def _alias(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    qualifier = (*(part.lower() for part in body.qualifier), body.alias.lower())
    return replace(scope, columns=tuple(replace(c, qualifier=qualifier) for c in scope.columns))


def _unpivot(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    here = Here(walk, scope, body.input)
    ids = [evaluate(plan.read(e), here) for e in body.ids]
    if body.HasField("values"):
        values = [evaluate(plan.read(e), here) for e in body.values.values]
    else:
        values = [c for c in scope.columns if c.id not in {one.id for one in ids}]
    place = relation.common.origin.python_origin.call_site
    walk.uses.extend(Use("union", (values[0], other), place=place) for other in values[1:])
    edges = direct(frozenset().union(*(c.edges for c in values)), "TRANSFORMATION")
    types = {c.type for c in values}
    value = Column(body.value_column_name, edges, types.pop() if len(types) == 1 else None)
    return Scope((*ids, Column(body.variable_column_name, type="string"), value), scope.indirect)


def _to_schema(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    made = []
    for field in body.schema.struct.fields:
        found, _ = scope.find((field.name,))
        type_ = plan.type_name(field.data_type)
        one = found[0] if found else Column(field.name)
        made.append(one if one.type == type_ else Column(field.name, direct(one.edges, "TRANSFORMATION"), type_))
    return replace(scope, columns=tuple(made))


def _filled(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    names = {name.lower() for name in body.cols}
    return replace(scope, columns=tuple(
        replace(c.new(c.name), edges=direct(c.edges, "TRANSFORMATION"), carries=frozenset())
        if not names or (c.name or "").lower() in names else c
        for c in scope.columns
    ))  # fmt: skip


def _dropna(body: Any, relation: Message, walk: Walk) -> Scope:
    scope = visit(body.input, walk)
    names = {name.lower() for name in body.cols}
    tested = [c for c in scope.columns if not names or (c.name or "").lower() in names]
    return scope.depending(indirect(frozenset().union(*(c.edges for c in tested)), "FILTER"))


def _sort(body: Any, relation: Message, walk: Walk) -> Scope:
    return operations.sort(walk, visit(body.input, walk), [plan.order(o) for o in body.order], body.input)


def _observe(body: Any, relation: Message, walk: Walk) -> Scope:
    walk.uses.append(Use("observe", place=relation.common.origin.python_origin.call_site))
    return visit(body.input, walk)


def _checkpoint(body: Any, relation: Message, walk: Walk) -> Scope:
    walk.uses.append(Use("checkpoint"))
    return operations.opaque(walk, [], walk.schema(relation), "checkpoint", "")


def _with_relations(body: Any, relation: Message, walk: Walk) -> Scope:
    for reference in body.references:
        scope = visit(reference, walk)
        walk.references[reference.common.plan_id] = scope
        if plan.kind(reference, "rel_type") == "subquery_alias":
            walk.named[reference.subquery_alias.alias.lower()] = scope
    return visit(body.root, walk)


def _sql(body: Any, relation: Message, walk: Walk) -> Scope:
    made = queries.scope(body.query, walk)
    if made is not None:
        return made
    return operations.opaque(walk, list(walk.named.values()), walk.schema(relation), "SQL text", "")


READERS: dict[str, Callable[[Any, Message, Walk], Scope]] = {
    "read": _read, "local_relation": _constant, "range": _constant, "cached_local_relation": _constant,
    "chunked_cached_local_relation": _constant, "project": _project, "with_columns": _with_columns, "filter": _filter,
    "join": _join, "aggregate": _aggregate, "set_op": _set, "sort": _sort, "limit": _cut("limit"), "tail": _cut("tail"),
    "offset": _cut("offset"), "sample": _cut("sample"), "deduplicate": _deduplicate, "drop": _drop,
    "with_columns_renamed": _renamed, "to_df": _to_df, "subquery_alias": _alias, "unpivot": _unpivot,
    "to_schema": _to_schema, "fill_na": _filled, "replace": _filled, "drop_na": _dropna, "collect_metrics": _observe,
    "cached_remote_relation": _checkpoint, "with_relations": _with_relations, "sql": _sql,
}  # fmt: skip
