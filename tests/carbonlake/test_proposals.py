"""Of every format: what `probe` proposes for a file is a contract that reads it, accepted as it stands."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest
import yaml
from pyarrow import orc
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs import query
from jobs.lake import Lake
from schemas.rooms import SHIPPED, VARIABLE

DATA = SHIPPED.parent / "shared" / "data"


def say(*words: str) -> Any:
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that lands a file under the contract that is proposed for it, and returns the rows of the table."""

    def build(file: Path, *more: str, change: Any = None) -> list[dict[str, Any]]:
        return _built(tmp_path, monkeypatch, file, *more, change=change)

    return build


def _built(folder: Path, patch: pytest.MonkeyPatch, file: Path, *more: str, change: Any) -> list[dict[str, Any]]:
    found = json.loads(say("--json", "probe", str(file), *more, "--table", "cleaned.tried").stdout)
    for name, text in found["files"].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(change(text) if change else text)
    patch.setenv(VARIABLE, str(folder))
    lake = str(folder / "lake")
    say("--lake", lake, "land", str(file), "--source", "cleaned.tried")
    (run,) = json.loads(say("--lake", lake, "--json", "run", "cleaned.tried").stdout)
    assert (run["status"], run["rows_set_aside"]) == ("built", 0), run
    rows = query.sql(Lake(lake), "select * from cleaned.tried").to_pylist()
    assert len(rows) == run["rows_written"] == run["rows_in"]
    return rows


def _tar(folder: Path) -> Path:
    for month in (1, 2):
        (folder / f"2026-{month:02}.csv").write_text(f"day;kwh\n{month};1.5\n{month + 1};2\n")
    with tarfile.open(folder / "m.tar.gz", "w:gz") as archive:
        for month in (1, 2):
            archive.add(folder / f"2026-{month:02}.csv", f"m/2026-{month:02}.csv")
    return folder / "m.tar.gz"


def test_an_archive(tmp_path: Path, built: Any) -> None:
    rows = built(_tar(tmp_path))
    assert sorted((row["source_member"], row["day"], float(row["kwh"]), row["_locator"]) for row in rows) == [
        ("m/2026-01.csv", 1, 1.5, "m/2026-01.csv:2"), ("m/2026-01.csv", 2, 2.0, "m/2026-01.csv:3"),
        ("m/2026-02.csv", 2, 1.5, "m/2026-02.csv:2"), ("m/2026-02.csv", 3, 2.0, "m/2026-02.csv:3"),
    ]  # fmt: skip


def test_a_part_of_the_name_of_a_member(tmp_path: Path, built: Any) -> None:
    def month(text: str) -> str:
        contract = yaml.safe_load(text)
        contract["columns"]["source_member"]["pattern"] = r"(\d{4}-\d{2})\.csv$"
        return yaml.safe_dump(contract, sort_keys=False)

    assert {row["source_member"] for row in built(_tar(tmp_path), change=month)} == {"2026-01", "2026-02"}


def test_an_archive_of_the_reference_data(tmp_path: Path, built: Any) -> None:
    rows = built(DATA / "atmosphere_science" / "TOTALS_nc.zip")
    assert len(rows) == 35 * 71 and "member" not in rows[0]
    assert all(row["_locator"].startswith("v6.0_CH4_2015_TOTALS.5.3x5.1.nc!emi_ch4[") for row in rows)


def test_yaml(tmp_path: Path, built: Any) -> None:
    rows = built(DATA / "emission_factors" / "CN.yaml", "--option", 'records="capacity.*"')
    assert {row["_locator"]: float(row["value"]) for row in rows}["/capacity/biomass/0"] == 7590.0


def test_orc(tmp_path: Path, built: Any) -> None:
    orc.write_table(pa.table({"meter": ["a", "b"], "kwh": [1.5, None]}), tmp_path / "a.orc")
    assert [(row["meter"], row["kwh"]) for row in built(tmp_path / "a.orc")] == [("a", 1.5), ("b", None)]


def test_avro(tmp_path: Path, built: Any) -> None:
    fields = [{"name": "meter", "type": "string"}, {"name": "n", "type": ["null", "long"]}]
    with (tmp_path / "a.avro").open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "r", "fields": fields}, [{"meter": "a", "n": 2**53 + 1}])
    assert [(row["meter"], row["n"]) for row in built(tmp_path / "a.avro")] == [("a", 2**53 + 1)]


def test_a_page(tmp_path: Path, built: Any) -> None:
    rows = built(DATA / "electricity_timeseries" / "historical.html")
    assert len(rows) == 288 and rows[0]["_locator"].startswith("table 1 row ")


def test_text_of_fixed_width(tmp_path: Path, built: Any) -> None:
    file = DATA / "atmosphere_science" / "bsd.picarro.1minute.248m.min.dat"
    rows = built(file)
    assert len(rows) == len(file.read_text().splitlines()) - 3
    assert {row["_locator"]: float(row["ch4_c"]) for row in rows if row["_locator"] == "line 7"} == {"line 7": 1959.55}


def test_cdl_feeds_a_table_for_each_set_of_dimensions(tmp_path: Path, built: Any) -> None:
    (tmp_path / "a.cdl").write_text(
        "netcdf a { dimensions: x = 2 ; y = 1 ; variables: double v(x) ; int w(x) ; int n(y) ; "
        "data: v = 1.5, _ ; w = 3, 4 ; n = 7 ; }"
    )
    rows = built(tmp_path / "a.cdl")
    assert sorted((row["x_index"], row["v"], row["w"], row["_locator"]) for row in rows) == [
        (0, 1.5, 3, "v[0]"), (1, None, 4, "v[1]")]  # fmt: skip
    assert len(list((tmp_path / "schemas" / "cleaned").iterdir())) == 2
