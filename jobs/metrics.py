"""What Prometheus is told of a lake: read anew from the lake at each question, so right after any restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from threading import Lock
from typing import Literal

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from jobs import metrics_sources
from jobs.channels import channels
from jobs.lake import FORMAT, Lake
from jobs.state import STATES, State, look

Sample = tuple[str, tuple[str, ...], float]
JOULES_PER_KWH = 3.6e6
# What becomes of a check that does not hold.
BROKEN = {"quarantine": "set_aside", "warn": "warned", "fail": "failed"}


@dataclass(frozen=True)
class Kind:
    """What a metric is: counted up for ever or measured now, what it says, and its labels."""

    type: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()


def _by_table(type_: Literal["counter", "gauge"], help_: str, *labels: str) -> Kind:
    return Kind(type_, help_, ("table", *labels))


METRICS = {
    "carbonlake_info": Kind("gauge", "1, with the version of the program and the format of the lake", ("version", "format")),
    "carbonlake_tables": Kind("gauge", "Tables by state; waiting and failed are the queue", ("state",)),
    "carbonlake_deliveries": Kind("gauge", "Deliveries by status", ("status",)),
    "carbonlake_delivered_bytes": Kind("gauge", "Bytes of the deliveries in force"),
    "carbonlake_free_bytes": Kind("gauge", "Room left where a local lake lies"),
    "carbonlake_look_seconds": Kind("gauge", "How long it took to read all this from the lake"),
    "carbonlake_builds": _by_table("counter", "Builds by how they ended", "status"),
    "carbonlake_build_seconds": _by_table("counter", "Time spent in builds"),
    "carbonlake_rows_in": _by_table("counter", "Rows read from deliveries or inputs"),
    "carbonlake_rows_written": _by_table("counter", "Rows made part of the table"),
    "carbonlake_rows_set_aside": _by_table("counter", "Rows sent to quarantine"),
    "carbonlake_rows_superseded": _by_table("counter", "Rows replaced by later ones"),
    "carbonlake_cpu_seconds": _by_table("counter", "Processor time of builds, where it was measured"),
    "carbonlake_energy_joules": _by_table("counter", "Energy of builds: an estimate"),
    "carbonlake_emission_co2_grams": _by_table("counter", "CO2 of that energy: an estimate"),
    "carbonlake_last_build_timestamp_seconds": _by_table("gauge", "When the newest build began"),
    "carbonlake_last_build_seconds": _by_table("gauge", "How long the newest build took"),
    "carbonlake_last_build_failed": _by_table("gauge", "1 where the newest build failed"),
    "carbonlake_table_due": _by_table("gauge", "1 where the next run has something to build"),
    "carbonlake_table_version": _by_table("gauge", "Newest Delta version"),
    "carbonlake_table_rows": _by_table("gauge", "Rows"),
    "carbonlake_table_bytes": _by_table("gauge", "Bytes of the files of the newest version"),
    "carbonlake_table_files": _by_table("gauge", "Files of the newest version"),
    "carbonlake_table_small_files": _by_table("gauge", "Files below 32 MiB, which maintenance merges where there are many"),
    "carbonlake_quarantine_rows": _by_table("gauge", "Rows that wait in quarantine"),
    "carbonlake_unchecked_deliveries": _by_table("gauge", "Deliveries in force whose values no checksum guards"),
    "carbonlake_freshness_age_seconds": _by_table("gauge", "Age of the newest delivery or build, where a contract bounds it"),
    "carbonlake_freshness_limit_seconds": _by_table("gauge", "The age that the contract allows"),
    "carbonlake_checks": _by_table("gauge", "Checks of the newest build: passed, set_aside, warned or failed", "result"),
    **{f"carbonlake_{name}": _by_table("gauge", told, *labels) for name, (told, labels) in metrics_sources.GAUGES.items()},
    "carbonlake_maintenance_timestamp_seconds": Kind("gauge", "When maintenance last ended; absent before the first"),
    "carbonlake_maintenance_seconds": Kind("counter", "Time spent in maintenance"),
    "carbonlake_maintenance_files_merged": Kind("counter", "Files that maintenance merged"),
    "carbonlake_maintenance_files_deleted": Kind("counter", "Files that maintenance deleted"),
}  # fmt: skip


def exposed_names() -> set[str]:
    """Return the names of all metrics as Prometheus stores them."""
    return {f"{name}_total" if one.type == "counter" else name for name, one in METRICS.items()}


class Collector:
    """Reads the lake whenever somebody asks; of those who ask at once, one after the other."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.lock = lake, Lock()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its samples."""
        with self.lock:
            began = time.perf_counter()
            now = datetime.now(UTC)
            samples = [*_samples(look(self.lake, now)), *metrics_sources.samples(channels(self.lake, now), now)]
            samples.append(("carbonlake_look_seconds", (), time.perf_counter() - began))
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, one in METRICS.items():
            family = CounterMetricFamily if one.type == "counter" else GaugeMetricFamily
            families[name] = family(name, one.help, labels=one.labels)
        for name, labels, value in samples:
            families[name].add_metric(labels, value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: to register must not read the lake."""
        return iter(())


def registry(lake: Lake) -> CollectorRegistry:
    """Return a registry of the lake alone, without this process's own figures."""
    found = CollectorRegistry()
    found.register(Collector(lake))
    return found


def _samples(state: State) -> Iterator[Sample]:
    yield "carbonlake_info", (version("carbonlake"), str(FORMAT)), 1
    for name in STATES:
        yield "carbonlake_tables", (name.replace(" ", "_"),), sum(one.state == name for one in state.tables)
    yield "carbonlake_deliveries", ("in_force",), state.deliveries
    yield "carbonlake_deliveries", ("unclaimed",), state.unclaimed
    yield "carbonlake_delivered_bytes", (), state.delivered_bytes
    if state.free_bytes is not None:
        yield "carbonlake_free_bytes", (), state.free_bytes
    yield from _of_tables(state)
    yield from _of_builds(state)
    yield from _of_checks(state)
    kept = state.past.maintenance
    if kept["tended_at"]:
        yield "carbonlake_maintenance_timestamp_seconds", (), kept["tended_at"].timestamp()
    for name, column in (("seconds", "seconds"), ("files_merged", "merged"), ("files_deleted", "deleted")):
        yield f"carbonlake_maintenance_{name}", (), kept[column]


def _of_tables(state: State) -> Iterator[Sample]:
    for one in state.tables:
        at: tuple[str, ...] = (one.name,)
        yield "carbonlake_table_due", at, one.due
        yield "carbonlake_quarantine_rows", at, one.quarantined
        if one.graded:
            yield "carbonlake_unchecked_deliveries", at, one.unchecked
        for name, value in (
            ("rows", one.rows),
            ("bytes", one.size_bytes),
            ("files", one.files),
            ("small_files", one.small_files),
        ):
            yield f"carbonlake_table_{name}", at, value
        for name, found in (("table_version", one.version), ("freshness_age_seconds", one.age),
                            ("freshness_limit_seconds", one.limit)):  # fmt: skip
            if found is not None:
                yield f"carbonlake_{name}", at, found


def _of_builds(state: State) -> Iterator[Sample]:
    totals: dict[tuple[str, tuple[str, ...]], float] = {}
    for row in state.past.added_up:
        at: tuple[str, ...] = (row["table_name"],)
        yield "carbonlake_builds", (*at, row["status"]), row["builds"]
        for name, value in (
            ("build_seconds", row["seconds"]), ("cpu_seconds", row["cpu_seconds"]), ("rows_in", row["rows_in"]),
            ("rows_written", row["rows_written"]), ("rows_set_aside", row["rows_set_aside"]),
            ("rows_superseded", row["rows_superseded"]), ("energy_joules", row["energy_kwh"] * JOULES_PER_KWH),
            ("emission_co2_grams", row["emission_kgco2"] * 1000),
        ):  # fmt: skip
            totals[f"carbonlake_{name}", at] = totals.get((f"carbonlake_{name}", at), 0) + value
    for (name, at), value in totals.items():
        yield name, at, value
    due = {table.name for table in state.tables if table.due}
    for table, row in state.past.newest.items():
        yield "carbonlake_last_build_timestamp_seconds", (table,), row["started_at"].timestamp()
        yield "carbonlake_last_build_seconds", (table,), row["seconds"] or 0
        yield "carbonlake_last_build_failed", (table,), row["status"] == "failed" and table in due


def _of_checks(state: State) -> Iterator[Sample]:
    counts: dict[tuple[str, str], int] = {}
    for row in state.past.checks:
        result = "passed" if row["passed"] else BROKEN[row["outcome"]]
        counts[row["table_name"], result] = counts.get((row["table_name"], result), 0) + 1
    for (table, result), number in counts.items():
        yield "carbonlake_checks", (table, result), number
