"""The contracts of cleaned tables: their examples come true, their units and codes agree with the code lists."""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from schemas import types
from schemas.codes import code_list, code_lists, codes
from schemas.contract import Example
from schemas.contracts import contracts
from tests import frames

CLEANED = sorted(t for t, c in contracts().items() if c.source)
EXAMPLES = [(table, one) for table in CLEANED for one in contracts()[table].examples]


@pytest.mark.parametrize("table", CLEANED)
def test_a_cleaned_table_says_whose_it_is_in_two_languages(table: str) -> None:
    one = contracts()[table]
    assert one.source
    assert one.source.licence and one.source.publisher and one.source.citation
    assert one.description and one.description_zh and one.key
    for name, column in one.columns.items():
        assert column.description and column.description_zh, f"{table}.{name} is not described"
        assert types.decimal_parts(str(column.type)) is None or column.unit, f"{table}.{name} has no unit"


@pytest.mark.parametrize(("table", "example"), EXAMPLES, ids=[table for table, _ in EXAMPLES])
def test_an_example_comes_true(spark: Any, table: str, example: Example) -> None:
    one = contracts()[table]
    made = [row for given in example.given["raw"] for row in frames.cleaned(spark, one, given)]
    fine = [row for row in made if row["_verdict"] == "ok"]
    assert len(made) - len(fine) == (example.quarantined or 0)
    assert len(fine) == len(example.expect)
    for expected, row in zip(example.expect, fine, strict=True):
        wanted = {name: frames.value(value, str(one.columns[name].type)) for name, value in expected.items()}
        for name, value in wanted.items():
            assert row[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), name


def test_what_flows_into_activity_has_the_unit_of_its_code() -> None:
    units = {row["code"]: row["unit"] for row in code_list("activity")}
    flows = [(one, code, flow) for one in contracts().values() for code, flow in one.activity.items()]
    assert len(flows) > 20
    for one, code, flow in flows:
        assert one.columns[flow.quantity].unit == units[code], f"{one.table}: {code}"


@pytest.mark.parametrize(("table", "column", "list_"), [
    ("cleaned.enterprise_fuel_month", "carrier_code", "energy_carrier"),
    ("cleaned.enterprise_output_month", "item_code", "activity"),
    ("cleaned.provincial_weight", "region_code", "region"),
])  # fmt: skip
def test_names_that_a_contract_translates_become_known_codes(table: str, column: str, list_: str) -> None:
    pairs = re.findall(r"when '([^']+)' then '([^']+)'", str(contracts()[table].columns[column].derive))
    names = {row["code"]: row["name"] for row in code_list(list_)}
    assert len(pairs) > 5
    assert {code for _, code in pairs} <= names.keys()
    if list_ == "energy_carrier":
        assert all(names[code] == name for name, code in pairs)


@pytest.mark.parametrize("list_", code_lists())
def test_a_code_list_has_parents_that_exist_periods_that_do_not_overlap_and_sources(list_: str) -> None:
    rows = code_list(list_)
    known = codes(list_)
    held: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        assert row["source"], f"{list_}: {row['code']} names no source"
        assert not row["parent"] or row["parent"] in known, f"{list_}: {row['code']} is below {row['parent']}"
        assert set(filter(None, (row.get("successor") or "").split("|"))) <= known
        held.setdefault(row["code"], []).append((row["valid_from"] or "0000-01-01", row["valid_to"] or "9999-12-31"))
    for code, periods in held.items():
        for (_, until), (begin, _) in pairwise(sorted(periods)):
            assert until < begin, f"{list_}: {code} holds twice at one time"


def test_the_industries_in_force_are_those_of_the_standard(shared: Path) -> None:
    sheet = openpyxl.load_workbook(shared / "data/codes/GB_T4754-2017_国民经济行业分类.xlsx", read_only=True)["Result 1"]
    standard = {row[1]: (row[2], row[3] or "") for row in sheet.iter_rows(min_row=2, max_col=4, values_only=True)}
    ours = {row["code"]: (row["name"], row["parent"]) for row in code_list("industry") if not row["valid_to"]}
    assert {code: standard[code] for code in ours} == ours
    levels = [row["level"] for row in code_list("industry")]
    assert (levels.count("section"), levels.count("division")) == (20, 97)


def test_a_code_that_changed_its_meaning_holds_for_its_own_days() -> None:
    def name(code: str, day: date) -> list[str]:
        at = day.isoformat()
        return [row["name"] for row in code_list("industry") if row["code"] == code
                and row["valid_from"] <= at and (not row["valid_to"] or at <= row["valid_to"])]  # fmt: skip

    assert name("4412", date(2015, 1, 1)) == ["水力发电"]
    assert name("4412", datetime(2020, 1, 1).date()) == ["热电联产"]


def test_regions_hold_every_published_division_once(shared: Path) -> None:
    lists = [(shared / f"data/codes/{file}.csv").read_text(encoding="utf-8") for file in ("provinces", "cities", "areas")]
    published = [line.split(",")[0] for text in lists for line in text.splitlines()[1:]]
    ours = {row["code"]: row for row in code_list("region")}
    assert {code.ljust(6, "0") for code in published} <= ours.keys()
    assert (ours["110000"]["iso"], ours["110000"]["parent"], ours["540000"]["grid"]) == ("CN-BJ", "CHN", "GRID-SW")
    assert (ours["371200"]["valid_to"], ours["371200"]["successor"]) == ("2018-12-25", "370100")
