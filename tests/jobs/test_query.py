"""SQL reads the lake as it is or was, and reaches nothing else."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from jobs import commit, maintain, query
from jobs.lake import Lake, arrow_schema
from schemas.contracts import contract
from schemas.errors import UserError
from tests.jobs import meters

TUBE = "cleaned.tube"
pytestmark = pytest.mark.usefixtures("project")


def put(lake: Lake, numbers: list[int], part: str = "a", mass: str = "1.5", **options: object) -> int:
    rows = pa.table({
        "number": numbers, "part": [part] * len(numbers), "label": [f"n{n}" for n in numbers],
        "mass_t": pa.array([Decimal(mass)] * len(numbers), pa.decimal128(28, 6)),
    })  # fmt: skip
    return commit.append_rows(lake, contract(TUBE), rows, "r")


def numbers(lake: Lake, as_of: int | str | None = None) -> list[int]:
    return list(query.sql(lake, f"select number from {TUBE} order by 1", as_of)["number"].to_pylist())


def test_a_query_sees_the_types_of_the_contract_and_partitions(lake: Lake) -> None:
    put(lake, [1, 2])
    put(lake, [3], part="b")
    found = query.sql(lake, "select part, count(*) as 条数, sum(mass_t) as 质量 from cleaned.tube group by 1 order by 1")
    assert found.to_pylist() == [{"part": "a", "条数": 2, "质量": Decimal(3)}, {"part": "b", "条数": 1, "质量": Decimal("1.5")}]
    whole = query.sql(lake, "from cleaned.tube")
    assert {f.name: f.type for f in whole.schema} == {f.name: f.type for f in arrow_schema(contract(TUBE))}


def test_tables_are_joined_with_ctes_and_functions_that_read_nothing(lake: Lake) -> None:
    put(lake, [1, 2])
    text = "with t as (from cleaned.tube) select number, r.range from t join range(1, 3) r on r.range = number order by 1"
    assert query.sql(lake, text).to_pylist() == [{"number": 1, "range": 1}, {"number": 2, "range": 2}]
    assert query.sql(lake, "describe cleaned.tube")["column_name"].to_pylist()[:2] == ["number", "part"]
    assert query.sql(lake, "select unnest([1, 2]) as a").num_rows == 2


def test_an_earlier_version_shows_what_was_there(lake: Lake) -> None:
    first = put(lake, [1])
    between = datetime.now(UTC)
    time.sleep(0.005)
    put(lake, [2])
    assert numbers(lake) == [1, 2]
    assert numbers(lake, first) == [1]
    assert numbers(lake, between.isoformat()) == [1]
    assert numbers(lake, datetime.now(UTC).date().isoformat()) == [1, 2]
    assert numbers(lake, between.astimezone().isoformat()) == [1]
    with pytest.raises(UserError, match="did not exist"):
        numbers(lake, (datetime.now(UTC) - timedelta(days=2)).date().isoformat())
    with pytest.raises(UserError, match="no version 9"):
        numbers(lake, 9)
    with pytest.raises(UserError, match="is no date"):
        numbers(lake, "yesterday")


def test_a_version_number_needs_one_table(lake: Lake) -> None:
    put(lake, [1])
    with pytest.raises(UserError, match="give a date"):
        query.sql(lake, "select 1 from cleaned.tube a, raw.delivery b", 1)


def test_an_added_column_is_null_in_older_files(lake: Lake) -> None:
    put(lake, [1])
    commit.evolve(lake, lake.table_path(TUBE), arrow_schema(contract(TUBE)).append(pa.field("later", pa.int64())))
    assert query.sql(lake, "select later from cleaned.tube").to_pylist() == [{"later": None}]


def test_quarantine_can_be_asked_like_any_table(lake: Lake) -> None:
    made = lake.create_path(lake.quarantine_path(TUBE), pa.schema([("reason", pa.string())]))
    commit.write_rows(lake, lake.quarantine_path(TUBE), pa.table({"reason": ["odd"]}), "r")
    assert query.sql(lake, "from quarantine.cleaned.tube").to_pylist() == [{"reason": "odd"}]
    assert made is not None and query.tables(lake) == ["quarantine.cleaned.tube"]


def test_unknown_tables_and_columns_are_answered_with_near_names(lake: Lake) -> None:
    put(lake, [1])
    for name in ("cleaned.tub", "tube", "clean.tube"):
        with pytest.raises(UserError, match=r"did you mean .*cleaned\.tube"):
            query.sql(lake, f"select * from {name}")
    with pytest.raises(UserError, match="has no data yet"):
        query.sql(lake, "from cleaned.pump")
    with pytest.raises(UserError, match="mass_t"):
        query.sql(lake, "select mass from cleaned.tube")
    with pytest.raises(UserError, match="not valid SQL"):
        query.sql(lake, "select * form cleaned.tube where (")


@pytest.mark.parametrize(
    "text",
    [
        "drop table cleaned.tube", "delete from cleaned.tube", "insert into cleaned.tube values (1)", "select 1; select 2",
        "create table x as select 1", "copy (select 1) to '/tmp/carbonlake-never'", "attach '/tmp/x' as x", "install httpfs",
        "set enable_external_access = true", "pragma version", "call pragma_version()", "export database '/tmp/x'", "",
    ],
)  # fmt: skip
def test_nothing_but_one_reading_query_runs(lake: Lake, text: str) -> None:
    put(lake, [1])
    with pytest.raises(UserError, match=r"only one query|not valid"):
        query.sql(lake, text)
    assert numbers(lake) == [1] and not Path("/tmp/carbonlake-never").exists()


@pytest.mark.parametrize(
    "text",
    [
        "select * from '{file}'", "select * from read_csv('{file}')", "select * from read_text('{file}')",
        "select * from glob('/*')",
        "select * from \"{file}\"", "select (select content from read_text('{file}'))", "from parquet_scan('{file}')",
        "with a as (from read_json('{file}')) from a", "describe select * from '{file}'",
        "select * from cleaned.tube, lateral (from read_blob('{file}'))", "from query('from read_text(''{file}'')')",
        "from sniff_csv('{file}')",
    ],
)  # fmt: skip
def test_no_file_can_be_read_past_the_tables(lake: Lake, tmp_path: Path, text: str) -> None:
    put(lake, [1])
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nsecret\n")
    with pytest.raises(UserError):
        query.sql(lake, text.format(file=secret))


def test_a_locked_connection_reads_files_of_its_tables_alone(lake: Lake, tmp_path: Path) -> None:
    """The second fence, should SQL get past the first."""
    put(lake, [1])
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with query.connection(lake, {TUBE: None}, locked=True) as duck:
        assert duck.execute("select number from cleaned.tube").fetchall() == [(1,)]
        for text in (f"from read_csv('{tmp_path}/secret.csv')", f"copy (select 1) to '{tmp_path}/x.csv'",
                     "set enable_external_access = true", f"attach '{tmp_path}/x.db' as x"):  # fmt: skip
            with pytest.raises(duckdb.Error):
                duck.execute(text)


def test_a_version_whose_files_were_vacuumed_is_explained(lake: Lake) -> None:
    put(lake, [1])
    commit.replace_rows(lake, contract(TUBE), pa.table({"number": [2], "part": ["a"]}), "s")
    maintain.vacuum(lake, TUBE, set())
    with pytest.raises(UserError, match="vacuumed"):
        numbers(lake, 1)


def test_a_connection_serves_several_versions_at_once(lake: Lake) -> None:
    first = put(lake, [1])
    put(lake, [2])
    with query.connection(lake, {TUBE: first}) as duck:
        duck.execute(f"create view now as {query.relation_sql(lake, TUBE)}")
        assert duck.execute("select (select count(*) from cleaned.tube), (select count(*) from now)").fetchall() == [(1, 2)]


def test_a_version_whose_log_is_gone_is_not_there(lake: Lake) -> None:
    for number in range(3):
        meters.put(lake, "2026-01", [number])
    head = lake.open(meters.TABLE)
    assert head is not None
    head.create_checkpoint()
    for version in (0, 1):
        (lake.folder / "cleaned" / "meter" / "_delta_log" / f"{version:020d}.json").unlink()
    for version in (0, 1):
        with pytest.raises(UserError, match=f"no version {version}"):
            query.open_table(lake, meters.TABLE, version)
    assert query.open_table(lake, meters.TABLE, 3).version() == 3
