"""Messages: a row each, with the fields of its payload as they stand, or set aside by itself with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.fetch import messages
from jobs.readers.messages import ENVELOPE
from jobs.readers.payloads import LARGEST
from jobs.readers.sniff import probe
from tests.jobs.readers.reading import Result, read_file, refusal

AT = 1_767_225_600_123  # 2026-01-01T00:00:00.123Z


def file(folder: Path, payloads: list[bytes | None], **more: Any) -> Path:
    """Write a delivery of Kafka messages."""
    rows = len(payloads)
    columns = {"topic": ["plant"] * rows, "partition": [3] * rows, "offset": list(range(40, 40 + rows)), "time": [AT] * rows,
               "key": [b"m1"] * rows, "value": payloads}  # fmt: skip
    return messages.write(folder / "m.parquet", columns | more)


def read(folder: Path, payloads: list[bytes | None], more: dict[str, Any] | None = None, **options: Any) -> Result:
    return read_file(folder, "messages", file(folder, payloads, **(more or {})), **options)


def fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in (*ENVELOPE, "_delivery", "_locator")}


def test_a_message_becomes_a_row_with_its_place_in_the_log(tmp_path: Path) -> None:
    (row,) = read(tmp_path, [b'{"device": "m1", "kwh": 1.50}'], {"headers": [[{"key": "a", "value": "电".encode()}]]}).rows
    assert row == {
        "device": "m1", "kwh": "1.50", "_topic": "plant", "_partition": "3", "_offset": "40", "_time": "2026-01-01 00:00:00.123Z",
        "_key": "m1", "_headers": '[["a", "电"]]', "_qos": None, "_retained": None, "_delivery": 7, "_locator": "plant[3]@40",
    }  # fmt: skip


def test_headers_without_a_value_are_no_poison(tmp_path: Path) -> None:
    headers = [[{"key": "a", "value": b""}, {"key": "b", "value": None}, {"key": "c", "value": b"\xff"}], []]
    found = read(tmp_path, [b'{"n": 1}', b'{"n": 2}'], {"headers": headers})
    assert found.column("_headers") == ['[["a", ""], ["b", null], ["c", "\\\\xff"]]', "[]"]


@pytest.mark.parametrize("times", [1, 200])
def test_values_stand_as_they_were_sent_alone_or_with_many_of_their_shape(tmp_path: Path, times: int) -> None:
    sent = b'{"a": 12345678901234567890123, "b": 0.10000000000000000001, "c": -1E5, "d": "", "e": null, "f": " x\\n"}'
    found = read(tmp_path, [sent] * times)
    assert [fields(row) for row in found.rows] == times * [
        {"a": "12345678901234567890123", "b": "0.10000000000000000001", "c": "-1E5", "d": None, "e": None, "f": " x\n"}
    ]


@pytest.mark.parametrize("times", [1, 200])
def test_objects_in_objects_have_dotted_names_and_truth_is_text(tmp_path: Path, times: int) -> None:
    found = read(tmp_path, [b'{"v": {"kwh": 2.0, "ok": true}, "w": [1.0, "x"], "o": {}}'] * times)
    assert [fields(row) for row in found.rows] == [{"v.kwh": "2.0", "v.ok": "true", "w": '[1.0,"x"]', "o": "{}"}] * times


def test_a_bare_value_is_the_column_value(tmp_path: Path) -> None:
    assert [row["value"] for row in read(tmp_path, [b"23.50", b'"on"', b" 7 "]).rows] == ["23.50", "on", "7"]
    assert [row["value"] for row in read(tmp_path, [b"a;b", b"NaN"], payload="text").rows] == ["a;b", "NaN"]


POISON: list[tuple[bytes | None, str]] = [
    (b'{"a": 1', "no JSON: "),
    (b'{"a": 1} {"a": 2}', "no JSON: Extra data"),
    (b'{"a": NaN}', "NaN is no number"),
    (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
    (b'{"a": {"b": 1}, "a.b": 2}', "two values for the column 'a.b'"),
    (b'[{"a": 1}]', "an array, where one record is expected"),
    (b'{"a": "\\ud800"}', "half of a pair of code points"),
    (b"\xff\xfe", "the bytes are not UTF-8"),
    (b"", "no JSON: "),
    (None, "no payload (a tombstone)"),
    (b'{"_topic": 1}', "a field is named '_topic', which is a name of ours"),
    (b'{"a": "' + b"x" * LARGEST + b'"}', "a payload of more than 1 MB"),
    (b"[" * 200_000, "objects in objects without end"),
]


@pytest.mark.parametrize(("poison", "reason"), POISON, ids=[reason[:30] for _, reason in POISON])
@pytest.mark.parametrize("times", [1, 60])
def test_a_poisonous_message_is_set_aside_alone_with_its_place(
    tmp_path: Path, poison: bytes | None, reason: str, times: int
) -> None:
    found = read(tmp_path, [b'{"a": 1}', *[poison] * times, b'{"a": 3}'])
    assert [(row["a"], row["_locator"]) for row in found.rows] == [("1", "plant[3]@40"), ("3", f"plant[3]@{41 + times}")]
    assert [row["_locator"] for row in found.rejected] == [f"plant[3]@{41 + n}" for n in range(times)]
    assert all(row["reason"].startswith(reason) for row in found.rejected)


def test_of_two_fields_that_differ_by_case_alone_the_first_is_a_column(tmp_path: Path) -> None:
    found = read(tmp_path, [b'{"a": 1}', b'{"A": 1}', b'{"b": 1, "B": 2}'])
    assert [row["_locator"] for row in found.rows] == ["plant[3]@40"]
    assert [row["reason"] for row in found.rejected] == [f"the fields {a!r} and {b!r} are one to those who read them"
                                                         for a, b in (("a", "A"), ("b", "B"))]  # fmt: skip


def test_declared_fields_are_columns_whether_they_are_there_or_not(tmp_path: Path) -> None:
    found = read(tmp_path, [b'{"a": 1, "x": 2}', *[b'{"b": 5}'] * 60], fields=["a", "b"])
    assert [fields(row) for row in found.rows] == [*[{"a": None, "b": "5"}] * 60, {"a": "1", "b": None}]
    assert found.read.columns == ("a", "b", *ENVELOPE)


def test_without_declared_fields_there_are_only_so_many_columns(tmp_path: Path) -> None:
    found = read(tmp_path, [b'{"f%d": 1}' % number for number in range(2003)])
    assert (len(found.rows), [row["reason"] for row in found.rejected]) == (2000, ["more than 2000 fields"] * 3)


def test_a_message_of_mqtt_is_placed_by_its_topic_and_number(tmp_path: Path) -> None:
    path = messages.write(tmp_path / "q.parquet", {"topic": ["p/1", "p/2"], "value": [b'{"a":1}', b'{"a":2}'], "qos": [1, 0],
                                                   "retained": [True, False], "packet": [5, 0]})  # fmt: skip
    rows = read_file(tmp_path, "messages", path).rows
    assert [(row["_locator"], row["_qos"], row["_retained"], row["_offset"]) for row in rows] == [
        ("p/1#1", "1", "true", None), ("p/2#2", "0", "false", None),
    ]  # fmt: skip


def test_a_key_that_is_no_text_is_shown_as_hexadecimal_digits(tmp_path: Path) -> None:
    assert [row["_key"] for row in read(tmp_path, [b"1", b"2"], {"key": [b"\xff\x00", None]}).rows] == ["\\xff00", None]


def test_what_is_no_delivery_of_messages_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"topic": ["a"]}), tmp_path / "a.parquet")
    told = refusal(tmp_path, "messages", tmp_path / "a.parquet")
    assert "there is no column partition, offset" in told and "`format: parquet` reads other files" in told
    assert "known: json, text" in refusal(tmp_path, "messages", file(tmp_path, [b"1"]), payload="xml")


def test_a_probe_shows_columns_and_the_first_messages(tmp_path: Path) -> None:
    found = probe("messages", file(tmp_path, [b'{"a": 1}', b'{"a": 2}']), {})
    assert (found["messages"], found["columns"][0], found["first_rows"]) == (2, "a", [{"a": "1"}, {"a": "2"}])
