"""YAML: scalars as they stand, the place of each record; what would run, repeat or never end is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from jobs.readers.sniff import YAML, format_of, media_type
from tests.jobs.readers.reading import read_file, refusal

READINGS = """\
unit: kWh
sites:
  BJ: [{day: 2026-01-01, v: 1.50}, {day: 2026-01-02, v: ~}]
  S/H:
    - {day: '2026-01-03', v: 010}
note: the end
"""


def _file(folder: Path, text: str | bytes, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_records_lie_where_the_option_says_and_the_way_is_kept(tmp_path: Path) -> None:
    found = read_file(tmp_path, "yaml", _file(tmp_path, READINGS), records="sites.*", keep=["unit", "note"])
    assert [tuple(row.values()) for row in found.rows] == [
        ("kWh", "the end", "BJ", "2026-01-01", "1.50", 7, "/sites/BJ/0"),
        ("kWh", "the end", "BJ", "2026-01-02", None, 7, "/sites/BJ/1"),
        ("kWh", "the end", "S/H", "2026-01-03", "010", 7, "/sites/S~1H/0"),
    ]
    assert "there is no 'places' in the document\n  → it has 'note', 'sites', 'unit'" in refusal(
        tmp_path, "yaml", _file(tmp_path, READINGS), records="places")  # fmt: skip
    assert "which is no object" in refusal(tmp_path, "yaml", _file(tmp_path, READINGS), records="unit.x")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("no", "no"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("12345678901234567890.10", "12345678901234567890.10"),
        (".nan", ".nan"),
        ("true", "true"),
        ("True", "true"),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ("''", None),
        ("!!str 7", "7"),
        ("2026-01-02", "2026-01-02"),
        ("[1, '1', x, 1.0, yes]", '[1,"1","x",1.0,"yes"]'),
        ("{}", "{}"),
        ("|\n    two\n    lines", "two\nlines\n"),
    ],
)
def test_a_scalar_is_what_stands_there(tmp_path: Path, written: str, found: str | None) -> None:
    assert read_file(tmp_path, "yaml", _file(tmp_path, f"- a: {written}\n- a: z\n")).column("a") == [found, "z"]


def test_the_zones_of_the_reference_data_are_read(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "emission_factors" / "CN.yaml"
    found = read_file(tmp_path, "yaml", path, records="capacity.*", keep=["country"])
    first = found.rows[0]
    assert (first["_key"], first["datetime"], first["value"], first["_locator"]) == (
        "biomass", "2017-01-01", "7590.0", "/capacity/biomass/0")  # fmt: skip
    assert len(found.rows) == path.read_text().count("- datetime:")


def test_anchors_and_merges_are_followed(tmp_path: Path) -> None:
    text = "- &base {unit: kWh, v: 1}\n- {<<: *base, v: 2}\n- {<<: [{v: 9, w: 8}, *base]}\n- {'<<': x}\n"
    found = read_file(tmp_path, "yaml", _file(tmp_path, text))
    assert [(row["unit"], row["v"], row["w"], row["<<"]) for row in found.rows] == [
        ("kWh", "1", None, None), ("kWh", "2", None, None), ("kWh", "9", "8", None), (None, None, None, "x")]  # fmt: skip


def test_several_documents_are_told_apart(tmp_path: Path) -> None:
    found = read_file(tmp_path, "yaml", _file(tmp_path, "--- \na: 1\n---\na: 2\n---\n"))
    assert [(row["a"], row["_locator"]) for row in found.rows] == [("1", "document 1 /"), ("2", "document 2 /")]


def _bomb() -> str:
    return "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_bomb(), "its aliases stand for far more values than the text has, line"),
        ("a: &x [1, *x]\n", "the alias *x names nothing that is complete before it, line 1"),
        ("a: *y\n", "the alias *y"),
        ("- a: 1\n  b: 2\n  a: 3\n", "the key 'a' stands twice, line 3"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is for a program",
        ),
        ("a: !secret x\n", "the tag '!secret' is for a program"),
        ("? [a, b]\n: 1\n", "a key is no plain text"),
        ("a: [1, 2\n", "no YAML: "),
        ("a: 'x\n", "no YAML: "),
        ("a: b: c\n", "no YAML: mapping values are not allowed"),
        ("[" * 5000, "more than 100 deep"),
        ("\u7535: \u91cf\n".encode("gbk"), "the bytes are not UTF-8"),
        ("a: \x01\n", "the bytes are not"),
        ("# nothing\n", "no records"),
        ("a: {<<: 1}\n", "merges what is no object"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_a_reason(tmp_path: Path, text: str | bytes, told: str) -> None:
    said = refusal(tmp_path, "yaml", _file(tmp_path, text))
    assert told in said and "\n  → " in said


def test_yaml_is_told_from_other_text(tmp_path: Path) -> None:
    for text in ("%YAML 1.2\n---\na: 1\n", "---\n- a\n", READINGS, "- name: x\n  v: 1\n- name: y\n  v: 2\n"):
        assert media_type(_file(tmp_path, text, "a.txt"), "a.txt") == YAML
    for text in (
        "Created: today\n 1 2 3\n 4 5 6\n",
        "words\nmore: words\n",
        "a,b\n1,2\n",
        "at: 10:30 begins the day\nwe go on\n",
    ):
        assert media_type(_file(tmp_path, text, "a.txt"), "a.txt") != YAML
    packed = _file(tmp_path, gzip.compress(READINGS.encode()), "b.yaml.gz")
    assert format_of(packed) == "yaml"
    assert len(read_file(tmp_path, "yaml", packed, records="sites.*").rows) == 3
