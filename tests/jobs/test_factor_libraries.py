"""Public libraries of factors, whole: what is read, what is kept out and why, and in which units it enters the library."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jobs import land, quarantine
from jobs.lake import Lake
from jobs.outcome import Outcome
from jobs.query import sql
from jobs.run import run
from jobs.session import Engine
from models import units
from schemas.contracts import contract
from schemas.rooms import SHIPPED, VARIABLE

FILES = {
    "cleaned.defra_factor": ("Conversion_Factors_2020_-_Flat_file__for_automatic_processing_only_.xlsx",
                             "conversion-factors-2021-flat-file-automatic-processing.xls"),
    "cleaned.epa_factor": ("ghg_emissionsfactor_comprehensive_adapted.csv",),
    "cleaned.eea_intensity": ("co2-emission-intensity-6.csv",),
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(spark: Any, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a lake with the whole libraries in it, and the factors made of them."""
    made = Lake(tmp_path_factory.mktemp("libraries") / "lake").init()
    for table, names in FILES.items():
        for name in names:
            land.land(made, shared / "data/emission_factors" / name, table)
    outcomes = run(made, Engine("sail", spark), ["+knowledge.factor_conflict"])
    assert {
        one.table: one.reason for one in outcomes if one.status != "built" and one.table in (*FILES, "knowledge.factor")
    } == {}
    return made


def _aside(lake: Lake, table: str) -> Counter[str]:
    return Counter(str(row["rules"]) for row in quarantine.listed(lake, table))


def test_every_row_of_a_library_is_written_or_set_aside_with_its_reason(lake: Lake) -> None:
    rows = {table: sql(lake, f"select count(*) as n from {table}").to_pylist()[0]["n"] for table in FILES}
    aside = {table: _aside(lake, table) for table in FILES}
    assert rows == {"cleaned.defra_factor": 13212, "cleaned.epa_factor": 222, "cleaned.eea_intensity": 841}
    assert {table: sum(counts.values()) for table, counts in aside.items()} == {
        "cleaned.defra_factor": 1904, "cleaned.epa_factor": 14, "cleaned.eea_intensity": 62}  # fmt: skip
    # A room per night is no unit; most of the others are rows of the flat file without a value.
    assert {name: aside["cleaned.defra_factor"][name] for name in ("unit_is_read", "not_null_value")} == {
        "unit_is_read": 104, "not_null_value": 1788}  # fmt: skip
    assert sum(n for rules, n in aside["cleaned.epa_factor"].items() if "not_null_source" in rules) == 7


def test_every_unit_of_a_library_is_one_of_ours(lake: Lake) -> None:
    found = sql(lake, "select distinct unit from knowledge.factor").to_pylist()
    assert len(found) > 20
    assert [one["unit"] for one in found if not units.known(one["unit"])] == []


def test_parts_in_equivalents_add_up_to_the_whole_and_are_never_taken_for_masses(lake: Lake) -> None:
    """What DEFRA calls kg CH4 is kg CO2e of CH4."""
    (found,) = sql(
        lake,
        """
        select count(*) as n, max(abs(whole - parts)) as off from (
          select item, edition, sum(value) filter (gas = 'GHG') as whole, sum(value) filter (gas <> 'GHG') as parts
          from cleaned.defra_factor where level_1 = 'Fuels' and role <> 'energy' group by all having count(*) = 4)
    """,
    ).to_pylist()
    assert found["n"] > 100
    assert found["off"] < 0.001 * 3000
    masses = "select 1 from knowledge.factor where library = 'DEFRA' and role = 'ef' and gas in ('CH4', 'N2O')"
    assert sql(lake, masses).to_pylist() == []


def test_an_edition_holds_in_its_year_alone_and_both_stand_side_by_side(lake: Lake) -> None:
    found = sql(
        lake,
        """
        select edition, value, valid_from, valid_to from knowledge.factor where library = 'DEFRA' and gas = 'GHG'
        and item_name = 'UK electricity / Electricity generated / Electricity: UK / Scope 2 / kWh' order by edition
    """,
    ).to_pylist()
    assert [(one["edition"], round(one["value"], 9), str(one["valid_from"]), str(one["valid_to"])) for one in found] == [
        ("2020", 0.23314, "2020-01-01", "2020-12-31"), ("2021", 0.21233, "2021-01-01", "2021-12-31")]  # fmt: skip


def test_the_sum_of_a_row_tells_grams_from_kilograms(lake: Lake) -> None:
    found = sql(lake, "select gas_unit, count(*) as n from cleaned.epa_factor group by gas_unit").to_pylist()
    assert {one["gas_unit"]: one["n"] for one in found} == {"g": 93, "kg": 61, None: 68}


def test_numbers_of_the_factor_database_are_read_and_ranges_set_aside(
    spark: Any, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(SHIPPED / "tests/projects/efdb"))
    lake = Lake(tmp_path / "lake").init()
    land.land(lake, shared / "data/emission_factors/IPCC_EFDB_output.xlsx", "cleaned.efdb_factor")
    (outcome,) = run(lake, Engine("sail", spark), ["cleaned.efdb_factor"])
    (rows,) = sql(lake, "select count(*) as n, count(distinct unit) as units from cleaned.efdb_factor").to_pylist()
    assert (outcome.status, rows["n"], sum(_aside(lake, "cleaned.efdb_factor").values())) == ("built", 20517, 3495)
    texts = sql(lake, "select unit, count(*) as n from cleaned.efdb_factor where unit is not null group by unit").to_pylist()
    readable = sum(one["n"] for one in texts if units.known(one["unit"]))
    assert (readable, rows["units"]) == (9744, 564)


def test_two_factors_of_one_library_for_the_same_day_stop_the_build_and_are_named(spark: Any, tmp_path: Path) -> None:
    columns = [str(one.from_ or name) for name, one in contract("cleaned.library_factor").columns.items() if not one.derive]
    told = {"library": "mine", "factor_set": "mine", "item_zh": "柴油", "role": "ef", "activity_code": "fuel_diesel",
            "gas": "CO2", "value": "3.1", "unit": "tCO2/t", "source": "a report", "licence": "facts",
            "confidence": "verified"}  # fmt: skip
    lake = Lake(tmp_path / "lake").init()

    def built(*periods: tuple[str, str]) -> Outcome:
        rows = [told | {"valid_from": first, "valid_to": last} for first, last in periods]
        lines = [columns, *([row.get(name, "") for name in columns] for row in rows)]
        (tmp_path / "mine.csv").write_text("".join(",".join(line) + "\n" for line in lines), encoding="utf-8")
        land.land(lake, tmp_path / "mine.csv", "cleaned.library_factor")
        (outcome,) = run(lake, Engine("sail", spark), ["cleaned.library_factor"])
        return outcome

    overlapping = built(("2023-01-01", "2024-12-31"), ("2024-01-01", ""))
    diesel = "mine|柴油|fuel_diesel|ef|CO2"
    assert overlapping.status == "failed"
    assert f"{diesel}|2024-01-01 (from 2024-01-01) and {diesel}|2023-01-01" in overlapping.reason
    assert "end the earlier by valid_to" in overlapping.reason
    assert built(("2023-01-01", "2023-12-31"), ("2024-01-01", "")).status == "built"
