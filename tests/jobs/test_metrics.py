"""What Prometheus is told is true, can be scraped or collected from a file, and is all that dashboard and alerts ask for."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from jobs import query
from jobs.lake import Lake
from jobs.metrics import METRICS, exposed_names, registry
from schemas import graph
from schemas.rooms import SHIPPED
from tests import documents
from tests.jobs import building
from tests.jobs.building import csv, deliver

FLOW = "cleaned.flow_merge"
BUILT = len(graph.built())
GRAFANA, PROMETHEUS = SHIPPED / "docker" / "grafana", SHIPPED / "docker" / "prometheus"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    return {(one.name, tuple(sorted(one.labels.items()))): one.value
            for family in text_string_to_metric_families(text) for one in family.samples}  # fmt: skip


def of(found: Samples, name: str, **labels: str) -> float:
    return found[f"carbonlake_{name}", tuple(sorted(labels.items()))]


@pytest.fixture
def told(demo_lake: Path) -> Samples:
    """Return what is told of the demo."""
    return samples(documents.run(["carbonlake", "--lake", str(demo_lake), "metrics"], demo_lake.parent).stdout)


def test_every_metric_is_told_of_the_demo_with_the_labels_declared(told: Samples) -> None:
    # Before the first maintenance; nothing of the demo is fetched, and no source has given five deliveries.
    absent = {"carbonlake_maintenance_timestamp_seconds", "carbonlake_source_fetches", "carbonlake_source_volume_score",
              "carbonlake_stream_behind", "carbonlake_stream_messages", "carbonlake_stream_refused"}  # fmt: skip
    assert {name for name, _ in told} == exposed_names() - absent
    labels = {name: {tuple(label for label, _ in pairs) for other, pairs in told if other == name} for name, _ in told}
    for name, one in METRICS.items():
        exposed = f"{name}_total" if one.type == "counter" else name
        assert labels.get(exposed, {tuple(sorted(one.labels))}) == {tuple(sorted(one.labels))}, name


def test_figures_are_those_of_the_records_and_of_the_tables(told: Samples, demo_lake: Path) -> None:
    lake = Lake(demo_lake)
    sums = query.sql(lake, """
        select table_name, sum(rows_in) as rows_in, sum(rows_written) as rows_written, sum(rows_set_aside) as rows_set_aside,
          sum(seconds) as build_seconds, sum(cpu_seconds) as cpu_seconds, 3.6e6 * sum(energy_kwh) as energy_joules,
          1000 * sum(emission_kgco2) as emission_co2_grams from ops.run group by all""").to_pylist()  # fmt: skip
    assert len(sums) == BUILT
    for row in sums:
        table = row.pop("table_name")
        for name, value in row.items():
            assert of(told, f"{name}_total", table=table) == pytest.approx(float(value)), (table, name)
        assert of(told, "builds_total", table=table, status="built") == 1
        (counted,) = query.sql(lake, f"select count(*) as n from {table}").to_pylist()
        assert of(told, "table_rows", table=table) == counted["n"]
    assert of(told, "tables", state="up_to_date") == BUILT
    assert of(told, "freshness_limit_seconds", table="cleaned.owid_co2") == 400 * 86400
    assert of(told, "quarantine_rows", table="cleaned.enterprise_fuel_month") == 11


def test_counters_go_on_where_they_were_whoever_asks(
    lake: Lake, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "mine", building.flows(["merge"]))))
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    building.build(lake, spark, FLOW)
    asked = registry(lake)

    def value(name: str, of: CollectorRegistry = asked, **labels: str) -> float | None:
        return of.get_sample_value(f"carbonlake_{name}", labels)

    assert value("rows_written_total", table=FLOW) == 1
    assert value("table_due", table="thematic.flow_merge_month") == 1
    deliver(lake, FLOW, "b.csv", "meter,day\na,2026-01-01\n")
    building.build(lake, spark, FLOW)
    assert value("rows_written_total", table=FLOW) == value("rows_written_total", registry(lake), table=FLOW) == 1
    assert value("builds_total", table=FLOW, status="failed") == 1
    assert value("last_build_failed", table=FLOW) == value("tables", state="failed") == 1


def test_a_file_for_the_textfile_collector_is_put_there_whole(demo_lake: Path, tmp_path: Path) -> None:
    command = ["carbonlake", "--lake", str(demo_lake), "metrics", "--file", "collector/carbonlake.prom"]
    for _ in range(2):
        assert documents.run(command, tmp_path).returncode == 0
    assert [path.name for path in (tmp_path / "collector").iterdir()] == ["carbonlake.prom"]
    assert of(samples((tmp_path / "collector/carbonlake.prom").read_text()), "tables", state="up_to_date") == BUILT


def test_they_are_served_on_this_machine_alone_until_told_to_end(demo_lake: Path, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("carbonlake")), "--lake", str(demo_lake), "metrics", "--serve", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARBONLAKE_")}
    with subprocess.Popen(command, cwd=tmp_path, env=kept, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = server.stdout.readline().strip()
        try:
            assert url.startswith("http://127.0.0.1:")
            for _ in range(2):
                with urllib.request.urlopen(url, timeout=60) as answer:
                    assert of(samples(answer.read().decode()), "tables", state="up_to_date") == BUILT
            taken = documents.run([*command[:-1], url.split(":")[2].split("/")[0]], tmp_path)
            assert (taken.returncode, "cannot be had" in taken.stderr) == (1, True)
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0


def queries() -> list[str]:
    board = json.loads((GRAFANA / "dashboards/carbonlake.json").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    found += [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    return found + [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]


def test_dashboard_and_alerts_ask_only_for_what_is_told_and_the_dashboard_for_all_of_it() -> None:
    asked = [set(re.findall(r"\bcarbonlake_\w+", one)) for one in queries()]
    assert all(asked)
    named = set().union(*asked)
    assert named <= exposed_names()
    beside = {"table_files", "last_build_timestamp_seconds", "maintenance_seconds_total"}
    assert exposed_names() - named == {f"carbonlake_{name}" for name in beside}


def test_labels_asked_for_are_those_of_the_metric() -> None:
    labels = {
        f"{name}_total" if one.type == "counter" else name: {*one.labels, "job", "instance"} for name, one in METRICS.items()
    }
    for one in queries():
        for name, selector in re.findall(r"\b(carbonlake_\w+)\{([^}]*)\}", one):
            assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= labels[name], one
        for group in re.findall(r"by \(([^)]*)\)", one):
            (name,) = set(re.findall(r"\bcarbonlake_\w+", one))
            assert {label.strip() for label in group.split(",")} <= labels[name], one


def test_the_dashboard_is_what_its_source_makes_and_its_panels_do_not_overlap() -> None:
    made = runpy.run_path(str(GRAFANA / "make.py"))
    assert (GRAFANA / "dashboards/carbonlake.json").read_text(encoding="utf-8") == made["text"]()
    cells = [(x, y) for panel in made["dashboard"]()["panels"] for at in [panel["gridPos"]]
             for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]  # fmt: skip
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_prometheus_and_grafana_find_what_they_are_told_to_load() -> None:
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    assert all((PROMETHEUS / name).is_file() for name in config["rule_files"])
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/carbonlake.yaml").read_text(encoding="utf-8"))["providers"]
    assert (source["type"], provider["type"]) == ("prometheus", "file")
