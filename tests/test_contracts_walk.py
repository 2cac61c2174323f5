"""A walk over all contracts: a table with a transform is tested by placing its files."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from models.variant import PUBLISHED
from schemas import graph
from schemas.contract import Contract, Example
from schemas.contracts import contract, contracts
from tests import frames

VARIANT = "variant"
DERIVED = sorted(t for t, c in contracts().items() if c.inputs)
EXAMPLES = [(table, one) for table in DERIVED for one in contracts()[table].examples]


@pytest.mark.parametrize("table", DERIVED)
def test_the_transform_takes_what_the_contract_names(table: str) -> None:
    one = contract(table)
    taken = inspect.signature(_transform(one)).parameters
    # What a restatement changes comes last, with what is published as its default.
    assert [*one.inputs, VARIANT][: len(taken)] == list(taken) and len(taken) >= len(one.inputs)
    assert VARIANT not in taken or taken[VARIANT].default == PUBLISHED
    assert one.key, f"{table} has no key, so no row of it can be traced"


@pytest.mark.parametrize("table", DERIVED)
def test_every_derived_table_shows_an_example(table: str) -> None:
    assert contract(table).examples, f"{table} shows no example"


@pytest.mark.parametrize(("table", "example"), EXAMPLES, ids=[table for table, _ in EXAMPLES])
def test_an_example_comes_true(spark: Any, table: str, example: Example) -> None:
    one = contract(table)
    rows = made(spark, one, example.given)
    found = [_match(one, expected, rows) for expected in example.expect]
    assert len(set(found)) == len(found), f"{table}: two expected rows are the same row"
    # Code lists and methods give rows of their own, whatever the input.
    always = {_key(one, row) for row in made(spark, one, {})}
    others = [row for place, row in enumerate(rows) if place not in found and _key(one, row) not in always]
    assert not others, f"{table}: not expected: {others}"
    assert len({_key(one, row) for row in rows}) == len(rows), f"{table}: two rows of one key"
    required = [name for name, column in one.columns.items() if column.required or name in one.key]
    given = {name for expected in example.expect for name in expected}
    assert not [(n, r) for r in rows for n in required if n in given and r[n] is None]


def _transform(one: Contract) -> Any:
    return importlib.import_module(f"layers.{one.layer}.{one.name}").transform


def made(spark: Any, one: Contract, given: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what the transform of a table makes of the rows of an example."""
    arguments: dict[str, Any] = {}
    for parameter, tables in graph.inputs(one).items():
        if graph.several(one.inputs[parameter]):
            arguments[parameter] = {table: frames.frame(spark, table, given.get(table, [])) for table in tables}
        else:
            arguments[parameter] = frames.frame(spark, tables[0], given.get(parameter, []))
    return frames.rows(_transform(one)(**arguments), one)


def _match(one: Contract, expected: dict[str, Any], made: list[dict[str, Any]]) -> int:
    wanted = {name: frames.value(value, str(one.columns[name].type)) for name, value in expected.items()}
    found = [place for place, row in enumerate(made) if all(_same(row[name], value) for name, value in wanted.items())]
    assert len(found) == 1, f"{one.table}: {len(found)} rows are {wanted}; made: {made[:20]}"
    return found[0]


def _same(here: Any, there: Any) -> bool:
    """Doubles agree to 12 digits: a product's last digit is the engine's."""
    if isinstance(here, float) and isinstance(there, float):
        return abs(here - there) <= 1e-12 * max(abs(here), abs(there))
    return bool(here == there)


def _key(one: Contract, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in one.key)
