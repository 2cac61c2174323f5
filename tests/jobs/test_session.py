"""What an engine does otherwise in silence when it writes or sorts by its own settings never comes about."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.rooms import SHIPPED

ROOMS = ("carbonlake", "dags", "jobs", "layers", "lineage", "models", "quality", "samples", "schemas")
# Ways of an engine to write a table, or to keep something beside its files.
WRITING = {"writeTo", "saveAsTable", "insertInto", "writeStream", "createTable", "dropTable", "persist", "cache", "checkpoint",
           "localCheckpoint", "observe"}  # fmt: skip
STATEMENTS = ("merge into", "insert overwrite", "create table", "alter table", "delete from", "cache table")


@pytest.fixture(params=["sail", pytest.param("spark", marks=pytest.mark.spark)])
def session(request: pytest.FixtureRequest) -> Any:
    """Return a session of each engine."""
    if request.param == "sail":
        return request.getfixturevalue("spark")
    return request.getfixturevalue("reference").session


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for room in ROOMS:
        for path in sorted((SHIPPED / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield f"{path.relative_to(SHIPPED)}:{node.lineno}", node


def _text(node: ast.Call) -> str:
    return ast.unparse(node).lower()


def test_no_engine_writes_delta() -> None:
    """Sail replaces a whole table for one partition, lets rows pass its predicate, drops columns and repeats a retry."""
    writers = [(place, node) for place, node in _calls() if ".write." in ast.unparse(node.func)]
    assert {place.split(":")[0] for place, _ in writers} == {str(Path("jobs/staging.py"))}
    assert not [place for place, node in writers if "delta" in _text(node)]
    sql = [(place, _text(node)) for place, node in _calls() if ast.unparse(node.func).endswith("session.sql")]
    assert not [place for place, text in sql if any(word in text for word in STATEMENTS)]


def test_nothing_leans_on_what_has_no_effect_or_lives_in_a_catalog() -> None:
    found = [place for place, node in _calls() if isinstance(node.func, ast.Attribute) and node.func.attr in WRITING]
    assert found == []


def test_a_session_is_in_utc_whatever_the_machine_says(session: Any) -> None:
    assert session.conf.get("spark.sql.session.timeZone") == "UTC"
    row = session.sql(
        "select cast(timestamp'2026-01-31 17:00:00' as string), unix_micros(timestamp'2026-01-31 17:00:00')"
    ).first()
    assert tuple(row) == ("2026-01-31 17:00:00", 1769878800000000)


def test_the_memory_of_the_embedded_engine_is_bounded(spark: Any) -> None:
    assert os.environ["SAIL_RUNTIME__MEMORY_POOL__TYPE"] == "fair"
    assert int(os.environ["SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE"]) >= 2**20


@pytest.mark.spark
def test_apache_spark_writes_no_int96(reference: Any, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    reference.session.sql("select timestamp'9999-12-31 00:00:00' as t").write.parquet(str(tmp_path / "out"))
    (file,) = (tmp_path / "out").glob("*.parquet")
    assert pq.ParquetFile(file).schema.column(0).physical_type == "INT64"
    assert pq.read_table(file)["t"].cast(pa.int64()).to_pylist() == [253402214400000000]
