"""From sources to emission lines on a standalone cluster of Apache Spark: the same tables, also when a worker dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks import standalone
from benchmarks.standalone import Cluster
from jobs import land
from jobs.lake import Lake
from jobs.run import run
from jobs.session import Engine, engine
from schemas import graph
from schemas.contracts import contracts
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests.lakes import differs

pytestmark = pytest.mark.spark
# Nearly half of the demo's tables: test_engines.py compares all of them with one Spark.
ASKED = "+business.emission"
BUILT = [table for table in graph.select([ASKED]) if contracts()[table].source or contracts()[table].inputs]
# Those that docs/spark.md speaks of.
SETTINGS = {"spark.executor.memory": "1g", "spark.executor.cores": "1", "spark.sql.shuffle.partitions": "2",
            "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true"}  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster that is gone at the end."""
    with standalone.cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


def delivered(folder: Path) -> Lake:
    """Return a lake in which the demo's deliveries have landed."""
    lake = Lake(folder).init()
    land.land(lake, [str(SHIPPED / "samples" / "deliveries")])
    return lake


def test_a_cluster_makes_the_same_tables_and_a_worker_that_dies_costs_nothing(
    spark: Any, cluster: Cluster, tmp_path: Path
) -> None:
    here, there = delivered(tmp_path / "sail"), delivered(tmp_path / "cluster")
    assert {one.status for one in run(here, Engine("sail", spark), [ASKED])} == {"built"}
    built: list[str] = []

    def kill(table: str, outcome: Any) -> None:
        """Kill a worker, and with it its executor, while the tables behind the first ten are built."""
        if outcome:
            built.append(table)
            if len(built) == 10:
                cluster.kill(0)

    with engine(cluster.url, memory="2g", options=SETTINGS) as there_engine:
        assert there_engine.name == "spark"
        ended = run(there, there_engine, [ASKED], watch=kill)
    assert cluster.workers[0].poll() is not None and len(built) == len(BUILT) > 25
    assert {one.table: one.status for one in ended} == dict.fromkeys(BUILT, "built"), [one.reason for one in ended]
    with duckdb.connect() as both:
        both.execute("set TimeZone = 'UTC'")
        different = [table for table in BUILT if differs(both, here, there, table)]
    assert different == []
    assert cluster.executors() >= 2, "the cluster did not compute"
    print(f"{len(BUILT)} tables on a master and two workers, one of them killed after ten tables: all equal")


@pytest.mark.parametrize(("url", "told"), [
    ("spark://127.0.0.1:9", "Apache Spark did not start"),
    ("spark://no-such-host.invalid:7077", r"there is no way to the cluster(.|\n)*spark://host:port of its master"),
    ("spark://127.0.0.1", "there is no way to the cluster"),
])  # fmt: skip
def test_a_cluster_that_is_not_there_is_told_with_what_to_do(url: str, told: str) -> None:
    with pytest.raises(UserError, match=told), engine(url, memory="1g"):
        pass
