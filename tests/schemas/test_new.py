"""The files of a new table load as they are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from schemas import rooms
from schemas.contract import Contract
from schemas.contracts import _load, contract
from schemas.errors import UserError
from schemas.new import texts, write_table


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project folder laid over the shipped rooms."""
    monkeypatch.setenv(rooms.VARIABLE, str(tmp_path))
    return tmp_path


def written(table: str) -> Contract:
    """Read a table that was not there when the contracts were read first."""
    _load.cache_clear()
    return contract(table)


@pytest.mark.parametrize("layer", ["thematic", "business", "knowledge", "index"])
def test_a_new_table_is_a_contract_that_loads_and_a_transform_that_fits_it(project: Path, layer: str) -> None:
    paths = write_table(f"{layer}.school_year", project)
    one = written(f"{layer}.school_year")
    assert [path.relative_to(project).as_posix() for path in paths] == [one.file, f"layers/{layer}/school_year.py"]
    function = next(n for n in ast.parse(paths[1].read_text(encoding="utf-8")).body if isinstance(n, ast.FunctionDef))
    assert (function.name, [arg.arg for arg in function.args.args]) == ("transform", list(one.inputs))


def test_a_new_cleaned_table_takes_its_columns_from_the_probe(project: Path) -> None:
    probe = {
        "format": "excel",
        "columns": {"户号": "string", 'Use "kWh"': "decimal(28,6)", "electricity_kwh": "decimal(28,6)"},
    }
    assert [path.name for path in write_table("cleaned.school", project, probe)] == ["school.yaml"]
    one = written("cleaned.school")
    assert one.source
    assert (one.source.format, one.source.path) == ("excel", "school/*.xlsx")
    assert {name: column.from_ for name, column in one.columns.items()} == {
        "column_1": "户号", "use_kwh": 'Use "kWh"', "source_electricity_kwh": "electricity_kwh"}  # fmt: skip
    assert one.columns["source_electricity_kwh"].unit is None, "a header does not say that it means what a shared field means"


def test_a_header_that_is_a_paragraph_gives_a_name_that_can_be_read(project: Path) -> None:
    headers = {"a paragraph " * 200 + ending: "string" for ending in ("one", "two")}
    write_table("cleaned.school", project, {"columns": headers})
    assert list(written("cleaned.school").columns) == ["a_paragraph_" * 4 + "a_paragraph", "column_2"]
    assert [column.from_ for column in written("cleaned.school").columns.values()] == list(headers)


def test_without_a_probe_a_cleaned_table_still_loads(project: Path) -> None:
    write_table("cleaned.school", project)
    assert written("cleaned.school").key == ("id",)


def test_nothing_is_overwritten(project: Path) -> None:
    (project / "layers" / "thematic").mkdir(parents=True)
    (project / "layers" / "thematic" / "school.py").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="this file exists already"):
        write_table("thematic.school", project)
    assert not (project / "schemas").exists()


@pytest.mark.parametrize("name", ["school", "ops.school", "thematic.School", "thematic.a-b", "gold.school"])
def test_a_name_that_no_table_can_have_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="is no name of a table"):
        texts(name)


def test_a_table_that_is_there_is_refused() -> None:
    with pytest.raises(UserError, match=r"there is a table 'cleaned.building_meter_hour' already"):
        texts("cleaned.building_meter_hour")
