"""A month is found in the names of deliveries, and a backfill lands those of one month alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.months import checked, named
from schemas.errors import UserError


@pytest.mark.parametrize(
    ("path", "months"),
    [
        ("2026-01.csv", {"2026-01"}), ("meters_202601.csv", {"2026-01"}), ("2026/01/x.csv", {"2026-01"}),
        ("20260131.csv", {"2026-01"}), ("2026年1月.xlsx", {"2026-01"}), ("2026-01_2026-03.csv", {"2026-01", "2026-03"}),
        ("2023-2024.csv", set()), ("2024-Q4-correction.csv", set()), ("v12026-01.csv", set()), ("20261301.csv", set()),
        ("meter.csv", set()),
    ],
)  # fmt: skip
def test_a_name_says_its_months(path: str, months: set[str]) -> None:
    assert named(path) == months


@pytest.mark.parametrize("text", ["2026-13", "2026", "january", "2026-01-01", "2026-01; rm -rf /"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no month"):
        checked(text)


def test_of_a_drop_folder_only_the_deliveries_of_the_month_are_landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = tmp_path / "drop" / "cleaned.owid_co2"
    for name in ("2026-01.csv", "2026-02.csv", "late/20260115.csv", "any.csv"):
        (drop / name).parent.mkdir(parents=True, exist_ok=True)
        (drop / name).write_text(f"country,year\n{name},2020\n")
    monkeypatch.setenv("CARBONLAKE_DROP", str(tmp_path / "drop"))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))

    def landed(*words: str) -> list[str]:
        done = CliRunner().invoke(app, ["--json", "land", "--source", "cleaned.owid_co2", *words], catch_exceptions=False)
        return sorted(row["name"] for row in json.loads(done.stdout) if row["state"] == "new") if done.stdout.strip() else []

    assert landed("--month", "2026-03") == []
    done = CliRunner().invoke(app, ["--json", "land", "--source", "cleaned.owid_co2", "--month", "2026-03"])
    assert "their names say no month: 1 files" in done.stderr
    assert landed("--month", "2026-01") == ["2026-01.csv", "late/20260115.csv"]
    assert landed("--month", "2026-01") == []
    assert landed() == ["2026-02.csv", "any.csv"]


def test_drop_folders_of_several_tables_are_landed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("cleaned.owid_co2", "cleaned.enterprise", "cleaned.gwp"):
        (tmp_path / "drop" / table).mkdir(parents=True)
        (tmp_path / "drop" / table / "a.csv").write_text(f"{table}\n")
    monkeypatch.setenv("CARBONLAKE_DROP", str(tmp_path / "drop"))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))
    two = ("--source", "cleaned.owid_co2", "--source", "cleaned.gwp")
    done = CliRunner().invoke(app, ["--json", "land", *two, "--source", "cleaned.process_factor"], catch_exceptions=False)
    assert sorted(row["source"] for row in json.loads(done.stdout)) == ["cleaned.gwp", "cleaned.owid_co2"]
    with pytest.raises(UserError, match="files are for one table"):
        CliRunner().invoke(app, ["land", str(tmp_path / "drop"), *two], catch_exceptions=False)


def test_a_run_may_land_first_and_of_its_own_sources_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ("cleaned.owid_co2", "cleaned.gwp"):
        for month in ("2026-01", "2026-02"):
            path = tmp_path / "drop" / table / f"{month}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"country,year,iso_code,co2\n{month},2020,,1\n")
    monkeypatch.setenv("CARBONLAKE_DROP", str(tmp_path / "drop"))
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))

    def names(*words: str) -> list[str]:
        CliRunner().invoke(app, ["--json", "run", *words])
        done = CliRunner().invoke(app, ["--json", "deliveries"], catch_exceptions=False)
        return [row["name"] for row in json.loads(done.stdout)] if done.stdout.strip() else []

    assert names("cleaned.owid_co2") == []
    assert names("cleaned.owid_co2", "--land", "2026-02") == ["2026-02.csv"]
    assert sorted(names("cleaned.owid_co2", "--land", "all")) == ["2026-01.csv", "2026-02.csv"]
    with pytest.raises(UserError, match="--land: 'january' is no month"):
        CliRunner().invoke(app, ["run", "--land", "january"], catch_exceptions=False)
