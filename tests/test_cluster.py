"""The demo on a standalone cluster of Apache Spark, a master and two workers: the same tables, also when a worker dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyspark
import pytest

from jobs import land
from jobs.apache import free_port
from jobs.lake import Lake
from jobs.relation import columns, relation_sql
from jobs.run import run
from jobs.session import Engine, engine
from schemas.contracts import contracts
from schemas.errors import UserError
from schemas.rooms import SHIPPED

pytestmark = pytest.mark.spark
SPARK = Path(pyspark.__file__).parent
BUILT = sorted(table for table, one in contracts().items() if one.source or one.inputs)
# Those that docs/operations.md speaks of.
SETTINGS = {"spark.executor.memory": "1g", "spark.executor.cores": "1", "spark.sql.shuffle.partitions": "2",
            "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true"}  # fmt: skip


class Cluster:
    """A master and two workers of one core each, in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, port = folder, free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self.master = self._start("master", "master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        self._await(self.master, "master", "I have been elected leader")
        self.workers = [self.worker(number) for number in range(2)]

    def worker(self, number: int) -> subprocess.Popen[bytes]:
        """Start a worker and wait until the master knows it."""
        name = f"worker-{number}"
        work = ("--host", "127.0.0.1", "--webui-port", "0", "-c", "1", "-m", "1g", "-d", str(self.folder / name))
        process = self._start(name, "worker.Worker", *work, self.url)
        self._await(process, name, "Successfully registered with master")
        return process

    def stop(self) -> None:
        """End every process, executors included."""
        for process in (*self.workers, self.master):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, name: str, kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = [str(SPARK / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *words]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                    env=os.environ | {"SPARK_HOME": str(SPARK), "SPARK_LOCAL_IP": "127.0.0.1"})  # fmt: skip

    def _await(self, process: subprocess.Popen[bytes], name: str, sign: str) -> None:
        until = time.monotonic() + 60
        log = self.folder / f"{name}.log"
        while sign not in log.read_text(errors="replace"):
            assert process.poll() is None and time.monotonic() < until, log.read_text(errors="replace")[-2000:]
            time.sleep(0.2)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster that is gone at the end."""
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.stop()


def delivered(folder: Path) -> Lake:
    """Return a lake in which the demo's deliveries have landed."""
    lake = Lake(folder).init()
    land.land(lake, [str(SHIPPED / "samples" / "deliveries")])
    return lake


def test_the_demo_on_a_cluster_is_the_demo_and_a_worker_that_dies_costs_nothing(
    spark: Any, cluster: Cluster, tmp_path: Path
) -> None:
    here, there = delivered(tmp_path / "sail"), delivered(tmp_path / "cluster")
    assert {one.status for one in run(here, Engine("sail", spark))} == {"built"}
    built: list[str] = []

    def kill(table: str, outcome: Any) -> None:
        """Kill a worker, and with it its executor, while the tables behind the first ten are built."""
        if outcome:
            built.append(table)
            if len(built) == 10:
                os.killpg(cluster.workers[0].pid, signal.SIGKILL)

    with engine(cluster.url, memory="2g", options=SETTINGS) as there_engine:
        assert there_engine.name == "spark"
        ended = run(there, there_engine, watch=kill)
    assert cluster.workers[0].poll() is not None and len(built) == len(BUILT)
    assert {one.table: one.status for one in ended} == dict.fromkeys(BUILT, "built"), [one.reason for one in ended]
    with duckdb.connect() as both:
        both.execute("set TimeZone = 'UTC'")
        different = [table for table in BUILT if _differs(both, here, there, table)]
    assert different == []
    log = (cluster.folder / "master.log").read_text(errors="replace")
    assert len(re.findall(r"Launching executor", log)) >= 2, "the cluster did not compute"
    print(f"{len(BUILT)} tables on a master and two workers, one of them killed after ten tables: all equal")


def _differs(both: duckdb.DuckDBPyConnection, here: Lake, there: Lake, table: str) -> bool:
    one, other = here.open(table), there.open(table)
    assert one is not None and other is not None
    assert columns(one) == columns(other)
    left, right = relation_sql(one), relation_sql(other)
    assert (both.execute(f"select count(*) from ({left})").fetchone() or (0,))[0] > 0
    return any(both.execute(f"({a}) except all ({b}) limit 1").fetchall() for a, b in ((left, right), (right, left)))


@pytest.mark.parametrize(("url", "told"), [
    ("spark://127.0.0.1:9", "Apache Spark did not start"),
    ("spark://no-such-host.invalid:7077", r"there is no way to the cluster(.|\n)*spark://host:port of its master"),
    ("spark://127.0.0.1", "there is no way to the cluster"),
])  # fmt: skip
def test_a_cluster_that_is_not_there_is_told_with_what_to_do(url: str, told: str) -> None:
    with pytest.raises(UserError, match=told), engine(url, memory="1g"):
        pass
