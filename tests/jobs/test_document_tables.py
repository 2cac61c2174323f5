"""Tables of documents on their way into the lake: what is sure becomes rows, what is doubted waits for a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from carbonlake.cli import app
from carbonlake.probing import found_in
from jobs import corrections, quarantine
from jobs.lake import Lake
from tests.jobs import building

TABLE = "cleaned.glass_factor"
OPTIONS = {"tables": {"heading": "附表 ?9"}, "header": 0, "columns": ["product", "factor"]}
CONTRACT = f"""
description: Factors of glass works
owner: tests
source:
  {{zone: rules, path: "*.pdf", format: pdf, publisher: us, licence: none, options: {json.dumps(OPTIONS, ensure_ascii=False)}}}
key: [place]
columns:
  place: {{type: string, from: _locator, description: Page and box}}
  product: {{type: string, description: Product}}
  factor_ratio: {{type: "decimal(28,6)", unit: "1", description: Factor, from: factor}}
  trust: {{type: double, description: Confidence of the reader, from: _confidence}}
"""


@pytest.fixture
def document(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay a project with one table of a PDF over the shipped one; return the PDF."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", {"schemas/cleaned/glass_factor.yaml": CONTRACT})))
    return next((shared / "data/documents_pdf_zh").glob("407*.pdf"))


def test_low_confidence_goes_to_review_and_a_person_releases_or_corrects_it(
    lake: Lake, spark: Any, document: Path
) -> None:  # fmt: skip
    building.deliver(lake, TABLE, "rules.pdf", document.read_bytes())
    assert building.build(lake, spark, TABLE)[TABLE].status == "built"
    sure = building.rows(lake, TABLE, "product", "factor_ratio", "trust")
    assert len(sure) == 6 and {float(row[1]) for row in sure} == {1.0, 0.6, 0.99, 0.98} and {row[2] for row in sure} == {1.0}
    waiting = quarantine.listed(lake, TABLE)
    assert len(waiting) == 5 and {row["rules"] for row in waiting} == {"low_confidence, type_factor_ratio"}
    raw = json.loads(waiting[0]["raw"])
    assert raw["_doubt"] == "low confidence 0.50: a number with a blank inside" and raw["factor"] == "0.9 9"
    assert raw["_cells"].startswith('{"product": [') and waiting[0]["locator"] == "page 8 (90,398,468,418)"
    corrections.decide(lake, TABLE, (1, waiting[0]["locator"]), "fix", {"factor": "0.99"}, "me", "read from the page")
    building.build(lake, spark, TABLE)
    assert len(building.rows(lake, TABLE)) == 7 and len(quarantine.listed(lake, TABLE)) == 4


def test_a_doubted_row_that_fits_is_released(
    lake: Lake, spark: Any, tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONTRACT.replace(
        json.dumps(OPTIONS, ensure_ascii=False), '{"tables": {"pages": 22}, "columns": [a, b, c, product, factor]}'
    )
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", {"schemas/cleaned/glass_factor.yaml": text})))
    path = next((shared / "data/documents_pdf_zh").glob("408*.pdf"))
    building.deliver(lake, TABLE, "plan.pdf", path.read_bytes())
    building.build(lake, spark, TABLE)
    assert building.rows(lake, TABLE) == [] and len(quarantine.listed(lake, TABLE)) == 14
    assert {row["rules"] for row in quarantine.listed(lake, TABLE)} == {"low_confidence"}
    corrections.decide(
        lake, TABLE, (1, quarantine.listed(lake, TABLE)[0]["locator"]), "waive", {}, "me", "one value for the group"
    )
    building.build(lake, spark, TABLE)
    assert [(row[1], float(row[2])) for row in building.rows(lake, TABLE)] == [("B787-800", 10.4)]
    assert len(quarantine.listed(lake, TABLE)) == 13


@pytest.mark.parametrize(("name", "options", "rows"), [
    ("documents_pdf_zh/405*.pdf", ["tables={pages: 7}"], 9),
    ("documents_pdf_zh/405*.pdf", [], 117),
    ("documents_pdf_en/nics*.pdf", ["tables={}"], 56),
    ("documents_pdf_zh/407*.pdf", ["tables={heading: '附表 ?9'}", "header=0"], 6),
])  # fmt: skip
def test_a_proposed_contract_builds_as_it_stands(
    lake: Lake, spark: Any, tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, options: list[str], rows: int,
) -> None:  # fmt: skip
    path = next((shared / "data").glob(name))
    words = [word for option in options for word in ("--option", option)]
    done = CliRunner().invoke(app, ["--json", "probe", str(path), "--table", "cleaned.proposed", *words])
    assert done.exit_code == 0, done.output
    ((file, text),) = json.loads(done.output)["files"].items()
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", {file: text})))
    assert yaml.safe_load(text)["source"]["format"] == "pdf"
    building.deliver(lake, "cleaned.proposed", f"{yaml.safe_load(text)['source']['zone']}/{path.name}", path.read_bytes())
    ended = building.build(lake, spark, "cleaned.proposed")["cleaned.proposed"]
    assert ended.status == "built", ended.reason
    assert len(building.rows(lake, "cleaned.proposed")) == rows


def test_probe_lists_the_tables_of_a_document(shared: Path) -> None:
    inside, _, _ = found_in(next((shared / "data/documents_pdf_zh").glob("405*.pdf")), "pdf", {})
    assert (
        inside["found tables"][0].startswith("1: page 7, 10 × 4, ") and "2020 年度发电企业碳排放基准" in inside["found tables"][0]
    )
    assert inside["holds"] == "a form; none of it is run or opened"
    scan, _, _ = found_in(shared / "data/documents_pdf_en/ocr_test.pdf", "pdf", {})
    assert scan["scanned pages"].startswith("1: a picture without text")
