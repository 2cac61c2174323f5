"""Rows that were set aside: counted, shown, fixed, released or discarded by a person, with every decision on record."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs import corrections, land
from jobs.lake import Lake
from schemas.errors import UserError
from tests.jobs import building
from tests.jobs.building import csv, deliver

TABLE, MONTH = "cleaned.flow_merge", "thematic.flow_merge_month"
ROWS = [("good", "2025-01-01", 1, "x"), ("low", "2025-01-01", -5, "x"), ("odd", "2025-01-01", "1o", "x"),
        ("", "2025-02-01", 4, "x"), ("twin", "2025-02-01", 2, "x"), ("twin", "2025-02-01", 3, "x")]  # fmt: skip
Command = Callable[..., Any]


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), building.flows(["merge"]))))
        yield


@pytest.fixture
def ward(lake: Lake, spark: Any) -> Command:
    """Return what runs a command about quarantine and gives its answer, on a lake with six rows of which five wait."""
    deliver(lake, TABLE, "a.csv", csv(ROWS))
    building.build(lake, spark, f"{TABLE}+")

    def command(*words: str) -> Any:
        done = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", "quarantine", *words])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if words[0] in ("list", "show", "history") else done.output

    return command


def meters(lake: Lake) -> dict[str, int]:
    return {meter: int(mass) for meter, mass in building.rows(lake, TABLE, "meter", "mass_t")}


def months(lake: Lake) -> dict[str, int]:
    return {str(month)[:7]: int(mass) for month, mass in building.rows(lake, MONTH, "month", "mass_t")}


def test_what_waits_is_counted_by_rule_and_shown_with_place_and_text(ward: Command) -> None:
    counted = {(row["table"], row["rules"]): row["rows"] for row in ward("list", TABLE)}
    assert counted == {
        (TABLE, "at_least_mass_t"): 1, (TABLE, "type_mass_t"): 1, (TABLE, "key_not_null_meter"): 1, (TABLE, "duplicate_key"): 2,
    }  # fmt: skip
    assert ward("list") == ward("list", TABLE)
    shown = {row["row"]: row for row in ward("show", TABLE)}
    assert set(shown) == {"1:3", "1:4", "1:5", "1:6", "1:7"}
    assert shown["1:4"]["rules"] == "type_mass_t" and json.loads(shown["1:4"]["raw"])["t"] == "1o"
    assert {row["decision"] for row in shown.values()} == {""}
    assert ward("history", TABLE) == []


def test_a_fixed_row_is_cleaned_and_judged_like_any_other(lake: Lake, spark: Any, ward: Command) -> None:
    ward("fix", TABLE, "1:4", "t=10", "--note", "a letter for a figure")
    ward("fix", TABLE, "1:3", "t=-6", "--note", "still wrong")
    ward("fix", TABLE, "1:7", "day=2025-02-02", "--note", "the next day")
    ended = building.build(lake, spark, f"{TABLE}+")
    assert [one.status for one in ended.values()][:2] == ["built", "built"]
    assert meters(lake) == {"good": 1, "odd": 10, "twin": 3} and months(lake) == {"2025-01": 11, "2025-02": 5}
    shown = {row["row"]: (row["rules"], row["decision"]) for row in ward("show", TABLE)}
    assert shown == {"1:3": ("at_least_mass_t", "fix"), "1:5": ("key_not_null_meter", "")}
    ward("fix", TABLE, "1:3", "t=6", "--note", "asked again")
    building.build(lake, spark, f"{TABLE}+")
    assert meters(lake)["low"] == 6
    made = corrections.history(lake, TABLE)
    told = [(row["locator"], row["decision"], json.loads(row["values"]), row["note"]) for row in made]
    assert told == [
        ("4", "fix", {"t": "10"}, "a letter for a figure"), ("3", "fix", {"t": "-6"}, "still wrong"),
        ("7", "fix", {"day": "2025-02-02"}, "the next day"), ("3", "fix", {"t": "6"}, "asked again"),
    ]  # fmt: skip
    assert {(row["person"], row["delivery_id"]) for row in made} == {(getpass.getuser(), 1)}
    assert [row["note"] for row in ward("history", TABLE)] == [row["note"] for row in made]


def test_a_released_row_passes_declared_rules_and_no_others(lake: Lake, spark: Any, ward: Command) -> None:
    for row in ("1:3", "1:4", "1:5"):
        ward("release", TABLE, row, "--note", "confirmed")
    building.build(lake, spark, f"{TABLE}+")
    assert meters(lake) == {"good": 1, "low": -5} and months(lake) == {"2025-01": -4}
    assert {row["row"] for row in ward("show", TABLE)} == {"1:4", "1:5", "1:6", "1:7"}
    deliver(lake, TABLE, "b.csv", csv([("new", "2025-01-02", 7, "x")]))
    assert building.build(lake, spark, f"{TABLE}+")[TABLE].mode == "partitions"
    assert meters(lake) == {"good": 1, "low": -5, "new": 7}, "what was let pass stays when others come"


def test_a_discarded_row_waits_no_more_and_never_comes_back(lake: Lake, spark: Any, ward: Command) -> None:
    ward("discard", TABLE, "1:6", "--note", "a test row")
    ward("discard", TABLE, "1:5", "--note", "nobody's")
    ward("discard", TABLE, "1:2", "--note", "a good row may go too")
    ended = building.build(lake, spark, f"{TABLE}+")
    assert ended[TABLE].status == "built", ended[TABLE].reason
    assert meters(lake) == {"twin": 3}, "what contradicted the discarded row stands"
    assert {row["row"] for row in ward("show", TABLE)} == {"1:3", "1:4"}
    once = building.state(lake, [TABLE])
    building.build(lake, spark, f"{TABLE}+", force=True)
    assert building.state(lake, [TABLE]) == once
    assert building.build(lake, spark, TABLE)[TABLE].status == "skipped"


def test_decisions_about_what_is_not_there_are_refused(lake: Lake, spark: Any, ward: Command) -> None:
    for words, message in (
        (("fix", TABLE, "1:99", "t=1"), "row 1:99 is not there"),
        (("fix", TABLE, "9:3", "t=1"), "delivery 9 is not in force"),
        (("fix", TABLE, "1:3", "mass=1"), "mass: no such header"),
        (("fix", TABLE, "1:3", "t"), "a correction is header=value"),
        (("discard", TABLE, "three"), "'three' names no row"),
    ):
        with pytest.raises(UserError, match=message):
            ward(*words, "--note", "why")
    assert ward("history", TABLE) == []
    assert building.build(lake, spark, TABLE)[TABLE].status == "skipped"


def test_a_malformed_row_can_only_be_discarded(lake: Lake, spark: Any, ward: Command) -> None:
    deliver(lake, TABLE, "b.csv", csv([("p", "2025-01-03", 1, "x")]) + "torn,2025-01-03\n")
    building.build(lake, spark, TABLE)
    assert any(row["row"] == "2:3" and row["rules"].startswith("malformed: ") for row in ward("show", TABLE))
    with pytest.raises(UserError, match=r"row 2:3 could not be taken apart(.|\n)*discard it"):
        ward("release", TABLE, "2:3", "--note", "let it pass")
    ward("discard", TABLE, "2:3", "--note", "torn")
    assert building.build(lake, spark, TABLE)[TABLE].status == "built"
    assert "2:3" not in {row["row"] for row in ward("show", TABLE)}


def test_what_waits_goes_with_its_delivery(lake: Lake, spark: Any, ward: Command) -> None:
    ward("release", TABLE, "1:3", "--note", "confirmed")
    land.withdraw(lake, 1, "all wrong")
    deliver(lake, TABLE, "a.csv", csv([("good", "2025-01-01", 2, "x")]))
    assert building.build(lake, spark, f"{TABLE}+")[TABLE].status == "built"
    assert meters(lake) == {"good": 2} and ward("show", TABLE) == []
    assert len(ward("history", TABLE)) == 1
