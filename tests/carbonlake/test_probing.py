"""What `probe` proposes is a contract: accepted as it stands, it reads the file that it was made for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.probing import found_in, proposed
from jobs import query
from jobs.lake import Lake
from jobs.readers import cage
from schemas.errors import UserError
from schemas.rooms import SHIPPED, VARIABLE
from tests import documents

DATA = SHIPPED.parent / "shared" / "data"
PRICES = DATA / "electricity_timeseries" / "ElectricityProdex5MinRealtime.json"
BUILDING = SHIPPED / "samples" / "deliveries" / "building_meters" / "meters" / "Building_1.csv"


def say(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


@pytest.mark.parametrize(("file", "more"), [(PRICES, ("--option", "records=records")), (BUILDING, ())])
def test_the_contract_that_is_proposed_reads_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: Path, more: tuple[str, ...]
) -> None:
    found = json.loads(say("--json", "probe", str(file), *more, "--table", "cleaned.tried").stdout)
    for name, text in found["files"].items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    lake = str(tmp_path / "lake")
    say("--lake", lake, "land", str(file), "--source", "cleaned.tried")
    (built,) = json.loads(say("--lake", lake, "--json", "run", "cleaned.tried").stdout)
    assert built["status"] == "built" and built["rows_set_aside"] == 0
    content = json.loads(PRICES.read_text(), parse_float=str)["records"] if file == PRICES else file.read_text().splitlines()[1:]
    assert built["rows_written"] == built["rows_in"] == len(content) > 90
    if file == PRICES:
        shown = query.sql(Lake(lake), "select productionlt100mw, _locator from cleaned.tried order by _locator").to_pylist()
        by_place = {f"/records/{number}": Decimal(one["ProductionLt100MW"]) for number, one in enumerate(content)}
        assert {row["_locator"]: row["productionlt100mw"] for row in shown} == by_place


def test_a_proposal_says_how_many_rows_can_not_be_read() -> None:
    found = json.loads(
        say("--json", "probe", str(DATA / "power_plants" / "NGER_2013-2014.csv"), "--table", "cleaned.tried").stdout
    )
    (text,) = found["files"].values()
    assert text.endswith("# Rows that can't be read: 2 of 422. A build sets them aside, each with the reason.\n")


def test_a_file_of_several_tables_feeds_them_all_from_one_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = DATA / "documents_office" / "grve-20251231_lab.xml"
    found = json.loads(say("--json", "probe", str(file), "--table", "cleaned.label").stdout)
    assert found["left"] == {} and [Path(name).stem for name in found["files"]] == [
        "label", "label_loc", "label_labelarc", "label_label"]  # fmt: skip
    for name, text in found["files"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    lake = str(tmp_path / "lake")
    (landed,) = json.loads(say("--lake", lake, "--json", "land", str(file), "--source", "cleaned.label").stdout)
    built = json.loads(say("--lake", lake, "--json", "run", *(f"cleaned.{Path(name).stem}" for name in found["files"])).stdout)
    assert {(one["table"], one["status"], one["rows_written"], one["rows_set_aside"]) for one in built} == {
        ("cleaned.label", "built", 7, 0), ("cleaned.label_loc", "built", 152, 0),
        ("cleaned.label_labelarc", "built", 201, 0), ("cleaned.label_label", "built", 201, 0)}  # fmt: skip
    say("--lake", lake, "withdraw", str(landed["delivery"]), "--reason", "wrong")
    gone = json.loads(say("--lake", lake, "--json", "run", "cleaned.label", "cleaned.label_loc").stdout)
    assert [one["rows_written"] for one in gone] == [0, 0]


def test_a_parquet_file_is_proposed_with_its_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, lake = tmp_path / "a.parquet", str(tmp_path / "lake")
    at = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    pq.write_table(pa.table({"meter": ["a", "a", "b"], "at": at, "kwh": [1.5, None, 0.1], "n": [1, 2, 3]}), file)
    found = json.loads(say("--json", "probe", str(file), "--table", "cleaned.tried_too").stdout)
    ((name, text),) = found["files"].items()
    assert 'kwh: {type: "double"' in text and 'n: {type: "bigint"' in text and "key: [meter, at]" in text
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    say("--lake", lake, "land", str(file), "--source", "cleaned.tried_too")
    (built,) = json.loads(say("--lake", lake, "--json", "run", "cleaned.tried_too").stdout)
    assert (built["status"], built["rows_written"], built["rows_set_aside"]) == ("built", 3, 0)
    file = tmp_path / "b.parquet"
    pq.write_table(pa.table({"meter": ["c"], "at": at[:1], "kwh": [2.5], "n": [4.0]}), file)  # as pandas writes a gap
    say("--lake", lake, "land", str(file), "--source", "cleaned.tried_too")
    (built,) = json.loads(say("--lake", lake, "--json", "run", "cleaned.tried_too").stdout)
    assert (built["status"], built["rows_set_aside"]) == ("built", 0), built["reason"]
    rows = query.sql(Lake(lake), "select kwh, n, _locator from cleaned.tried_too order by n").to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1.5, 1, "row 1"), (None, 2, "row 2"), (0.1, 3, "row 3"), (2.5, 4, "row 1")]  # fmt: skip


def test_what_is_inside_is_shown_and_a_contract_offered() -> None:
    shown = say("probe", str(PRICES), "--option", "records=records")
    assert "is read as json" in shown.stdout and "BornholmSE4" in shown.stdout and "--table cleaned.<name>" in shown.stdout


def test_the_commands_of_the_document_work_as_they_stand() -> None:
    (script,) = [block.text for block in documents.blocks(SHIPPED / "docs" / "formats.md") if block.kind == "sh"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["sh", "-e", "-c", script], cwd=SHIPPED, env=os.environ | {"PATH": path}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "iso_code" in done.stdout and "format: csv" in done.stdout and "cleaned/my_meter.yaml" in done.stdout


def test_what_can_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(range(4)) * 2000)
    with pytest.raises(UserError, match=r"which no reader takes.*\n.*known formats: csv"):
        say("probe", str(tmp_path / "a.bin"))
    with pytest.raises(UserError, match="there is no such file"):
        say("probe", str(tmp_path / "b.csv"))
    with pytest.raises(UserError, match="is no YAML"):
        say("probe", str(PRICES), "--option", "records=[")
    with pytest.raises(UserError, match="there is no reader for format 'lotus'"):
        say("probe", str(PRICES), "--format", "lotus")
    with pytest.raises(UserError, match="write it as name=value"):
        say("probe", str(PRICES), "--option", "records")


def test_the_tables_of_a_workbook_are_read_by_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.Workbook()
    for number in range(5):
        sheet = book.create_sheet(f"S{number}")
        for row in (["site", f"kwh_{number}"], ["a", number], ["b", 2.5]):
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    started: list[Any] = []
    begin = cage._started
    monkeypatch.setattr(cage, "_started", lambda limits: (started.append(limits), begin(limits))[1])
    inside, read_as, given = found_in(tmp_path / "a.xlsx", "", {})
    assert len(inside["tables"]) == 5
    started.clear()
    texts, left = proposed("cleaned.book", tmp_path / "a.xlsx", read_as, given, inside)
    assert (len(texts), left, len(started)) == (5, {}, 1)
