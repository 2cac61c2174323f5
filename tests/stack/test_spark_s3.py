"""Apache Spark on a lake in a bucket: the same tables as the embedded engine, at once with it, and no secret told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs.session import Engine, engine
from tests.jobs import building
from tests.jobs.racing import CLEANED, MONTH, race
from tests.stack import s3

ROUNDS = 3


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay the project over the shipped one."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "project", building.flows(["merge"]))))


@pytest.fixture(scope="module")
def given(minio: dict[str, str]) -> dict[str, str]:
    """Return the storage options of the stack's MinIO."""
    return s3.options(minio)


@pytest.fixture(scope="module")
def apache(given: dict[str, str]) -> Iterator[Engine]:
    """Return Apache Spark that reads the buckets."""
    java = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"}
    with engine("spark", memory="2g", options=java, storage=given) as opened:
        yield opened


def test_both_engines_on_one_table_in_a_bucket_at_once_give_one_result(
    given: dict[str, str], apache: Engine, tmp_path: Path
) -> None:
    lake = s3.lake(given, tmp_path / "work")
    with engine("sail", memory="1g", storage=given) as sail:
        counted = race(lake, [sail, apache], ROUNDS)
    print(f"{ROUNDS} rounds of Sail and Apache Spark on the same tables on S3 at once: {dict(counted)}, each row exactly once")


def test_a_table_in_a_bucket_reads_the_same_on_both_engines(given: dict[str, str], apache: Engine, tmp_path: Path) -> None:
    lake = s3.lake(given, tmp_path / "work")
    with engine("sail", memory="1g", storage=given) as sail:
        race(lake, [sail], 1)
        for table in (CLEANED, MONTH):
            path, head = lake.table_path(table), lake.open(table)
            assert path.startswith("s3://") and head is not None
            found = [_rows(one, path, int(head.version())) for one in (sail, apache)]
            assert found[0] == found[1] and found[0]


def _rows(one: Engine, path: str, version: int) -> list[Any]:
    return sorted((tuple(row) for row in one.delta(path, version).collect()), key=repr)


def test_no_secret_stands_on_a_command_line(given: dict[str, str], apache: Engine) -> None:
    apache.session.range(1).collect()
    lines = [_words(one) for one in psutil.Process().children(recursive=True)]
    assert any("SparkConnectServer" in line for line in lines)
    assert not [line for line in lines if given["AWS_SECRET_ACCESS_KEY"] in line]


def _words(process: psutil.Process) -> str:
    """Return a process's command line; none of one that has just ended and that nobody has asked for yet."""
    try:
        return " ".join(process.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return ""
