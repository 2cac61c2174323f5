"""What the documents say is so: every command runs, every file shown is used, every link leads somewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schemas import export
from schemas.rooms import SHIPPED
from tests import documents

README = SHIPPED / "README.md"
STARTER = SHIPPED / "samples" / "starter"
# docs/airflow.md is played on a real Airflow, by tests/dags.
PLAYED = [path for path in documents.ENGLISH if documents.commands(path)]


@pytest.mark.parametrize("document", PLAYED, ids=lambda path: path.name)
def test_every_command_shown_runs_and_prints_what_is_shown(document: Path, demo_lake: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_lake, tmp_path / "lake")
    done = 0
    for command, shown, result in documents.play(document, tmp_path):
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        printed = documents.squeezed(result.stdout)
        for part in [documents.squeezed(part).strip() for line in shown for part in line.split("…")]:
            assert part in printed, f"{command}\n{part}\n{result.stdout}"
        done += 1
    assert done


@pytest.mark.parametrize("target", documents.BY_MAKE)
def test_a_make_command_of_the_readme_calls_what_the_tests_run(target: str) -> None:
    assert target in documents.commands(README)
    rules = (SHIPPED / "Makefile").read_text(encoding="utf-8")
    recipe = rules.split(f"\n{target.removeprefix('make ')}:", 1)[1].split("\n\n", 1)[0]
    assert documents.BY_MAKE[target] in recipe


def test_the_output_in_the_readme_is_that_of_the_demo(demo_output: str) -> None:
    printed = documents.squeezed(demo_output)
    (shown,) = [block.text for block in documents.blocks(README) if block.kind == "text"]
    parts = [documents.squeezed(part).strip() for line in shown.splitlines() for part in line.split("…")]
    missing = [part for part in parts if part not in printed]
    assert not missing
    assert len([part for part in parts if part]) > 20


@pytest.mark.parametrize("document", [*documents.ENGLISH, *documents.CHINESE.values()], ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    assert [str(target) for target in documents.links(document) if not target.resolve().exists()] == []


@pytest.mark.parametrize("document", documents.ENGLISH, ids=lambda path: path.name)
def test_chinese_and_english_show_the_same(document: Path) -> None:
    other = documents.CHINESE[document]
    assert documents.commands(other) == documents.commands(document)
    shown, also = ([(b.file, b.text) for b in documents.blocks(path) if b.kind != "text"] for path in (document, other))
    assert also == shown


def test_the_starter_runs_as_its_readme_says(tmp_path: Path) -> None:
    made = documents.run(["carbonlake", "init", "mine"], tmp_path)
    assert made.returncode == 0, made.stderr
    results = {command: result for command, _, result in documents.play(STARTER / "README.md", tmp_path / "mine")}
    assert {command: one.returncode for command, one in results.items()} == dict.fromkeys(results, 0)
    *_, asked, traced = results.values()
    assert "3,912.5" in asked.stdout
    assert "meters_2025.csv" in traced.stdout
    assert "line 2" in traced.stdout


def test_the_committed_schema_of_a_contract_is_what_the_export_writes() -> None:
    for name, text in export.texts("json-schema").items():
        assert (SHIPPED / "schemas" / name).read_text(encoding="utf-8") == text
