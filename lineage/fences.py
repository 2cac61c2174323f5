"""The fence of the embedded engine: refuses what Sail does otherwise than Apache Spark without an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lineage.columns import WALKED, DataFrame, finished, started
from lineage.deny import FENCES, Fence
from lineage.state import Message, Schema, Use, Walk
from schemas.errors import UserError

BY_OPERATION: dict[str, list[Fence]] = {}
for _fence in FENCES:
    for _name in _fence.operations.split():
        BY_OPERATION.setdefault(_name.replace(".", " "), []).append(_fence)


def refuse(
    df: DataFrame,
    engine: str,
    tolerance: float = 0.0,
    *,
    inputs: Mapping[str, DataFrame] | None = None,
    where: str = "",
) -> None:
    """Raise UserError for the first operation of a plan that the embedded engine does not do as Spark does.

    `engine` other than `sail` passes all. A `tolerance` above 0 lifts what differs only in the last digits. What
    lies below the `inputs` (if not given: those of the last `column_lineage` of this frame) is not looked at. What can't
    be read is refused too.
    """
    if engine != "sail":
        return
    walk, error = _walked(df, inputs)
    problem = next(problems(walk, tolerance), None)
    if problem:
        place = " ".join(part for part in (where, problem.place) if part)
        otherwise = "`engine: spark` in the contract runs the table on Apache Spark"
        raise UserError(problem.what, where=place, remedy=f"{problem.instead}; or {otherwise}")
    if error:
        raise error


def _walked(df: DataFrame, inputs: Mapping[str, DataFrame] | None) -> tuple[Walk, Exception | None]:
    if inputs is None and df in WALKED:
        return WALKED[df], None
    walk, relation = started(df, inputs or {})
    return walk, finished(walk, relation)


@dataclass(frozen=True)
class Problem:
    """One use that a fence refuses, or (without a fence) that could not be read."""

    what: str
    place: str
    instead: str
    fence: Fence | None = None


def problems(walk: Walk, tolerance: float = 0.0) -> Iterator[Problem]:
    """Yield what the fences refuse among the uses of a walk; the engine is asked only for types nobody else knows."""
    for use in walk.uses:
        for fence in BY_OPERATION.get(use.operation, ()):
            if fence.tolerable and tolerance > 0:
                continue
            known = _typed(use, walk.schema) if fence.typed and None in use.types else use
            if fence.typed and None in known.types:
                yield Problem(f"the types of {use.operation!r} can't be told", use.place, "cast its arguments")
            elif fence.when is None or fence.when(known):
                yield Problem(_message(known, fence), use.place, fence.instead, fence)
    for what in walk.opaque:
        yield Problem(f"{what} can't be looked into", "", "write it with column functions")


def _message(use: Use, fence: Fence) -> str:
    types = f"({', '.join(type_ for type_ in use.types if type_)})" if fence.typed else ""
    return f"{use.operation}{types}: on the embedded engine {fence.why}"


def _typed(use: Use, schema: Callable[[Message], Schema]) -> Use:
    """Ask the engine for the types that the walk could not tell, in one call."""
    unknown = [i for i, arg in enumerate(use.args) if arg.type is None and i < len(use.nodes)]
    expressions = [_expression(use.nodes[i].source, use.relation) for i in unknown]
    if use.relation is None or any(expression is None for expression in expressions):
        return use
    asked: Any = type(use.relation)()
    asked.project.input.CopyFrom(use.relation)
    if "key" in use.flags:  # the condition of a join stands over the columns of both sides
        asked.project.input.join.ClearField("join_condition")
        asked.project.input.join.join_type = asked.project.input.join.JOIN_TYPE_CROSS
    for number, expression in enumerate(expressions):
        one = asked.project.expressions.add()
        one.alias.expr.CopyFrom(expression)
        one.alias.name.append(f"_{number}")
    try:
        types = [type_ for _, type_ in schema(asked)]
    except Exception:  # an engine's error of any kind: the expression stands inside a lambda, or over aggregates
        return use
    found = dict(zip(unknown, types, strict=False))
    return replace(use, args=tuple(replace(a, type=found.get(i, a.type)) for i, a in enumerate(use.args)))


def _expression(source: Any, relation: Message) -> Any:
    """Return the protobuf expression of a node, which may have come as SQL text."""
    if source is None or relation is None:
        return None
    if not isinstance(source, str):
        return source
    made = type(relation)().filter.condition
    made.expression_string.expression = source
    return made
