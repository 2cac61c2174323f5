"""Forms: what is derived from a contract, what is refused with what was meant, and an entry on its whole way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from jobs import forms, land, query
from jobs.lake import Lake
from schemas.contract import Source
from schemas.contracts import contract
from schemas.errors import UserError
from schemas.rooms import SHIPPED, VARIABLE
from tests import documents
from tests.services.serving import server

TABLE = "cleaned.energy_report"
USCC, OTHER = "91130000EXAMPLE01T", "91110000EXAMPLE01J"
ROW = {"uscc": USCC, "month": "2025-01", "activity_code": "fuel_diesel", "quantity": "1250", "unit": "kg", "remark": ""}
ENTERPRISES = SHIPPED / "samples" / "deliveries" / "enterprises" / "enterprise"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a project that has a form, and a lake that knows the enterprises of the samples."""
    made = tmp_path_factory.mktemp("forms")
    shutil.copytree(SHIPPED / "samples" / "starter", made / "mine")
    for words in (["land", str(ENTERPRISES)], ["run", "cleaned.enterprise"]):
        done = documents.run(["carbonlake", "--lake", "lake", *words], made)
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def lake(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv(VARIABLE, str(folder / "mine"))
    return Lake(folder / "lake")


@pytest.fixture(scope="module")
def at(folder: Path) -> Iterator[str]:
    with server(folder / "lake", {VARIABLE: str(folder / "mine")}) as (address, _):
        yield address


def enter(at: str, rows: list[dict[str, str]], status: int = 200, what: str = "", **more: str) -> Any:
    body = {"rows": rows, "person": "王敏"} | more
    answer = requests.post(f"{at}/api/forms/{TABLE}{what}", json=body, timeout=120)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_form_asks_for_what_is_not_derived_with_help_in_both_languages(lake: Lake) -> None:
    form = forms.form(lake, TABLE)
    assert [field.name for field in form.fields] == ["uscc", "month", "activity_code", "quantity", "unit", "remark"]
    kinds = [(field.kind, field.required, field.key) for field in form.fields]
    assert kinds == [("choice", True, True), ("month", True, True), ("choice", True, True), ("number", True, False),
                     ("choice", True, False), ("text", False, False)]  # fmt: skip
    month = form.fields[1]
    assert (month.help, month.help_zh, month.low, month.high) == (
        "Month, e.g. 2026-01",
        "月份，如 2026-01",
        "2015-01-01",
        "2035-12-01",
    )
    diesel = next(choice for choice in form.fields[2].choices if choice.value == "fuel_diesel")
    assert (diesel.name, diesel.name_en, diesel.unit) == ("柴油燃烧", "combustion of diesel", "t")


def test_units_are_those_that_measure_what_is_chosen(lake: Lake) -> None:
    form = forms.form(lake, TABLE)
    measured = {code: form.units({"activity_code": code}) for code in ("fuel_diesel", "fuel_natural_gas", "heat_purchased")}
    assert measured["fuel_diesel"] == ("t", "kg")
    assert measured["fuel_natural_gas"] == ("1e4Nm3", "Nm3")
    assert set(measured["heat_purchased"]) >= {"GJ", "MJ"} and "t" not in measured["heat_purchased"]


@pytest.mark.parametrize(
    ("given", "field", "what", "near"),
    [
        ({"uscc": "91130000EXAMPLE01I"}, "uscc", "is not known in cleaned.enterprise", USCC),
        ({"uscc": "示例电力甲"}, "uscc", "is not known in cleaned.enterprise", ""),
        ({"activity_code": "柴油"}, "activity_code", "柴油 is not known", "fuel_diesel"),
        ({"activity_code": "diesel"}, "activity_code", "diesel is not known", "fuel_diesel"),
        ({"unit": "Nm3"}, "unit", "does not measure what this row is about", "kg"),
        ({"quantity": "约5"}, "quantity", "is no number", ""),
        ({"quantity": "1,250"}, "quantity", "is no number", ""),
        ({"quantity": "-1"}, "quantity", "-1 is below 0", ""),
        ({"quantity": ""}, "quantity", "a value is needed", ""),
        ({"month": "2025-13"}, "month", "is no month; write 2026-01", ""),
        ({"month": "1999-01"}, "month", "is not between 2015-01-01 and 2035-12-01", ""),
        ({"remark": "two\nlines"}, "remark", "one line", ""),
        ({"fuel": "diesel"}, "fuel", "no such field", ""),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_meant(
    lake: Lake, given: dict[str, str], field: str, what: str, near: str
) -> None:
    found = [fault for fault in forms.faults(forms.form(lake, TABLE), [ROW, ROW | given]) if fault.field == field]
    assert len(found) == 1 and found[0].row == 2
    assert what in found[0].what
    assert near in ("", *found[0].near)


def test_a_name_of_an_enterprise_leads_to_its_code(lake: Lake) -> None:
    form = forms.form(lake, TABLE)
    name = next(choice.name for choice in form.fields[0].choices if choice.value == USCC)
    assert forms.nearest(name, form.fields[0].choices)[0] == USCC


def test_an_entry_lands_by_the_ordinary_door_and_is_traced_to_its_row(at: str, lake: Lake, folder: Path) -> None:
    gas = {"activity_code": "fuel_natural_gas", "quantity": "2.5", "unit": "1e4Nm3", "remark": "<script>alert(1)</script>"}
    rows = [ROW, ROW | gas, ROW | {"activity_code": "electricity_purchased", "quantity": "3", "unit": "MWh"}]
    done = enter(at, rows, build="table")
    assert done["fresh"] and {one["status"] for one in done["built"]} == {"built"}
    (receipt,) = land.receipts(lake, TABLE)
    version = forms.form(lake, TABLE).version
    assert receipt.note == f"form {version}, entered by 王敏" and receipt.name.startswith("energy_report/")
    columns = ("consumption_t", "consumption_1e4nm3", "electricity_purchased_kwh")
    asked = query.sql(lake, f"from {TABLE} order by activity_code").to_pylist()
    assert [(row["activity_code"], *(row[name] and float(row[name]) for name in columns)) for row in asked] == [
        ("electricity_purchased", None, None, 3000), ("fuel_diesel", 1.25, None, None),
        ("fuel_natural_gas", None, 2.5, None)]  # fmt: skip
    assert {(row["entered_by"], row["form_version"]) for row in asked} == {("王敏", version)}
    words = [
        "--project",
        "mine",
        "--lake",
        "lake",
        "trace",
        TABLE,
        f"uscc={USCC}",
        "month=2025-01-01",
        "activity_code=fuel_natural_gas",
    ]
    traced = documents.run(["carbonlake", *words], folder)
    assert "form entry row 2" in traced.stdout and "王敏" in traced.stdout, traced.stdout + traced.stderr


def test_where_a_row_is_wrong_none_is_landed(at: str, lake: Lake) -> None:
    before = land.receipts(lake, TABLE)
    told = enter(at, [ROW | {"month": "2025-06"}, ROW | {"month": "2025-06", "activity_code": "柴油"}], 422)
    assert told["error"] == "1 values are not right; nothing was landed" and told["remedy"]
    assert [(fault["row"], fault["field"], fault["near"][0]) for fault in told["faults"]] == [(2, "activity_code", "fuel_diesel")]
    assert land.receipts(lake, TABLE) == before


def test_the_rules_of_the_contract_judge_again(at: str, lake: Lake) -> None:
    before = land.receipts(lake, TABLE)
    twice = [ROW | {"month": "2025-07", "quantity": "1"}, ROW | {"month": "2025-07", "quantity": "2"}]
    found = enter(at, twice, what="/check")["faults"]
    assert [(fault["row"], fault["what"]) for fault in found] == [(1, "breaks duplicate_key"), (2, "breaks duplicate_key")]
    kwh = [ROW | {"activity_code": "heat_purchased", "unit": "kWh"}]  # measures heat, but the table converts it by no rule
    (fault,) = enter(at, kwh, 422)["faults"]
    assert fault["what"] == "breaks one_quantity"
    assert land.receipts(lake, TABLE) == before
    assert requests.get(f"{at}/api/uploads", timeout=30).json() == []


def test_an_entry_names_who_made_it(at: str) -> None:
    told = enter(at, [ROW], 400, person=" ")
    assert told["error"] == "an entry says who made it" and told["remedy"] == "give a name"


def test_an_empty_entry_is_refused(lake: Lake) -> None:
    with pytest.raises(UserError, match="1 to 2,000 rows") as told:
        forms.faults(forms.form(lake, TABLE), [])
    assert told.value.remedy == "fill in a row"


def test_nobody_is_known_before_the_enterprises_were_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(folder / "mine"))
    form = forms.form(Lake(tmp_path / "lake").init(), TABLE)
    (fault,) = forms.faults(form, [ROW])
    assert fault.what == "cleaned.enterprise has no rows yet, so nobody is known"


def test_a_table_that_nobody_fills_in_has_no_form(lake: Lake) -> None:
    with pytest.raises(UserError, match="not filled in by hand") as told:
        forms.form(lake, "cleaned.enterprise")
    assert "form: true" in told.value.remedy and TABLE in told.value.remedy


@pytest.mark.parametrize(
    "wrong", [{"format": "excel"}, {"options": {"encoding": "gbk"}}, {"path": "*/x.csv"}, {"path": "a/b.csv"}]
)
def test_a_form_is_for_plain_csv(wrong: dict[str, Any]) -> None:
    given = {"zone": "z", "path": "a/*.csv", "format": "csv", "form": True, "publisher": "p", "licence": "l"} | wrong
    with pytest.raises(ValueError, match="what is filled in comes as plain csv"):
        Source(**given)


def test_the_energy_report_is_activity_of_every_fuel(lake: Lake) -> None:
    one = contract(TABLE)
    allowed = next(rule.values for rule in one.rules if rule.label == "one_of_activity_code")
    assert sorted(one.activity) == sorted(map(str, allowed))
