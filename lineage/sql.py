"""SQL text of expressions as nodes, parsed by sqlglot with every function kept by its own name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError

from lineage.nodes import Node, ddl

_Parser: Any = Spark.Parser


class Verbatim(Spark):
    """Spark's SQL, but functions stay what the text calls them; sqlglot would rename and rewrite some."""

    class Parser(_Parser):  # type: ignore[misc]
        """A parser that knows no functions."""

        FUNCTIONS: dict[str, Callable[..., Any]] = {}


Tree = Any
BINARY: dict[Any, str] = {
          exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "div", exp.Mod: "%", exp.EQ: "==",
          exp.NEQ: "!=", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.And: "and", exp.Or: "or",
          exp.NullSafeEQ: "<=>", exp.NullSafeNEQ: "is distinct from", exp.DPipe: "concat", exp.Like: "like",
          exp.ILike: "ilike", exp.RegexpLike: "rlike", exp.BitwiseAnd: "&", exp.BitwiseOr: "|",
          exp.BitwiseXor: "^"}  # fmt: skip
UNARY: dict[Any, str] = {
    exp.Not: "not",
    exp.Neg: "negative",
    exp.Paren: "",
    exp.Where: "",
    exp.IgnoreNulls: "",
    exp.RespectNulls: "",
}
NAMED: dict[Any, str] = {exp.Substring: "substring", exp.Trim: "trim", exp.Floor: "floor", exp.Ceil: "ceil",
         exp.StrPosition: "position", exp.CurrentDate: "current_date", exp.CurrentTimestamp: "current_timestamp",
         exp.Initcap: "initcap", exp.Chr: "chr", exp.Decode: "decode", exp.DecodeCase: "decode", exp.Overlay: "overlay",
         exp.ArgMax: "max_by", exp.ArgMin: "min_by", exp.GroupConcat: "string_agg", exp.Transform: "transform",
         exp.ApproxQuantile: "percentile_approx", exp.Between: "between", exp.In: "in", exp.Is: "<=>",
         exp.Interval: "interval", exp.Bracket: "[]", exp.Coalesce: "coalesce", exp.Exists: "exists",
         exp.TimestampDiff: "timestampdiff", exp.TimestampAdd: "timestampadd", exp.Mode: "mode"}  # fmt: skip


@lru_cache(maxsize=4096)
def expression(text: str) -> Node:
    """Return the expression that SQL text stands for; an `opaque` node where it cannot be parsed."""
    try:
        return convert(sqlglot.parse_one(text, dialect=Verbatim))
    except (SqlglotError, RecursionError):
        return Node("opaque", f"SQL text that cannot be parsed: {text}")


def query(text: str) -> Tree | None:
    """Return a parsed query, None where it cannot be parsed or is no query."""
    try:
        tree = sqlglot.parse_one(text, dialect=Verbatim)
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Query) else None


def convert(tree: Tree) -> Node:
    """Return a parsed expression as nodes, each with its SQL text for asking the engine."""
    node = _convert(tree)
    if node.source is None and node.kind not in ("column", "literal", "star", "variable"):
        object.__setattr__(node, "source", tree.sql("spark"))
    return node


def _convert(tree: Tree) -> Node:
    for kinds, reader in SHAPES:
        if isinstance(tree, kinds):
            return reader(tree)
    name = BINARY.get(type(tree)) or NAMED.get(type(tree))
    if name:
        return Node("call", name, args=_children(tree))
    if isinstance(tree, exp.Query | exp.Subquery) or not isinstance(tree, exp.Func):
        return Node("opaque", f"SQL: {tree.sql('spark')}", args=() if tree.find(exp.Query) else _children(tree))
    return Node("call", tree.sql("spark").split("(")[0].lower(), args=_children(tree))


def _children(tree: Tree) -> tuple[Node, ...]:
    return tuple(convert(child) for child in tree.iter_expressions() if not isinstance(child, exp.Var | exp.DataType))


def _column(tree: exp.Column) -> Node:
    if isinstance(tree.this, exp.Star):
        return Node("star", names=tuple(part.name for part in tree.parts[:-1]))
    return Node("column", names=tuple(part.name for part in tree.parts))


def _literal(tree: exp.Literal) -> Node:
    if tree.is_string:
        return Node("literal", type="string", value=tree.this)
    text = str(tree.this)
    if text.isdigit():
        return Node("literal", type="int" if int(text) < 2**31 else "bigint", value=int(text))
    if "e" in text.lower():
        return Node("literal", type="double", value=float(text))
    scale = len(text.partition(".")[2])
    digits = max(len(text.replace(".", "").lstrip("0")), scale, 1)
    return Node("literal", type=f"decimal({digits},{scale})", value=text)


def _cast(tree: exp.Cast) -> Node:
    type_ = ddl(tree.to.sql("spark"))
    if isinstance(tree.this, exp.Literal) and not tree.args.get("safe"):
        inner = _literal(tree.this)
        if inner.type != "string" and type_ in ("double", "bigint", "float"):  # 1e6D and 5L are literals
            return Node("literal", type=type_, value=inner.value)
        if tree.this.is_string and type_ in ("date", "timestamp"):
            return Node("literal", type=type_, value=inner.value)
    return Node("cast", "try_cast" if tree.args.get("safe") else "cast", args=(convert(tree.this),), type=type_)


def _case(tree: exp.Case) -> Node:
    args = []
    for branch in tree.args["ifs"]:
        condition = convert(branch.this)
        if tree.this is not None:
            condition = Node("call", "==", args=(convert(tree.this), condition))
        args += [condition, convert(branch.args["true"])]
    if tree.args.get("default") is not None:
        args.append(convert(tree.args["default"]))
    return Node("call", "when", args=tuple(args))


def _extract(tree: exp.Extract) -> Node:
    part = tree.this.name.lower()
    return Node("call", part if part in ("year", "month", "day", "hour", "quarter") else f"extract {part}",
                args=(convert(tree.expression),))  # fmt: skip


def _window(tree: exp.Window) -> Node:
    sort = tree.args.get("order")
    split = tuple(convert(part) for part in tree.args["partition_by"] or ())
    order = tuple(convert(item.this) for item in sort.expressions) if sort else ()
    return Node("window", args=(convert(tree.this),), partition=split, order=order)


def _call(tree: exp.Anonymous) -> Node:
    args = _children(tree)
    name = tree.name.lower()
    if name in TYPE_FUNCTIONS and len(args) == 1:
        return Node("cast", "cast", args=args, type=ddl(name))
    if len(args) == 1 and args[0].kind == "call" and args[0].name == "distinct":
        return Node("call", name, args=args[0].args, flags=frozenset({"distinct"}))
    return Node("call", name, args=args)


def _filter(tree: exp.Filter) -> Node:
    inner = convert(tree.this)
    return Node("call", "aggregate filter", args=(inner, convert(tree.expression.this)))


def _unary(tree: Tree) -> Node:
    name = UNARY[type(tree)]
    inner = convert(tree.this)
    if name == "negative" and inner.kind == "literal":
        return Node("literal", type=inner.type, value=f"-{inner.value}")
    return Node("call", name, args=(inner,)) if name else inner


def _if(tree: exp.If) -> Node:
    parts = (tree.this, tree.args["true"], tree.args.get("false"))
    return Node("call", "when", args=tuple(convert(part) for part in parts if part is not None))


def _lambda(tree: exp.Lambda) -> Node:
    return Node("lambda", args=(convert(tree.this),), names=tuple(v.name for v in tree.expressions))


def _aliases(tree: exp.Aliases) -> Node:
    return Node("alias", names=tuple(name.name for name in tree.expressions), args=(convert(tree.this),))


TYPE_FUNCTIONS = {"string", "double", "float", "int", "bigint", "date", "timestamp", "boolean", "smallint", "tinyint"}
SHAPES: tuple[tuple[Any, Callable[[Any], Node]], ...] = (
    (exp.Column, _column),
    (exp.Identifier, lambda tree: Node("variable", tree.name)),
    (exp.Literal, _literal),
    (exp.Null, lambda tree: Node("literal", type="void")),
    (exp.Boolean, lambda tree: Node("literal", type="boolean", value=tree.this)),
    (exp.Cast, _cast),
    (exp.Alias, lambda tree: Node("alias", names=(tree.alias,), args=(convert(tree.this),))),
    (exp.Aliases, _aliases),
    (exp.Star, lambda tree: Node("star")),
    (exp.Case, _case),
    (exp.If, _if),
    (exp.Window, _window),
    (exp.Extract, _extract),
    (exp.Lambda, _lambda),
    (exp.Filter, _filter),
    (exp.Dot, lambda tree: Node("field", tree.expression.name, args=(convert(tree.this),))),
    (exp.Ordered, lambda tree: convert(tree.this)),
    (exp.Distinct, lambda tree: Node("call", "distinct", args=_children(tree))),
    (exp.Anonymous, _call),
    (tuple(UNARY), _unary),
)
