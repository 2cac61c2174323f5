"""A build whose figures do not close is not published, and its message says what is missing, of what, when and how much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import cleaned, staging
from jobs.lake import Lake
from jobs.staging import Staged
from quality import audit, sets
from quality.verdict import Verdict
from schemas.contract import Rule
from tests.jobs import building
from tests.jobs.building import csv, deliver

CLEANED, MONTH = "cleaned.flow_merge", "thematic.flow_merge_month"
ROWS = [("m", "2025-01-05", 1.5, "x"), ("m", "2025-02-05", 2.25, "x"), ("n", "2025-02-06", 4, "x")]
LOSING = '''"""Flow by month, without what a careless filter loses."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(flow: DataFrame) -> DataFrame:
    """Return one row a month."""
    kept = flow.filter("meter <> 'n'")
    return kept.groupBy("month").agg(F.sum("mass_t").alias("mass_t"), F.count("*").alias("days"))
'''


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), building.flows(["merge"]))))
        yield


def corrupt(monkeypatch: pytest.MonkeyPatch, change: Callable[[pa.Table], pa.Table]) -> None:
    """Let the engine's files be other than it meant: a change of the first one it writes."""
    real = staging.write

    def write(*arguments: Any) -> list[Staged]:
        real(*arguments)
        folder: Path = arguments[1]
        path = next(iter(sorted((folder / "_verdict=ok").rglob("*.parquet"))))
        pq.write_table(change(pq.ParquetFile(path).read()), path)
        return staging.listing(folder)

    monkeypatch.setattr(staging, "write", write)


def with_mass(table: pa.Table, mass: str) -> pa.Table:
    place = table.schema.get_field_index("mass_t")
    value = pa.array([mass] * table.num_rows, pa.string()).cast(pa.decimal128(28, 6))
    return table.set_column(place, table.schema.field("mass_t"), value)


def refused(lake: Lake, spark: Any, table: str = CLEANED) -> str:
    """Build, demand that nothing changed, and return the reason."""
    before = building.state(lake, [CLEANED, MONTH])
    ended = building.build(lake, spark, table)[table]
    assert ended.status == "failed" and building.state(lake, [CLEANED, MONTH]) == before
    told = building.rows(lake, "ops.balance", "table_name", "measure", "unit", "closed")
    assert (table, "mass_t", "t", False) in told or (table, "rows", "rows", False) in told
    return ended.reason


def test_a_row_that_the_engine_lost_is_missed(lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(lake, CLEANED, "a.csv", csv(ROWS))
    corrupt(monkeypatch, lambda table: table.slice(1))
    reason = refused(lake, spark)
    assert "balance_rows: 3 rows in, 2 written + 0 set aside + 0 superseded = 2: 1 missing" in reason
    assert "balance_mass_t: mass_t (t): 6.250000 here, 7.750000 in what came in, 1.500000 missing" in reason
    assert "delivery 1 (a.csv), day 2025-01-05 to 2025-02-06: 6.250000 here, 7.750000 came in" in reason


def test_a_figure_that_the_engine_changed_is_found(lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(lake, CLEANED, "a.csv", csv(ROWS))
    corrupt(monkeypatch, lambda table: with_mass(table, "1.500001"))
    reason = refused(lake, spark)
    assert "balance_rows" not in reason
    assert "balance_mass_t: mass_t (t): 7.750001 here, 7.750000 in what came in, 0.000001 too much" in reason
    assert "delivery 1 (a.csv), day 2025-01-05 to 2025-02-06: 7.750001 here, 7.750000 came in" in reason


def test_a_row_of_an_earlier_version_that_was_not_carried_over_is_missed(
    lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(lake, CLEANED, "a.csv", csv(ROWS))
    building.build(lake, spark, CLEANED)
    deliver(lake, CLEANED, "b.csv", csv([("o", "2025-02-07", 1, "x")]))
    monkeypatch.setattr(cleaned, "_survivors", lambda job, fresh, touched: [])
    reason = refused(lake, spark)
    assert "balance_mass_t: mass_t (t): 1.000000 here, 7.250000 in what came in, 6.250000 missing" in reason
    assert "rows that stood before, day 2025-02-05: 0.000000 here, 2.250000 came in" in reason
    assert "rows that stood before, day 2025-02-06: 0.000000 here, 4.000000 came in" in reason
    assert "delivery 2" not in reason


def test_a_transform_that_loses_rows_is_told_by_period(
    lake: Lake, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(lake, CLEANED, "a.csv", csv(ROWS))
    building.build(lake, spark, f"{CLEANED}+")
    files = {**building.flows(["merge"]), "layers/thematic/flow_merge_month.py": LOSING}
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "losing", files)))
    reason = refused(lake, spark, MONTH)
    assert "balance_mass_t: mass_t (t), month=2025-02-01: 2.250000 here, 6.250000 in what came in, 4.000000 missing" in reason
    assert f"{MONTH} is not published" in reason


def test_a_declared_check_that_did_not_run_fails_the_build(lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(scene: sets.Scene, rule: Rule) -> Verdict:
        return sets.set_verdict(scene, rule.model_copy(update={"columns": ("no",)}))

    deliver(lake, CLEANED, "a.csv", csv(ROWS))
    for name, instead, told in (
        ("set_verdict", blind, "key_unique: did not run: "),
        ("row_verdicts", lambda *arguments: [], "at_least_mass_t: did not run: no verdict was given"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(audit, name, instead)
            reason = building.build(lake, spark, CLEANED)[CLEANED].reason
        assert told in reason and "is not published" in reason
        assert building.rows(lake, CLEANED) == []
    assert building.build(lake, spark, CLEANED)[CLEANED].status == "built"
