"""A new table is proposed from a delivery, or from a table of a database, with names, types, units, a key and rules."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs import fetch as fetching
from jobs.lake import Lake
from jobs.proposal import told_unit
from schemas import contracts
from schemas.contracts import contract
from schemas.errors import UserError

HEAD = "site,day,电量(kWh),mass [t],status\n"
ROWS = [f"s{n},2026-01-{n:02},{n}.5,{n},{'on' if n % 2 else 'off'}\n" for n in range(1, 13)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with a database of SQLite among its connections."""
    with sqlite3.connect(tmp_path / "plant.db") as database:
        database.execute("create table reading (id integer primary key, name text, kwh numeric)")
        database.executemany("insert into reading values (?, ?, ?)", [(n, f"m{n % 2}", f"{n}.25") for n in range(7)])
    database.close()
    (tmp_path / "mine" / "schemas").mkdir(parents=True)
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path / "mine"))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("CARBONLAKE_CONNECTIONS", json.dumps({"plant": f"sqlite:///{tmp_path / 'plant.db'}"}))
    return tmp_path


def said(*words: str) -> Result:
    """Run a command as a process of its own would: with the contracts as they are now."""
    contracts._load.cache_clear()
    found = CliRunner().invoke(app, list(words))
    contracts._load.cache_clear()
    return found


def written(project: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        (project / "mine" / "schemas" / "cleaned" / f"{name}.yaml").read_text(encoding="utf-8")
    )
    return found


def test_a_contract_is_written_from_a_delivery(project: Path) -> None:
    file = project / "a.csv"
    file.write_text(HEAD + "".join(ROWS), encoding="utf-8")
    done = said("new", "cleaned.site_day", "--from", str(file))
    assert done.exit_code == 0 and "wrote" in done.stdout, done.exception
    found = written(project, "site_day")
    columns = found["columns"]
    names = {column["from"]: name for name, column in columns.items()}
    assert (found["key"], found["source"]["format"]) == (["site"], "csv")
    assert (columns["kwh"]["type"], columns["kwh"]["unit"], columns["kwh"]["from"]) == ("decimal(28,6)", "kWh", "电量(kWh)")
    assert [one["unit"] for one in columns.values() if "unit" in one] == ["kWh", "t"]
    assert found["rules"] == [
        {"rule": "at_least", "column": "kwh", "limit": 0, "else": "warn"},
        {"rule": "at_least", "column": names["mass [t]"], "limit": 0, "else": "warn"},
        {"rule": "one_of", "column": names["status"], "values": ["off", "on"], "else": "warn"},
    ]  # fmt: skip
    assert contract("cleaned.site_day").columns["kwh"].unit == "kWh"  # it loads as it stands


def test_what_may_be_below_zero_and_words_that_come_seldom_get_no_rule(project: Path) -> None:
    file = project / "a.csv"
    file.write_text("id,净额(元),note\n" + "".join(f"{n},{n - 3},note {n}\n" for n in range(12)), encoding="utf-8")
    assert said("new", "cleaned.note", "--from", str(file)).exit_code == 0
    assert written(project, "note")["rules"] == []


@pytest.mark.parametrize(
    ("header", "unit"),
    [("电量(kWh)", "kWh"), ("电量（万千瓦时）", "万千瓦时"), ("mass [t]", "t"), ("名称(全称)", ""),
     ("kWh", ""), ("x (note 1)", ""), ("f(", "")],
)  # fmt: skip
def test_a_unit_is_what_a_header_says_in_parentheses_at_its_end(header: str, unit: str) -> None:
    assert told_unit(header) == unit


def test_a_table_of_a_database_is_looked_at_without_taking_it(project: Path) -> None:
    found = json.loads(said("--json", "probe", "connection:plant/reading", "--table", "cleaned.plant_reading").stdout)
    assert found["inside"]["columns"] == {"id": "INTEGER", "name": "TEXT", "kwh": "NUMERIC"}
    assert (found["inside"]["key"], found["inside"]["rows"]) == (["id"], 7)
    assert found["inside"]["first_rows"][0] == [0, "m0", "0.25"] and len(found["inside"]["first_rows"]) == 5
    assert list(found["files"]) == ["schemas/cleaned/plant_reading.yaml"]
    assert not (project / "lake" / "raw").exists()


def test_the_contract_that_is_proposed_for_a_table_of_a_database_fetches_it(project: Path) -> None:
    assert said("new", "cleaned.plant_reading", "--from", "connection:plant/reading").exit_code == 0
    found = written(project, "plant_reading")
    assert found["source"]["fetch"] == {"by": "database", "connection": "plant", "table": "reading"} and found["key"] == ["id"]
    lake = Lake(str(project / "lake")).init()
    (receipt,) = fetching.fetch(lake, "cleaned.plant_reading", {"plant": f"sqlite:///{project / 'plant.db'}"})
    assert json.loads(receipt.declared)["rows"] == 7


def test_a_table_without_a_number_to_add_up_is_counted_all_the_same(project: Path) -> None:
    with sqlite3.connect(project / "plant.db") as database:
        database.execute("create table site (name text primary key)")
        database.execute("insert into site values ('a'), ('b')")
    database.close()
    assert said("new", "cleaned.plant_site", "--from", "connection:plant/site").exit_code == 0
    lake = Lake(str(project / "lake")).init()
    (receipt,) = fetching.fetch(lake, "cleaned.plant_site", {"plant": f"sqlite:///{project / 'plant.db'}"})
    assert json.loads(receipt.declared) == {"rows": 2, "sums": {}}


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (("probe", "connection:plant"), "names no table", "write connection:<name>/<table>"),
        (("probe", "connection:other/reading"), "there is no connection 'other'", "known: plant"),
        (("probe", "connection:plant/readings"), "there is no table 'readings'", "tables there: reading"),
        (("probe", "connection:plant/reading", "--format", "csv"), "has no format and no options", "leave them out"),
        (("new", "thematic.x", "--from", "a.csv"), "thematic.x reads no deliveries", "name a cleaned table"),
        (("new", "cleaned.x", "--format", "csv"), "none is named", "name it with --from"),
    ],
)
def test_what_cannot_be_looked_at_says_what_to_do(project: Path, words: tuple[str, ...], what: str, remedy: str) -> None:
    refused = said(*words).exception
    assert isinstance(refused, UserError) and what in str(refused) and remedy in str(refused)


def test_a_contract_that_is_there_is_not_written_over(project: Path) -> None:
    file = project / "a.csv"
    file.write_text("id\n1\n", encoding="utf-8")
    said("new", "cleaned.once", "--from", str(file))
    refused = said("new", "cleaned.once", "--from", str(file)).exception
    assert isinstance(refused, UserError) and "there is a table 'cleaned.once' already" in str(refused)
