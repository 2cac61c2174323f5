"""A dry run tells what a build would do, and leaves the lake as it is, to the byte."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from jobs import groups, land
from jobs.lake import Lake
from jobs.session import Engine
from jobs.trial import trial
from schemas.errors import UserError
from schemas.rooms import VARIABLE
from tests.jobs.building import aside, build, csv, deliver, flows, lay, rows

TABLE = "cleaned.flow_merge"
ROWS = [("a", "2025-01-01", 1, "x"), ("b", "2025-01-01", 2, "x")]


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv(VARIABLE, str(lay(tmp_path / "mine", flows())))
    return Lake(tmp_path / "lake").init()


def tried(lake: Lake, spark: Any, name: str, content: str, table: str = TABLE, first: int = 5) -> dict[str, Any]:
    file = lake.folder.parent / "new" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return trial(lake, Engine("sail", spark), lambda name: Engine("sail", spark), file, table, first=first)


def everything(lake: Lake) -> dict[str, str]:
    files = [path for path in lake.folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(lake.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_tells_what_the_build_then_does(lake: Lake, spark: Any) -> None:
    deliver(lake, TABLE, "one.csv", csv(ROWS))
    build(lake, spark, TABLE)
    later = [("c", -1), ("d", "much"), ("e", 4), ("e", 4)]
    new = csv([("a", "2025-01-01", 9, "y"), *((meter, "2025-02-01", mass, "y") for meter, mass in later)])
    (told,) = tried(lake, spark, "two.csv", new)["tables"]
    assert (told["would"], told["rows_in"], told["written"], told["set_aside"], told["superseded"]) == ("write", 5, 2, 2, 1)
    assert (told["rows_before"], told["rows_after"]) == (2, 3)
    assert [(rule["rules"], rule["rows"], rule["first"][0]["locator"]) for rule in told["rules"]] == [
        ("at_least_mass_t", 1, "3"), ("type_mass_t", 1, "4")]  # fmt: skip
    assert '"much"' in told["rules"][1]["first"][0]["raw"]
    delivery = deliver(lake, TABLE, "two.csv", new)
    outcome = build(lake, spark, TABLE)[TABLE]
    assert len(rows(lake, TABLE)) == told["rows_after"]
    assert outcome.counts.set_aside == told["set_aside"]
    assert [(row[1], row[2]) for row in aside(lake, TABLE) if row[0] == delivery] == [
        (row["locator"], rule["rules"]) for rule in told["rules"] for row in rule["first"]]  # fmt: skip


@pytest.mark.parametrize("write", ["replace", "merge", "append", "period"])
def test_the_lake_stays_as_it_is(lake: Lake, spark: Any, write: str) -> None:
    table = f"cleaned.flow_{write}"
    deliver(lake, table, "one.csv", csv([*ROWS, ("c", "2025-03-01", -5, "x")]))
    build(lake, spark, table)
    before = everything(lake)
    for content in (csv([("a", "2025-01-01", 7, "z"), ("c", "2025-01-01", -7, "z")]), "other,columns\n1,2\n"):
        tried(lake, spark, "one.csv", content, table)
    assert everything(lake) == before


def test_the_first_rows_of_each_rule_are_shown_and_no_more(lake: Lake, spark: Any) -> None:
    (told,) = tried(lake, spark, "one.csv", csv([(n, "2025-01-01", -n, "x") for n in range(1, 30)]), first=3)["tables"]
    (rule,) = told["rules"]
    assert (rule["rows"], [row["locator"] for row in rule["first"]]) == (29, ["2", "3", "4"])


def test_the_same_bytes_as_before_are_said_so(lake: Lake, spark: Any) -> None:
    number = deliver(lake, TABLE, "one.csv", csv(ROWS))
    assert tried(lake, spark, "one.csv", csv(ROWS))["same_as"] == number


def test_a_file_that_the_reader_refuses_is_told_with_reason_and_remedy(lake: Lake, spark: Any) -> None:
    (told,) = tried(lake, spark, "one.csv", "")["tables"]
    assert told["would"] == "refuse" and "→" in told["reason"]


def test_columns_that_have_drifted_would_stop_the_build(lake: Lake, spark: Any) -> None:
    (told,) = tried(lake, spark, "one.csv", "meter,day,label\na,2025-01-01,x\n")["tables"]
    assert told["would"] == "stop" and "no column for mass_t" in told["reason"]
    assert "do not land it" in told["reason"] and "withdraw" not in told["reason"]


@pytest.mark.parametrize("fewest", [2, 99])  # deliveries that are read together
def test_what_was_landed_and_not_built_yet_is_not_counted_as_this_file(
    lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch, fewest: int
) -> None:
    monkeypatch.setattr(groups, "FEWEST", fewest)
    deliver(lake, TABLE, "one.csv", csv(ROWS))
    (told,) = tried(lake, spark, "two.csv", csv([("z", "2025-05-01", 1, "x")]))["tables"]
    assert (told["rows_in"], told["written"], told["rows_after"]) == (1, 1, 3)
    assert [one.name for one in land.receipts(lake, TABLE)] == ["one.csv"]


def test_a_table_that_reads_no_deliveries_is_refused(lake: Lake, spark: Any) -> None:
    with pytest.raises(UserError, match="reads no deliveries") as told:
        tried(lake, spark, "one.csv", csv(ROWS), "thematic.flow_merge_month")
    assert told.value.remedy == "name a cleaned table"
