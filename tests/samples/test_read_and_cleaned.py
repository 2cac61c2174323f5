"""Every delivery of the demo is read by the reader of its format and cleaned as its contract says."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jobs.clean import checks, clean
from jobs.readers import Request, read
from samples.make import ROOM, claimant

ROWS = {
    "cleaned.building_meter_hour": 43800, "cleaned.grid_intensity_hour": 8760, "cleaned.owid_co2": 48032,
    "cleaned.unfccc_profile": 217, "cleaned.provincial_weight": 1488, "cleaned.edgar_grid": 2485,
    "cleaned.edgar_grid_packed": 2485, "cleaned.enterprise": 27, "cleaned.enterprise_energy_month": 571,
    "cleaned.enterprise_output_month": 1724, "cleaned.fuel_factor": 50, "cleaned.grid_factor": 150, "cleaned.gwp": 81,
    "cleaned.park": 2, "cleaned.project": 2, "cleaned.individual": 2, "cleaned.facility": 3,
    "cleaned.process_factor": 463, "cleaned.standard_coal": 27,
    "cleaned.library_factor": 510, "cleaned.region_fuel_year": 31,
    "cleaned.measured_parameter": 4, "cleaned.emission_report": 9, "cleaned.factor_override": 1,
    "cleaned.defra_factor": 124, "cleaned.epa_factor": 222, "cleaned.eea_intensity": 841,
}  # fmt: skip


@dataclass(frozen=True)
class Cleaned:
    """The cleaned rows of a table, what each check found by file and line, and the malformed lines."""

    rows: pa.Table
    faults: dict[tuple[str, int], set[str]]
    rejected: int

    def sum(self, column: str) -> Decimal:
        """Return the exact sum of a measure."""
        total: Decimal = pc.sum(self.rows[column]).as_py()
        return total


@pytest.fixture(scope="module")
def cleaned(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Cleaned]:
    """Return what reads and cleans all deliveries of a table, once."""

    @cache
    def made(table: str) -> Cleaned:
        return _cleaned(spark, table, tmp_path_factory.mktemp("read"))

    return made


def _cleaned(spark: Any, table: str, folder: Path) -> Cleaned:
    faults: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    tables, rejected = [], 0
    for number, path in enumerate(_deliveries(table), 1):
        one = claimant(path.relative_to(ROOM / "deliveries").as_posix())
        assert one.source
        name = "/".join(path.parts[-len(PurePosixPath(one.source.path).parts) :])
        out = folder / str(number)
        out.mkdir()
        found = read(one.source.format, Request(path, out, number, name, one.source.options))
        rejected += found.rejected
        frame = spark.read.parquet(*[str(part) for part in sorted(out.glob("part-*.parquet"))])
        rows = clean(frame, one, {number: name}).toArrow()
        labels = [check.label for check in checks(one, frame.columns)]
        for row in rows.filter(pc.field("_verdict") != "ok").select(["_locator", "_rules"]).to_pylist():
            faults[name, row["_locator"]] |= {label for bit, label in enumerate(labels) if row["_rules"] >> bit & 1}
        tables.append(rows.filter(pc.field("_verdict") == "ok"))
    return Cleaned(pa.concat_tables(tables), dict(faults), rejected)


def _deliveries(table: str) -> list[Path]:
    files = sorted(path for path in (ROOM / "deliveries").rglob("*") if path.is_file())
    return [path for path in files if claimant(path.relative_to(ROOM / "deliveries").as_posix()).table == table]


@pytest.mark.parametrize("table", sorted(ROWS))
def test_every_row_arrives(cleaned: Callable[[str], Cleaned], table: str) -> None:
    assert cleaned(table).rows.num_rows == ROWS[table]


@pytest.mark.parametrize("table", [f"cleaned.enterprise{end}" for end in ("", "_fuel_month", "_output_month", "_energy_month")])
def test_exactly_the_rows_that_are_wrong_are_set_aside(cleaned: Callable[[str], Cleaned], table: str) -> None:
    files = {"/".join(path.parts[-2:]) for path in _deliveries(table)}
    with (ROOM / "wrong_rows.csv").open(encoding="utf-8", newline="") as file:
        wrong = [row for row in csv.DictReader(file) if row["file"] in files]
    # Conflicts of keys are found later, over all rows of a delivery.
    expected = {(row["file"], int(row["line"])): row["check"] for row in wrong
                if row["outcome"] == "quarantined" and row["check"] != "duplicate_key"}  # fmt: skip
    found = cleaned(table)
    assert found.faults.keys() == expected.keys()
    assert all(check in found.faults[place] for place, check in expected.items())
    assert found.rejected == sum(row["outcome"] == "rejected" for row in wrong)


def test_the_hours_of_a_building_are_the_year_of_its_day_types(cleaned: Callable[[str], Cleaned]) -> None:
    rows = cleaned("cleaned.building_meter_hour")
    first = rows.rows.filter(pc.field("building_id") == "1")
    starts = pc.min_max(first["period_start"]).as_py()
    assert (str(starts["min"]), str(starts["max"])) == ("2016-08-01 07:00:00+00:00", "2017-08-01 06:00:00+00:00")
    assert pc.count_distinct(first["period_start"]).as_py() == 8760
    assert round(pc.sum(first["electricity_kwh"]).as_py(), 1) == Decimal("10583.4")


def test_tonnes_and_kilowatt_hours_come_from_ten_thousands(cleaned: Callable[[str], Cleaned]) -> None:
    energy = cleaned("cleaned.enterprise_energy_month").rows.slice(0, 1).to_pylist()[0]
    with (ROOM / "deliveries/enterprises/energy/2023-2024.csv").open(encoding="gbk", newline="") as file:
        found = next(csv.DictReader(file))
    assert energy["electricity_purchased_kwh"] == Decimal(found["外购电量(万千瓦时)"]) * 10000


def test_weights_of_a_month_add_up_to_the_nation(cleaned: Callable[[str], Cleaned]) -> None:
    totals = (
        cleaned("cleaned.provincial_weight")
        .rows.group_by(["sector", "month"])
        .aggregate([("weight", "sum"), ("weight", "count")])
    )
    assert totals.num_rows == 2 * 24
    for row in totals.to_pylist():
        assert row["weight_count"] == 31 and row["weight_sum"] == pytest.approx(1, abs=1e-6)


def test_sectors_of_the_profile_add_up_to_its_total(cleaned: Callable[[str], Cleaned]) -> None:
    rows = [row for row in cleaned("cleaned.unfccc_profile").rows.to_pylist() if row["year"] == 2014]
    by_sector = {
        row["sector"]: row["emission_ktco2e"] for row in rows if row["sheet"] == "Data_by_sector" and row["gas"] == "GHG"
    }
    assert by_sector["total"] == sum(by_sector[sector] for sector in ("1", "2", "4", "6")) == Decimal(12300200)
    by_gas = {row["gas"]: row["emission_ktco2e"] for row in rows if row["sheet"] == "Data_by_gas" and not row["lulucf"]}
    assert by_gas["GHG"] == by_gas["CO2"] + by_gas["non-CO2"] == by_sector["total"]


def test_the_packed_twin_is_off_by_half_a_step_at_most(cleaned: Callable[[str], Cleaned]) -> None:
    plain, packed = (cleaned(f"cleaned.edgar_grid{end}").rows.to_pylist() for end in ("", "_packed"))
    largest = max(row["flux_kgco2_per_m2_s"] for row in plain)
    assert sum(row["flux_kgco2_per_m2_s"] is None for row in packed) == sum(row["flux_kgco2_per_m2_s"] == 0 for row in plain) > 0
    for here, there in zip(plain, packed, strict=True):
        assert (here["lat_index"], here["lon_index"]) == (there["lat_index"], there["lon_index"])
        if there["flux_kgco2_per_m2_s"] is not None:
            assert abs(here["flux_kgco2_per_m2_s"] - there["flux_kgco2_per_m2_s"]) <= largest / 130000 * (1 + 1e-9)


@pytest.mark.parametrize("table", ["cleaned.policy_pdf", "cleaned.policy_word"])
def test_documents_give_passages_in_chinese(cleaned: Callable[[str], Cleaned], table: str) -> None:
    rows = cleaned(table).rows
    text = "".join(rows["text"].to_pylist())
    assert rows.num_rows > 5 and ("碳排放" in text or "排放因子" in text)
