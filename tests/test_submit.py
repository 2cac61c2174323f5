"""`spark-submit` runs the same command lines inside the driver of a cluster: the same tables, the same exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import carbonlake.submit
import conf
from benchmarks import standalone
from benchmarks.standalone import Cluster
from jobs.apache import SETTINGS
from jobs.lake import Lake
from jobs.s3a import HADOOP_AWS
from schemas import graph
from schemas.rooms import SHIPPED
from tests import documents
from tests.lakes import differs

PROPERTIES = Path(conf.__file__).parent / "spark-submit.properties"
MASTER = "spark://10.0.0.5:7077"
SMALL = ("--conf", "spark.executor.memory=1g", "--conf", "spark.executor.cores=1", "--conf", "spark.driver.memory=1g",
         "--conf", "spark.sql.shuffle.partitions=2")  # fmt: skip


def submit(master: str, *words: str, lake: Path, settings: tuple[str, ...] = SMALL) -> subprocess.CompletedProcess[str]:
    """Submit a command line of ours and wait for its end."""
    bin_ = Path(sys.executable).parent
    command = [str(bin_ / "spark-submit"), "--master", master, *settings, str(carbonlake.submit.__file__), *words]
    env = os.environ | {
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
        "CARBONLAKE_LAKE": str(lake),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    return subprocess.run(command, env=env, cwd=lake.parent, text=True, capture_output=True, check=False, timeout=900)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a master and two workers that are gone at the end."""
    with standalone.cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def test_the_jars_of_the_properties_are_those_that_we_start_spark_with() -> None:
    found = dict(line.split(" ", 1) for line in PROPERTIES.read_text().splitlines() if line and not line.startswith("#"))
    pinned = ("spark.jars.packages", "spark.jars.excludes")
    assert {name: found[name] for name in pinned} == {name: SETTINGS[name] for name in pinned}
    assert HADOOP_AWS in PROPERTIES.read_text()


@pytest.mark.spark
def test_a_submitted_application_builds_the_same_tables_on_the_cluster(cluster: Cluster, demo_lake: Path, tmp_path: Path) -> None:
    """What docs/spark.md shows is done on a cluster of ours."""
    (shown,) = [block.text for block in documents.blocks(SHIPPED / "docs" / "spark.md") if block.kind == "sh"]
    assert MASTER in shown
    (tmp_path / "deliveries").symlink_to(SHIPPED / "samples" / "deliveries")
    script = ["sh", "-ec", "export SPARK_LOCAL_IP=127.0.0.1\n" + shown.replace(MASTER, cluster.url)]
    done = documents.run(script, tmp_path, timeout=900)
    lake = Lake(tmp_path / "lake")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert cluster.executors() >= 1, "the cluster did not compute"
    tables = graph.select(["+knowledge.factor"])
    assert len(tables) > 5
    with duckdb.connect() as both:
        both.execute("set TimeZone = 'UTC'")
        assert [table for table in tables if differs(both, Lake(demo_lake), lake, table)] == []


@pytest.mark.spark
def test_an_application_without_delta_is_told_what_it_lacks(tmp_path: Path) -> None:
    Lake(tmp_path / "lake").init()
    done = submit("local[1]", "run", "cleaned.gwp", lake=tmp_path / "lake")
    assert done.returncode == 1
    # What an application says on stderr, spark-submit says on stdout.
    assert "the driver has no delta-spark" in done.stdout and "add --packages io.delta:delta-spark" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_application_that_nobody_submitted_is_refused(tmp_path: Path) -> None:
    Lake(tmp_path / "lake").init()
    command = [sys.executable, str(carbonlake.submit.__file__), "--lake", str(tmp_path / "lake"), "run", "cleaned.gwp"]
    done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=120)
    assert (done.returncode, "nobody submitted this application" in done.stderr) == (1, True), done.stderr
