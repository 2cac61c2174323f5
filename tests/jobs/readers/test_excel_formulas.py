from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.readers.excel_formula import stale
from jobs.readers.excel_sheet import Formula, Sheet, structure
from tests.jobs.readers.reading import read_file, refusal
from tests.jobs.readers.workbooks import SHEET, made, patched

COLUMNS: list[list[Any]] = [[1.0, 3.0, 0.5], [2.0, "", 10.0], ["x", True, 99.0]]


@pytest.mark.parametrize(("formula", "gives"), [
    ("A1+B1*A2", 7), ("(A1+B1)*A2", 9), ("-A1+B3/A3", 19), ("SUM(A1:B3)", 16.5), ("sum(A1:A3,B1)+1", 7.5), ("SUM($A$1:C2)", 6),
    ("10%*B3", 1), ("A1+B2", 1), ("SUM(A1,B1*2)", 5), ("2*-A1", -2), ("+A1--B1", 3), (".5+1.5E1", 15.5),
])  # fmt: skip
def test_simple_formulas_are_computed(formula: str, gives: float) -> None:
    (found,), computed = stale(Sheet(formulas={(2, 2): Formula(formula)}), COLUMNS)
    assert computed == 1 and found.gives == gives and found.saved == 99


@pytest.mark.parametrize("formula", [
    "AVERAGE(A1:A3)", "A1^2", "Sheet2!A1", "A1&B1", "A1:A3*2", "C1+1", "SUM(A1:A3*2)", "IF(A1>0,1,2)", "[1]S!A1", "A1/B2",
    "SUM(A:A)", "(" * 3000 + "1", "", "1 2", "SUM(", "A1+", "LOG10(A1)", "#REF!+1", "SUM(A1:B)", "NAME1.x",
])  # fmt: skip
def test_what_is_not_simple_is_left_alone(formula: str) -> None:
    assert stale(Sheet(formulas={(2, 2): Formula(formula)}), COLUMNS) == ([], 0)


def test_noise_of_binary_numbers_is_no_difference() -> None:
    columns = [[0.1, 1e16], [0.2, 1.0], [0.3, 1e16]]
    assert stale(Sheet(formulas={(0, 2): Formula("A1+B1"), (1, 2): Formula("A2+B2")}), columns) == ([], 2)


def test_formulas_that_share_a_text_move_with_their_cell() -> None:
    master = '<c r="B1"><f t="shared" ref="B1:B2" si="0">A1*$A$1</f><v>1</v></c>'
    child = '<c r="B2"><f t="shared" si="0"/><v>7</v></c>'
    rows = f'<row r="1"><c r="A1"><v>1</v></c>{master}</row><row r="2"><c r="A2"><v>5</v></c>{child}</row>'
    xml = f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
    found, computed = stale(structure(xml.encode(), "S"), [[1.0, 5.0], [1.0, 7.0]])
    assert computed == 2 and [str(one) for one in found] == ["B2: =A1*$A$1 (moved) gives 5.0, saved is 7.0"]


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = made(tmp_path / "book.xlsx", {"S": [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]]})
    return patched(path, SHEET, ("<f>A2*2</f><v></v>", "<f>A2*2</f><v>2</v>"), ("<f>A3*2</f><v></v>", "<f>A3*2</f><v>5</v>"))


def test_a_saved_value_that_the_formula_does_not_give_sets_its_row_aside(tmp_path: Path, wrong: Path) -> None:
    found = read_file(tmp_path, "excel", wrong)
    assert found.column("b") == ["2"] and found.rejected[0]["reason"] == "B3 is stale: =A3*2 gives 4.0, saved is 5.0"
    assert found.read.info["formulas"] == {
        "count": 2,
        "computed": 2,
        "stale": 1,
        "first": ["S!B3: =A3*2 gives 4.0, saved is 5.0"],
    }


def test_it_is_only_named_or_refuses_the_delivery_where_declared(tmp_path: Path, wrong: Path) -> None:
    found = read_file(tmp_path, "excel", wrong, stale="name")
    assert found.column("b") == ["2", "5"] and found.read.info["formulas"]["stale"] == 1
    said = refusal(tmp_path, "excel", wrong, stale="refuse")
    assert "B3: =A3*2 gives 4.0, saved is 5.0" in said and "compute it, save it" in said
    assert "known: set_aside, name, refuse" in refusal(tmp_path, "excel", wrong, stale="maybe")


def test_no_saved_value_of_a_reference_workbook_is_stale(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/national_inventories/EN_GHG_IPCC_AB.xlsx"
    found = read_file(tmp_path, "excel", path, sheet="Summary", header=5, columns={"A": "category"})
    assert found.read.info["formulas"] == {"count": 27, "computed": 27, "stale": 0}
