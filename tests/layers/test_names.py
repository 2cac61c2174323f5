"""Names that differ in writing are one, names that differ in a letter are for a person, and no pair worth a look is missed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pyspark.sql import functions as F
from rapidfuzz.distance import Levenshtein

from jobs.session import Engine
from layers.names import SIMPLIFIED, TRADITIONAL, linked, matched, normalised, parted, similarity

OURS = [("北京华星钢铁有限公司", "U1", "110000"), ("上海华星钢铁有限公司", "U2", "310000"),
        ("示例电力甲（虚构）", "U3", "130000"), ("中国第一重型机械股份公司", "U4", "230000"),
        ("宝山钢铁股份有限公司", "U5", "310000"), ("万和化工集团有限公司", "U6", None),
        ("宁波海天塑机有限公司", "U7", "330000")]  # fmt: skip


def found(session: Any, *names: tuple[str, str | None], ours: list[tuple[str, str, Any]] = OURS, **given: Any) -> dict[str, Any]:
    mention = session.createDataFrame(list(names), "name string, region_code string")
    enterprise = session.createDataFrame(ours, "name string, uscc string, region_code string")
    return {row["name"]: row for row in matched(mention, enterprise, **given).collect()}


def test_the_tables_of_characters_are_of_one_length() -> None:
    assert len(TRADITIONAL) == len(SIMPLIFIED) > 190


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("（示例）電力　甲", "示例电力甲"),
        ("ＡＢＣ　Steel Co., Ltd.", "ABCSTEELCOLTD"),
        ("华·星—钢铁", "华星钢铁"),
        ("…()", "…"),
        ("（）", None),
    ],
)
def test_a_name_is_brought_to_one_writing(spark: Any, name: str, one: str | None) -> None:
    (row,) = spark.createDataFrame([(name,)], "n string").select(normalised(F.col("n"))).collect()
    assert row[0] == one


@pytest.mark.parametrize(
    ("name", "region", "core", "form", "place"),
    [("北京市华星钢铁有限责任公司", None, "华星钢铁", "有限公司", "11"),
     ("内蒙古华星集团有限公司", None, "华星", "有限公司", "15"),
     ("宁波海天塑机", "110000", "海天塑机", "", "33"), ("华星", "440100", "华星", "", "44"), ("上海", None, "上海", "", None)],
)  # fmt: skip
def test_a_name_is_taken_apart(spark: Any, name: str, region: str | None, core: str, form: str, place: str | None) -> None:
    frame = spark.createDataFrame([(name, region)], "n string, r string")
    (row,) = parted(frame, "n", "r").select("core", "form", "place").collect()
    assert (row.core, row.form) == (core, form) and row.place == (place or row.place)


def test_what_differs_in_writing_alone_is_sure(spark: Any) -> None:
    rows = found(spark, ("北京市華星鋼鐵有限責任公司", None), ("示例电力甲(虚构)", None), ("华星钢铁有限公司", "310000"))
    assert {name: (row.state, row.uscc, float(row.score)) for name, row in rows.items()} == {
        "北京市華星鋼鐵有限責任公司": ("sure", "U1", 1.0), "示例电力甲(虚构)": ("sure", "U3", 1.0),
        "华星钢铁有限公司": ("sure", "U2", 1.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "region", "candidate"),
    [("示例电力乙（虚构）", None, "U3"), ("中国第二重型机械股份公司", "230000", "U4"), ("宝山钢铁有限公司", "310000", "U5"),
     ("万和化工", None, "U6"), ("北京华新钢铁有限公司", None, "U1"), ("宁波海天塑机分公司", None, "U7")],
)  # fmt: skip
def test_another_letter_number_form_or_branch_is_never_linked_without_a_person(
    spark: Any, name: str, region: str | None, candidate: str
) -> None:
    row = found(spark, (name, region))[name]
    assert (row.state, row.uscc) == ("review", candidate)


def test_two_that_are_near_each_other_always_wait(spark: Any) -> None:
    row = found(spark, ("华星钢铁有限公司", None))["华星钢铁有限公司"]
    assert (row.state, row.uscc, row.second_uscc) == ("review", "U1", "U2")
    twins = [("华星钢铁有限公司", "U1", None), ("华星钢铁有限责任公司", "U2", None)]
    assert found(spark, ("华星钢铁有限公司", None), ours=twins)["华星钢铁有限公司"].state == "review", "alike to the letter"


def test_nobody_alike_is_none_and_no_name_is_lost(spark: Any) -> None:
    rows = found(spark, ("完全不同的单位", None), ("（）", None), ("完全不同的单位", "110000"))
    assert {name: (row.state, row.uscc, row.rows) for name, row in rows.items()} == {
        "完全不同的单位": ("none", None, 2), "（）": ("none", None, 1),
    }  # fmt: skip


def test_only_what_is_sure_or_decided_is_linked(spark: Any) -> None:
    states = [("a", "U1", "sure"), ("b", "U2", "review"), ("c", "U3", "decided"), ("d", "U4", "apart"), ("e", None, "none")]
    match = spark.createDataFrame(states, "name string, uscc string, state string")
    frame = spark.createDataFrame([(name,) for name in "abcdef"], "who string")
    assert {row.who: row.uscc for row in linked(frame, match, "who").collect()} == {
        "a": "U1", "b": None, "c": "U3", "d": None, "e": None, "f": None,
    }  # fmt: skip


def test_likeness_is_that_of_an_independent_library(spark: Any) -> None:
    random.seed(3)
    words = ["".join(random.choices("华星钢铁电力ABC12甲乙", k=random.randint(1, 9))) for _ in range(400)]
    pairs = list(zip(words[::2], words[1::2], strict=True))
    frame = spark.createDataFrame(pairs, "a string, b string")
    made = frame.select("a", "b", similarity(F.col("a"), F.col("b")).alias("s")).collect()
    assert all(abs(row.s - Levenshtein.normalized_similarity(row.a, row.b)) < 1e-12 for row in made)


def _made(number: int) -> list[str]:
    """Return names as they are in China: a place, two to four signs, a trade, a form."""
    random.seed(11)
    signs = "华星瑞达宏远新兴万和金泰恒丰顺利明德启航天成国安嘉禾海川云峰"
    trades = ("钢铁", "水泥", "化工", "纺织", "能源科技", "热电", "新材料", "机械制造")
    places, forms = ("北京", "宁波", "", "山东省", "江苏"), ("有限公司", "股份有限公司", "集团有限公司")

    def one() -> str:
        body = "".join(random.choices(signs, k=random.randint(2, 4))) + random.choice(trades)
        return random.choice(places) + body + random.choice(forms)

    return sorted({one() for _ in range(number)})


def test_blocking_misses_next_to_no_pair_that_comparing_all_finds(spark: Any) -> None:
    names = _made(900)
    ours = [(name, f"U{n}", None) for n, name in enumerate(names)]
    typos = [name[:at] + "翔" + name[at + 1 :] for name in names[::3] if (at := len(name) // 2)]
    rows = found(spark, *((name, None) for name in typos), ours=ours)
    frame = spark.createDataFrame([(name, None) for name in [*names, *typos]], "name string, region_code string")
    cores = {row["name"]: row.core for row in parted(frame, "name", "region_code").collect()}
    wanted = {
        typo for typo in typos if max(Levenshtein.normalized_similarity(cores[typo], cores[name]) for name in names) >= 0.75
    }
    seen = {name for name, row in rows.items() if row.uscc}
    assert len(wanted) > 150
    assert len(wanted & seen) >= 0.99 * len(wanted)
    assert all(row.state != "sure" for row in rows.values()), "a letter is another: nobody is linked"


@pytest.mark.spark
def test_both_engines_match_alike(spark: Any, reference: Engine) -> None:
    names = [(name[:-2] if n % 2 else name.replace("钢", "鋼"), "310000" if n % 3 else None) for n, name in enumerate(_made(120))]
    ours = [(name, f"U{n}", None) for n, name in enumerate(_made(120))]
    assert found(spark, *names, ours=ours) == found(reference.session, *names, ours=ours)
