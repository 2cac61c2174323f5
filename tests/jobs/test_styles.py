"""A proposed contract says how numbers and dates are written, where only one way reads every value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.probing import found_in
from jobs import query
from jobs.lake import Lake
from jobs.proposal import Proposal, proposal
from jobs.styles import styles
from schemas.rooms import VARIABLE


@pytest.mark.parametrize(("values", "type_", "more"), [
    (["1,234", "12,345,678", "7"], "bigint", {"written": {"thousands": ","}}),
    (["1,234.5", "(7)"], "decimal(28,6)", {"written": {"parentheses": True, "thousands": ","}}),
    (["1.234,5", "7"], "decimal(28,6)", {"written": {"decimal": ",", "thousands": "."}}),
    (["0,3346", "12,5"], "decimal(28,6)", {"written": {"decimal": ","}}),
    (["1 234", "7"], "bigint", {"written": {"thousands": " "}}),
    (["12.5%", "7%"], "decimal(28,6)", {"written": {"percent": True}, "unit": "%"}),
    (["0,35%", "7%"], "decimal(28,6)", {"written": {"percent": True, "decimal": ","}, "unit": "%"}),
    (["1.2万", "3亿", "5"], "decimal(28,6)", {"written": {"counts": True}}),
    (["<0.01", "0.2", "—"], "decimal(28,6)", {"written": {"qualifier": "qualifier"}, "null_values": ["—"]}),
    (["\uff11\uff12", "3"], "bigint", {"written": {"wide": True}}),
    ([" \t853 ", "7"], "bigint", {}),
    (["1\u00a0234", "7"], "bigint", {"written": {"wide": True, "thousands": " "}}),
    (["\u00a05", "6\u202f"], "bigint", {"written": {"wide": True}}),
    (["1", "n/a", ".."], "bigint", {"null_values": ["n/a", ".."]}),
    (["1.5", "-"], "decimal(28,6)", {"null_values": ["-"]}),
    (["2024/3/5", "2024/12/31"], "date", {"format": "yyyy/M/d"}),
    (["31.12.2024", "5.3.2024"], "date", {"format": "d.M.yyyy"}),
    (["03/19/2009", "01/02/2010"], "date", {"format": "M/d/yyyy"}),
    (["19/03/2009", "NA"], "date", {"format": "d/M/yyyy", "null_values": ["NA"]}),
    (["12/24/15", "2/7/14"], "date", {"format": "M/d/yy"}),
    (["5 Mar 2024", "17 May 2024"], "date", {"format": "d MMM yyyy"}),
    (["2024年3月5日", "二〇二四年三月"], "date", {"format": "chinese"}),
    (["2024Q1", "2024年二季度"], "date", {"format": "quarter"}),
    (["2024-03", "2024-12"], "date", {"format": "yyyy-MM"}),
    (["2024-03-05T10:00:00Z", "2024-03-05T10:00:00+08:00"], "timestamp", {"format": "iso"}),
    (["9324460000000.5", "-"], "double", {"null_values": ["-"]}),
    (["2024-03-05", "-"], "date", {"null_values": ["-"]}),
])  # fmt: skip
def test_a_style_that_reads_every_value_is_found(values: list[str], type_: str, more: dict[str, Any]) -> None:
    found = styles({"a": values})["a"]
    assert (found.type, found.more) == (type_, more)


@pytest.mark.parametrize("values", [
    ["1,234", "5,678"],  # thousands, or a decimal comma
    ["03/05/2024", "04/06/2024"],  # March or May
    ["001", "1,234,567"],  # a code
    ["123 456", "789 012"],  # numbers, or codes with a blank
    ["12.5%", "0.3"], ["5万", "1万5"], ["31.2.2024", "1.1.2024"], ["2024/2/30", "2024/1/1"], ["-", "n/a"], ["a", "1"], ["", " "],
    ["10:30"], ["2024-03-05 10:00:00"],
    ["1900-02-30T00:00:00Z", "1900-03-01T00:00:00Z"], ["1234567890.123456", "-"],
    ["1.2.3"], ["2024年", "2024年3月5日"],
])  # fmt: skip
def test_what_two_styles_read_or_none_stays_text(values: list[str]) -> None:
    assert styles({"a": values}) == {}


def test_a_column_that_could_be_both_is_in_the_style_of_the_others() -> None:
    found = styles({"a": ["1,234", "5,678"], "b": ["1,234,567"], "c": ["x"]})
    assert {name: one.more for name, one in found.items()} == {key: {"written": {"thousands": ","}} for key in "ab"}
    german = styles({"a": ["1,234", "5,678"], "b": ["1,5"]})["a"]
    assert (german.type, german.more) == ("decimal(28,6)", {"written": {"decimal": ","}})


def proposed(path: Path) -> Proposal:
    _, read_as, given = found_in(path, "", {})
    return proposal(read_as, path, given)


@pytest.mark.parametrize(("name", "header", "type_", "more"), [
    ("power_plants/NGER_2012-2013.csv", "Electricity Production (GJ)", "bigint", {"written": {"thousands": ","}, "unit": "GJ"}),
    ("power_plants/NGER_2012-2013.csv", "Total Emissions  (t CO2-e)", "bigint", {"written": {"thousands": ","}}),
    ("carbon_market/GCP.csv", "date", "date", {"format": "yyyy/M/d"}),
    ("carbon_market/VCS_issuances.csv", "Issuance Date", "date", {"format": "M/d/yyyy"}),
    ("carbon_market/CAR_issuances.csv", "Date \nIssued", "date", {"format": "M/d/yy"}),
    ("carbon_market/VCS_issuances.csv", "Credits Issued", "bigint", None),  # some with tabs around
    ("atmosphere_science/175_BELLAHOUSTONACADEMY.csv", "julian_day", "string", None),  # more digits than a double tells apart
    ("facility_corporate/profit_and_emmissions_database.csv", "Scope 3 emissions tons CO₂e (2)", "bigint",
     {"null_values": ["-", "--"]}),
    ("facility_corporate/profit_and_emmissions_database.csv", "Combined share of profits", "decimal(28,6)",
     {"written": {"percent": True, "decimal": ","}, "unit": "%"}),
])  # fmt: skip
def test_styles_of_real_files_are_found(shared: Path, name: str, header: str, type_: str, more: dict[str, Any]) -> None:
    found = proposed(shared / "data" / name)
    assert (found.columns[header], found.more.get(header)) == (type_, more)


@pytest.mark.parametrize(("name", "rows"), [
    ("power_plants/NGER_2012-2013.csv", 382), ("carbon_market/GCP.csv", 1921), ("carbon_market/VCS_issuances.csv", 6750),
    ("codes/World-Bank-Population-Subnational.csv", 1865),
])  # fmt: skip
def test_the_contract_that_is_proposed_reads_a_real_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path, name: str, rows: int
) -> None:
    def say(*words: str) -> Any:
        return json.loads(CliRunner().invoke(app, ["--json", *words], catch_exceptions=False).stdout)

    file, lake = str(shared / "data" / name), str(tmp_path / "lake")
    for path, text in say("probe", file, "--table", "cleaned.tried")["files"].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    say("--lake", lake, "land", file, "--source", "cleaned.tried")
    (built,) = say("--lake", lake, "run", "cleaned.tried")
    assert (built["status"], built["rows_written"], built["rows_set_aside"]) == ("built", rows, 0), built["reason"]
    if "GCP" in name:
        found = query.sql(Lake(lake), "select min(source_date), max(source_date) from cleaned.tried").to_pylist()
        assert [str(value) for value in found[0].values()] == ["2014-03-20", "2023-02-20"]


def test_a_qualifier_is_proposed_with_its_column(tmp_path: Path) -> None:
    (tmp_path / "lab.csv").write_text("sample,co\n1,<0.01\n2,0.5\n")
    said = CliRunner().invoke(app, ["probe", str(tmp_path / "lab.csv"), "--table", "cleaned.lab"], catch_exceptions=False).stdout
    assert 'written: {"qualifier": "co_qualifier"}' in said and "co_qualifier: {type: string" in said


def test_units_below_a_header_are_proposed_and_a_count_under_a_count_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("site,power,output,产量（万吨）\n,(kW),万吨,\na,1,1.2万,1.2万\nb,2.5,3,3\n", encoding="utf-8")
    found = proposal("csv", path, {"units_row": True})
    assert found.columns == {"site": "string", "power": "decimal(28,6)", "output": "string", "产量（万吨）": "string"}
    assert found.more == {"power": {"unit": "kW"}}


@pytest.mark.parametrize(("values", "type_"), [
    (["1.5", "9324460000000.0"], "double"),  # beyond what a decimal of ours holds
    (["1.5", "1234567890.123456"], "string"),  # of more digits than a double tells apart
    (["1.5", "123456789.123456", "-0.123456"], "decimal(28,6)"),
])  # fmt: skip
def test_a_number_is_proposed_as_a_type_that_holds_it(values: list[str], type_: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["a", *values]) + "\n", encoding="utf-8")
    assert proposal("csv", tmp_path / "a.csv", {}).columns == {"a": type_}
