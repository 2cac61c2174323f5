"""The deliveries of the demo: whose they are, that the script makes them, and the headline figures, by hand."""

from __future__ import annotations

import csv
import gzip
import hashlib
from pathlib import Path

import pytest

from samples.make import ROOM, claimant, write_samples
from samples.uscc import check, made_up, spoiled

DELIVERIES = ROOM / "deliveries"
OPEN = ("MIT", "CC BY 4.0", "CC0-1.0", "Apache-2.0", "public, source acknowledged", "PRC government document", "OGL v3.0")


def _rows(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_manifest_names_every_delivery_with_its_bytes() -> None:
    listed = {row["file"]: row for row in _rows(ROOM / "manifest.csv")}
    files = _files(DELIVERIES)
    assert listed.keys() == files.keys()
    assert {name: hashlib.sha256(body).hexdigest() for name, body in files.items()} == {
        name: row["sha256"] for name, row in listed.items()
    }
    assert sum(map(len, files.values())) < 8_000_000


def test_every_delivery_is_open_and_claimed_by_the_table_of_the_manifest() -> None:
    for row in _rows(ROOM / "manifest.csv"):
        one = claimant(row["file"])
        assert one.source and (one.table, one.source.publisher, one.source.licence) == (
            row["table"], row["publisher"], row["licence"])  # fmt: skip
        assert row["licence"].startswith(OPEN)
        assert (row["synthetic"] == "yes") == one.source.synthetic


def test_what_is_made_up_says_so_in_its_names() -> None:
    for row in _rows(DELIVERIES / "enterprises/enterprise/enterprises.csv", "gbk"):
        assert row["企业名称"].endswith("（虚构）") and "EXAMPLE" in row["统一社会信用代码"]


def test_factors_of_one_announcement_are_known_from_one_day_on() -> None:
    """Else an inventory as known before that day takes the nation's, with that of its provinces still to come."""
    rows = [row for row in _rows(ROOM / "deliveries/factors/grid/grid_factors.csv") if "2024 No.12" in row["source"]]
    assert {row["level"] for row in rows} >= {"national", "province", "region"}
    assert {row["published"] for row in rows} == {"2024-04-12"}


def test_nothing_is_redistributed_that_may_not_be(shared: Path) -> None:
    closed = [*(shared / "data/china_provincial").glob("*nventor*.xlsx"), *(shared / "data/codes").glob("GB_T4754*")]
    assert len(closed) == 14
    forbidden = {hashlib.sha256(path.read_bytes()).hexdigest() for path in closed}
    assert not forbidden & {hashlib.sha256(body).hexdigest() for body in _files(ROOM).values()}


def test_the_script_makes_the_deliveries_that_are_committed(shared: Path, tmp_path: Path) -> None:
    write_samples(shared, tmp_path)
    made, committed = _files(tmp_path), _files(DELIVERIES)
    assert {f"deliveries/{name}" for name in committed} | {"wrong_rows.csv"} == made.keys()
    # Bytes of HDF5 and deflated archives are those of a library's version; what they hold is tested by reading.
    for name, body in committed.items():
        if not name.endswith((".h5", ".docx", "excerpt.xlsx")):
            assert made[f"deliveries/{name}"] == body, name
    assert made["wrong_rows.csv"] == (ROOM / "wrong_rows.csv").read_bytes()


def test_the_script_makes_the_same_bytes_twice(shared: Path, tmp_path: Path) -> None:
    write_samples(shared, tmp_path / "one")
    write_samples(shared, tmp_path / "two")
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_building_1_used_10583_kwh_and_emitted_1719_kg() -> None:
    used = [float(row["non_shiftable_load"]) for row in _rows(DELIVERIES / "building_meters/meters/Building_1.csv")]
    factor = [float(row["carbon_intensity"]) for row in _rows(DELIVERIES / "building_meters/grid/carbon_intensity.csv")]
    assert len(used) == len(factor) == 8760
    assert round(sum(used), 1) == 10583.4
    assert round(sum(x * f for x, f in zip(used, factor, strict=True)), 1) == 1718.7


def test_the_second_edition_revises_21703_rows_in_six_columns() -> None:
    first, second = (_edition(day) for day in ("2020-08-07", "2020-11-27"))
    assert first.keys() == second.keys() and len(first) == 24016
    changed = {key: {c for c in row if row[c] != second[key][c]} for key, row in first.items()}
    assert sum(1 for columns in changed.values() if columns) == 21703
    assert set().union(*changed.values()) == {
        "trade_co2_share", "co2_per_capita", "consumption_co2_per_capita", "share_global_cumulative_co2", "co2_per_gdp",
        "consumption_co2_per_gdp",
    }  # fmt: skip


def _edition(day: str) -> dict[tuple[str, str], dict[str, str]]:
    with gzip.open(DELIVERIES / f"owid/co2/owid-co2-data_{day}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return {(row["country"], row["year"]): row for row in csv.DictReader(file)}


# Codes of well-known organisations, as printed on their licences.
@pytest.mark.parametrize("code", ["914403001922038216", "91440300708461136T", "911100007109250324"])
def test_check_characters_are_those_of_the_standard(code: str) -> None:
    assert check(code[:-1]) == code[-1]


def test_a_spoiled_code_does_not_fit() -> None:
    code = made_up("110000", 7)
    assert check(code[:-1]) == code[-1] != spoiled(code)[-1]


def test_every_factor_of_a_grid_tells_since_when_it_is_known_and_none_before_its_year() -> None:
    """One without a day would count as known for ever, in figures as they were known long before it was announced."""
    rows = _rows(ROOM / "deliveries/factors/grid/grid_factors.csv")
    assert rows and all(row["data_year"] < row["published"][:4] or "reporting" in row["kind"] for row in rows)
