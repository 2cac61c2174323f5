"""Devices and their counters: who speaks for whom, what comes again or late, and what was used, reckoned by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs import land
from jobs.fetch import messages
from jobs.lake import Lake
from schemas.rooms import SHIPPED
from tests.jobs import building

SAMPLE = SHIPPED / "samples" / "streams"
TABLE = "thematic.meter_reading"
START = 1_768_435_200_000  # 2026-01-15T00:00:00Z
HOUR = 3_600_000


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(SAMPLE))
    made = Lake(tmp_path / "lake").init()
    land.land(made, SAMPLE / "deliveries" / "devices.csv", "cleaned.device")
    return made


class Plant:
    """Messages of meters, an hour apart as they come, each measured at the hour that its number says."""

    def __init__(self, lake: Lake, spark: Any) -> None:
        self.lake, self.spark, self.number = lake, spark, 0

    def send(self, *sent: tuple[str, int, str], topic: str = "") -> None:
        """Land a delivery of (device, sequence, counter)."""
        text = '{"device":"%s","sequence":%d,"measured_at":"2026-01-15T%02d:00:00Z","counter_kwh":%s}'
        values = [(text % (device, number, number, counter)).encode() for device, number, counter in sent]
        topics = [topic or f"plant/{device}/energy" for device, _, _ in sent]
        times = [START + (self.number + place) * HOUR for place in range(len(sent))]
        self.number += len(sent)
        path = self.lake.folder.parent / "sent" / f"{self.number}.parquet"
        path.parent.mkdir(exist_ok=True)
        messages.write(path, {"topic": topics, "time": times, "value": values, "qos": [1] * len(sent)})
        land.land(self.lake, path, "cleaned.meter_message")

    def read(self, *columns: str) -> list[tuple[Any, ...]]:
        """Build, and return rows by device and sequence."""
        ended = building.build(self.lake, self.spark, f"+{TABLE}")
        assert {one.status for one in ended.values()} <= {"built", "skipped"}, ended
        return sorted(building.rows(self.lake, TABLE, "device", "sequence", *columns))

    def aside(self) -> list[str]:
        """Return the rules of the rows that were set aside."""
        return sorted(rules for _, _, rules, _ in building.aside(self.lake, TABLE))


@pytest.fixture
def plant(lake: Lake, spark: Any) -> Plant:
    return Plant(lake, spark)


def kwh(text: str) -> Decimal:
    return Decimal(text)


def test_what_was_used_is_the_difference_of_two_counters_and_what_comes_late_goes_to_its_place(plant: Plant) -> None:
    plant.send(("m1", 1, "10.5"), ("m1", 2, "12.0"), ("m1", 4, "20.25"))
    assert [row[2] for row in plant.read("electricity_kwh")] == [None, kwh("1.5"), kwh("8.25")]
    plant.send(("m1", 3, "13.0"))
    assert plant.read("electricity_kwh", "late") == [
        ("m1", 1, None, False), ("m1", 2, kwh("1.5"), False), ("m1", 3, kwh("1"), True), ("m1", 4, kwh("7.25"), False),
    ]  # fmt: skip


def test_who_is_not_registered_or_speaks_for_another_is_set_aside_with_the_reason(plant: Plant) -> None:
    plant.send(("m1", 1, "10"), ("m9", 1, "5"))
    plant.send(("m1", 2, "999"), topic="plant/m2/energy")
    plant.send(("m1", 3, "1000"), ("m1", 4, "-1"), ("m1", 5, "11"))
    assert plant.read("electricity_kwh") == [("m1", 1, None), ("m1", 5, kwh("1"))]
    assert plant.aside() == ["other_topic", "out_of_range", "out_of_range", "unknown_device"]


def test_a_device_counts_for_whom_it_was_registered_at_the_time(plant: Plant) -> None:
    plant.send(("m2", 1, "10"), ("m2", 2, "11"))
    plant.number += 24 * 20
    values = b'{"device":"m2","sequence":%d,"measured_at":"%s","counter_kwh":12}'
    path = plant.lake.folder.parent / "sent" / "february.parquet"
    messages.write(path, {"topic": ["plant/m2/energy"] * 2, "time": [START + 30 * 24 * HOUR] * 2, "value": [
        values % (3, b"2026-02-01T00:00:00Z"), values % (4, b"2025-12-31T23:00:00Z")]})  # fmt: skip
    land.land(plant.lake, path, "cleaned.meter_message")
    assert [row[2] for row in plant.read("subject_id")] == ["facility:2", "facility:2", "facility:3"]
    assert plant.aside() == ["not_valid_then"]


def test_a_replay_changes_nothing_whatever_it_says(plant: Plant) -> None:
    plant.send(("m1", 1, "10"), ("m1", 2, "12"))
    plant.send(("m1", 2, "12"), ("m1", 1, "900"), ("m1", 3, "15"))
    assert plant.read("electricity_kwh", "late") == [
        ("m1", 1, None, False),
        ("m1", 2, kwh("2"), False),
        ("m1", 3, kwh("3"), False),
    ]
    assert plant.aside() == ["replayed", "replayed"]


def test_a_counter_that_goes_over_its_end_or_begins_anew_never_gives_a_negative_use(plant: Plant) -> None:
    plant.send(("m1", 1, "995"), ("m1", 2, "4.5"), ("m1", 3, "500"), ("m1", 4, "2"), ("m1", 5, "3"))
    assert plant.read("electricity_kwh", "event") == [
        ("m1", 1, None, None), ("m1", 2, kwh("9.5"), "overflow"), ("m1", 3, kwh("495.5"), None), ("m1", 4, kwh("2"), "reset"),
        ("m1", 5, kwh("1"), None),
    ]  # fmt: skip


def test_a_counter_that_stands_for_too_long_is_told(plant: Plant) -> None:
    plant.send(*[("m1", hour, "10") for hour in range(1, 6)], ("m1", 6, "11"))
    assert [row[2] for row in plant.read("event")] == [None, None, None, "stuck", "stuck", None]
    assert [row[2] for row in plant.read("electricity_kwh")] == [None, 0, 0, 0, 0, 1]
