"""What a cleaned table is: which rows stand, which wait, what a day is, and what a source or contract may not do silently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobs import land
from jobs.lake import Lake
from jobs.outcome import Outcome
from tests.jobs import building
from tests.jobs.building import WRITES, csv, deliver

MERGE, REPLACE = "cleaned.flow_merge", "cleaned.flow_replace"
JAN, FEB, MAR = "2025-01-05", "2025-02-05", "2025-03-05"
INSTANT = """
description: Readings at local times
owner: tests
source: {zone: instants, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0, timezone: Asia/Shanghai}
key: [number]
columns:
  number: {type: bigint, description: Number}
  at: {type: timestamp, description: Instant, from: local}
  day: {type: date, description: Day of the source, from: local}
  told: {type: timestamp, description: Instant with an offset, from: offset, format: "yyyy-MM-dd'T'HH:mm:ssXXX"}
"""
WIDE = [f"v{i}" for i in range(150)]
BROAD = """
description: A sheet of very many columns
owner: tests
source: {zone: sheets, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [v0]
columns:
""" + "".join(f"  {name}: {{type: {'double' if i % 2 else 'bigint'}, description: V}}\n" for i, name in enumerate(WIDE))
Builder = Callable[..., Outcome]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {**building.flows(), "schemas/cleaned/instant.yaml": INSTANT, "schemas/cleaned/broad.yaml": BROAD}


@pytest.fixture(scope="module", autouse=True)
def project(files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Lay the project over the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path_factory.mktemp("flows"), files)))
        yield


@pytest.fixture
def change(files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what changes a contract: pairs of old and new text."""

    def changed(table: str, *pairs: tuple[str, str]) -> None:
        text = files[f"schemas/{table.replace('.', '/')}.yaml"]
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        folder = tmp_path / f"project {len(list(tmp_path.glob('project*')))}"
        building.lay(folder, {**files, f"schemas/{table.replace('.', '/')}.yaml": text})
        monkeypatch.setenv("CARBONLAKE_PROJECT", str(folder))

    return changed


@pytest.fixture
def build(lake: Lake, spark: Any) -> Builder:
    return lambda table=MERGE, **options: building.build(lake, spark, table, **options)[table]


def masses(lake: Lake, table: str = MERGE) -> list[tuple[str, str, int]]:
    return sorted((meter, str(day), int(mass)) for meter, day, mass in building.rows(lake, table, "meter", "day", "mass_t"))


def waiting(lake: Lake, table: str = MERGE) -> list[tuple[int, str, str]]:
    return [row[:3] for row in building.aside(lake, table)]


def test_rows_without_a_key_wait(lake: Lake, build: Builder) -> None:
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "x"), ("", JAN, 2, "x"), ("m", "", 3, "x"), ("", "", 4, "")]))
    assert build().counts.set_aside == 3
    assert masses(lake) == [("m", JAN, 1)]
    assert waiting(lake) == [
        (1, "3", "key_not_null_meter"), (1, "4", "key_not_null_day, key_not_null_month"),
        (1, "5", "key_not_null_meter, key_not_null_day, key_not_null_month"),
    ]  # fmt: skip


def test_a_value_that_the_pattern_does_not_find_waits_and_is_no_empty_value(
    lake: Lake, build: Builder, change: Callable[..., None]
) -> None:
    change(MERGE, ("from: t}", "from: t, pattern: '^([0-9-]+) ?kg$', null_values: ['-', n/a]}"))
    found = [("a", "1 kg"), ("b", "2 t"), ("c", "n/a"), ("d", "- kg"), ("e", " ")]
    deliver(lake, MERGE, "a.csv", csv([(meter, JAN, text, "x") for meter, text in found]))
    build()
    assert waiting(lake) == [(1, "3", "type_mass_t")]
    assert building.rows(lake, MERGE, "meter", "mass_t") == [("a", 1), ("c", None), ("d", None), ("e", None)]


def test_a_table_of_more_columns_than_bits_sets_aside_what_does_not_fit_and_names_the_columns_that_share_one(
    lake: Lake, build: Builder
) -> None:
    def row(number: int, **given: str) -> list[str]:
        return [given.get(name, str(number)) for name in WIDE]

    rows = [row(1), row(2, v77="x"), row(3, v149=""), row(4, v148="1.5"), row(5, v0=""), row(6)]
    text = "\n".join(",".join(one) for one in [WIDE, *rows]) + "\n"
    deliver(lake, "cleaned.broad", "a.csv", text)
    build("cleaned.broad")
    told = {line: next(label for label in rules.split(", ")) for _, line, rules in waiting(lake, "cleaned.broad")}
    assert {line: "|v77|" in f"|{label[5:]}|" or "|v148|" in f"|{label[5:]}|" or label for line, label in told.items()} == {
        "3": True, "5": True, "6": "key_not_null_v0"}  # fmt: skip
    assert building.rows(lake, "cleaned.broad", "v0", "v149") == [(1, 1.0), (3, None), (6, 6.0)]


def test_where_columns_share_a_bit_a_source_that_drifts_is_told_with_all_of_them(lake: Lake, build: Builder) -> None:
    for name, last in (("a.csv", "1"), ("b.csv", "a")):
        rows = [[str(number)] * 75 + [last] * 75 for number in range(40)]
        deliver(lake, "cleaned.broad", name, "\n".join(",".join(one) for one in [WIDE, *rows]) + "\n")
        outcome = build("cleaned.broad")
    assert "40 of 40 rows do not fit the types of v7" in outcome.reason and "\n  → " in outcome.reason


def test_what_is_done_to_texts_alone_is_refused_where_a_number_comes(
    lake: Lake, build: Builder, change: Callable[..., None]
) -> None:
    change(MERGE, ("description: Label}", "description: Label, from: _locator, pattern: '([0-9])', null_values: ['2']}"))
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "x")]))
    refused = build()
    assert refused.status == "failed"
    assert "columns.label: `pattern`, `null_values` is for texts, _locator comes as " in refused.reason


@pytest.mark.parametrize("write", ["merge", "replace", "period"])
def test_an_exact_repeat_is_superseded_and_rows_that_contradict_each_other_all_wait(
    lake: Lake, build: Builder, write: str
) -> None:
    table = f"cleaned.flow_{write}"
    rows = [
        ("m", JAN, 1, "x"),
        ("m", JAN, 1, "x"),
        ("n", JAN, 1, "x"),
        ("n", JAN, 2, "x"),
        ("n", JAN, 1, "x"),
        ("o", FEB, 1, "x"),
    ]
    deliver(lake, table, "a.csv", csv(rows))
    counts = build(table).counts
    assert (counts.came_in, counts.written, counts.superseded, counts.set_aside) == (6, 2, 1, 3)
    assert masses(lake, table) == [("m", JAN, 1), ("o", FEB, 1)]
    assert waiting(lake, table) == [(1, str(line), "duplicate_key") for line in (4, 5, 6)]


def test_the_same_row_with_a_value_missing_is_no_repeat(lake: Lake, build: Builder) -> None:
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "x"), ("m", JAN, 1, ""), ("n", JAN, 1, ""), ("n", JAN, 1, "")]))
    build()
    assert masses(lake) == [("n", JAN, 1)]
    assert [row[1] for row in waiting(lake)] == ["2", "3"]


@pytest.mark.parametrize("force", [False, True])
def test_a_delivery_that_contradicts_itself_replaces_nothing(lake: Lake, build: Builder, force: bool) -> None:
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "x"), ("n", JAN, 1, "x")]))
    build()
    deliver(lake, MERGE, "b.csv", csv([("m", JAN, 7, "x"), ("m", JAN, 8, "x"), ("n", JAN, 9, "x")]))
    build(force=force)
    assert masses(lake) == [("m", JAN, 1), ("n", JAN, 9)]


@pytest.mark.parametrize("force", [False, True])
def test_a_row_that_waits_replaces_nothing(lake: Lake, build: Builder, force: bool) -> None:
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "x")]))
    build()
    deliver(lake, MERGE, "b.csv", csv([("m", JAN, -1, "x")]))
    build(force=force)
    assert masses(lake) == [("m", JAN, 1)]
    assert waiting(lake) == [(2, "2", "at_least_mass_t")]


FIRST = [("m", JAN, 1, "x"), ("m", FEB, 2, "x"), ("n", JAN, 3, "x")]
LATER = [("m", JAN, 10, "x"), ("m", MAR, 4, "x")]
CORRECTED = {
    "replace": [("m", JAN, 10), ("m", MAR, 4)],
    "merge": [("m", JAN, 10), ("m", FEB, 2), ("m", MAR, 4), ("n", JAN, 3)],
    "append": [("m", JAN, 1), ("m", JAN, 10), ("m", FEB, 2), ("m", MAR, 4), ("n", JAN, 3)],
    "period": [("m", JAN, 10), ("m", FEB, 2), ("m", MAR, 4)],
}
BACK = {
    "replace": [("m", JAN, 1), ("m", FEB, 2), ("n", JAN, 3)],
    "merge": [("m", JAN, 1), ("m", FEB, 2), ("m", MAR, 4), ("n", JAN, 3)],
    "append": [("m", JAN, 1), ("m", JAN, 1), ("m", JAN, 10), ("m", FEB, 2), ("m", FEB, 2), ("m", MAR, 4), ("n", JAN, 3),
               ("n", JAN, 3)],
    "period": [("m", JAN, 1), ("m", FEB, 2), ("m", MAR, 4), ("n", JAN, 3)],
}  # fmt: skip
MODES = {"replace": "whole", "merge": "partitions", "append": "append", "period": "partitions"}


@pytest.mark.parametrize("write", WRITES)
def test_a_late_correction_a_return_to_earlier_bytes_and_withdrawals(lake: Lake, build: Builder, write: str) -> None:
    """The four ways of writing, by the same three receipts: some rows, a correction, and the first bytes again."""
    table = f"cleaned.flow_{write}"
    deliver(lake, table, "a.csv", csv(FIRST))
    build(table)
    deliver(lake, table, "a.csv", csv(LATER))
    assert build(table).mode == MODES[write]
    assert masses(lake, table) == CORRECTED[write]
    assert deliver(lake, table, "a.csv", csv(LATER)) == 2
    assert build(table).status == "skipped"
    assert deliver(lake, table, "a.csv", csv(FIRST)) == 3
    build(table)
    assert masses(lake, table) == BACK[write]
    land.withdraw(lake, 3, "sent by mistake")
    assert build(table).reason == "a delivery was withdrawn or replaced"
    assert masses(lake, table) == CORRECTED[write]
    land.withdraw(lake, 2, "wrong")
    build(table)
    assert masses(lake, table) == sorted((meter, day, mass) for meter, day, mass, _ in FIRST)
    land.withdraw(lake, 1, "wrong too")
    assert (build(table).status, masses(lake, table)) == ("built", [])


def test_deliveries_of_different_names_stand_beside_each_other(lake: Lake, build: Builder) -> None:
    deliver(lake, REPLACE, "a.csv", csv([("m", JAN, 1, "x")]))
    deliver(lake, REPLACE, "b.csv", csv([("n", JAN, 2, "x")]))
    deliver(lake, REPLACE, "a.csv", csv([("m", FEB, 3, "x")]))
    build(REPLACE)
    assert masses(lake, REPLACE) == [("m", FEB, 3), ("n", JAN, 2)]


def test_files_of_two_names_that_share_a_key_are_not_published(lake: Lake, build: Builder) -> None:
    deliver(lake, REPLACE, "a.csv", csv([("m", JAN, 1, "x")]))
    build(REPLACE)
    deliver(lake, REPLACE, "b.csv", csv([("m", JAN, 2, "x")]))
    failed = build(REPLACE)
    assert failed.status == "failed"
    assert "key_unique: 2 rows share a key, e.g. meter=m, day=2025-01-05 (2 rows)" in failed.reason
    assert masses(lake, REPLACE) == [("m", JAN, 1)]


LOCAL = [
    "1985-12-31 23:59:59", "1986-05-03 23:30:00", "1986-05-04 01:59:59", "1986-05-04 03:00:00", "1986-05-05 00:30:00",
    "1986-07-01 00:00:00", "1986-09-13 23:59:59", "1986-09-15 00:00:00", "1989-04-16 12:00:00", "1991-08-01 00:30:00",
    "1991-09-16 00:00:00", "2025-01-01 00:00:00", "2025-07-01 07:59:59.123",
]  # fmt: skip


def test_a_local_time_is_an_instant_and_its_day_is_that_of_the_source(lake: Lake, build: Builder) -> None:
    """Compared with Python's time zones, through the summer times of 1986 to 1991."""
    zone, table = ZoneInfo("Asia/Shanghai"), "cleaned.instant"
    lines = [(number, text, "2025-01-01T00:30:00+08:00") for number, text in enumerate(LOCAL)]
    deliver(lake, table, "a.csv", csv(lines, "number,local,offset"))
    assert build(table).counts.written == len(LOCAL)
    times = [datetime.fromisoformat(text) for text in LOCAL]
    expected = [(n, time.replace(tzinfo=zone).astimezone(UTC), time.date()) for n, time in enumerate(times)]
    assert sorted(building.rows(lake, table, "number", "at", "day")) == expected
    assert {str(at.utcoffset()) for at in (time.replace(tzinfo=zone) for time in times)} == {"8:00:00", "9:00:00"}
    assert set(building.rows(lake, table, "told")) == {(datetime(2024, 12, 31, 16, 30, tzinfo=UTC),)}


def test_a_header_may_have_a_name_that_looks_like_one_of_ours(lake: Lake, build: Builder, change: Callable[..., None]) -> None:
    table = "cleaned.instant"
    change(table, ("  told:", "  note: {type: string, description: Note, from: _instant_at}\n  told:"))
    deliver(lake, table, "a.csv", csv([(1, "2025-03-01 00:30:00", "", "as it is")], "number,local,offset,_instant_at"))
    assert build(table).status == "built"
    assert building.rows(lake, table, "at", "note") == [(datetime(2025, 2, 28, 16, 30, tzinfo=UTC), "as it is")]


@pytest.mark.parametrize(("wrong", "right"), [
    ("to_date(at)", "to_date(from_utc_timestamp(at, 'Asia/Shanghai'))"),
    ("trunc(at, 'month')", "trunc(from_utc_timestamp(at, 'Asia/Shanghai'), 'month')"),
    ("cast(at as date)", "cast(from_utc_timestamp(at, 'Asia/Shanghai') as date)"),
    ("to_date(date_trunc('MONTH', at))", "to_date(date_trunc('MONTH', from_utc_timestamp(at, 'Asia/Shanghai')))"),
    ("make_date(year(at), month(at), 1)", "make_date(year(day), month(day), 1)"),
])  # fmt: skip
def test_a_day_is_not_taken_from_the_calendar_of_utc(
    lake: Lake, build: Builder, change: Callable[..., None], wrong: str, right: str
) -> None:
    """Half past midnight on the first in Shanghai is still the last month in UTC."""
    table = "cleaned.instant"
    deliver(lake, table, "a.csv", csv([(1, "2025-03-01 00:30:00", "")], "number,local,offset"))
    column = ("  told:", '  derived: {type: date, description: Derived, derive: "%s"}\n  told:')
    change(table, (column[0], column[1] % wrong))
    failed = build(table)
    assert failed.status == "failed" and "takes at by the calendar of UTC; that of the source is Asia/Shanghai" in failed.reason
    assert "write from_utc_timestamp(at, 'Asia/Shanghai') for at" in failed.reason
    change(table, (column[0], column[1] % right))
    assert build(table).status == "built"
    assert building.rows(lake, table, "derived") == [(date(2025, 3, 1),)]


def test_a_time_with_the_name_of_its_zone_is_an_instant_already(lake: Lake, build: Builder, change: Callable[..., None]) -> None:
    change("cleaned.instant", ("yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm VV"))
    lines = [
        (1, "2025-01-01 00:30:00", "2025-01-01 00:30 Asia/Shanghai"),
        (2, "2025-01-01 00:30:00", "2025-01-01 00:30 Asia/Tokyo"),
    ]
    deliver(lake, "cleaned.instant", "a.csv", csv(lines, "number,local,offset"))
    build("cleaned.instant")
    told = dict(building.rows(lake, "cleaned.instant", "number", "told"))
    assert told == {1: datetime(2024, 12, 31, 16, 30, tzinfo=UTC), 2: datetime(2024, 12, 31, 15, 30, tzinfo=UTC)}


def test_an_instant_with_an_offset_that_nobody_declared_waits(lake: Lake, build: Builder) -> None:
    lines = [(n, text, "") for n, text in enumerate(["2025-01-01T00:00:00Z", "2025-01-01T00:00:00+09:00", "12:30", "45678"])]
    deliver(lake, "cleaned.instant", "a.csv", csv(lines, "number,local,offset"))
    assert build("cleaned.instant").counts.set_aside == 4
    assert all("type_at" in rules for _, _, rules in waiting(lake, "cleaned.instant"))


def test_an_added_column_is_free(lake: Lake, build: Builder, change: Callable[..., None]) -> None:
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "x", "a")], building.HEAD + ",note"))
    build()
    change(MERGE, ("  month:", "  note: {type: string, description: Note}\n  month:"))
    assert (build().status, building.rows(lake, MERGE, "meter", "note")) == ("built", [("m", "a")])


def test_a_rename_a_retype_and_a_drop_need_a_migration(lake: Lake, build: Builder, change: Callable[..., None]) -> None:
    deliver(lake, MERGE, "a.csv", csv([("m", JAN, 1, "7")]))
    build()
    before = building.state(lake, [MERGE])
    for pairs, difference, remedy in (
        ([("label:", "name:"), ("description: Label", "description: Label, from: label")], "- label string\n    + name string",
         "change: rename, column: label, to: name"),
        ([("label: {type: string", "label: {type: int")], "~ label string → int", "change: retype, column: label"),
        ([("  label: {type: string, description: Label}\n", "")], "- label string", "change: drop, column: label"),
    ):  # fmt: skip
        change(MERGE, *pairs)
        failed = build()
        assert failed.status == "failed" and difference in failed.reason and remedy in failed.reason
        assert building.state(lake, [MERGE]) == before
        change(MERGE, *pairs, ("owner: tests", f"owner: tests\nmigrations: [{{{remedy}}}]"))
        assert build().status == "built"
        change(MERGE, ("owner: tests", "owner: us\nmigrations: [{change: rename, column: name, to: label}, "
                       "{change: retype, column: label}]"))  # fmt: skip
        assert build().status == "built" and building.rows(lake, MERGE, "label") == [("7",)]


def many(value: Callable[[int], Any], month: str = "01") -> list[tuple[str, str, Any, str]]:
    return [("m", f"2025-{month}-{day:02}", value(day), "x") for day in range(1, 29)]


DRIFTS = {
    "a column is gone": ("meter,day,label", lambda row: (row[0], row[1], row[3]), "no column for mass_t (from 't')"),
    "a column has another name": ("meter,day,tonnes,label", lambda row: row, "columns that no one expects: 'tonnes'"),
    "a column has another type": (building.HEAD, lambda row: (*row[:2], "1.5 t", row[3]),
                                  "mass_t (from 't') is decimal(28,6), which 28 of 28 rows do not fit, e.g. '1.5 t'"),
    "a date has another form": (building.HEAD, lambda row: (row[0], row[1][8:] + "/02/2025", *row[2:]),
                                "day (from 'day') is date"),
    "a unit is another": (building.HEAD, lambda row: (*row[:2], row[2] * 1000, row[3]),
                          "the scale of mass_t changed: its median is 14500 in the delivery, 14.5 in the table"),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drifted_source_stops_with_the_difference(lake: Lake, build: Builder, drift: str) -> None:
    head, changed, difference = DRIFTS[drift]
    deliver(lake, MERGE, "1.csv", csv(many(lambda day: day)))
    build()
    before = building.state(lake, [MERGE])
    number = deliver(lake, MERGE, "2.csv", csv(map(changed, many(lambda day: day, "02")), head))
    failed = build()
    assert failed.status == "failed" and difference in failed.reason
    assert f"delivery {number} (2.csv)" in failed.reason and f"`carbonlake withdraw {number}`" in failed.reason
    assert building.state(lake, [MERGE]) == before
    land.withdraw(lake, number, "drifted")
    deliver(lake, MERGE, "2.csv", csv(many(lambda day: day, "02")))
    assert build().status == "built" and len(masses(lake)) == 56


def test_figures_that_really_jump_are_let_in_by_force(lake: Lake, build: Builder) -> None:
    deliver(lake, MERGE, "1.csv", csv(many(lambda day: day)))
    build()
    deliver(lake, MERGE, "2.csv", csv(many(lambda day: day * 1000, "02")))
    assert build().status == "failed"
    assert build(force=True).status == "built" and build().status == "skipped"


def test_columns_in_another_order_are_read_by_name(lake: Lake, build: Builder) -> None:
    deliver(lake, MERGE, "1.csv", csv([("m", JAN, 1, "x")]))
    build()
    deliver(lake, MERGE, "2.csv", csv([("y", 2, FEB, "m")], "label,t,day,meter"))
    deliver(lake, MERGE, "3.csv", csv([("z", "new", 3, MAR, "m")], "label,unasked,t,day,meter"))
    assert build().status == "built"
    expected = [("m", Decimal(1), "x"), ("m", Decimal(2), "y"), ("m", Decimal(3), "z")]
    assert building.rows(lake, MERGE, "meter", "mass_t", "label") == expected


def test_a_refused_delivery_is_reported_and_the_rest_goes_on(lake: Lake, build: Builder) -> None:
    deliver(lake, MERGE, "1.csv", csv([("m", JAN, 1, "x")]))
    deliver(lake, MERGE, "2.csv", b"")
    deliver(lake, MERGE, "3.csv", csv([("m", MAR, 3, "x")]))
    ended = build()
    assert (ended.status, masses(lake)) == ("built", [("m", JAN, 1), ("m", MAR, 3)])
    (warning,) = ended.warnings
    assert warning.startswith("delivery 2 (2.csv) refused: ") and "empty" in warning
    assert build().status == "skipped"
    reading = {row[0]: row[1:] for row in building.rows(lake, "ops.reading", "delivery_id", "status", "rows", "reason")}
    assert reading[1][:2] == ("read", 1) and reading[2][:2] == ("refused", 0) and "empty" in reading[2][2]


@pytest.mark.parametrize("force", [False, True])
def test_where_the_newest_of_a_name_is_refused_the_one_before_stands(lake: Lake, build: Builder, force: bool) -> None:
    deliver(lake, REPLACE, "a.csv", csv([("m", JAN, 1, "x")]))
    deliver(lake, REPLACE, "a.csv", csv([("m", JAN, 2, "x")]))
    build(REPLACE)
    deliver(lake, REPLACE, "a.csv", bytes(100))
    deliver(lake, REPLACE, "b.csv", csv([("n", JAN, 5, "x")]))
    ended = build(REPLACE, force=force)
    assert masses(lake, REPLACE) == [("m", JAN, 2), ("n", JAN, 5)]
    assert [warning.split(" refused")[0] for warning in ended.warnings] == ["delivery 3 (a.csv)"]
    deliver(lake, REPLACE, "a.csv", csv([("m", JAN, 4, "x")]))
    assert build(REPLACE).warnings == ()
    assert masses(lake, REPLACE) == [("m", JAN, 4), ("n", JAN, 5)]
