"""Code lists through time: dated editions, codes that ended, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pyspark.sql import functions as F

from layers.codes import current, divided
from quality.rules import row_checks
from schemas.codes import OF_SEVERAL, code_list, code_lists, codes, periods, successors
from schemas.errors import UserError
from tests.jobs import building
from tests.quality.given import contract, judged, rows

TODAY = "2026-01-01"
OLD = "code,name,successor\nA1,coal,\nB1,metal,B2\nC1,various,C2|C3\nD1,horse carts,\n"
NEW = "code,name,successor\nA1,coal,\nB2,metals,\nC2,this,\nC3,that,\n"


@pytest.fixture
def trades(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay two editions of a list over the shipped ones."""
    files = {"schemas/codes/trade@2002-10-01.csv": OLD, "schemas/codes/trade@2017-10-01.csv": NEW}
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "trades", files)))
    return tmp_path / "trades" / "schemas" / "codes"


def test_an_edition_holds_from_its_day_until_the_next(trades: Path) -> None:
    assert "trade" in code_lists()
    held = {(row["code"], row["valid_from"], row["valid_to"]) for row in code_list("trade")}
    assert {("A1", "2002-10-01", "2017-09-30"), ("A1", "2017-10-01", ""), ("B2", "2017-10-01", "")} <= held
    assert codes("trade") == {"A1", "B1", "C1", "D1", "B2", "C2", "C3"}
    assert set(periods("trade")) == {("2002-10-01", "2017-09-30"), ("2017-10-01", "")}


def test_an_edition_named_by_no_day_is_refused_with_how_to_name_it(trades: Path) -> None:
    (trades / "other@lately.csv").write_text("code\nx\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"'lately' is no day(.|\n)*other@2017-10-01.csv"):
        code_list("other")


def test_what_came_of_a_code_is_followed_and_never_guessed(trades: Path) -> None:
    assert successors("trade", TODAY) == {"B1": ("B2",), "C1": ("C2", "C3"), "D1": ()}
    assert successors("region", TODAY)["330104"] == ("330102", "330114")
    assert successors("region", TODAY)["371202"] == ("370116",)
    assert successors("region", "2015-01-01").keys() >= {"110103", "310103"}
    assert "371202" not in successors("region", "2015-01-01")


def test_columns_map_old_codes_and_list_those_that_were_divided(spark: Any, trades: Path) -> None:
    frame = spark.createDataFrame([(code,) for code in ("A1", "B1", "C1", "D1", "Z9", None)], "code string")
    made = frame.select("code", current(F.col("code"), "trade", TODAY), divided(F.col("code"), "trade", TODAY)).collect()
    assert {row[0]: (row[1], row[2]) for row in made} == {
        "A1": ("A1", None), "B1": ("B2", None), "C1": (None, "C2|C3"), "D1": (None, None), "Z9": (None, None),
        None: (None, None),
    }  # fmt: skip


@pytest.mark.parametrize(("type_", "early", "late"), [("date", "2010-05-01", "2020-05-01"), ("int", "2010", "2020")])
def test_a_code_is_checked_at_the_day_or_year_of_its_row(spark: Any, trades: Path, type_: str, early: str, late: str) -> None:
    table = contract({"code": "string", "seen": type_}, [{"rule": "code", "column": "code", "codes": "trade", "at": "seen"}])
    (check,) = row_checks(table)
    given = [("A1", early), ("A1", late), ("B1", early), ("B1", late), ("B2", early), ("B2", late), ("B1", None), ("Z9", None)]
    frame = spark.createDataFrame(given, "code string, seen string")
    made = frame.withColumn("seen", F.col("seen").cast(type_)).withColumn("fine", check.predicate).collect()
    fine = [row.fine for row in made]
    assert fine == [True, True, True, False, False, True, True, False]
    values = [f"'{c}', {f'cast({a!r} as {type_})' if a else 'null'}, {0 if ok else 1}"
              for (c, a), ok in zip(given, fine, strict=True) if ok]  # fmt: skip
    assert judged(table, rows("code, seen, _rules", *values))["code_code"].passed, "another engine judges the same"
    lies = "'B1', cast('2020-05-01' as date), 0" if type_ == "date" else "'B1', 2020, 0"
    assert judged(table, rows("code, seen, _rules", lies))["code_code"].stops


def test_a_code_at_an_instant_asks_for_the_day_first() -> None:
    table = contract({"code": "string", "t": "timestamp"}, [{"rule": "code", "column": "code", "codes": "gas", "at": "t"}])
    with pytest.raises(UserError, match=r"`at` is a date or a year, 't' is timestamp(.|\n)*derive the day first"):
        [one.fine for one in row_checks(table)]


def test_the_whole_of_gb_t_4754_becomes_an_edition_by_placing_it(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.load_workbook(shared / "data/codes/GB_T4754-2017_国民经济行业分类.xlsx", read_only=True)
    found = [row[1:5] for row in book["Result 1"].iter_rows(min_row=2, values_only=True)]
    text = "\n".join(
        ["code,name,parent,level", *(f'{code},"{name}",{parent or ""},{level}' for code, name, parent, level in found)]
    )
    file = {"schemas/codes/trade@2017-10-01.csv": text}
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "whole", file)))
    levels = [row["level"] for row in code_list("trade")]
    assert [levels.count(level) for level in "0123"] == [20, 97, 473, 1381]
    assert {"01", "0111", "A"} <= codes("trade"), "leading zeros stay"
    assert not any(OF_SEVERAL in code for code in codes("trade"))
