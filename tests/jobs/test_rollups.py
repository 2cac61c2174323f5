"""Roll-ups as people ask for them: named, of the period that was asked for, with what they lack, and as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs import query
from jobs.bars import COLOURS, svg
from jobs.lake import Lake
from jobs.rollups import CHANGE, ROLLUP, STATES, STRUCTURE, Asked, asked, bars, lacking, title
from schemas.errors import UserError

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def lake(demo_lake: Path) -> Lake:
    """Return the lake of the demo."""
    return Lake(demo_lake)


def _sum(lake: Lake, text: str) -> Any:
    return query.sql(lake, f"select sum(emission_tco2e) as t from {text}")["t"][0].as_py()


def test_members_are_named_and_add_up_to_the_level(lake: Lake) -> None:
    rows, period = asked(lake, Asked("province"))
    assert period == "2024"
    assert {row["member"]: (row["name"], row["name_en"]) for row in rows}["130000"] == ("河北省", "Hebei")
    where = "book = 'enterprise' and level = 'total' and grain = 'year' and period = date '2024-01-01'"
    assert sum(row["emission_tco2e"] for row in rows) == _sum(lake, f"{ROLLUP} where {where}")
    assert rows == sorted(rows, key=lambda row: -row["emission_tco2e"])


@pytest.mark.parametrize(
    ("period", "grain", "first"),
    [("2024", "year", "2024-01-01"), ("2024-Q3", "quarter", "2024-07-01"), ("2024-03", "month", "2024-03-01")],
)
def test_a_period_is_a_year_a_quarter_or_a_month(lake: Lake, period: str, grain: str, first: str) -> None:
    (row,), _ = asked(lake, Asked("total", period))
    where = f"book = 'enterprise' and level = 'total' and grain = '{grain}' and period = date '{first}'"
    assert row["emission_tco2e"] == _sum(lake, f"{ROLLUP} where {where}") > 0
    assert (row["name"], row["name_en"]) == ("全部", "all")


def test_parts_are_named_and_have_shares(lake: Lake) -> None:
    rows, _ = asked(lake, Asked("sector", "2024", part="fuel_group"))
    assert sum(row["emission_tco2e"] for row in rows) == _sum(lake, f"{STRUCTURE} where book = 'enterprise' and level = 'sector' "
                                                                    "and period = date '2024-01-01' and grain = 'year' "
                                                                    "and kind = 'fuel_group'")  # fmt: skip
    assert {(row["part"], row["of"], row["of_en"]) for row in rows} >= {("coal", "煤炭", "coal"), ("none", "非燃料", "no fuel")}


def test_a_change_tells_what_both_sides_lack(lake: Lake) -> None:
    rows, _ = asked(lake, Asked("total", "2024", change=True))
    (there,) = query.sql(lake, f"select * from {CHANGE} where book = 'enterprise' and level = 'total' and grain = 'year' "
                               "and period = date '2024-01-01'").to_pylist()  # fmt: skip
    (row,) = rows
    assert {name: there[name] for name in row if name in there} == {name: row[name] for name in row if name in there}
    assert row["unresolved_rows"] and row["year_ago_unresolved_rows"]


def test_what_is_lacking_is_named(lake: Lake) -> None:
    head, names = lacking(lake, Asked("total"), "2024")
    assert "未核算" in head and "without a line" in head
    assert "水泥产量 cement made" in names
    assert lacking(lake, Asked("total", book="hourly"), "2017") == []


def test_an_enterprise_has_its_name(lake: Lake) -> None:
    rows, _ = asked(lake, Asked("enterprise", member="enterprise:91130000EXAMPLE01T"))
    assert [row["name"] for row in rows] == ["示例电力甲（虚构）"]


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (Asked("village"), "there is no 'village'"),
        (Asked("total", part="colour"), "there is no 'colour'"),
        (Asked("total", "last year"), "'last year' is no period"),
        (Asked("total", "2024-13"), "'2024-13' is no period"),
        (Asked("total", book="nobody"), "no line item is in the book 'nobody'"),
    ],
)
def test_what_cannot_be_asked_is_refused(lake: Lake, one: Asked, says: str) -> None:
    with pytest.raises(UserError) as caught:
        asked(lake, one)
    assert says in str(caught.value) and caught.value.remedy


def _row(name: str, tonnes: float | None, unresolved: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "name_en": f"{name}-en", "emission_tco2e": tonnes, "unresolved_rows": unresolved, **more}


def _drawn(text: str) -> tuple[list[tuple[str | None, float]], set[str | None]]:
    drawn = ElementTree.fromstring(text)
    found = [
        (one.get("fill"), float(one.get("width", ""))) for group in drawn.iter(f"{SVG}g") for one in group.findall(f"{SVG}rect")
    ]
    return found, {one.text for one in drawn.iter(f"{SVG}text")}


def test_a_picture_says_which_bars_lack_something_and_what_is_unknown_is_no_zero() -> None:
    one = Asked("province")
    rows = [_row("甲", 2_000_000.0, 0), _row("乙", 1_000_000.0, 3), _row("丙", None, 2)]
    made, texts = _drawn(svg(bars(rows, one), title(one, "2024"), STATES, notes=["缺 lacks"], signed=False))
    assert [colour for colour, _ in made] == [COLOURS["complete"], COLOURS["lacking"]]
    assert made[0][1] == pytest.approx(2 * made[1][1])
    assert {"2.00 Mt", "1.00 Mt 未核算 3 条 unresolved", "未能核算 not computed, 未核算 2 条 unresolved", "缺 lacks",
            "另有活动未核算 lacking", "排放 emissions · province · 2024 · enterprise, CO2e"} <= texts  # fmt: skip


def test_a_picture_of_changes_has_signs_and_says_what_is_not_comparable() -> None:
    one = Asked("total", change=True)
    change = {"year_ago_change": -5e3, "year_ago_percent": -2.5, "year_ago_unresolved_rows": 1}
    none = dict.fromkeys(change)
    _, texts = _drawn(svg(bars([_row("甲", 1.0, 0, **change), _row("乙", 1.0, 0, **none)], one), title(one, "2024"), STATES))
    assert {"-5.00 kt -2.5 %, 未核算 1 条 unresolved", "不可比 not comparable"} <= texts


def test_no_text_of_a_picture_leaves_it() -> None:
    long = "很长的企业名称" * 6
    text = svg(bars([_row(long, 5.0, 123_456)], Asked("enterprise")), "t", STATES, notes=["n" * 200], signed=False)
    assert float(ElementTree.fromstring(text).get("width", "")) > 200 * 7


@pytest.fixture
def said(demo_lake: Path) -> Callable[..., Any]:
    """Return what runs the command on the demo's lake."""
    return lambda *words: CliRunner().invoke(app, ["--lake", str(demo_lake), *words])


def test_the_command_shows_writes_and_draws(said: Callable[..., Any], tmp_path: Path) -> None:
    done = said("rollup", "sector", "--by", "fuel_group", "--picture", str(tmp_path / "new" / "x.svg"))
    assert done.exit_code == 0, done.output
    assert "煤炭" in done.output and "activity without a line" in done.output
    made, texts = _drawn((tmp_path / "new" / "x.svg").read_text(encoding="utf-8"))
    assert len(made) >= 5 and any("cement made" in (text or "") for text in texts)
    assert said("rollup", "province", "--csv").stdout.startswith("member,name,name_en,emission_tco2e,lines,unresolved_rows\n")
    assert said("rollup", "total", "--by", "gas", "--change").exit_code == 1


def test_sums_of_tables_that_do_not_count_it_say_how_much_activity_has_no_line(said: Callable[..., Any]) -> None:
    whole = "select sum(emission_tco2e) as t from"
    told = "activities have no line and are in no total: business.unresolved"
    assert told in said("sql", f"{whole} business.emission_year where book = 'enterprise'").stderr
    for silent in (f"{whole} index.emission_cube where dimension = 'total'", "select count(*) from business.unresolved"):
        assert told not in said("sql", silent).stderr
