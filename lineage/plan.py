"""The expressions of a plan as plain nodes, read from Spark Connect's protobuf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lineage import sql
from lineage.nodes import Node, ddl, parts

Message = Any
"""A protobuf message of Spark Connect: Relation, Expression, DataType, ..."""

SIMPLE = {"boolean": "boolean", "byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint",
          "float": "float", "double": "double", "string": "string", "binary": "binary", "date": "date",
          "timestamp": "timestamp", "timestamp_ntz": "timestamp_ntz", "null": "void"}  # fmt: skip


def kind(message: Message, group: str) -> str:
    """Return which one of a group of fields is set: `rel_type`, `expr_type`, `kind`, ..."""
    return message.WhichOneof(group) or ""


def body(relation: Message) -> Message:
    """Return the message of the relation's own kind: Project, Join, ..."""
    return getattr(relation, kind(relation, "rel_type"))


def bare(message: Message) -> bytes:
    """Return a relation as bytes without plan ids and call sites, so that equal sub-plans are equal."""
    copy = type(message)()
    copy.CopyFrom(message)
    _strip(copy)
    return bytes(copy.SerializeToString(deterministic=True))


def _strip(message: Message) -> None:
    for field, value in message.ListFields():
        if field.name == "common":
            message.ClearField("common")
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for item in value if field.is_repeated else (value,):
                _strip(item)


def type_name(data_type: Message) -> str:
    """Return a protobuf type as simpleString writes it; nested types as far as lineage needs them."""
    name = kind(data_type, "kind")
    if name == "decimal":
        return f"decimal({data_type.decimal.precision},{data_type.decimal.scale})"
    if name == "array":
        return f"array<{type_name(data_type.array.element_type)}>"
    if name == "unparsed":
        return ddl(data_type.unparsed.data_type_string)
    return SIMPLE.get(name, name)


def read(expression: Message) -> Node:
    """Return an expression as nodes. What is not known becomes an `opaque` node, never an error."""
    name = kind(expression, "expr_type")
    reader = READERS.get(name)
    message = getattr(expression, name) if name else None
    node = reader(message) if reader else Node("opaque", name or "empty expression")
    return replace(node, place=node.place or place(expression), source=expression)


def order(sort: Message) -> Node:
    """Return what a sort order orders by."""
    return read(sort.child)


def place(expression: Message) -> str:
    """Return `file:line` of the Python line that made the expression, empty where it is not known."""
    return str(expression.common.origin.python_origin.call_site)


def _literal(message: Message) -> Node:
    which = kind(message, "literal_type")
    if which == "decimal":
        exponent = message.decimal
        return Node("literal", type=f"decimal({exponent.precision},{exponent.scale})", value=exponent.value)
    if which == "null":
        return Node("literal", type=type_name(message.null))
    if which == "array":
        return Node("literal", type=f"array<{type_name(message.array.element_type)}>")
    return Node("literal", type=SIMPLE.get(which), value=getattr(message, which) if which in SIMPLE else None)


def _attribute(message: Message) -> Node:
    plan = message.plan_id if message.HasField("plan_id") else None
    return Node("column", names=parts(message.unparsed_identifier), plan=plan)


def _function(message: Message) -> Node:
    flags = {"distinct"} if message.is_distinct else set()
    if message.is_user_defined_function:
        return Node("opaque", message.function_name, args=_all(message.arguments))
    return Node("call", message.function_name.lower(), args=_all(message.arguments), flags=frozenset(flags))


def _cast(message: Message) -> Node:
    type_ = ddl(message.type_str) if message.type_str else type_name(message.type)
    return Node("cast", "try_cast" if message.eval_mode == message.EVAL_MODE_TRY else "cast",
                args=(read(message.expr),), type=type_)  # fmt: skip


def _window(message: Message) -> Node:
    return Node("window", args=(read(message.window_function),), partition=_all(message.partition_spec),
                order=tuple(order(item) for item in message.order_spec))  # fmt: skip


def _lambda(message: Message) -> Node:
    return Node("lambda", args=(read(message.function),), names=tuple(v.name_parts[0] for v in message.arguments))


def _star(message: Message) -> Node:
    plan = message.plan_id if message.HasField("plan_id") else None
    return Node("star", names=parts(message.unparsed_target.removesuffix(".*")), plan=plan)


def _extract(message: Message) -> Node:
    key = read(message.extraction)
    if key.kind == "literal" and key.type == "string":
        return Node("field", str(key.value), args=(read(message.child),))
    return Node("call", "[]", args=(read(message.child), key))


def _update(message: Message) -> Node:
    values = (message.value_expression,) if message.HasField("value_expression") else ()
    return Node("call", "update_fields", args=_all((message.struct_expression, *values)))


def _subquery(message: Message) -> Node:
    values = _all(message.in_subquery_values)
    scalar = message.subquery_type == message.SUBQUERY_TYPE_SCALAR
    return Node("subquery", "scalar" if scalar else "exists", args=values, plan=message.plan_id)


def _all(expressions: Any) -> tuple[Node, ...]:
    return tuple(read(item) for item in expressions)


READERS: dict[str, Callable[[Message], Node]] = {
    "literal": _literal,
    "unresolved_attribute": _attribute,
    "unresolved_function": _function,
    "call_function": lambda m: Node("call", m.function_name.lower(), args=_all(m.arguments)),
    "expression_string": lambda m: sql.expression(m.expression),
    "unresolved_star": _star,
    "alias": lambda m: Node("alias", names=tuple(m.name), args=(read(m.expr),)),
    "cast": _cast,
    "sort_order": lambda m: order(m),
    "lambda_function": _lambda,
    "unresolved_named_lambda_variable": lambda m: Node("variable", m.name_parts[0]),
    "window": _window,
    "unresolved_extract_value": _extract,
    "update_fields": _update,
    "subquery_expression": _subquery,
    "common_inline_user_defined_function": lambda m: Node("opaque", m.function_name or "Python function",
                                                          args=_all(m.arguments)),
    "named_argument_expression": lambda m: read(m.value),
}  # fmt: skip
