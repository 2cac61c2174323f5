"""The demo on all the parts at once: Airflow schedules, Apache Spark computes, S3 holds, Trino shows; tables as embedded."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from carbonlake.stack import parts
from dags.plan import plans
from jobs import query, trino
from jobs.lake import Lake
from jobs.relation import columns, connect, relation_sql
from jobs.saved import name_in_trino
from schemas.contracts import contracts
from tests.dags.servers import Servers, dropped, until
from tests.stack import s3
from tests.stack.shown import server

BUILT = sorted(table for table, one in contracts().items() if one.source or one.inputs)
PATIENCE = 2400.0


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Return the home of a stack of this test's own: its Airflow builds the one lake that the stack has."""
    made = Path(tempfile.mkdtemp(prefix="carbonlake-all-"))
    made.chmod(0o711)
    yield made
    parts.down(made, None, lambda part, what: None)
    shutil.rmtree(made)


def test_every_table_is_what_the_embedded_engine_makes(home: Path, demo_lake: Path, tmp_path: Path) -> None:
    parts.up(home, None, lambda part, what: None)
    environment = parts.environment(home)
    assert environment["CARBONLAKE_ENGINE"].startswith("sc://") and environment["CARBONLAKE_LAKE"].startswith("s3://")
    dropped(home / "drop")
    airflow = Servers(home, environment)
    until(lambda: airflow.ask("GET", "dags?limit=500")["total_entries"] >= len(plans()), "the DAGs are there", PATIENCE)
    derived = [one.name for one in plans() if one.waits_for]
    airflow.unpause(*derived)
    started = [(one.name, airflow.play(one.name)) for one in plans() if not one.waits_for]
    ended = {name: airflow.ended(name, run, PATIENCE) for name, run in started}
    assert set(ended.values()) == {"success"}, ended
    until(lambda: airflow.quiet(derived), "every table is built", PATIENCE)
    here, there = Lake(demo_lake), s3.lake(s3.options(environment), tmp_path, environment["CARBONLAKE_LAKE"])
    assert _differences(here, there) == []
    assert _engines(there) == {("spark",)}
    assert _rows_in_trino(environment) == {name_in_trino(table): _rows(here, table) for table in BUILT}
    print(f"{len(BUILT)} tables by Airflow, Apache Spark and S3 equal to the embedded ones, and all in Trino")


def _differences(here: Lake, there: Lake) -> list[str]:
    """Return the tables that differ in a row or have none."""
    found = []
    with connect(there.root, there.storage_options) as both:
        for table in BUILT:
            left, right = (_content(query.open_table(lake, table)) for lake in (here, there))
            pairs = ((left, right), (right, left))
            rows = [both.execute(f"({one}) except all ({other}) limit 1").fetchall() for one, other in pairs]
            if any(rows) or not _rows(here, table):
                found.append(table)
    return found


def _content(table: DeltaTable) -> str:
    """Return a table without the numbers of deliveries: sources land in another order here."""
    names = ", ".join(f'"{name}"' for name in columns(table) if name not in ("_delivery", "delivery_id"))
    return f"select {names} from ({relation_sql(table)})"


def _rows(lake: Lake, table: str) -> int:
    return int(query.sql(lake, f"select count(*) as rows from {table}")["rows"][0].as_py())


def _engines(lake: Lake) -> set[tuple[str, ...]]:
    found = query.sql(lake, "select distinct engine from ops.run where status = 'built'")
    return {(one,) for one in found["engine"].to_pylist()}


def _rows_in_trino(environment: dict[str, str]) -> dict[str, int]:
    """Count the rows of each table in Trino: each was published when it was built."""
    at = server(environment)
    return {name: int(trino.ask(at, f"select count(*) from {name}").rows[0][0]) for name in map(name_in_trino, BUILT)}
