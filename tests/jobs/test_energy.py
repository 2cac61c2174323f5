"""What a build takes is measured, shared out fairly, priced by our own factors, and kept with it as an estimate."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs import commit, energy, query
from jobs.energy import Assumptions, Meter, intensity, known_intensity
from jobs.lake import Lake
from jobs.outcome import new_run
from jobs.past import past
from jobs.run import run
from jobs.session import Engine
from schemas.contracts import contract
from tests.jobs import building
from tests.jobs.building import csv, deliver

FLOW = "cleaned.flow_merge"
LOOKS = [(0.0, 0.0, 1.0), (2.0, 1.0, 1.0), (4.0, 5.0, 3.0), (5.0, 6.0, 3.0), (6.0, 9.0, 3.0)]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a meter see a clock, processor seconds and GB of our own making."""
    looks = iter(LOOKS)
    monkeypatch.setattr(Meter, "_look", lambda self: next(looks))


def test_what_is_spent_is_shared_by_those_at_work_and_nothing_is_counted_twice(looked: None) -> None:
    meter = Meter(Assumptions(watts_per_core=10, watts_per_gb=2))
    meter.start("a")
    meter.start("b")
    a = meter.stop("a")
    b = meter.stop("b")
    assert (a.cpu_seconds, b.cpu_seconds) == (1 + 4 / 2, 4 / 2 + 1)
    assert (a.gb_seconds, b.gb_seconds) == (2 + 4 / 2, 4 / 2 + 3)
    assert a.kwh == pytest.approx((3 * 10 + 4 * 2) / 3.6e6)
    meter.start("c")  # between b's end and here nobody was at work
    assert meter.taken == {"c": [0.0, 0.0]}


def test_children_count_while_they_live_and_once_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "LOOK_EVERY", -1.0)
    meter = Meter()
    work = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\nsys.stdin.read()"
    meter.start("build")
    child = subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.readline()
    alive = meter._look()[1]
    spent = meter.last[1]
    child.communicate()
    after = meter._look()[1]
    assert alive - spent >= 0.25  # the system counts a child's time in steps of 10 ms
    assert 0 <= after - alive < 0.3
    assert meter.stop("build").cpu_seconds >= 0.25


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "mine", building.flows(["merge"]))))


def built(lake: Lake, spark: Any, meter: Meter) -> tuple[Any, dict[str, Any]]:
    (outcome,) = run(lake, Engine("sail", spark), [FLOW], meter=meter)
    rows = query.sql(lake, "select * from ops.run order by started_at").to_pylist()
    return outcome, rows[-1]


def test_a_build_keeps_what_it_took(lake: Lake, spark: Any, flows: None) -> None:
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    outcome, row = built(lake, spark, Meter(Assumptions(kgco2_per_kwh=0.5, scope="client")))
    assert row["cpu_seconds"] == outcome.use.cpu_seconds > 0
    assert row["memory_gb"] * row["seconds"] == pytest.approx(outcome.use.gb_seconds)
    assert row["energy_kwh"] == pytest.approx((3.5 * row["cpu_seconds"] + 0.392 * outcome.use.gb_seconds) / 3.6e6)
    assert row["emission_kgco2"] == outcome.kgco2 == pytest.approx(row["energy_kwh"] * 0.5)
    assert row["energy_scope"] == "client"


def test_a_lake_from_before_gets_the_columns_with_its_next_build(lake: Lake, spark: Any, flows: None) -> None:
    new = ("cpu_seconds", "memory_gb", "energy_kwh", "emission_kgco2", "energy_scope")
    known = contract("ops.run")
    older = known.model_copy(update={"columns": {k: v for k, v in known.columns.items() if k not in new}})
    row = {"run_id": "20260101T000000-old", "table_name": FLOW, "status": "built", "seconds": 1.0}
    schema = pa.schema([("run_id", pa.string()), ("table_name", pa.string()), ("status", pa.string()), ("seconds", pa.float64())])
    commit.append_rows(lake, older, pa.Table.from_pylist([row], schema=schema), new_run())
    assert past(lake, datetime(2025, 1, 1, tzinfo=UTC)).recent["energy_kwh"] is None
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    built(lake, spark, Meter())
    found = {r["run_id"]: r for r in query.sql(lake, "from ops.run").to_pylist()}
    assert len(found) == 2
    assert found["20260101T000000-old"]["energy_kwh"] is None
    assert sum(r["energy_kwh"] is not None for r in found.values()) == 1


def factors(lake: Lake, *values: tuple[str, str, float, str]) -> None:
    rows = [{"factor_id": f"{one}", "factor_set": one[0], "role": "ef", "region_code": one[1], "unit": "tCO2/MWh",
             "value": one[2], "valid_from": one[3], "confidence": "verified", "source": "s", "licence": "l",
             "source_table": "cleaned.grid_factor"} for one in values]  # fmt: skip
    table = pa.Table.from_pylist(rows)
    table = table.set_column(table.schema.names.index("valid_from"), "valid_from", table["valid_from"].cast(pa.date32()))
    commit.append_rows(lake, contract("knowledge.factor"), table, new_run())


def test_the_newest_average_factor_of_the_region_prices_energy_unless_one_is_given(lake: Lake) -> None:
    assert intensity(lake, Assumptions(region="CHN")) is None
    factors(lake, ("grid_average", "CHN", 0.61, "2015-01-01"), ("grid_average", "CHN", 0.53, "2023-01-01"),
            ("grid_average", "110000", 0.56, "2023-01-01"), ("grid_baseline_OM", "CHN", 0.99, "2024-01-01"))  # fmt: skip
    assert intensity(lake, Assumptions(region="CHN")) == 0.53
    assert intensity(lake, Assumptions(region="110000")) == 0.56
    assert intensity(lake, Assumptions(region="O'Brien")) is None
    assert intensity(lake, Assumptions(region="CHN", kgco2_per_kwh=0.1)) == 0.1


def test_a_factor_library_that_cannot_be_read_fails_no_run(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    factors(lake, ("grid_average", "CHN", 0.53, "2023-01-01"))
    for path in (lake.folder / "knowledge" / "factor").glob("*.parquet"):
        path.unlink()
    assert known_intensity(lake, Assumptions(region="CHN")) is None
    assert "factor library" in caplog.text


def test_the_demo_knows_its_energy_and_co2_by_the_factor_of_its_region(demo_lake: Path, demo_output: str) -> None:
    rows = query.sql(Lake(demo_lake), "from ops.run").to_pylist()
    assert len(rows) > 30
    assert {row["energy_scope"] for row in rows} == {"whole"}
    assert all(row["emission_kgco2"] == pytest.approx(row["energy_kwh"] * 0.5306) for row in rows)
    assert "an estimate from" in demo_output
