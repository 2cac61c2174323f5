"""The gate over all real transforms: each passes the fence, and what moves in its examples is claimed by lineage."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from lineage.columns import column_lineage
from lineage.fences import refuse
from models.variant import Variant
from schemas import graph
from schemas.contract import Contract
from schemas.contracts import contract, contracts
from tests import frames
from tests.lineage.perturb import content, moved, other

DERIVED = sorted(t for t, c in contracts().items() if c.inputs)
EMBEDDED = [table for table in DERIVED if contract(table).engine is None]
Rows = Mapping[str, list[dict[str, Any]]]


def _arguments(spark: Any, one: Contract, given: Rows) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the transform's arguments, and every input frame by its table."""
    arguments: dict[str, Any] = {}
    leaves: dict[str, Any] = {}
    for parameter, tables in graph.inputs(one).items():
        made = {t: frames.frame(spark, t, given.get(t, given.get(parameter, []))) for t in tables}
        leaves |= made
        arguments[parameter] = made if graph.several(one.inputs[parameter]) else made[tables[0]]
    return arguments, leaves


def _transform(one: Contract) -> Any:
    return importlib.import_module(f"layers.{one.layer}.{one.name}").transform


@pytest.mark.parametrize("table", EMBEDDED)
def test_the_transform_passes_the_fence(spark: Any, table: str) -> None:
    one = contract(table)
    arguments, leaves = _arguments(spark, one, {})
    refuse(_transform(one)(**arguments), "sail", one.tolerance, inputs=leaves, where=table)


@pytest.mark.parametrize("table", ["business.emission", "business.unresolved"])
def test_what_was_known_on_a_day_passes_the_fence(spark: Any, table: str) -> None:
    one = contract(table)
    arguments, leaves = _arguments(spark, one, {})
    made = _transform(one)(**arguments, variant=Variant(known_on=date(2024, 6, 1)))
    refuse(made, "sail", one.tolerance, inputs=leaves, where=table)


@pytest.mark.parametrize("table", DERIVED)
def test_every_column_of_the_contract_has_lineage_and_nothing_is_opaque(spark: Any, table: str) -> None:
    one = contract(table)
    arguments, leaves = _arguments(spark, one, {})
    made = _transform(one)(**arguments)
    lineage = column_lineage(made, leaves)
    assert list(lineage.columns) == made.columns
    assert set(one.columns) <= set(lineage.columns)
    assert lineage.opaque == ()
    types = dict(made.dtypes)
    assert {name: type_ for name, type_ in lineage.types.items() if type_ not in (None, types[name])} == {}


@pytest.mark.parametrize("table", DERIVED)
def test_what_moves_in_an_example_is_claimed(spark: Any, table: str) -> None:
    one = contract(table)
    given = {name: rows for example in one.examples[:1] for name, rows in example.given.items()}
    arguments, leaves = _arguments(spark, one, given)
    made = _transform(one)(**arguments)
    lineage, before = column_lineage(made, leaves), content(made)
    for source, column, changed in _changes(one, given):
        if all((source, column) in lineage.inputs(name) for name in lineage.columns):
            continue  # claimed by every output: whatever moves is claimed
        again = _transform(one)(**_arguments(spark, one, changed)[0])
        for name in moved(lambda: again, before):  # noqa: B023
            assert (source, column) in lineage.inputs(name), f"{name} moves with {source}.{column}, unclaimed"


def _changes(one: Contract, given: Rows) -> Iterator[tuple[str, str, Rows]]:
    """Yield (table, column, rows) with other values in one column of one input."""
    tables = graph.inputs(one)
    for name, rows in given.items():
        table = name if name in contracts() else tables[name][0]
        shape = {n: str(c.type) for n, c in contract(table).columns.items()} | frames.locators(contract(table))
        for column in dict.fromkeys(c for row in rows for c in row):
            new = [{**row, column: other(frames.value(row[column], shape[column]), i)} if row.get(column) is not None else row
                   for i, row in enumerate(rows)]  # fmt: skip
            yield table, column, {**given, name: new}
