"""Numbers and dates as sources write them: each style is right, wrong or refused the same on every engine."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from jobs import inflow
from jobs.clean import text, typed
from jobs.date_shapes import check
from jobs.lake import Lake
from jobs.written import pattern, qualifier
from schemas.contract import Column
from schemas.errors import UserError
from tests.jobs import building

SHARE = {"unit": "1", "type": "decimal(28,6)"}
# How it is written → texts and what they say, None where they say nothing for sure.
NUMBERS: dict[str, tuple[dict[str, Any], dict[str, str | None], dict[str, str]]] = {
    "thousands": ({"thousands": ","}, {
        "1,234,567.8": "1234567.8", "-1,234": "-1234", "12": "12", "1234567": "1234567", "1.5e3": "1500", ".5": "0.5", "0": "0",
        "\t1,234\r": "1234",
        "1,23": None, "12,34,567": None, "1,234,56": None, ",123": None, "0,123": None, "1,234,": None, "1234,567": None,
        "1.234,5": None, "1 234": None, "1\uff0c234": None, "5%": None, "(5)": None, "<5": None, "5万": None, "--5": None,
    }, {}),
    "blanks": ({"thousands": " "}, {
        "1 234 567.8": "1234567.8", "1\u00a0234": "1234", "1\u202f234": "1234", "2 019": "2019", "20 19": None, "1 2345": None,
        "1,234": None, "1  234": None,
    }, {}),
    "swiss": ({"thousands": "'"}, {"1'234'567.8": "1234567.8", "1\u2019234": "1234", "1'23": None}, {}),
    "comma": ({"decimal": ","}, {"1234,5": "1234.5", "0,3346": "0.3346", ",5": "0.5", "1.234": None, "1,2,3": None,
        "7": "7"}, {}),
    "german": ({"decimal": ",", "thousands": "."}, {
        "1.234.567,8": "1234567.8", "1.234": "1234", "1,234": "1.234", "1.23": None, "1,234.5": None, "1.234,": "1234",
    }, {}),
    "wide": ({"wide": True, "thousands": ","}, {
        "\uff11\uff12\uff0e\uff15": "12.5", "\uff0d\uff11": "-1", "\u22125": "-5", "\uff11\uff0c\uff12\uff13\uff14": "1234",
        "\u3000\uff11\u3000": "1", "\u00a07\u202f": "7", "\uff11a": None, "\u0661": None, "\uff11\uff0c\uff12": None,
    }, {}),
    "counts": ({"counts": True}, {
        "1.2万": "12000", "3亿": "300000000", "1.1 万": "11000", "5千": "5000", "2百万": "2000000", "0.3千万": "3000000",
        "0.000001万亿": "1000000", "-2万": "-20000", "7": "7", "0.07万": "700",
        "1万5": None, "1万2千": None, "万": None, "1.5e3万": None, "百": None, "1百": None, "万5": None, "1,234万": None,
    }, {}),
    "percent": ({"percent": True}, {
        "12.5%": "0.125", "-3 %": "-0.03", "0.07%": "0.0007", "100%": "1",
        "12.5": None, "%": None, "5%%": None, "1e2%": None, "5‰": None,
    }, SHARE),
    "percent of percent": ({"percent": True}, {"12.5%": "12.5", "12.5": "12.5", "%5": None}, {**SHARE, "unit": "%"}),
    "percent from percent": ({"percent": True}, {"12.5%": "0.125", "12.5": "0.125"}, {**SHARE, "unit_from": "%"}),
    "parentheses": ({"parentheses": True, "thousands": ","}, {
        "(5)": "-5", "(1,234.5)": "-1234.5", "( 5 )": "-5", "5": "5", "-5": "-5",
        "(-5)": None, "(5": None, "5)": None, "()": None, "((5))": None, "-(5)": None, "(1,23)": None,
    }, {}),
    "all": ({"parentheses": True, "thousands": ",", "counts": True, "wide": True, "qualifier": "q"}, {
        "\uff08\uff11\uff0c\uff12\uff13\uff14\uff0e\uff15万\uff09": "-12345000", "约1,234.5亿": "123450000000", "<0.01": "0.01",
        "≤ 5": "5", "\uff1c5": "5", "大于3万": "30000", "~ -5": "-5", "<=7": "7", "<LOD": None, "<": None, "<<5": None,
        "5<": None,
    }, {}),
}  # fmt: skip
QUALIFIERS = {"<0.01": "<", "≤5": "≤", "<=5": "≤", "\uff1c=5": "≤", "约5": "~", "不超过5": "≤", "超过5": ">", ">= 5": "≥",
"≈5": "~",
              "不足1": "<", "5": None, "n/a": None, "小5": None}  # fmt: skip
DAYS: dict[str | tuple[str, ...], dict[str, str | None]] = {
    "yyyy/M/d": {"2024/3/5": "2024-03-05", "2024/03/05": "2024-03-05", "2024/2/30": None, "2024-3-5": None, "24/3/5": None,
                 "2024/3/5 10:00": None, "2024/3/5x": None, "02024/3/5": None, "2024/ 3/5": None},
    "yyyyMMdd": {"20240305": "2024-03-05", "20241305": None, "2024035": None, "202403050": None, "0": None, "00000101": None},
    "dd.MM.yyyy": {"05.03.2024": "2024-03-05", "5.3.2024": None, "05/03/2024": None, "31.04.2024": None, "05.03.24": None},
    "d MMM yyyy": {"5 Mar 2024": "2024-03-05", "05 MARCH 2024": "2024-03-05", "5 sept 2024": "2024-09-05", "5 Mai 2024": None,
                   "31 Feb 2024": None, "5 Marc 2024": None, "5. Mar 2024": None},
    "MMMM d, yyyy": {"December 31, 2023": "2023-12-31", "Dec 31, 2023": "2023-12-31", "31 December 2023": None},
    "d-MMM-yy": {"5-Jan-24": "2024-01-05", "5-jan-98": "1998-01-05", "5-Jan-1998": None},
    "MM/dd/yyyy": {"03/05/2024": "2024-03-05", "12/31/2024": "2024-12-31", "31/12/2024": None, "3/5/2024": None},
    "M/d/yy": {"2/7/14": "2014-02-07", "10/2/20": "2020-10-02", "13/1/14": None},
    ("MM/dd/yyyy", "dd/MM/yyyy"): {"12/31/2024": "2024-12-31", "31/12/2024": "2024-12-31", "03/05/2024": None,
        "04/04/2024": "2024-04-04"},
    ("yyyy-MM-dd", "yyyy/M/d", "chinese"): {"2024-03-05": "2024-03-05", "2024/3/5": "2024-03-05", "2024年3月5日": "2024-03-05",
        "3/5": None},
    "yyyy-MM": {"2024-03": "2024-03-01", "2024-13": None, "2024-3": None, "2024-03-05": None},
    "yyyyMM": {"202403": "2024-03-01", "202400": None},
    "yyyy": {"2024": "2024-01-01", "24": None},
    "'W'yyyy''M": {"W2024'3": "2024-03-01"},
    "chinese": {"2024年3月5日": "2024-03-05", "2024年03月05号": "2024-03-05", "2024年3月": "2024-03-01",
        "二〇二四年三月五日": "2024-03-05",
                "二零二四年十二月三十一日": "2024-12-31", "二○二四年十月二十日": "2024-10-20",
                "二〇二四年二月二十九日": "2024-02-29",
                "\uff12\uff10\uff12\uff14年\uff13月": "2024-03-01", "2024年 3月 5日": "2024-03-05",
                "二〇二四年十一月十五日": "2024-11-15",
                "2024年2月30日": None, "2024年": None, "24年3月5日": None, "二四年三月": None, "2024年十十月": None,
                "2024年13月": None,
                "2024年3月5": None, "约2024年3月": None},
    "quarter": {"2024Q1": "2024-01-01", "2024-Q4": "2024-10-01", "2024q2": "2024-04-01", "Q3 2024": "2024-07-01",
                "2024年一季度": "2024-01-01", "2024年第二季度": "2024-04-01", "2024年第3季": "2024-07-01",
                "二〇二四年四季度": "2024-10-01",
                "2024Q5": None, "2024Q": None, "2024": None, "Q12024": None},
    "excel": {"45292": "2024-01-01", "45292.75": "2024-01-01", "61": "1900-03-01", "60": None, "1": None, "2958465": "9999-12-31",
              "2958466": None, "-5": None, "4.5e4": None, "2024-01-01": None},
    "excel_1904": {"43830": "2024-01-01", "0": "1904-01-01"},
}  # fmt: skip
INSTANTS: dict[str | tuple[str, ...], dict[str, str | None]] = {
    "yyyy/M/d H:mm": {"2024/3/5 9:30": "2024-03-05 01:30:00", "2024/3/5 25:00": None, "2024/3/5": None},
    "dd.MM.yyyy HH:mm:ss": {"05.03.2024 09:30:15": "2024-03-05 01:30:15", "05.03.2024 9:30:15": None},
    "yyyyMMddHHmmss": {"20240305093015": "2024-03-05 01:30:15", "20240305093060": None},
    "yyyy-MM-dd'T'HH:mm:ss.SSS": {"2024-03-05T09:30:15.250": "2024-03-05 01:30:15.25"},
    "yyyy-MM-dd'T'HH:mm:ssXXX": {"2024-03-05T09:30:15+08:00": "2024-03-05 01:30:15",
        "2024-03-05T01:30:15Z": "2024-03-05 01:30:15",
                                 "2024-03-05T09:30:15": None},
    "yyyy-MM-dd HH:mm VV": {"2024-03-05 09:30 Asia/Tokyo": "2024-03-05 00:30:00", "2024-03-05 09:30 Nowhere/Town": None},
    "chinese": {"2024年3月5日9时30分": "2024-03-05 01:30:00", "2024年3月5日 09:30:15": "2024-03-05 01:30:15",
        "2024年3月5日": "2024-03-04 16:00:00",
                "2024年3月5日9时30分15秒": "2024-03-05 01:30:15", "2024年3月9时30分": None},
    "iso": {"2024-03-05T09:30:00+08:00": "2024-03-05 01:30:00", "2024-03-05 09:30+0800": "2024-03-05 01:30:00",
            "2024-03-05T01:30:00.1239Z": "2024-03-05 01:30:00.123", "2024-03-05T09:30:00-05": "2024-03-05 14:30:00",
            "2024-03-05T09:30:00": None, "2024-03-05": None, "2024-03-05T09:30:00 Asia/Shanghai": None},
    "excel": {"45292": "2023-12-31 16:00:00", "45292.4375": "2024-01-01 02:30:00", "45292.999999": "2024-01-01 16:00:00"},
    "epoch": {"1626346800": "2021-07-15 11:00:00", "1626346800.0": "2021-07-15 11:00:00",
        "1626346800.1239": "2021-07-15 11:00:00.123",
              "0": "1970-01-01 00:00:00", "1626346800000": None, "-1": None, "1e9": None},
    "epoch_ms": {"1626346800123": "2021-07-15 11:00:00.123", "1626346800": None},
    ("epoch", "iso"): {"1626346800": "2021-07-15 11:00:00", "2024-03-05T01:30Z": "2024-03-05 01:30:00", "x": None},
}  # fmt: skip


@pytest.fixture(params=["sail", pytest.param("spark", marks=pytest.mark.spark)])
def session(request: pytest.FixtureRequest) -> Any:
    """Return a session of each engine."""
    if request.param == "sail":
        return request.getfixturevalue("spark")
    return request.getfixturevalue("reference").session


def column(how: dict[str, Any] | None = None, **more: Any) -> Column:
    given = {"type": "decimal(28,6)", "unit": "t", "description": "Value"} | more
    return Column(**given, written=how)


def read(session: Any, one: Column, texts: list[str], zone: str = "UTC") -> list[Any]:
    """Return what an engine reads in texts, as text."""
    value = typed(text(F.col("v"), one), one, zone, True).cast("string")
    frame = session.createDataFrame(list(enumerate(texts)), "i int, v string")
    return [row[1] for row in frame.select("i", value).orderBy("i").collect()]


@pytest.mark.parametrize("style", list(NUMBERS))
def test_a_number_is_read_in_its_style_or_refused(session: Any, style: str) -> None:
    how, expected, more = NUMBERS[style]
    found = read(session, column(how, **more), list(expected))
    assert {t: None if v is None else Decimal(v) for t, v in zip(expected, found, strict=True)} == {
        t: None if v is None else Decimal(v) for t, v in expected.items()
    }


@pytest.mark.parametrize("style", list(NUMBERS))
def test_the_database_that_counts_again_reads_the_same(style: str) -> None:
    how, expected, more = NUMBERS[style]
    with duckdb.connect() as connection:
        connection.execute("create table given (i integer, v varchar)")
        connection.executemany("insert into given values (?, ?)", list(enumerate(expected)))
        sql = f"select {inflow.counted('v', column(how, **more), True)} from given order by i"
        found = [row[0] for row in connection.execute(sql).fetchall()]
    assert found == [None if v is None else Decimal(v) for v in expected.values()]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.decimals(Decimal("-8e12"), Decimal("8e12"), places=3), min_size=1, max_size=30), st.sampled_from(",' "))
def test_what_is_written_in_groups_is_read_back(spark: Any, numbers: list[Decimal], sign: str) -> None:
    texts = [f"({abs(n):,})".replace(",", sign) if n < 0 else f"{n:,}".replace(",", sign) for n in numbers]
    found = read(spark, column({"thousands": sign, "parentheses": True}), texts)
    assert [Decimal(value).quantize(Decimal("0.001")) for value in found] == [
        Decimal(float(n)).quantize(Decimal("0.001")) for n in numbers
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789.,()-+%万亿<约eE \uff11"), max_size=9), min_size=1, max_size=30))
def test_engine_and_database_agree_on_any_text(spark: Any, texts: list[str]) -> None:
    one = column({"thousands": ",", "counts": True, "parentheses": True, "wide": True, "qualifier": "q"})
    with duckdb.connect() as connection:
        connection.execute("create table given (i integer, v varchar)")
        connection.executemany("insert into given values (?, ?)", list(enumerate(texts)))
        counted = connection.execute(f"select {inflow.counted('v', one, True)} from given order by i").fetchall()
    assert [row[0] for row in counted] == [None if v is None else Decimal(v) for v in read(spark, one, texts)]


def test_a_whole_number_may_be_written_in_groups(session: Any) -> None:
    texts = {"1,234": "1234", "1,23": None, "1.0": None, "-5": "-5"}
    assert read(session, column({"thousands": ","}, type="bigint"), list(texts)) == list(texts.values())


def test_a_qualifier_is_kept_as_one_sign(session: Any) -> None:
    one = column({"wide": True, "qualifier": "q"})
    frame = session.createDataFrame(list(enumerate(QUALIFIERS)), "i int, v string")
    found = frame.select("i", qualifier(F.col("v"), one).alias("q")).orderBy("i").collect()
    assert [row[1] for row in found] == list(QUALIFIERS.values())


@pytest.mark.parametrize("format_", list(DAYS))
def test_a_day_is_read_in_its_format_or_refused(session: Any, format_: Any) -> None:
    expected = DAYS[format_]
    found = read(session, column(type="date", unit=None, format=format_), list(expected))
    assert dict(zip(expected, found, strict=True)) == expected


@pytest.mark.parametrize("format_", list(INSTANTS))
def test_an_instant_is_read_in_its_format_and_zone_or_refused(session: Any, format_: Any) -> None:
    expected = INSTANTS[format_]
    found = read(session, column(type="timestamp", unit=None, format=format_), list(expected), "Asia/Shanghai")
    assert dict(zip(expected, found, strict=True)) == expected


@pytest.mark.parametrize(("format_", "said"), [
    ("yyyy-ww", "'ww', which is not read"), ("MM/dd", "says no day"), ("yyyy-dd", "says no day"), ("yyyy-MM-dd mm",
        "says no day"),
    ("yyyy/yyyy", "'y' twice"), ("uuuu-MM-dd", "'uuuu', which is not read"),
])  # fmt: skip
def test_a_format_that_nobody_reads_is_refused(format_: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        check((format_,), "cleaned/a.yaml: columns.day.format")
    assert (
        str(caught.value).startswith("cleaned/a.yaml: columns.day.format") and "\n  → " in str(caught.value)
    ) or "twice" in said


def test_a_share_has_a_unit_that_a_percentage_converts_to() -> None:
    with pytest.raises(UserError, match="does not convert"):
        pattern(column({"percent": True}, unit="kWh"))


@pytest.mark.parametrize("unit", ["万吨", "亿元", "10000 t", "1e4Nm3", "million_USD"])
def test_a_number_and_its_unit_do_not_both_count(unit: str) -> None:
    with pytest.raises(UserError, match="could be meant") as caught:
        pattern(column({"counts": True}, unit_from=unit))
    assert "take `counts` out" in str(caught.value)
    assert pattern(column({"counts": True}, unit="千瓦时")) and pattern(column({"counts": True}, unit="tCO2e"))


LAB = """
description: What a laboratory found
owner: tests
source: {zone: lab, path: "*.csv", format: csv, publisher: us, licence: CC0-1.0}
key: [sample]
columns:
  sample: {type: bigint, description: Sample}
  day: {type: date, description: Day, from: 日期, format: [chinese, yyyy/M/d, excel]}
  co_mg: {type: "decimal(28,6)", unit: mg, description: CO, from: CO, null_values: ["—", n/a],
          written: {qualifier: co_qualifier, thousands: ",", counts: true}}
  co_qualifier: {type: string, description: Whether CO is a bound}
balance: [co_mg]
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def laid(contract: str = LAB) -> None:
        monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", {"schemas/cleaned/lab.yaml": contract})))

    return laid


def test_a_table_keeps_the_bound_and_its_qualifier_and_balances(lake: Lake, spark: Any, lab: Any) -> None:
    lab()
    rows = [(1, "2024年3月5日", "<0.01"), (2, "2024/3/6", '"1,234.5"'), (3, "45292", "约1.2万"), (4, "二〇二四年一月", "—"),
            (5, "2024年3月5日", "<LOD"), (6, "5.3.2024", "1")]  # fmt: skip
    building.deliver(lake, "cleaned.lab", "a.csv", building.csv(rows, "sample,日期,CO"))
    outcome = building.build(lake, spark, "cleaned.lab")["cleaned.lab"]
    assert (outcome.status, outcome.counts.set_aside) == ("built", 2), outcome.reason
    found = [(r[0], str(r[1]), r[2], r[3]) for r in building.rows(lake, "cleaned.lab", "sample", "day", "co_mg", "co_qualifier")]
    assert found == [(1, "2024-03-05", Decimal("0.01"), "<"), (2, "2024-03-06", Decimal("1234.5"), None),
                     (3, "2024-01-01", Decimal(12000), "~"), (4, "2024-01-01", None, None)]  # fmt: skip
    assert [row[1:3] for row in building.aside(lake, "cleaned.lab")] == [("6", "type_co_mg"), ("7", "type_day")]


def test_a_qualifier_that_is_not_declared_makes_the_row_wait(lake: Lake, spark: Any, lab: Any) -> None:
    lab(
        LAB.replace("qualifier: co_qualifier, ", "").replace(
            "  co_qualifier: {type: string, description: Whether CO is a bound}\n", ""
        )
    )
    building.deliver(lake, "cleaned.lab", "a.csv", building.csv([(1, "45292", "<0.01"), (2, "45292", "5")], "sample,日期,CO"))
    building.build(lake, spark, "cleaned.lab")
    assert [row[1:3] for row in building.aside(lake, "cleaned.lab")] == [("2", "type_co_mg")]
    assert building.rows(lake, "cleaned.lab", "sample") == [(2,)]


@pytest.mark.parametrize(("old", "new", "said"), [
    ("qualifier: co_qualifier", "qualifier: none_such", "there is no column 'none_such'"),
    ("co_qualifier: {type: string,", "co_qualifier: {type: string, from: CO,", "keeps the qualifier of co_mg and nothing else"),
    ("sample: {type: bigint,", "sample: {type: string, written: {wide: true},", "this is string"),
    ("sample: {type: bigint,", "sample: {type: bigint, written: {counts: true},", "make parts of a whole; this is bigint"),
    ('thousands: ","', 'thousands: ","' + ', decimal: ","', "is the decimal sign, too"),
    ("from: CO,", "from: CO, unit_from: {column: unit},", "which stands in each row"),
    ("format: [chinese, yyyy/M/d, excel]", "format: epoch", "says a moment; this is date"),
    ("counts: true", "count: true", "did you mean 'counts'"),
])  # fmt: skip
def test_a_style_that_can_not_be_is_refused_with_its_place(lab: Any, old: str, new: str, said: str) -> None:
    from schemas.contracts import contracts

    assert old in LAB
    lab(LAB.replace(old, new))
    with pytest.raises(UserError, match=said) as caught:
        contracts()
    assert str(caught.value).startswith("schemas/cleaned/lab.yaml: columns.")
