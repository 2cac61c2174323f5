"""JSON: every value as it stands, with the place of its record; what is no record is set aside or refused."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.readers import json_stream
from jobs.readers.look import look
from jobs.readers.records import WIDEST
from jobs.readers.sniff import JSON, TEXT, media_type, probe
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests.jobs.readers.reading import read_file, refusal

DATA = SHIPPED.parent / "shared" / "data"


def _file(folder: Path, text: str | bytes, name: str = "a.json") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_numbers_are_as_they_stand_and_objects_are_dotted_columns(tmp_path: Path) -> None:
    path = _file(tmp_path, '[{"a": 1.50, "b": {"c": 12345678901234567890.10, "d": true}}, {"a": null, "e": [1.0, "x", {}]}]')
    found = read_file(tmp_path, "json", path)
    assert found.rows == [
        {"a": "1.50", "b.c": "12345678901234567890.10", "b.d": "true", "e": None, "_delivery": 7, "_locator": "/0"},
        {"a": None, "b.c": None, "b.d": None, "e": '[1.0,"x",{}]', "_delivery": 7, "_locator": "/1"},
    ]


def test_records_lie_where_the_option_says_and_the_way_is_kept(tmp_path: Path) -> None:
    path = _file(
        tmp_path, '{"unit": "kWh", "sites": {"BJ": {"rows": [{"v": 1}, {"v": 2}]}, "S/H": {"rows": [{"v": 3}]}}, "n": 3}'
    )
    found = read_file(tmp_path, "json", path, records="sites.*.rows", keep=["unit"])
    assert [(row["unit"], row["_key"], row["v"], row["_locator"]) for row in found.rows] == [
        ("kWh", "BJ", "1", "/sites/BJ/rows/0"), ("kWh", "BJ", "2", "/sites/BJ/rows/1"), ("kWh", "S/H", "3", "/sites/S~1H/rows/0"),
    ]  # fmt: skip
    assert "'n', which is to be kept, stands behind" in refusal(tmp_path, "json", path, records="sites.*.rows", keep=["n"])
    told = refusal(tmp_path, "json", path, records="places")
    assert "there is no 'places' in the document" in told and "'sites'" in told


def test_arrays_as_records_and_a_single_object(tmp_path: Path) -> None:
    rows = read_file(tmp_path, "json", _file(tmp_path, '{"data": [["a", 1], ["b", 2.0]]}'), records="data").rows
    assert [(row["0"], row["1"]) for row in rows] == [("a", "1"), ("b", "2.0")]
    assert read_file(tmp_path, "json", _file(tmp_path, ' {"x": 1} ')).rows[0]["_locator"] == "/"


def test_lines_are_records_of_their_own(tmp_path: Path) -> None:
    path = _file(tmp_path, '{"a": 1}\n\n{"a": 2}\n', "a.jsonl")
    found = read_file(tmp_path, "json", path, lines=True)
    assert [(row["a"], row["_locator"]) for row in found.rows] == [("1", "record 1"), ("2", "record 2")]
    assert "`lines: true`" in refusal(tmp_path, "json", path)
    assert look(path, "", {})[1:] == ("json", {"lines": True})
    more = refusal(tmp_path, "json", _file(tmp_path, '[{"a": 1}] and more'))
    assert "more stands behind the end" in more and "ask for the delivery again" in more


def test_a_key_that_stands_twice_sets_its_record_aside(tmp_path: Path) -> None:
    found = read_file(tmp_path, "json", _file(tmp_path, '[{"a": 1}, {"a": 2, "b": {"c": 1, "c": 2}}, {"a": "\\ud800"}]'))
    assert found.column("a") == ["1"] and found.read.rejected == 2
    assert [(row["_locator"], row["reason"]) for row in found.rejected] == [
        ("/1", "the key 'c' stands twice"), ("/2", "half of a pair of code points (a lone surrogate)")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"a": 1}, {"a"', "cut off"), ('[{"a": 1}', "cut off"), ('{"a": 1}}', "more stands behind the end"),
        ('[{"a": 1} {"a": 2}]', "was expected"), ("[{'a': 1}]", "no JSON"), ('[{"a": 01}]', "no JSON"),
        ("[" * 20_000, "without end"), ('[{"a": "\u7535"}]'.encode("gbk"), "not UTF-8"), ("[]", "no records"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_a_reason(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in refusal(tmp_path, "json", _file(tmp_path, text))


def test_bom_and_gzip_are_taken_and_a_page_is_not(tmp_path: Path) -> None:
    packed = gzip.compress(b'\xef\xbb\xbf[{"a": 1}]')
    assert read_file(tmp_path, "json", _file(tmp_path, packed, "a.json.gz")).column("a") == ["1"]
    assert "an HTML page" in refusal(tmp_path, "json", _file(tmp_path, "<html><body>login</body></html>"))


def test_json_is_known_by_its_bytes(tmp_path: Path) -> None:
    assert media_type(_file(tmp_path, ' {"a": 1, "b": 2}'), "a.txt") == JSON
    assert media_type(_file(tmp_path, "[date] [value]\n"), "a.txt") == TEXT


def test_two_values_for_one_column_are_set_aside(tmp_path: Path) -> None:
    text = '[{"a": {"b": 1}, "a.b": 2}, {"": 1, "value": 2}, {"a": 3}, {"a": null, "a.b": 4}]'
    found = read_file(tmp_path, "json", _file(tmp_path, text))
    # A value and an object of one name are columns of their own.
    assert [(row["a"], row["a.b"], row["_locator"]) for row in found.rows] == [("3", None, "/2"), (None, "4", "/3")]
    assert [one["reason"] for one in found.rejected] == [f"two values for the column {name!r}" for name in ("a.b", "value")]


def test_a_record_with_a_key_twice_is_shown_as_it_came(tmp_path: Path) -> None:
    (aside,) = read_file(tmp_path, "json", _file(tmp_path, '[{"a": 1, "a": 2}]')).rejected
    assert aside["raw"] == '{"a": 1, "a": 2}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"co2": 1}, {"CO2": 2}]', "'co2' and 'CO2' are one"), ('[{"_locator": 1}]', "a name of ours"),
        ('[{"a": NaN}]', "NaN is no number"), ('[{"a": -Infinity}]', "-Infinity is no number"),
    ],
)  # fmt: skip
def test_names_and_numbers_that_can_not_be_are_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "json", _file(tmp_path, text))


@pytest.mark.parametrize("chunk", range(1, 50))
def test_bare_numbers_are_whole_wherever_the_text_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(json_stream, "CHUNK", chunk)
    with _file(tmp_path, "[1.5,-22.25e+10, 3,0.125E-3 ,12345678901234567890]").open("rb") as file:
        cursor = json_stream.Cursor(file, "a")
        assert [cursor.value()[0] for _ in cursor.elements()] == ["1.5", "-22.25e+10", "3", "0.125E-3", "12345678901234567890"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))),
                min_size=1, max_size=30), st.integers(1, 40))  # fmt: skip
def test_records_are_the_same_wherever_the_text_is_cut_into_chunks(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("json")
    path = _file(folder, json.dumps(rows, ensure_ascii=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        with path.open("rb") as file:
            cursor = json_stream.Cursor(file, "a")
            found = [cursor.value()[0] for _ in cursor.elements()]
    assert [{k: json_stream.text(v) for k, v in one.items()} for one in found] == [
        {k: None if v in (None, "") else str(v).lower() if isinstance(v, bool) else str(v) for k, v in one.items()}
        for one in rows
    ]


@pytest.mark.parametrize(
    ("name", "given", "rows", "column", "first"),
    [
        ("electricity_timeseries/ElectricityProdex5MinRealtime.json", {"records": "records"}, 100, "SolarPower", "7.380000"),
        ("electricity_timeseries/response.json", {"records": "records"}, 97, "fields.nature", "Données temps réel"),
        ("codes/pca-code.json", {}, 31, "name", "北京市"),
        ("geo/china.json", {"records": "features"}, 1, "properties.name", "中华人民共和国"),
        ("atmosphere_science/site_info.json.gz", {"records": "*.*"}, None, "_key", "BAO"),
    ],
)  # fmt: skip
def test_real_files_are_read_whole(
    tmp_path: Path, name: str, given: dict[str, Any], rows: int | None, column: str, first: str
) -> None:
    path = DATA / name
    found = read_file(tmp_path, "json", path, **given)
    assert found.rows[0][column] == first and (rows is None or len(found.rows) == rows)
    content = json.loads(gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes(), parse_float=Decimal)
    assert len(found.rows) == _count(content, given.get("records", ""))


def _count(content: Any, way: str) -> int:
    """Count records with the standard library."""
    for part in way.split(".") if way else []:
        if part == "*":
            return sum(_count(one, way.partition(".")[2]) for one in content.values())
        content, way = content[part], way.partition(".")[2]
    return len(content) if isinstance(content, list) else 1


def test_the_options_that_read_keys_as_values_are_told(tmp_path: Path) -> None:
    days = {f"2026-{number:04}": {"solar": {"gen": number}} for number in range(WIDEST + 1)}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"unit": "MW", "data": days}), encoding="utf-8")
    with pytest.raises(UserError, match=r"set the options `records: 'data.\*'`, `keep: \[\"unit\"\]`"):
        probe("json", path, {})
    rows = read_file(tmp_path, "json", path, records="data.*", keep=["unit"]).rows
    assert len(rows) == WIDEST + 1 and rows[7] == {
        "unit": "MW", "_key": "2026-0007", "solar.gen": "7", "_delivery": 7, "_locator": "/data/2026-0007"}  # fmt: skip


def test_the_lists_of_a_document_are_proposed_as_tables_with_what_stands_before_them(tmp_path: Path) -> None:
    sites = [{"name": "A", "unit": "kWh", "readings": [{"t": 1, "v": 2}, {"t": 2, "v": 3}]},
             {"name": "B", "unit": "kWh", "readings": [{"t": 1, "v": 5}]}]  # fmt: skip
    path = _file(tmp_path, json.dumps({"unit": "MW", "sites": sites, "behind": 7}))
    found = look(path, "", {})[0]["tables"]
    assert found == {"sites.*.readings": {"records": "sites.*.readings", "keep": ["name"]}, "sites": {"records": "sites"},
                     "document": {}}  # fmt: skip
    rows = read_file(tmp_path, "json", path, **found["sites.*.readings"]).rows
    assert [(row["name"], row["t"], row["v"], row["_locator"]) for row in rows] == [
        ("A", "1", "2", "/sites/0/readings/0"), ("A", "2", "3", "/sites/0/readings/1"), ("B", "1", "5", "/sites/1/readings/0"),
    ]  # fmt: skip
    assert "tables" not in look(_file(tmp_path, '[{"a": [{"b": 1}]}]'), "", {})[0]
    assert "tables" not in look(_file(tmp_path, '{"a": 1, "b": [1, 2], "c": {"d": []}}'), "", {})[0]


@pytest.mark.parametrize(("name", "table", "rows"), [
    ("ElectricityProdex5MinRealtime.json", "records", 100), ("陕西省.json.gz", "features", 10),
])  # fmt: skip
def test_the_records_of_real_documents_are_proposed_and_read(
    tmp_path: Path, shared: Path, name: str, table: str, rows: int
) -> None:
    path = next((shared / "data").rglob(name))
    first, options = next(iter(look(path, "", {})[0]["tables"].items()))
    assert first == table and read_file(tmp_path, "json", path, **options).read.rows == rows
