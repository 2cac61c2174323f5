"""What a release names stays as it was published: asked at any time, kept by maintenance, never overwritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobs import maintain, query, release
from jobs.lake import Lake
from jobs.session import Engine
from jobs.trace import trace
from schemas.errors import UserError
from tests.ledgers import POWER, ledger, put

TOTAL = "select sum(emission_tco2e) as t from business.emission_year"
LATER = datetime.now(UTC) + timedelta(days=400)


def _total(lake: Lake, name: str | None = None) -> Decimal:
    released = release.versions(lake, name) if name else None
    return Decimal(query.sql(lake, TOTAL, released=released).to_pylist()[0]["t"])


def test_a_figure_is_answered_as_published_after_tables_moved_on_and_maintenance_passed(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    made = release.create(lake, "2024-01", "the first")
    assert {row["table_name"]: row["rows"] for row in made}["business.emission"] == 1
    assert '"emission_tco2e": "0.500000"' in next(row["totals"] for row in made if row["totals"])
    for quantity in (3000, 4000):
        ledger(lake, spark, [{"quantity": quantity}])
    assert (_total(lake, "2024-01"), _total(lake)) == (Decimal("0.5"), 2)
    maintain.maintain(lake, now=LATER)
    assert (_total(lake, "2024-01"), _total(lake)) == (Decimal("0.5"), 2)
    with pytest.raises(UserError, match="vacuumed"):
        query.sql(lake, 'select * from business."emission@2"')
    found = trace(lake, Engine("sail", spark), "business.emission_year", {"year": "2024"},
                  released=release.versions(lake, "2024-01"))  # fmt: skip
    assert found.shown["emission_tco2e"] == Decimal("0.5")


def test_what_is_published_and_released_while_maintenance_is_under_way_stays(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    table = "thematic.activity"
    put(lake, table, [POWER])

    def meanwhile(*_: Any) -> tuple[int, int]:
        for quantity in (2000, 3000):
            put(lake, table, [{**POWER, "quantity": quantity}])
        return 0, 0

    monkeypatch.setattr(maintain, "compact", meanwhile)
    maintain.maintain(lake, [table], now=LATER)
    (row,) = query.sql(lake, f"select quantity from {table}", 2).to_pylist()
    assert row["quantity"] == 2000


def test_a_name_is_given_once(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    before = release.create(lake, "2024-01")
    ledger(lake, spark, [{"quantity": 3000}])
    with pytest.raises(UserError, match=r"'2024-01' is there already(.|\n)*take another name, e.g. 2024-01-2"):
        release.create(lake, "2024-01")
    assert release.release(lake, "2024-01") == before
    release.create(lake, "2024-01-2")
    assert [one["release"] for one in release.releases(lake)] == ["2024-01-2", "2024-01"]


def test_a_table_made_from_what_has_changed_since_is_not_released(lake: Lake, spark: Any) -> None:
    ledger(lake, spark)
    put(lake, "thematic.activity", [{**POWER, "quantity": 3000}])
    with pytest.raises(UserError, match=r"made from version 1 of thematic.activity, which is at 2(.|\n)*carbonlake run"):
        release.create(lake, "2024-01")


def test_activity_without_a_line_is_told_with_the_release(lake: Lake, spark: Any) -> None:
    ledger(
        lake, spark, [{}, {"activity_id": "a2", "activity_code": "heat_purchased", "unit": "GJ"}], also=["business.unresolved"]
    )
    release.create(lake, "2024-01")
    assert release.releases(lake)[0]["unresolved"] == 1


def test_what_is_no_release_says_what_to_do(lake: Lake, spark: Any) -> None:
    with pytest.raises(UserError, match=r"nothing is published yet(.|\n)*carbonlake run"):
        release.create(lake, "2024-01")
    with pytest.raises(UserError, match=r"no release '2024-01'(.|\n)*carbonlake release create"):
        release.versions(lake, "2024-01")
    with pytest.raises(UserError, match=r"is no name of a release(.|\n)*letters, digits"):
        release.create(lake, "../2024")
    ledger(lake, spark)
    release.create(lake, "2024-01")
    with pytest.raises(UserError, match=r"no release '2024-02'(.|\n)*did you mean 2024-01"):
        release.versions(lake, "2024-02")
    with pytest.raises(UserError, match=r"ops.run is in no such release"):
        query.sql(lake, "from ops.run", released=release.versions(lake, "2024-01"))
