"""A dry run on a lake in a bucket of a real MinIO: it tells what the build then does, and the bucket stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import objects
from jobs.run import run
from jobs.session import Engine, engine
from jobs.trial import trial
from schemas.rooms import VARIABLE
from tests.jobs.building import csv, deliver, flows, lay, rows
from tests.stack import s3

TABLE = "cleaned.flow_merge"


@pytest.fixture
def sail(minio: dict[str, str]) -> Iterator[Engine]:
    with engine("sail", "1g", None, s3.options(minio)) as opened:
        yield opened


def test_a_dry_run_in_a_bucket_tells_what_the_build_does_and_changes_nothing(
    minio: dict[str, str], sail: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(lay(tmp_path / "mine", flows())))
    lake = s3.lake(s3.options(minio), tmp_path)
    deliver(lake, TABLE, "one.csv", csv([("a", "2025-01-01", 1, "x"), ("b", "2025-01-01", 2, "x")]))
    assert run(lake, sail, [TABLE])[0].status == "built"
    before = sorted(objects.listed(str(lake.root), lake.storage_options, deep=True))
    new = csv([("a", "2025-01-01", 9, "y"), ("c", "2025-02-01", -1, "y"), ("d", "2025-02-01", 4, "y")])
    (tmp_path / "two.csv").write_text(new, encoding="utf-8")
    (told,) = trial(lake, sail, lambda name: sail, tmp_path / "two.csv", TABLE)["tables"]
    assert (told["would"], told["rows_in"], told["written"], told["set_aside"], told["superseded"]) == ("write", 3, 2, 1, 0)
    assert sorted(objects.listed(str(lake.root), lake.storage_options, deep=True)) == before
    deliver(lake, TABLE, "two.csv", new)
    assert run(lake, sail, [TABLE])[0].status == "built"
    assert len(rows(lake, TABLE)) == told["rows_after"] == 3
