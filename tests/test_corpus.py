"""Every file of the reference data is landed by the contracts that `probe` proposes for it, as they stand, and built.

What becomes of each is tests/corpus.csv: a line for each table with its rows and those set aside, or the reason why there is
none. `python -m tests.test_corpus` writes it anew.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from carbonlake.probing import found_in, proposed
from jobs.lake import Lake
from jobs.land import land
from jobs.run import run
from jobs.session import engine
from schemas.contracts import _load
from schemas.errors import UserError
from schemas.rooms import SHIPPED, VARIABLE

DATA = SHIPPED.parent / "shared" / "data"
TOLD = Path(__file__).with_name("corpus.csv")
COLUMNS = ("path", "table", "format", "rows", "set_aside", "why")
Line = dict[str, str]


def walked(folder: Path) -> list[Line]:
    """Propose, land and build every file in a folder of its own; return a line for each table, and for each refusal."""
    with _project(folder / "project"):
        with ProcessPoolExecutor(2) as pool:
            lines = [line for some in pool.map(_proposal, enumerate(_paths(), 1)) for line in some]
        _load.cache_clear()  # who has read the contracts has not seen those that were written since
        lake = Lake(folder / "lake").init()
        for number, path in enumerate(_paths(), 1):
            if any(line["path"] == path and line["format"] for line in lines):
                land(lake, DATA / path, f"cleaned.f{number:03}")
        built = _built(lake, [line["table"] for line in lines if line["table"].startswith("cleaned.")])
    return [line | built.get(line["table"], {}) for line in lines]


@contextmanager
def _project(folder: Path) -> Iterator[None]:
    (folder / "schemas" / "cleaned").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield


def _paths() -> list[str]:
    with (DATA / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return [row["path"] for row in csv.DictReader(file)]


def _proposal(item: tuple[int, str]) -> list[Line]:
    """Write the contracts that are proposed for a file into the project."""
    number, path = item
    try:
        inside, read_as, given = found_in(DATA / path, "", {})
        texts, left = proposed(f"cleaned.f{number:03}", DATA / path, read_as, given, inside)
    except UserError as error:
        return [_line(path, why=str(error))]
    for name, text in texts.items():
        (Path(os.environ[VARIABLE]) / name).write_text(text, encoding="utf-8")
    lines = [_line(path, table=f"cleaned.{Path(name).stem}", format=read_as) for name in texts]
    return lines + [_line(path, table=f"({name})", format=read_as, why=why) for name, why in left.items()]


def _built(lake: Lake, tables: list[str]) -> dict[str, Line]:
    with engine("sail", memory="2g") as session:
        outcomes = run(lake, session, tables, workers=2)
    return {
        one.table: {"rows": str(one.counts.written), "set_aside": str(one.counts.set_aside),
                    "why": "" if one.status == "built" else f"{one.status}: {one.reason}"} for one in outcomes
    }  # fmt: skip


def _line(path: str, **known: str) -> Line:
    told = known.get("why", "").replace(f"{DATA}/", "")  # the place on this machine says nothing to others
    return dict.fromkeys(COLUMNS, "") | {"path": path} | known | {"why": told}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    """Return what becomes of every file."""
    return walked(tmp_path_factory.mktemp("corpus"))


@pytest.mark.corpus
def test_every_file_becomes_the_tables_that_are_told_or_is_refused_with_the_reason(lines: list[Line]) -> None:
    with TOLD.open(encoding="utf-8", newline="") as file:
        told = {(line["path"], line["table"]): line for line in csv.DictReader(file)}
    assert {line["path"] for line in lines} == set(_paths())
    assert {(line["path"], line["table"]): line for line in lines} == told


@pytest.mark.corpus
def test_what_is_refused_says_what_to_do(lines: list[Line]) -> None:
    refused = [line for line in lines if not line["rows"]]
    rows = sum(int(line["rows"] or 0) for line in lines)
    print(f"{len({line['path'] for line in lines if line['rows']})} of {len(_paths())} files are tables, {rows:,} rows; "
          f"{len({line['path'] for line in refused})} are refused in whole or in part")  # fmt: skip
    assert [line["path"] for line in refused if "\n  → " not in line["why"]] == []
    assert [line["path"] for line in lines if line["why"].startswith("failed")] == []


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("codes/derived_gb18030__cities.csv", "encoding", "gb18030"), ("documents_office/csv-pipe.csv", "delimiter", "|"),
        ("documents_office/csv-semicolon.csv", "delimiter", ";"),
        ("emission_factors/2018-RES_proxies_EEA.csv", "encoding", "cp1252"),
    ],
)  # fmt: skip
def test_encoding_and_delimiter_are_found(name: str, option: str, value: str) -> None:
    inside, read_as, given = found_in(DATA / name, "", {})
    assert read_as == "csv" and given == {option: value} and len(inside["columns"]) > 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place, TOLD.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(walked(Path(place)))
