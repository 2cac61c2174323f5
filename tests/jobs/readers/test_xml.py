"""XML: every record with its path, what stands on the way to it, and no entity, no file, no bomb."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from jobs.readers import xml
from jobs.readers.sniff import format_of, probe
from schemas.rooms import SHIPPED
from tests.jobs.readers.reading import read_file, refusal

DATA = SHIPPED.parent / "shared" / "data"
POINTS = {
    "records": "TimeSeries/Period/Point",
    "keep": {"psr": "TimeSeries/MktPSRType/psrType", "start": "TimeSeries/Period/timeInterval/start"},
}


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "a.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_attributes_children_and_repeats_are_columns(tmp_path: Path) -> None:
    path = _file(tmp_path, """<?xml version="1.0"?><r xmlns="urn:x" xmlns:y="urn:y" unit="kWh"><m id="1"><y:v u="a">1.50</y:v>
      <t>电</t><n/></m><m id="2"><t>a</t><t>b &amp; c</t></m></r>""")  # fmt: skip
    found = read_file(tmp_path, "xml", path, records="m", keep={"unit": "@unit"})
    assert found.rows == [
        {"unit": "kWh", "@id": "1", "v.@u": "a", "v.#text": "1.50", "t": "电", "n": None, "_delivery": 7, "_locator": "/m[1]"},
        {"unit": "kWh", "@id": "2", "v.@u": None, "v.#text": None, "t": '["a","b & c"]', "n": None, "_delivery": 7,
         "_locator": "/m[2]"},
    ]  # fmt: skip


def test_what_was_kept_ends_with_its_element(tmp_path: Path) -> None:
    path = _file(tmp_path, "<r><s><k>1</k><p>a</p><p>b</p></s><s><p>c</p></s></r>")
    found = read_file(tmp_path, "xml", path, records="s/p", keep={"k": "s/k"})
    assert [(row["k"], row["value"], row["_locator"]) for row in found.rows] == [
        ("1", "a", "/s[1]/p[1]"), ("1", "b", "/s[1]/p[2]"), (None, "c", "/s[2]/p[1]")]  # fmt: skip


def test_a_value_stands_in_one_column_with_or_without_attributes(tmp_path: Path) -> None:
    text = '<r><m><v u="a">1.5</v></m><m><v>2.5</v></m><m><v u="b">1</v><v u="b">2</v></m><m><v>12<u>kWh</u>5</v></m></r>'
    found = read_file(tmp_path, "xml", _file(tmp_path, text), records="m")
    assert found.column("v.#text") == ["1.5", "2.5", "12 5"] and found.column("v") == [None] * 3
    (aside,) = found.rejected
    assert aside["reason"] == "'v' is a value here, and holds others elsewhere" and aside["_locator"] == "/m[3]"


def test_two_values_for_one_column_are_set_aside(tmp_path: Path) -> None:
    path = _file(tmp_path, '<r u="MWh"><p><a.b>1</a.b><a><b>2</b></a></p><p><u>kWh</u></p><p><a.b>3</a.b></p></r>')
    found = read_file(tmp_path, "xml", path, records="p", keep={"u": "@u"})
    assert [(row["u"], row["a.b"]) for row in found.rows] == [("MWh", "3")]
    assert [one["reason"] for one in found.rejected] == ["two values for the column 'a.b'", "two values for the column 'u'"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<r><s><p>a</p><k>1</k></s></r>", "stands behind the records"),
        ("<r><s><k>1</k><k>2</k><p>a</p></s></r>", "stands twice"),
        ("<r><s><k>1<x/></k><p>a</p></s></r>", "holds elements"),
    ],
)  # fmt: skip
def test_what_can_not_be_kept_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert f"'s/k', which is to be kept, {told}" in refusal(tmp_path, "xml", _file(tmp_path, text), records="s/p",
                                                            keep={"k": "s/k"})  # fmt: skip


@pytest.mark.parametrize(
    "content",
    ["<!-- made by us --><r><p>1</p></r>", "<!DOCTYPE r><r><p>1</p></r>", "<表><p>1</p></表>",
     '<?xml version="1.0" encoding="UTF-16"?><r><p>1</p></r>'.encode("utf-16")],
)  # fmt: skip
def test_xml_is_known_however_it_begins(tmp_path: Path, content: str | bytes) -> None:
    path = _file(tmp_path, content)
    assert format_of(path) == "xml" and read_file(tmp_path, "xml", path, records="p").column("value") == ["1"]


def test_chunks_of_any_size_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(tmp_path, f"<r>{''.join(f'<p>{n} 电</p>' for n in range(500))}</r>")
    for size in (1, 3, 1000):
        monkeypatch.setattr(xml, "CHUNK", size)
        with xml._open(path, xml.Xml("p"), "a.xml") as records:
            assert [one.value for one in records] == [f"{n} 电" for n in range(500)]


def test_chinese_encodings_are_read(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="GBK"?><r><p>电量</p></r>'
    assert read_file(tmp_path, "xml", _file(tmp_path, text.encode("gbk")), records="p").column("value") == ["电量"]
    assert "not what the file says" in refusal(tmp_path, "xml", _file(tmp_path, text.encode("gbk")[:-12] + b"\xff</p></r>"),
                                               records="p")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<?xml version='1.0'?><r><p>1</p>", "cut off at line 1"), ("<?xml version='1.0'?><r><p>1</r>", "mismatched tag"),
        ("<?xml version='1.0'?><r><p>1</p></r><r/>", "no XML"), ("<?xml version='1.0'?><r><q>1</q></r>", "no records"),
        ("<?xml version='1.0'?>" + "<a>" * 5000, "deep"),
        ("<?xml version='1.0'?>\n<!DOCTYPE r [<!ENTITY a SYSTEM 'b.xml'>]><r><p>&a;</p></r>", "declares the entity 'a'"),
        ("<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><r><p>&b;</p></r>", "declares the entity 'a'"),
        ("<?xml version='1.0'?><!DOCTYPE r SYSTEM 'x.dtd'><r><p v='1&a;5'>2</p></r>", "rests on another file"),
    ],
)  # fmt: skip
def test_what_is_no_xml_or_a_trap_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, "xml", _file(tmp_path, text), records="p")


@pytest.mark.parametrize(
    ("name", "given", "path"),
    [
        ("electricity_timeseries/FI_production.xml", POINTS, "TimeSeries/Period/Point"),
        ("electricity_timeseries/NO-NO5_production-negatives.xml", POINTS, "TimeSeries/Period/Point"),
        ("electricity_timeseries/ES_day_ahead_price.xml", {"records": "TimeSeries/Period/Point"}, "TimeSeries/Period/Point"),
        ("electricity_timeseries/wind_solar_forecast_FI_CURRENT.xml", POINTS, "TimeSeries/Period/Point"),
        ("power_plants/australia_power_plants.xml", {"records": "featureMember/National_Major_Power_Stations"},
         "featureMember/National_Major_Power_Stations"),
    ],
)  # fmt: skip
def test_real_files_are_read_whole(tmp_path: Path, name: str, given: dict[str, Any], path: str) -> None:
    found = read_file(tmp_path, "xml", DATA / name, **given)
    elements = ElementTree.parse(DATA / name).getroot().findall("/".join(f"{{*}}{step}" for step in path.split("/")))
    assert len(found.rows) == len(elements) > 90
    number = "quantity" if "quantity" in found.rows[0] else "price.amount" if "price.amount" in found.rows[0] else "OBJECTID"
    assert found.column(number) == [one.findtext(f"{{*}}{number}") for one in elements]
    if "keep" in given:
        series = ElementTree.parse(DATA / name).getroot().findall("{*}TimeSeries")
        expected = [one.findtext("{*}MktPSRType/{*}psrType") for one in series for _ in one.findall("{*}Period/{*}Point")]
        assert found.column("psr") == expected and all(found.column("start"))


def test_probe_shows_paths_first_and_then_records() -> None:
    path = DATA / "electricity_timeseries/FI_production.xml"
    assert probe("xml", path, {})["elements"]["TimeSeries/Period/Point"] > 90
    assert "quantity" in probe("xml", path, {"records": "TimeSeries/Period/Point"})["columns"]


def test_the_tables_of_a_document_hold_each_of_its_values_once_or_more(tmp_path: Path) -> None:
    text = """<r u="kWh"><head><day>1</day></head><s><id>a</id><p><v>1</v></p><p><v>2</v></p></s><s><id>b</id><p><v>3</v></p>
      </s><note by="me">behind</note></r>"""
    tables = probe("xml", _file(tmp_path, text), {})["tables"]
    assert tables == {
        "p": {"records": "s/p", "keep": {"@u": "@u", "head.day": "head/day", "id": "s/id"}},
        "document": {"records": "."},
    }
    rows = read_file(tmp_path, "xml", tmp_path / "a.xml", **tables["p"]).rows
    assert [(row["@u"], row["head.day"], row["id"], row["v"]) for row in rows] == [
        ("kWh", "1", "a", "1"), ("kWh", "1", "a", "2"), ("kWh", "1", "b", "3")]  # fmt: skip
    (whole,) = read_file(tmp_path, "xml", tmp_path / "a.xml", **tables["document"]).rows
    assert (whole["note.#text"], whole["note.@by"], whole["_locator"]) == ("behind", "me", "/")


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("electricity_timeseries/FI_production.xml", ["Point"]), ("lca_products/Acetic acid, at plant.xml", None),
        ("documents_office/grve-20251231_lab.xml", ["roleRef", "loc", "labelArc", "label"]),
        ("power_plants/australia_power_plants.xml", ["featureMember", "document"]),
    ],
)  # fmt: skip
def test_a_document_is_told_apart_into_tables(tmp_path: Path, name: str, tables: list[str] | None) -> None:
    found = probe("xml", DATA / name, {})["tables"]
    assert list(found) == (tables or ["exchange", "allocation", "document"])
    for options in found.values():
        assert read_file(tmp_path, "xml", DATA / name, **options).read.rejected == 0
