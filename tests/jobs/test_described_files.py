"""Described files in the lake: a proposed contract keeps them, grades what is personal, and a search finds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs.lake import Lake
from jobs.search import search
from schemas.rooms import SHIPPED
from tests.jobs import building
from tests.jobs.readers.test_file import photo

SAMPLES = SHIPPED / "samples" / "deliveries" / "policies"


def test_a_picture_is_kept_described_and_found(lake: Lake, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = photo(tmp_path / "meter.jpg")
    done = CliRunner().invoke(app, ["--json", "probe", str(path), "--table", "cleaned.photo"])
    assert done.exit_code == 0, done.output
    ((file, text),) = json.loads(done.output)["files"].items()
    contract = yaml.safe_load(text)
    assert {name for name, column in contract["columns"].items() if column.get("grade") == "restricted"} == {
        "author", "camera", "latitude_deg", "longitude_deg",
    }  # fmt: skip
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "p", {file: text})))
    building.deliver(lake, "cleaned.photo", "photo/meter.jpg", path.read_bytes())
    for folder, table in (("pdf", "cleaned.policy_pdf"), ("word", "cleaned.policy_word")):
        one = next((SAMPLES / folder).iterdir())
        building.deliver(lake, table, f"{folder}/{one.name}", one.read_bytes())
    ended = building.build(lake, spark, "+index.passage")
    assert {one.status for one in ended.values()} == {"built"}, {name: one.reason for name, one in ended.items()}
    assert building.rows(lake, "cleaned.photo", "width_px", "camera") == [(40, "Canon EOS R5")]
    (found,) = search(lake, "boiler")
    assert (found["document"], found["place"]) == ("meter.jpg", "file 1") and "Li Hua" not in found["text"]
    assert search(lake, "配额")[0]["document"].startswith("218"), "passages of documents are found as before"
