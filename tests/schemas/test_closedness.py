"""A mistake in a contract is an error that names file, key and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas import rooms
from schemas.contracts import contract, contracts
from schemas.errors import UserError

GOOD = """\
description: Electricity of a meter.
owner: tests
inputs: [cleaned.building_meter_hour]
key: [id]
columns:
  id: {type: string, description: Meter}
  kwh: {type: "decimal(28,6)", unit: kWh, description: Electricity}
rules:
  - {rule: at_least, column: kwh, limit: 0}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project folder laid over the shipped rooms."""
    monkeypatch.setenv(rooms.VARIABLE, str(tmp_path))
    (tmp_path / "schemas" / "thematic").mkdir(parents=True)
    return tmp_path


def load(project: Path, text: str) -> None:
    """Place a contract and read all of them."""
    (project / "schemas" / "thematic" / "meter.yaml").write_text(text, encoding="utf-8")
    contracts()


def test_a_file_in_its_place_is_a_table(project: Path) -> None:
    load(project, GOOD)
    assert contract("thematic.meter").inputs == {"building_meter_hour": "cleaned.building_meter_hour"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("owner: tests", "ownr: tests", r"ownr: unknown key\n  → did you mean 'owner'\?"),
        ("unit: kWh", "unitt: kWh", r"columns.kwh.unitt: unknown key\n  → did you mean 'unit'\?"),
        ("limit: 0", "limt: 0", r"rules.0.limt: unknown key\n  → did you mean 'limit'\?"),
        ("limit: 0", "limit: 0, elze: warn", r"rules.0.elze: unknown key\n  → did you mean 'else'\?"),
        ("owner: tests\n", "", r"owner: this key is missing"),
        ("owner: tests", "owner: tests\nowner: again", r"line 3: not valid YAML: the key 'owner' is given twice"),
        ("owner: tests", "owner: tests\n{a: b}: c", r"line 3: not valid YAML: a key is no plain value"),
        ("type: string", "type: text", r"columns.id.type: unknown type 'text'; known: string, int"),
        ("decimal(28,6)", "decimal(28,9)", r"columns.kwh.type: unknown type 'decimal\(28,9\)'; .* s ≤ 6"),
        ("rule: at_least", "rule: atleast", r"rules.0: unknown rule 'atleast'; known: .*at_least"),
        (", limit: 0", "", r"rules.0: rule 'at_least' needs limit"),
        ("limit: 0", "limit: 0, values: [1]", r"rules.0: rule 'at_least' has no use for values"),
        ("rule: at_least", "rule: row_count, else: quarantine", r"rules.0: "),
        ("column: kwh", "column: kw", r"rules: 'kw' is not a column; columns: id, kwh"),
        ("key: [id]", "key: [ident]", r"key: 'ident' is not a column"),
        ("key: [id]", "key: [id]\nwrite: upsert", r"write: Input should be 'replace', 'merge', 'append' or 'period'"),
        ("building_meter_hour", "building_meter_hours",
         r"inputs: there is no table .*\n  → did you mean 'cleaned.building_meter_hour'"),
        ("key: [id]", "key: [id]\nname: meter", r"name: comes from the place of the file"),
        ("type: string, ", "", r"columns.id: no type here and no such field in schemas/fields/"),
        ("key: [id]", "key: [id]\nmigrations: [{change: rename, column: a}]",
         r"migrations.0: `to` names the new column of a rename"),
        ("key: [id]", "key: [id]\nbalance: [id]", r"balance: 'id' is string; only decimals and integers add up"),
        ("description: Meter", "description: Meter, unit_from: MWh", r"columns.id: `unit_from` .*; this is string, unit none"),
        ('"decimal(28,6)", unit: kWh', "bigint, unit: kWh, unit_from: MWh", r"columns.kwh: .*; this is bigint, unit kWh"),
        ("unit: kWh", "unit_from: MWh", r"columns.kwh: `unit_from` .*; this is decimal\(28,6\), unit none"),
        ("unit: kWh", "unit: kWh, unit_from: MWh, derive: id", r"columns.kwh: `unit_from` .*; this is derived"),
        ("key: [id]", "key: [id", r"line \d+: not valid YAML"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_and_key(project: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError, match=message) as caught:
        load(project, GOOD.replace(old, new, 1))
    assert str(caught.value).startswith("schemas/thematic/meter.yaml")


def test_a_measure_whose_type_is_a_shared_field_adds_up_exactly_too(project: Path) -> None:
    (project / "schemas" / "fields").mkdir()
    (project / "schemas" / "fields" / "mine.yaml").write_text("my_kwh: {type: double}", encoding="utf-8")
    with pytest.raises(UserError, match=r"balance: 'my_kwh' is double; only decimals and integers add up"):
        load(project, GOOD.replace("columns:\n", "balance: [my_kwh]\ncolumns:\n  my_kwh:\n"))


def test_a_field_is_defined_once(project: Path) -> None:
    (project / "schemas" / "fields").mkdir()
    for theme in ("one", "two"):
        (project / "schemas" / "fields" / f"{theme}.yaml").write_text("my_kwh: {type: int}", encoding="utf-8")
    with pytest.raises(UserError, match=r"schemas/fields/two.yaml: my_kwh: this field is already defined"):
        contracts()


def test_a_date_as_a_limit_needs_no_quotes(project: Path) -> None:
    load(project, GOOD + "  - {rule: between, column: id, low: 2026-01-01, high: 2026-12-31}\n")
    assert contract("thematic.meter").rules[1].low == "2026-01-01"


def test_a_wrong_name_of_a_table_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UserError,
        match=r"there is no table 'cleaned.building_metre_hour'\n  → did you mean cleaned.building_meter_hour",
    ):
        contract("cleaned.building_metre_hour")


def test_contracts_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        next(iter(contracts().values())).owner = "me"  # type: ignore[misc]


def test_an_activity_that_nobody_knows_is_refused_when_the_contract_is_read(project: Path) -> None:
    told = GOOD + "activity:\n  CODE: {quantity: kwh, subject: id, start: day, grain: day}\n"
    told = told.replace("  kwh:", "  day: {type: date, description: Day}\n  kwh:", 1)
    with pytest.raises(UserError) as raised:
        load(project, told.replace("CODE", "electricity_purchase"))
    assert str(raised.value).startswith("schemas/thematic/meter.yaml: activity.electricity_purchase: there is no activity ")
    assert "did you mean electricity_purchased" in str(raised.value) and "codes/activity.csv" in str(raised.value)
    load(project, told.replace("CODE", "electricity_purchased"))
