"""Column lineage of a DataFrame, read from the plan that its engine gets. All private calls of PySpark are here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from lineage import plan
from lineage.edges import Edge, Lineage, Place
from lineage.relations import visit
from lineage.scope import Column
from lineage.state import Message, Schema, Walk

__all__ = ["WALKED", "DataFrame", "Edge", "Lineage", "column_lineage", "finished", "started"]


WALKED: WeakKeyDictionary[DataFrame, Walk] = WeakKeyDictionary()
"""Plans that were walked over; the fence needs no second walk over the same one."""


def column_lineage(df: DataFrame, inputs: Mapping[str, DataFrame]) -> Lineage:
    """Return for every output column which columns of the named inputs it depends on, and how.

    Nothing is executed. The engine analyses a sub-plan only where names are its own making (a pivot's headings,
    unnamed expressions). Steps that can't be looked into make everything depend on everything; `opaque` names them.
    """
    walk, relation = started(df, inputs)
    scope = visit(relation, walk)
    WALKED[df] = walk
    columns = {}
    for column in scope.columns:
        columns[column.name or ""] = tuple(sorted(column.edges | scope.indirect))
    return Lineage(
        columns,
        {column.name or "": _confined(column, walk) for column in scope.columns},
        {column.name or "": column.type for column in scope.columns},
        tuple(dict.fromkeys(walk.opaque)),
    )


def started(df: DataFrame, inputs: Mapping[str, DataFrame]) -> tuple[Walk, Message]:
    """Return the state of a walk that has not begun, and the relation it is to visit."""
    whole = _plan(df)
    return Walk(_asker(df, type(whole)), _finder(inputs)), whole.root


def finished(walk: Walk, relation: Message) -> Exception | None:
    """Walk over a plan; return the engine's error, if it can't analyse a part of it."""
    try:
        visit(relation, walk)
    except PySparkException as error:
        return error
    return None


def _asker(df: DataFrame, plan_type: Callable[[], Message]) -> Callable[[Message], Schema]:
    """Return a function that lets the engine of `df` analyse a relation; every relation is asked for once."""
    client: Any = df.sparkSession.client
    known: dict[bytes, Schema] = {}

    def ask(relation: Message) -> Schema:
        key = relation.SerializeToString(deterministic=True)
        if key not in known:
            request = plan_type()
            request.root.CopyFrom(relation)
            known[key] = [(f.name, f.dataType.simpleString()) for f in client.schema(request).fields]
        return known[key]

    return ask


def _plan(df: DataFrame) -> Message:
    private: Any = df
    return private._plan.to_proto(private.sparkSession.client)


def _finder(inputs: Mapping[str, DataFrame]) -> Callable[[Message], tuple[str, Callable[[], Schema]] | None]:
    """Return a function that tells whether a relation is an input: by its plan id, else by being the same plan."""
    relations = {name: _plan(df).root for name, df in inputs.items()}
    by_id = {relation.common.plan_id: name for name, relation in reversed(relations.items())}
    by_shape = {plan.bare(relation): name for name, relation in reversed(relations.items())}
    kinds = {plan.kind(relation, "rel_type") for relation in relations.values()}

    def find(relation: Message) -> tuple[str, Callable[[], Schema]] | None:
        name = by_id.get(relation.common.plan_id) if relation.common.HasField("plan_id") else None
        if name is None and plan.kind(relation, "rel_type") in kinds:
            name = by_shape.get(plan.bare(relation))
        return (name, lambda: _schema(inputs[name])) if name is not None else None

    return find


def _schema(df: DataFrame) -> Schema:
    return [(field.name, field.dataType.simpleString()) for field in df.schema.fields]


def _confined(column: Column, walk: Walk) -> frozenset[Place]:
    """Return input columns that every occurrence of their table in the plan may be narrowed by."""
    numbers: dict[str, set[int]] = {}
    for number, table in enumerate(walk.leaves):
        numbers.setdefault(table, set()).add(number)
    carried: dict[Place, set[int]] = {}
    for number, name in column.carries:
        carried.setdefault((walk.leaves[number], name), set()).add(number)
    return frozenset(place for place, found in carried.items() if found == numbers[place[0]])
