"""What two sources tell of the same subject, period and activity is counted once, listed, and settled as declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs import origins, trace
from jobs.lake import Lake
from jobs.outcome import Outcome
from jobs.session import Engine
from jobs.tracing import Parents, Way
from schemas.rooms import SHIPPED
from tests.jobs import building

REPORT, BILL = "cleaned.enterprise_energy_month", "cleaned.grid_bill_month"
ACTIVITY, OVERLAP = "thematic.activity", "thematic.activity_overlap"
WHO = "91110000EXAMPLE01J"
HEAD = "统一社会信用代码,企业名称,月份,外购电量(万千瓦时),其中绿电(万千瓦时),外购热力(GJ)\n"


def report(lake: Lake, *rows: tuple[str, str]) -> None:
    text = HEAD + "".join(f"{WHO},示例（虚构）,{month},{value},,\n" for month, value in rows)
    building.deliver(lake, REPORT, "energy/a.csv", text.encode("gbk"))


def bill(lake: Lake, *rows: tuple[str, str]) -> None:
    text = "统一社会信用代码,结算月份,结算电量,计量单位\n" + "".join(f"{WHO},{month},{value},kWh\n" for month, value in rows)
    building.deliver(lake, BILL, "bill/a.csv", text)


def built(lake: Lake, spark: Any) -> Outcome:
    return building.build(lake, spark, f"+{ACTIVITY}")[ACTIVITY]


def counted(lake: Lake) -> dict[str, tuple[str, int]]:
    found = building.rows(lake, ACTIVITY, "date", "source_table", "quantity")
    assert len({day for day, *_ in found}) == len(found), "a month is never counted twice"
    return {str(day)[:7]: (table, int(quantity)) for day, table, quantity in found}


@pytest.fixture
def equals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare the bill of the same rank as the report."""
    text = (SHIPPED / "schemas/cleaned/grid_bill_month.yaml").read_text(encoding="utf-8")
    files = {"schemas/cleaned/grid_bill_month.yaml": text.replace(", rank: 2", "")}
    assert ", rank: 2" in text
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "project", files)))


def test_the_source_of_the_lower_rank_stands_and_the_other_fills_what_it_lacks(lake: Lake, spark: Any) -> None:
    report(lake, ("2024-01", "1"), ("2024-02", "2"))
    bill(lake, ("202401", "10100"), ("202402", "26000"), ("202403", "30000"))
    assert built(lake, spark).status == "built"
    assert counted(lake) == {"2024-01": (REPORT, 10000), "2024-02": (REPORT, 20000), "2024-03": (BILL, 30000)}
    told = building.rows(lake, OVERLAP, "date", "quantity", "stands_table", "stands_quantity", "difference_percent", "settled_by")
    assert [(str(day)[:7], int(q), table, int(stands), float(percent), by) for day, q, table, stands, percent, by in told] == [
        ("2024-01", -10100, REPORT, 10000, 1.0, "rank"), ("2024-02", -26000, REPORT, 20000, 30.0, "rank"),
    ]  # fmt: skip


def test_sources_that_differ_by_much_are_told_of(lake: Lake, spark: Any) -> None:
    report(lake, ("2024-01", "1"))
    bill(lake, ("202401", "13000"))
    ended = building.build(lake, spark, f"+{ACTIVITY}")
    assert ended[OVERLAP].warnings == ("between_difference_percent: 1 of 1 rows fail",)
    assert ended[ACTIVITY].status == "built", "the balance closes: sources and what is taken out make what is counted"


def test_the_same_figure_from_two_of_one_rank_counts_once(lake: Lake, spark: Any, equals: None) -> None:
    report(lake, ("2024-01", "1"))
    bill(lake, ("202401", "10000"))
    assert built(lake, spark).status == "built"
    assert counted(lake) == {"2024-01": (REPORT, 10000)}
    assert [row[0] for row in building.rows(lake, OVERLAP, "settled_by")] == ["equal"]


def test_what_nobody_settled_counts_not_at_all_and_is_listed(lake: Lake, spark: Any, equals: None) -> None:
    report(lake, ("2024-01", "1"), ("2024-02", "2"))
    bill(lake, ("202401", "10001"))
    ended = building.build(lake, spark, f"+{ACTIVITY}")
    assert ended[OVERLAP].warnings[0].startswith("somebody_settled_it: 2 of 2 rows")
    assert counted(lake) == {"2024-02": (REPORT, 20000)}
    assert building.rows(lake, OVERLAP, "source_table", "stands_table", "settled_by") == [
        (REPORT, None, "nobody"), (BILL, None, "nobody"),
    ]  # fmt: skip


def test_a_withdrawn_source_gives_the_other_its_place_back(lake: Lake, spark: Any) -> None:
    from jobs import land

    report(lake, ("2024-01", "1"))
    bill(lake, ("202401", "10100"))
    built(lake, spark)
    land.withdraw(lake, 1, "all wrong")
    assert built(lake, spark).status == "built"
    assert counted(lake) == {"2024-01": (BILL, 10100)}
    assert building.rows(lake, OVERLAP) == []


def test_a_figure_that_nobody_settled_is_traced_to_both_sources(lake: Lake, spark: Any, equals: None) -> None:
    report(lake, ("2024-01", "1"), ("2024-02", "2"))
    bill(lake, ("202401", "10001"), ("202402", "20000"))
    assert built(lake, spark).status == "built"
    engine = Engine("sail", spark)
    way = Way(lake, engine, 3)
    pinned = {table: int(way.head(table).version()) for table in (ACTIVITY, OVERLAP)}  # type: ignore[union-attr]
    taken = f"grid_bill_month|{WHO}|2024-01-01|electricity_purchased"
    row = {"reason": "sources_differ", "activity_id": taken, "grain": "month", "quantity": 10001}
    (found,) = origins.of_unresolved(way, pinned, row) or []
    assert isinstance(found, Parents) and sorted(one["source_table"] for one in found.rows) == [REPORT, BILL]
    remainder = {**row, "reason": "remainder"}
    assert origins.of_unresolved(way, pinned, remainder) is None, "that row tells of no remainder"
    (delivered,) = trace.trace(lake, engine, OVERLAP, {"activity_id": taken}).made_from
    assert (delivered.table, delivered.made_from[0].shown["file"]) == (BILL, "bill/a.csv")
