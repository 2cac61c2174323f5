"""Apache Spark that dies in the middle of a build, and two engines on one table at once: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs import staging
from jobs.lake import Lake
from jobs.run import run
from jobs.session import Engine, engine
from tests.jobs import building
from tests.jobs.racing import CLEANED, MONTH, ROWS, deliver, race

pytestmark = pytest.mark.spark
TABLES = (CLEANED, MONTH)
ROUNDS = 5


@pytest.fixture(scope="module", autouse=True)
def project() -> Any:
    """Lay the project over the shipped one."""
    folder = Path(tempfile.mkdtemp(prefix="carbonlake-flows-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(folder, building.flows(["merge"]))))
        yield str(folder)
    shutil.rmtree(folder)


def _drivers() -> set[int]:
    """Return the process groups of the drivers that this process has started."""
    return {os.getpgid(one.pid) for one in psutil.Process().children() if one.is_running()}


def _kill_while_written(folder: Path, group: int) -> None:
    """Kill a driver as soon as its tasks write into a folder."""
    until = time.monotonic() + 60
    while not (folder / "_temporary").exists() and time.monotonic() < until:
        time.sleep(0.002)
    os.killpg(group, signal.SIGKILL)


@pytest.mark.parametrize("table", TABLES)
def test_a_driver_killed_while_it_writes_fails_the_build_and_the_next_one_is_right(
    lake: Lake, spark: Any, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    deliver(lake, 1)
    building.build(lake, spark, f"{CLEANED}+")
    deliver(lake, 2)
    if table == MONTH:
        building.build(lake, spark, CLEANED)
    before, real, others = building.state(lake, TABLES), staging.write, _drivers()
    with engine("spark", memory="1g") as opened:
        opened.session.range(1).collect()
        (group,) = _drivers() - others

        def dying(frame: Any, folder: Path, contract: Any) -> Any:
            threading.Thread(target=_kill_while_written, args=(folder, group)).start()
            return real(frame, folder, contract)

        monkeypatch.setattr(staging, "write", dying)
        ended = {one.table: one for one in run(lake, opened, [f"{CLEANED}+"], workers=1)}
        monkeypatch.undo()
    assert ended[table].status == "failed", ended[table]
    assert "the engine spark gave up: " in ended[table].reason and "nothing was published; run it again" in ended[table].reason
    assert building.state(lake, TABLES) == before
    assert not list((lake.folder / "_staging").glob("*")), "staging of an ended run"
    assert building.build(lake, spark, f"{CLEANED}+")[MONTH].status == "built"
    assert len(building.rows(lake, CLEANED)) == 2 * ROWS
    assert sum(days for _, _, days in building.rows(lake, MONTH, "month", "mass_t", "days")) == 2 * ROWS


def test_two_engines_on_one_table_at_once_give_one_result(lake: Lake, spark: Any, reference: Engine) -> None:
    """Whoever commits second sees that the table has moved, and finds its work done or does it again on what is there."""
    counted = race(lake, [Engine("sail", spark), reference], ROUNDS)
    print(f"{ROUNDS} rounds of Sail and Apache Spark on the same tables at once: {dict(counted)}, each row exactly once")
