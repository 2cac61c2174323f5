"""What an expression depends on and what it makes, over the columns of a relation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lineage import results
from lineage.edges import NONE, Edges, direct, indirect
from lineage.nodes import Node
from lineage.scope import NOWHERE, Column, unite
from lineage.state import Here
from lineage.traits import traits_of

_AGGREGATES = """sum avg mean min max count count_if first last any_value first_value last_value max_by min_by collect_list
 collect_set array_agg string_agg listagg stddev stddev_samp stddev_pop std variance var_samp var_pop corr
 covar_samp covar_pop skewness kurtosis median mode percentile percentile_approx approx_percentile
 approx_count_distinct bool_and bool_or every some any bit_and bit_or bit_xor try_sum try_avg product
 sum_distinct histogram_numeric regr_slope regr_intercept regr_r2 regr_count regr_avgx regr_avgy grouping
 grouping_id count_distinct"""
AGGREGATES = frozenset(_AGGREGATES.split())
_CHANCE = """rand randn random uuid shuffle monotonically_increasing_id spark_partition_id input_file_name now
 current_timestamp current_date curdate localtimestamp current_timezone current_user user"""
CHANCE = frozenset(_CHANCE.split())
SETTLING = {
    "sort_array",
    "array_sort",
    "size",
    "cardinality",
    "array_size",
    "array_contains",
    "array_max",
    "array_min",
    "exists",
    "forall",
}


def evaluate(node: Node, here: Here) -> Column:
    """Return the value of an expression as a column without a name, or the column itself where it is one."""
    if node.place and not here.place:  # parts of SQL text stand where the whole text stands
        here = replace(here, place=node.place)
    return EVALUATORS[node.kind](node, here)


def every(nodes: Sequence[Node], here: Here) -> Edges:
    """Return all edges of several expressions."""
    return frozenset().union(NONE, *(evaluate(node, here).edges for node in nodes))


def _column(node: Node, here: Here) -> Column:
    if node.names and node.names[0] in here.variables:
        return _variable(replace(node, name=node.names[0]), here)
    found, fields = _by_plan(node, here) or here.scope.find(node.names)
    if not found:
        found = tuple(c for c in here.aliases if c.name == node.names[0])
        fields = node.names[1:]
    if not found:
        here.walk.note(f"column {'.'.join(node.names)} that no input shows", node.place)
        return Column(None, direct(here.scope.everything(), "TRANSFORMATION"))
    column = unite(found)
    if fields:
        return Column(fields[-1], direct(column.edges, "TRANSFORMATION"), qualifier=())
    return column


def _by_plan(node: Node, here: Here) -> tuple[tuple[Column, ...], tuple[str, ...]] | None:
    """Return the columns that the sub-plan with the node's plan id showed under this name, if still here."""
    if node.plan is None:
        return None
    known = here.walk.plans.get(node.plan, ())
    for used in range(len(node.names), 0, -1):
        name = node.names[used - 1].lower()
        ids = {number for shown, number in known if shown.lower() == name}
        for columns in (here.scope.columns, here.scope.hidden):
            found = tuple(c for c in columns if c.id in ids)
            if found:
                return found, node.names[used:]
    return None


def _literal(node: Node, here: Here) -> Column:
    return Column(None, type=node.type, traits=traits_of(node, (), node.type))


def _star(node: Node, here: Here) -> Column:
    edges = frozenset().union(NONE, *(c.edges for c in here.scope.star(node.names)))
    return Column(None, direct(edges, "TRANSFORMATION"))


def _alias(node: Node, here: Here) -> Column:
    return evaluate(node.args[0], here).new(node.names[0])


def _cast(node: Node, here: Here) -> Column:
    inner = evaluate(node.args[0], here)
    same = inner.type is not None and inner.type == node.type
    made = Column(None, type=node.type, traits=traits_of(node, (inner,), node.type))
    here.use(node.name, node, (inner, made), node.args)
    if same:
        return replace(inner, name=inner.name)
    # An IDENTITY through a widening cast would be honest, but not "unchanged" for a comparison of types.
    return Column(inner.name, direct(inner.edges, "TRANSFORMATION"), node.type, made.traits)


def _call(node: Node, here: Here) -> Column:
    if node.name == "count" and all(arg.kind in ("star", "literal") for arg in node.args):
        here.use("count", node, (), ())
        return Column(None, type="bigint", traits=traits_of(node, (), "bigint"))
    args = _args(node, here)
    here.use(node.name, node, args, node.args)
    if node.name in CHANCE or node.name in ("first", "last", "any_value"):
        here.limits.append(NOWHERE)
    type_ = results.result(node.name, [arg.type for arg in args])
    if node.name in ("transform", "aggregate", "reduce"):
        type_ = None if node.name != "transform" else f"array<{args[-1].type}>" if args[-1].type else None
    return Column(None, _edges(node, args), type_, traits_of(node, args, type_))


def _args(node: Node, here: Here) -> tuple[Column, ...]:
    inside = here.within("settled") if node.name in SETTLING else here
    if node.name in ("to_utc_timestamp", "convert_timezone"):
        inside = inside.within("to_utc")
    lambdas = [arg for arg in node.args if arg.kind == "lambda"]
    if not lambdas:
        return tuple(evaluate(arg, inside) for arg in node.args)
    plain = [evaluate(arg, inside) for arg in node.args if arg.kind != "lambda"]
    items = [Column(None, direct(arg.edges, "TRANSFORMATION"), results.element(arg.type), arg.traits) for arg in plain]
    if node.name in ("aggregate", "reduce"):  # (array, start, (sum, item) -> sum, sum -> result)
        items = [replace(items[1], type=plain[1].type, edges=items[0].edges | plain[1].edges), items[0]]
    bodies = [evaluate(one.args[0], inside.binding(one.names, (*items, Column(None, type="int")))) for one in lambdas]
    return (*plain, *bodies)


def _edges(node: Node, args: Sequence[Column]) -> Edges:
    """Return the edges of a call: by value, or, for a condition, only by what it decides."""
    deciding: set[int] = set()
    if node.name == "when":
        deciding = set(range(0, len(args) - len(args) % 2, 2))
    elif node.name == "nvl2":
        deciding = {0}
    elif node.name in ("nullif", "aggregate filter"):
        deciding = {1}
    made: Edges = NONE
    for position, arg in enumerate(args):
        if position in deciding:
            made |= indirect(arg.edges, "FILTER" if node.name == "aggregate filter" else "CONDITIONAL")
        else:
            made |= direct(arg.edges, "AGGREGATION" if node.name in AGGREGATES else "TRANSFORMATION")
    return made


def _field(node: Node, here: Here) -> Column:
    return Column(node.name, direct(evaluate(node.args[0], here).edges, "TRANSFORMATION"))


def _variable(node: Node, here: Here) -> Column:
    known = here.variables.get(node.name)
    if known is None:  # sqlglot reads a lone name as an identifier in some places
        return _column(Node("column", names=(node.name,), place=node.place), here)
    return known if len(node.names) < 2 else Column(None, direct(known.edges, "TRANSFORMATION"))


def _window(node: Node, here: Here) -> Column:
    flags = {"window", "ordered"} if node.order else {"window"}
    inner = evaluate(node.args[0], here.within(*flags))
    split = [evaluate(part, here) for part in node.partition]
    here.limits.append(frozenset().union(NOWHERE, *(column.carries for column in split)))
    around = frozenset().union(NONE, *(column.edges for column in split)) | every(node.order, here)
    return Column(None, inner.edges | indirect(around, "WINDOW"), inner.type, inner.traits)


def _subquery(node: Node, here: Here) -> Column:
    here.limits.append(NOWHERE)
    scope = here.walk.references.get(node.plan or -1)
    if scope is None:
        return _opaque(replace(node, name="subquery"), here)
    asked = indirect(every(node.args, here), "FILTER")
    if node.name == "scalar":
        return Column(None, direct(scope.columns[0].edges, "TRANSFORMATION") | scope.indirect | asked, scope.columns[0].type)
    return Column(None, indirect(scope.everything(), "FILTER") | asked, "boolean")


def _opaque(node: Node, here: Here) -> Column:
    here.walk.note(node.name, node.place or here.place)
    here.limits.append(NOWHERE)
    edges = every(node.args, here) if node.args else here.scope.everything()
    return Column(None, direct(edges, "TRANSFORMATION"))


def _lambda(node: Node, here: Here) -> Column:
    return _opaque(replace(node, name="lambda outside a known function"), here)


EVALUATORS: dict[str, Callable[[Node, Here], Column]] = {
    "column": _column, "literal": _literal, "star": _star, "alias": _alias, "cast": _cast, "call": _call,
    "field": _field, "variable": _variable, "window": _window, "subquery": _subquery, "opaque": _opaque,
    "lambda": _lambda,
}  # fmt: skip
