from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carbonlake.probing import found_in
from jobs.readers.excel import probe
from schemas.errors import UserError
from tests.jobs.readers.reading import read_file
from tests.jobs.readers.workbooks import made

TITLED = [
    ["Use of energy"],
    [],
    ["site", "use", "heat"],
    [None, "kWh", "GJ"],
    ["a", 1.5, 2],
    ["b", 2.5, 3],
    ["合计", 4, 5],
    [],
    ["注：估"],
]


def look(folder: Path, sheets: Any, **given: Any) -> dict[str, Any]:
    return probe(made(folder / "book.xlsx", sheets), given)


def test_header_units_and_totals_are_proposed_and_read_the_table(tmp_path: Path) -> None:
    found = look(tmp_path, {"S": TITLED})
    assert found["tables"] == {"S": {"sheet": "S", "header": 3, "units_row": True, "totals": {}}}
    read = read_file(tmp_path, "excel", tmp_path / "book.xlsx", **found["tables"]["S"])
    assert read.column("site") == ["a", "b"] and read.read.info["units"] == {"use": "kWh", "heat": "GJ"}
    assert read.read.info["totals"]["hold"] == 1 and read.read.info["footnotes"] == [{"place": "S!A9", "text": "注：估"}]


def test_totals_that_do_not_hold_are_not_proposed_away(tmp_path: Path) -> None:
    found = look(tmp_path, {"S": [["a", "b"], ["x", 1], ["Total energy", 7]]})
    assert found["tables"] == {"S": {"sheet": "S"}}
    assert "the total 'Total energy' is not the sum of its parts: B3 says 7, and the parts add up to 1" in found["notes"][0]


@pytest.mark.parametrize("label", ["合计", "总 计", "Total", "Sub-total", "Sum"])
def test_a_plain_total_that_does_not_hold_is_no_row_beside_its_parts(tmp_path: Path, label: str) -> None:
    found = look(tmp_path, {"S": [["a", "b"], ["x", 1], ["y", 2], [label, 7]]})
    assert found["tables"] == {"S": {"sheet": "S", "totals": {}}} and "B4 says 7" in found["notes"][0]
    read = read_file(tmp_path, "excel", tmp_path / "book.xlsx", **found["tables"]["S"])
    assert read.column("a") == ["x", "y"] and [row["_locator"] for row in read.rejected] == ["S!4"]


def test_sheets_of_one_shape_are_proposed_as_one_table(tmp_path: Path) -> None:
    rows = [["a", "b"], ["x", 1.5]]
    found = look(tmp_path, {"NOTE": [["this"]], "BJ2010": rows, "TJ2010": rows, "other": [["c", "d"], ["x", 1.5]]})
    assert found["tables"] == {"BJ2010": {"sheets": r".*\d{4}"}, "other": {"sheet": "other"}}
    assert found["notes"] == ["2 sheets of one shape are stacked: BJ2010, TJ2010", "sheet 'NOTE' holds no table"]


@pytest.mark.parametrize(("rows", "tables"), [
    ([["a", "b"], ["x", 1.5], [], ["c", "d"], ["y", 2.5]], [{"last_row": 2}, {"header": 4}]),
    ([["a", "b", None, "c", "d"], ["x", 1.5, None, "y", 2.5], [None, None, None, "z", 3.5]], [{"area": "A:B"}, {"area": "D:E"}]),
])  # fmt: skip
def test_several_tables_of_one_sheet_are_proposed_each(tmp_path: Path, rows: list[Any], tables: list[Any]) -> None:
    found = look(tmp_path, {"S": rows})
    assert list(found["tables"].values()) == [{"sheet": "S"} | one for one in tables]
    assert found["notes"] == ["sheet 'S' has several tables, a contract for each"]
    for one in found["tables"].values():
        assert read_file(tmp_path, "excel", tmp_path / "book.xlsx", **one).read.rows


def test_a_table_ends_above_formulas_without_values(tmp_path: Path, shared: Path) -> None:
    found = probe(shared / "data/national_inventories/CHN_ghg_profile.xlsx", {})["tables"]
    assert found["Data_by_sector"] == {"sheet": "Data_by_sector", "last_row": 46}
    assert found["Data_by_gas"] == {"sheet": "Data_by_gas", "last_row": 22}


def test_headers_that_come_twice_get_a_number(tmp_path: Path) -> None:
    found = look(tmp_path, {"S": [["gas", "CH4", "CH4"], ["x", 1.5, 2.5]]})
    assert found["tables"]["S"]["columns"] == {"C": "CH4 (2)"}


def test_the_ceads_workbook_is_read_as_it_is_proposed(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/china_provincial/Emission_Inventories_for_30_Provinces_2010.xlsx"
    inside, read_as, _ = found_in(path, "", {})
    assert read_as == "excel"
    assert inside["tables"]["Shanghai2010"] == {"sheets": r".*\d{4}", "header": [1, 2], "totals": {}}
    found = read_file(tmp_path, "excel", path, **inside["tables"]["Shanghai2010"])
    assert (found.read.rows, found.read.rejected, found.read.info["totals"]["hold"]) == (30 * 47, 0, 30)


def test_every_table_proposed_of_the_reference_workbooks_is_read_or_refused_with_a_reason(tmp_path: Path, shared: Path) -> None:
    read, refused = 0, []
    for path in sorted((shared / "data").glob("*/*.xls*")):
        if path.stat().st_size > 1_000_000 or ("Provinces_20" in path.name and "2010" not in path.name):
            continue
        for name, options in probe(path, {}).get("tables", {}).items():
            try:
                read += bool(read_file(tmp_path, "excel", path, **options).read.rows)
            except UserError as error:
                refused.append(f"{path.name} {name}: {error}")
    print(read, refused)
    assert read > 150 and all("\n  → " in one for one in refused)
