"""Parquet that its table takes as it stands is written at once, and comes out as an engine would have made it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import direct, land
from jobs.lake import Lake
from jobs.readers.fitting import NotPlain
from jobs.readers.fitting_rows import taken
from schemas.contracts import contract
from tests.jobs import at_once, building
from tests.lakes import differs

TABLE = "cleaned.reading"
READING = """
description: Readings of meters
owner: tests
source: {zone: meters, path: "*.parquet", format: parquet, publisher: us, licence: CC0-1.0, timezone: UTC}
key: [reading_id]
columns:
  reading_id: {from: id, type: bigint, description: Number}
  meter: {type: string, required: true, description: Meter}
  time: {type: timestamp, description: Hour}
  day: {type: date, description: Day}
  energy_kwh: {from: energy, type: "decimal(18,6)", unit: kWh, description: Energy}
  exact_kwh: {type: "decimal(28,6)", unit: kWh, description: Energy}
  voltage_v: {type: double, unit: V, description: Voltage}
  tries: {type: int, description: Tries}
  good: {type: boolean, description: Whether it is good}
rules:
  - {rule: between, column: energy_kwh, low: 0.5, high: 999999.999999}
  - {rule: at_least, column: tries, limit: 1, else: warn}
  - {rule: at_most, column: voltage_v, limit: 240}
balance: [energy_kwh, tries]
"""
ROWS = 12


def _columns() -> dict[str, pa.Array]:
    """Twelve rows: texts with blanks, empty ones and none; numbers at the limits, beyond them, and ones that round."""
    energy = ["1.5", "0.5", "0.4999999", "999999.999999", "1000000", "2.0000005", "1e3", "-0", None, "", ".5", "12.3456789"]
    moments = [datetime(2025, 1, 1, hour, 0, 0, 123456, UTC) for hour in range(11)]
    return {
        "id": pa.array(range(ROWS), pa.int64()),
        "meter": pa.array(["a", " b ", "表 1", "", "   ", None, "\tc", "d\u3000", "e", "f", "g", "h"]),
        "time": pa.array([*moments, None], pa.timestamp("us", "UTC")),
        "day": pa.array([date(2, 1, 1), date(9999, 12, 31), None, *[date(2025, 1, day) for day in range(1, 10)]]),
        "energy": pa.array(energy),
        "exact_kwh": pa.array([*[Decimal(n) / 1000 for n in range(10)], None, Decimal("3999999999.5")], pa.decimal128(20, 4)),
        "voltage_v": pa.array([220, np.nan, np.inf, 241, None, *range(7)], pa.float64(), from_pandas=False),
        "tries": pa.array([1, 2, 0, 2**31, -(2**31) - 1, None, 1, 1, 1, 1, 1, 3], pa.int64()),
        "good": pa.array([True, False, None] * 4),
        "not_asked_for": pa.array([f"n{n}" for n in range(ROWS)]).dictionary_encode(),
    }


def _file(path: Path, changes: Mapping[str, Any] | None = None, size: int = 5) -> Path:
    pq.write_table(pa.table(_columns() | dict(changes or {})), path, row_group_size=size)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the table of readings."""
    folder = building.lay(tmp_path / "project", {"schemas/cleaned/reading.yaml": READING})
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(folder))
    return folder


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Say for each build whether its rows were written at once."""
    seen, read = [], direct.read

    def watched(*given: Any) -> Any:
        found = read(*given)
        seen.append(found is not None)
        return found

    monkeypatch.setattr(direct, "read", watched)
    return seen


@pytest.mark.parametrize("size", [5, 100], ids=["three groups of rows", "one"])
def test_rows_and_quarantine_are_those_that_the_engine_makes(
    tmp_path: Path, spark: Any, project: Path, written: list[bool], size: int
) -> None:
    lake, other, outcome = at_once.both_ways(tmp_path, _file(tmp_path / "a.parquet", size=size), TABLE, spark)
    assert written == [True, False]
    with duckdb.connect() as duck:
        assert not differs(duck, lake, other, TABLE)
    told = [building.rows(one, "ops.reading", "delivery_id", "rows", "note") for one in (lake, other)]
    assert told[0] == told[1]
    aside = at_once.waiting(lake, TABLE)
    assert aside == at_once.waiting(other, TABLE) and outcome.counts.set_aside == len(aside) > 5
    broken = {rule for _, rules, _ in aside for rule in rules.split(", ")}
    assert broken >= {"between_energy_kwh", "at_most_voltage_v", "type_voltage_v", "type_tries", "not_null_meter"}


@pytest.mark.parametrize("kind", [pa.decimal128(20, 4), pa.string(), pa.int64()], ids=str)
def test_a_number_of_more_digits_than_a_double_tells_apart_keeps_them_all(
    tmp_path: Path, spark: Any, project: Path, kind: pa.DataType
) -> None:
    numbers = pa.array(["8999999999999", "-8999999999997", *["1"] * (ROWS - 2)]).cast(kind)
    lake = Lake(tmp_path / "lake").init()
    land.land(lake, _file(tmp_path / "a.parquet", {"exact_kwh": numbers, "energy": pa.array(["1"] * ROWS)}), TABLE)
    building.build(lake, spark, TABLE)
    kept = {value for (value,) in building.rows(lake, TABLE, "exact_kwh")}
    assert kept == {Decimal(8999999999999), Decimal(1)}, "the second row waits for its voltage"


def test_instants_without_a_zone_and_seconds_come_as_the_engine_reads_them(
    tmp_path: Path, spark: Any, project: Path, written: list[bool]
) -> None:
    naive = pa.array([datetime(1969, 12, 31, 23, 59, 59, n * 1001) for n in range(ROWS)], pa.timestamp("us"))
    for name, times in (("naive", naive), ("seconds", naive.cast(pa.timestamp("s"), safe=False))):
        file = _file(tmp_path / f"{name}.parquet", {"time": times})
        lake, other, _ = at_once.both_ways(tmp_path / name, file, TABLE, spark)
        with duckdb.connect() as duck:
            assert not differs(duck, lake, other, TABLE)
    assert written == [True, False] * 2


def test_one_text_that_is_no_plain_number_leaves_the_delivery_to_the_engine(
    tmp_path: Path, spark: Any, project: Path, written: list[bool]
) -> None:
    energy = pa.array(["1.5 kWh", " 2.5", *["1"] * 10])
    lake, other, outcome = at_once.both_ways(tmp_path, _file(tmp_path / "a.parquet", {"energy": energy}), TABLE, spark)
    assert written == [False, False] and outcome.counts.set_aside
    with duckdb.connect() as duck:
        assert not differs(duck, lake, other, TABLE)


ODD = {
    "unit": (["1.5 kWh"], "decimal(18,6)"), "blank": ([" 1.5"], "double"), "nan": (["nan"], "double"),
    "beyond": (["1e999"], "double"), "points": (["1.2.3"], "decimal(18,6)"), "digits": (["１"], "double"),
    "two digits": (["1.5"], "decimal(18,2)"), "too many digits": (["99.9999999"], "decimal(8,6)"),
    "day as text": (["2025-01-01"], "date"), "number as text": (["1"], "int"), "year one": ([date(1, 1, 1)], "date"),
    "truth as number": ([1], "boolean"), "name as number": ([1], "string"), "instant as text": (["2025-01-01"], "timestamp"),
    "zone": (pa.array([datetime(2025, 1, 1, tzinfo=UTC)], pa.timestamp("us", "Asia/Shanghai")), "timestamp"),
    "nanoseconds": (pa.array([datetime(2025, 1, 1, tzinfo=UTC)], pa.timestamp("ns", "UTC")), "timestamp"),
    "before our calendar": (pa.array([-(2**60)], pa.timestamp("us", "UTC")), "timestamp"),
    "unsigned": (pa.array([1], pa.uint64()), "bigint"), "no double": ([2**60 + 1], "double"),
}  # fmt: skip


@pytest.mark.parametrize(("found", "type_"), ODD.values(), ids=ODD)
def test_what_an_engine_may_read_in_its_own_way_is_not_taken(found: Any, type_: str) -> None:
    with pytest.raises(NotPlain):
        taken(found if isinstance(found, pa.Array) else pa.array(found), type_)


def test_rows_of_one_key_that_differ_all_go_and_repeats_count_once(
    tmp_path: Path, spark: Any, project: Path, written: list[bool]
) -> None:
    found = pa.table(_columns()).slice(5, 3)
    found = pa.concat_tables([found, found.slice(1, 1), found.slice(2, 1).set_column(0, "id", pa.array([6], pa.int64()))])
    pq.write_table(found, tmp_path / "a.parquet", row_group_size=2)
    lake, other, outcome = at_once.both_ways(tmp_path, tmp_path / "a.parquet", TABLE, spark)
    assert written[0] and outcome.counts.written < outcome.counts.came_in
    with duckdb.connect() as duck:
        assert not differs(duck, lake, other, TABLE)
    assert at_once.waiting(lake, TABLE) == at_once.waiting(other, TABLE)


def test_a_column_that_is_gone_is_a_drift_as_ever(tmp_path: Path, spark: Any, project: Path) -> None:
    pq.write_table(pa.table(_columns()).drop_columns(["energy"]), tmp_path / "a.parquet")
    lake = Lake(tmp_path / "lake").init()
    land.land(lake, tmp_path / "a.parquet", TABLE)
    outcome = building.build(lake, spark, TABLE)[TABLE]
    assert outcome.status == "failed" and "no column for energy_kwh (from 'energy')" in outcome.reason


def test_a_damaged_delivery_is_refused_and_the_other_stands(tmp_path: Path, spark: Any, project: Path) -> None:
    lake = Lake(tmp_path / "lake").init()
    land.land(lake, _file(tmp_path / "a.parquet"), TABLE)
    content = bytearray(_file(tmp_path / "b.parquet", {"id": pa.array(range(100, 112), pa.int64())}).read_bytes())
    content[-4:] = b"gone"
    (tmp_path / "b.parquet").write_bytes(content)
    land.land(lake, tmp_path / "b.parquet", TABLE)
    outcome = building.build(lake, spark, TABLE)[TABLE]
    assert outcome.status == "built" and len(outcome.warnings) >= 1 and "delivery 2 (b.parquet) refused" in outcome.warnings[0]
    assert (1, "read") in building.rows(lake, "ops.reading", "delivery_id", "status")


def test_a_sum_that_the_writer_got_wrong_closes_no_balance(
    tmp_path: Path, spark: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake").init()
    land.land(lake, _file(tmp_path / "a.parquet"), TABLE)
    counted = direct.sums_caged

    def other(*given: Any) -> Any:
        return [{name: str(Decimal(value) + 1) for name, value in one.items()} for one in counted(*given)]  # type: ignore[union-attr]

    monkeypatch.setattr(direct, "sums_caged", other)
    outcome = building.build(lake, spark, TABLE)[TABLE]
    assert outcome.status == "failed" and "balance_energy_kwh" in outcome.reason


@pytest.mark.parametrize("change", [
    ("timezone: UTC", "timezone: Asia/Shanghai"), ("{type: string, required", "{type: string, pattern: '(.)', required"),
    ("key: [reading_id]", "key: [reading_id]\npartition_by: [day]"), ("unit: V", "unit: V, unit_from: kV"),
    ("rule: between, column: energy_kwh, low: 0.5, high: 999999.999999", "rule: length, column: meter, low: 1"),
], ids=["zone", "pattern", "partition", "unit", "rule"])  # fmt: skip
def test_what_a_contract_asks_beyond_types_and_limits_is_left_to_the_engine(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
) -> None:
    assert direct.plain(contract(TABLE)) and change[0] in READING
    other = building.lay(tmp_path / "other", {"schemas/cleaned/reading.yaml": READING.replace(*change)})
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(other))
    assert not direct.plain(contract(TABLE))
