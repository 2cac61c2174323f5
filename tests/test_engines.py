"""The demo and every example are the same on the embedded engine and on Apache Spark: rows, types, sums and what is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from jobs import derived, land, quarantine
from jobs.lake import Lake
from jobs.outcome import Outcome
from jobs.relation import columns, read_rows, relation_sql
from jobs.run import run
from jobs.session import Engine
from schemas.contract import Example
from schemas.contracts import contract, contracts
from schemas.rooms import SHIPPED
from tests import frames, test_contracts_walk
from tests.lakes import NONE_IN_THE_DEMO

pytestmark = pytest.mark.spark
BUILT = sorted(table for table, one in contracts().items() if one.source or one.inputs)
EXAMPLES = [(table, example) for table in BUILT for example in contract(table).examples]
AT = {"received_at"}  # the moment of landing
LINES = "business.emission"
ROLLED = ("business.emission_day", "business.emission_month", "business.emission_year", "business.emission_rollup")


@pytest.fixture(scope="module")
def lakes(spark: Any, reference: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lake]:
    """Return a lake with the demo in it for each engine."""
    found = {}
    for engine in (Engine("sail", spark), reference):
        found[engine.name] = Lake(tmp_path_factory.mktemp(engine.name) / "lake").init()
        land.land(found[engine.name], [str(SHIPPED / "samples" / "deliveries")])
        outcomes = run(found[engine.name], engine)
        assert {one.table: _end(one) for one in outcomes} == dict.fromkeys(BUILT, ("built", ""))
    return found


def _end(one: Outcome) -> tuple[str, str]:
    return one.status, "" if one.usable else one.reason


@pytest.fixture
def both(lakes: Mapping[str, Lake]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection for tables of both lakes."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def _sql(lake: Lake, table: str) -> str:
    head = lake.open(table)
    assert head is not None
    return relation_sql(head)


@pytest.mark.parametrize("table", ["raw.delivery", *BUILT])
def test_a_table_has_the_same_columns_and_rows(lakes: Mapping[str, Lake], both: duckdb.DuckDBPyConnection, table: str) -> None:
    heads = {name: lake.open(table) for name, lake in lakes.items()}
    assert heads["sail"] is not None and heads["spark"] is not None
    assert columns(heads["sail"]) == columns(heads["spark"])
    assert heads["sail"].metadata().partition_columns == heads["spark"].metadata().partition_columns
    listed = ", ".join(f'"{name}"' for name in columns(heads["sail"]) if name not in AT)
    one, other = (f"select {listed} from ({relation_sql(head)})" for head in heads.values() if head)
    (number,) = both.execute(f"select count(*) from ({one})").fetchone() or (0,)
    assert (number > 0) == (table not in NONE_IN_THE_DEMO)
    for here, there in ((one, other), (other, one)):
        # Doubles are compared as they are, to the last bit.
        assert both.execute(f"({here}) except all ({there}) limit 5").fetchall() == []


@pytest.mark.parametrize("table", [table for table in BUILT if contract(table).measures])
def test_a_measure_has_the_same_sum_to_the_last_digit(
    lakes: Mapping[str, Lake], both: duckdb.DuckDBPyConnection, table: str
) -> None:
    one = contract(table)
    exact = [name for name in one.measures if name in one.columns and one.columns[name].type != "double"]
    sums = ", ".join(f'sum("{name}")' for name in exact) or "0"
    found = {name: both.execute(f"select count(*), {sums} from ({_sql(lake, table)})").fetchone() for name, lake in lakes.items()}
    assert found["sail"] == found["spark"]


@pytest.fixture(params=[1, 2, 8])
def parts(reference: Engine, request: pytest.FixtureRequest) -> Iterator[int]:
    """Cut everything that Apache Spark reads and shuffles into so many parts, and return their number."""
    given = {"spark.sql.shuffle.partitions": str(request.param), "spark.sql.adaptive.enabled": "false"}
    before = {name: reference.session.conf.get(name) for name in given}
    _set(reference, given)
    yield int(request.param)
    _set(reference, before)


def _set(engine: Engine, settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        engine.session.conf.set(name, str(value))


def _made(lake: Lake, engine: Engine, table: str, parts: int) -> Any:
    """Return what an engine makes of the inputs of a table that lie in a lake, each cut into parts; nothing is written."""
    one = contract(table)
    cut = derived.frames(engine, lake, one, derived.versions(lake, one), lambda name, frame: frame.repartition(parts))
    return derived.transform_of(one)(**cut).select(*one.columns)


def test_totals_are_the_same_in_any_number_of_parts(
    lakes: Mapping[str, Lake], reference: Engine, both: duckdb.DuckDBPyConnection, parts: int
) -> None:
    """Lines and roll-ups of Sail, against those of Spark in 1, 2 and 8 parts, and against sums that DuckDB makes of lines."""
    lake = lakes["sail"]
    totals = "select book, year(date) as year, scope, category, activity_code, gas, sum(mass_t) as mass_t, " \
             "sum(emission_tco2e) as emission_tco2e, count(*) as lines from {} group by all"  # fmt: skip
    both.register("made", _made(lake, reference, LINES, parts).select(
        "book", "date", "scope", "category", "activity_code", "gas", "mass_t", "emission_tco2e").toArrow())  # fmt: skip
    both.execute(f"create table of_lines as {totals.format(f'({_sql(lake, LINES)})')}")
    assert _differ(both, "from of_lines", totals.format("made")) == []
    for table in ROLLED:
        both.register("made", _made(lake, reference, table, parts).toArrow())
        names = ", ".join(f'"{name}"' for name in contract(table).columns)
        assert _differ(both, f"select {names} from ({_sql(lake, table)})", f"select {names} from made") == [], table
    whole = "select book, year(period), scope, category, activity_code, gas, sum(mass_t), sum(emission_tco2e), sum(lines) " \
            "from made where grain = '{}' and level = '{}' and lines > 0 group by all"  # fmt: skip
    levels = [row[0] for row in both.execute("select distinct level from made").fetchall()]
    assert len(levels) == 13
    for level in levels:
        assert _differ(both, "from of_lines", whole.format("year", level)) == [], level


def _differ(both: duckdb.DuckDBPyConnection, one: str, other: str) -> list[tuple[Any, ...]]:
    """Return some rows that one of two queries gives and the other does not, and demand any at all."""
    assert both.execute(f"select count(*) from ({one})").fetchone() != (0,)
    pairs = ((one, other), (other, one))
    return [row for a, b in pairs for row in both.execute(f"({a}) except all ({b}) limit 3").fetchall()]


@pytest.mark.parametrize("table", BUILT)
def test_the_same_rows_are_set_aside_for_the_same_reasons(lakes: Mapping[str, Lake], table: str) -> None:
    found = {name: _aside(lake, table) for name, lake in lakes.items()}
    assert found["sail"] == found["spark"]


def _aside(lake: Lake, table: str) -> list[tuple[Any, ...]]:
    return sorted((row["delivery_id"], row["locator"], row["rules"], row["raw"]) for row in quarantine.listed(lake, table))


def test_rows_were_set_aside_at_all(lakes: Mapping[str, Lake]) -> None:
    assert sum(len(_aside(lakes["spark"], table)) for table in BUILT) > 20


@pytest.mark.parametrize("table", ["ops.check", "ops.balance"])
def test_every_check_and_balance_says_the_same(lakes: Mapping[str, Lake], table: str) -> None:
    found = {}
    for name, lake in lakes.items():
        head = lake.open(table)
        assert head is not None
        rows = [tuple(v for key, v in row.items() if key != "run_id") for row in read_rows(head).to_pylist()]
        found[name] = sorted(rows, key=repr)
    assert len(found["sail"]) > 30
    assert found["sail"] == found["spark"]


@pytest.mark.parametrize(("table", "example"), EXAMPLES, ids=[table for table, _ in EXAMPLES])
def test_an_example_gives_the_same_rows(spark: Any, reference: Engine, table: str, example: Example) -> None:
    one = contract(table)
    if one.source:
        made = [[frames.cleaned(session, one, given) for given in example.given["raw"]] for session in (spark, reference.session)]
    else:
        made = [sorted(test_contracts_walk.made(session, one, example.given), key=repr) for session in (spark, reference.session)]
    assert made[0] == made[1]
    assert made[0]
