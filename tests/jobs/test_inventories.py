"""Gaps between inventories as people see them: names in both languages, one colour for a cause, the widest gap the longest."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from jobs import inventories
from jobs.bars import COLOURS, svg
from jobs.inventories import CAUSES, KINDS, bars, causes, gaps, told
from jobs.lake import Lake
from jobs.rollups import STATES
from schemas.contracts import contract
from schemas.errors import UserError

SVG = "{http://www.w3.org/2000/svg}"


def _row(region: str, year: int, difference: str, cause: str, **more: Any) -> dict[str, Any]:
    return {
        "region_code": region, "year": year, "a_sector": "total", "fuel": "all", "kind": "parts", "a_publisher": "CEADs",
        "a_emission_tco2e": Decimal(10**9), "b_emission_tco2e": Decimal(10**9) + Decimal(difference),
        "difference_tco2e": Decimal(difference), "difference_percent": Decimal(difference) / 10**7, "cause": cause,
        "evidence": "<told>", **more,
    }  # fmt: skip


ROWS = [_row("CHN", 2012, "662152238", "statistical"), _row("540000", 2012, "-3000000", "unexplained", fuel="fuel_coke"),
        _row("", 2024, "5", "rounding", a_publisher="甲 & 乙")]  # fmt: skip


def test_a_picture_shows_a_bar_for_each_gap_in_the_colour_of_its_cause() -> None:
    drawn = ElementTree.fromstring(svg(bars(ROWS), "差异 gaps", CAUSES))
    found = [
        (one.get("fill"), float(one.get("width", ""))) for group in drawn.iter(f"{SVG}g") for one in group.findall(f"{SVG}rect")
    ]
    assert [colour for colour, _ in found] == [COLOURS[row["cause"]] for row in ROWS]
    assert found[0][1] > 100 * found[1][1] > 0
    texts = {text.text for text in drawn.iter(f"{SVG}text")}
    assert {"中国 · 2012 · 总计（不含土地利用变化和林业）",
            "Tibet · 2012 · total without land-use change and forestry · combustion of coke",
            "+662.15 Mt +66.2 %", "-3.00 Mt -0.3 %", "统计口径 statistical"} <= texts  # fmt: skip
    assert "revision" not in " ".join(filter(None, texts))


def test_a_picture_of_nothing_says_so() -> None:
    assert "nothing differs" in svg([], "差异", CAUSES)


def test_a_row_on_a_terminal_names_who_and_what() -> None:
    shown = told(ROWS[1])
    assert (shown["who"], shown["of"], shown["percent"]) == ("西藏自治区", "total, fuel_coke", "-0.3")
    assert causes(ROWS) == {"rounding": 1, "statistical": 1, "unexplained": 1}


def test_kinds_and_causes_are_those_of_the_contract() -> None:
    declared = {rule.column: rule.values for rule in contract("business.inventory_comparison").rules if rule.rule == "one_of"}
    assert {"kind": list(KINDS), "cause": list(CAUSES)} == {name: list(values or ()) for name, values in declared.items()}
    assert set(COLOURS) == {*CAUSES, *STATES}


def test_a_cause_that_is_none_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unexplained"):
        gaps(Lake(str(tmp_path)).init(), {"cause": "magic"})


def test_a_subject_that_nobody_knows_is_refused_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = pa.table({"subject_id": ["region:CHN", "enterprise:91340000EXAMPLE095"]})
    monkeypatch.setattr(inventories, "sql", lambda _, query: known if "distinct" in query else known.slice(0, 0))
    lake = Lake(str(tmp_path)).init()
    assert gaps(lake, {"subject_id": "region:CHN", "cause": "unit"}) == []
    with pytest.raises(UserError, match="did you mean enterprise:91340000EXAMPLE095") as refused:
        gaps(lake, {"subject_id": "91340000EXAMPLE9"})
    assert "lists all 2" in str(refused.value)
