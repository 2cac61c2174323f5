"""Documents that were landed are described in knowledge.document, and a search finds them by their text, name and title."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs import land
from jobs.lake import Lake
from jobs.search import search
from schemas.rooms import SHIPPED
from tests.jobs import building
from tests.jobs.readers.test_file import photo

POLICIES = SHIPPED / "samples" / "deliveries" / "policies"
NAMES = ("table_name", "file", "media_type", "pages", "passages", "width_px", "author", "camera", "latitude_deg", "size_bytes")


def _proposed(name: str, path: Path, *options: str) -> dict[str, str]:
    done = CliRunner().invoke(app, ["--json", "probe", str(path), "--table", f"cleaned.{name}", *options])
    assert done.exit_code == 0, done.output
    files: dict[str, str] = json.loads(done.output)["files"]
    return files


def _documents(lake: Lake) -> dict[str, dict[str, Any]]:
    return {row[1]: dict(zip(NAMES, row, strict=True)) for row in building.rows(lake, "knowledge.document", *NAMES)}


def _built(lake: Lake, spark: Any, *tables: str) -> None:
    ended = building.build(lake, spark, *tables)
    assert {one.status for one in ended.values()} <= {"built", "skipped"}, {name: one.reason for name, one in ended.items()}


@pytest.fixture
def policies(lake: Lake) -> None:
    for folder, table in (("pdf", "cleaned.policy_pdf"), ("word", "cleaned.policy_word")):
        one = next((POLICIES / folder).iterdir())
        building.deliver(lake, table, f"{folder}/{one.name}", one.read_bytes())


@pytest.mark.usefixtures("policies")
def test_documents_and_pictures_are_described_whatever_they_are_read_as(
    lake: Lake, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(tmp_path / "meter.jpg")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", _proposed("photo", path))))
    building.deliver(lake, "cleaned.photo", "photo/meter.jpg", path.read_bytes())
    _built(lake, spark, "cleaned.photo", "cleaned.policy_pdf", "cleaned.policy_word")
    found = _documents(lake)
    assert {row["table_name"] for row in found.values()} == {"cleaned.photo", "cleaned.policy_pdf", "cleaned.policy_word"}
    assert found["meter.jpg"] == {
        "table_name": "cleaned.photo", "file": "meter.jpg", "media_type": "image/jpeg", "pages": None, "passages": None,
        "width_px": 40, "author": "Li Hua", "camera": "Canon EOS R5", "latitude_deg": 39.91, "size_bytes": path.stat().st_size,
    }  # fmt: skip
    (pdf,) = (row for row in found.values() if row["table_name"] == "cleaned.policy_pdf")
    assert pdf["media_type"] == "application/pdf" and pdf["pages"] > 1
    assert pdf["passages"] == len(building.rows(lake, "cleaned.policy_pdf", "place"))
    notes = [note for (note,) in building.rows(lake, "ops.reading", "note")]
    assert not any("Li Hua" in note for note in notes), "who took it is told where it is restricted, and nowhere else"


@pytest.mark.usefixtures("policies")
def test_a_document_of_ones_own_is_found_by_its_text_with_the_proposed_contract(
    lake: Lake, spark: Any, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = shared / "data/documents_pdf_en/ag-energy-round-up-2017-02-24.pdf"
    word = shared / "data/documents_office/word_sample.docx"
    files = _proposed("bulletin", pdf) | _proposed("manual", word)
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", files)))
    building.deliver(lake, "cleaned.bulletin", f"bulletin/{pdf.name}", pdf.read_bytes())
    building.deliver(lake, "cleaned.manual", f"manual/{word.name}", word.read_bytes())
    _built(lake, spark, "+index.passage")
    assert (search(lake, "ethanol")[0]["document"], search(lake, "ethanol")[0]["place"][:8]) == (pdf.stem, "page 1 (")
    assert search(lake, "swim with the ducks")[0]["document"] == word.stem
    assert {row["document"] for row in search(lake, "配额")} == {next((POLICIES / "pdf").iterdir()).stem}


@pytest.mark.usefixtures("policies")
def test_a_document_read_for_its_tables_is_found_by_its_name_and_title_while_it_is_in_force(
    lake: Lake, spark: Any, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = shared / "data/documents_pdf_en/ag-energy-round-up-2017-02-24.pdf"
    files = _proposed("price", pdf, "--option", "tables={numbers: [1], ruled: false}")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", files)))
    number = building.deliver(lake, "cleaned.price", f"price/{pdf.name}", pdf.read_bytes())
    _built(lake, spark, "cleaned.price")
    assert [row["document"] for row in search(lake, "National Ag Energy")] == [pdf.name], "before there is an index, too"
    _built(lake, spark, "+index.passage")
    (found,) = search(lake, "National Ag Energy")
    assert (found["document"], found["place"]) == (pdf.name, f"file {number}")
    land.withdraw(lake, number, "not ours")
    assert search(lake, "National Ag Energy") == []


def test_files_of_an_archive_are_described_each(lake: Lake, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jpg", "b.jpg"):
        photo(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in ("a.jpg", "b.jpg"):
            archive.write(tmp_path / name, f"east/{name}")
    files = _proposed("photo", tmp_path / "photos.zip", "--format", "file", "--option", "members='*.jpg'")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", files)))
    building.deliver(lake, "cleaned.photo", "photo/photos.zip", (tmp_path / "photos.zip").read_bytes())
    _built(lake, spark, "cleaned.photo")
    assert sorted(_documents(lake)) == ["east/a.jpg", "east/b.jpg"]
