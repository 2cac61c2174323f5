"""The saved queries on a real Trino and on the embedded engine: the same rows, decimals to the last digit."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs import asking, query
from jobs.saved import named, saved
from schemas.errors import UserError
from tests.stack.shown import Shown

# Trino keeps milliseconds and rounds to them.
MILLISECOND = timedelta(milliseconds=1)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same: doubles to 1e-9 of each other, instants to a millisecond, all else exactly."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) <= MILLISECOND
    return bool(one == other) and (one is None) == (other is None)


@pytest.mark.parametrize("name", sorted(saved()))
def test_both_engines_give_the_same_rows(name: str, shown: Shown) -> None:
    one = named(name)
    there, here = asking.sql(shown.at, one.sql), query.sql(shown.lake, one.for_duckdb())
    assert there.column_names == here.column_names
    pairs = list(zip(map(dict.values, there.to_pylist()), map(dict.values, here.to_pylist()), strict=True))
    assert pairs
    assert [pair for pair in pairs if not all(map(same, *pair))] == []


TOTALS = {
    "business.emission": "year(date)",
    "business.emission_month": "year(month)",
    "business.emission_year": "year",
    "business.emission_rollup": "grain, level, member, period",
}


@pytest.mark.parametrize("table", TOTALS)
def test_totals_of_emissions_are_the_same_to_the_last_digit(table: str, shown: Shown) -> None:
    by = f"book, {TOTALS[table]}, scope, category, gas"
    text = f"select {by}, sum(mass_t) as mass_t, sum(emission_tco2e) as emission_tco2e, count(*) as n from {table} group by {by}"
    there, here = (sorted(found.to_pylist(), key=repr) for found in (asking.sql(shown.at, text), query.sql(shown.lake, text)))
    assert [tuple(row.values()) for row in there] == [tuple(row.values()) for row in here]
    assert there


def test_enough_of_them_look_back_in_time_join_and_use_windows() -> None:
    texts = [one.sql.lower() for one in saved().values()]
    for words, least in ((" as of ", 2), ("join ", 12), (" over (", 10), ("group by", 25), ("date", 10)):
        assert sum(words in text for text in texts) >= least, words
    assert sum(not text.isascii() for text in texts) >= 4


def test_a_moment_is_the_same_for_both(shown: Shown) -> None:
    text = "select count(gas) as n, sum(gwp) as total from cleaned.gwp"
    for moment in (0, 1, datetime.now(UTC).date().isoformat(), datetime.now(UTC).isoformat()):
        assert asking.sql(shown.at, text, moment).to_pylist() == query.sql(shown.lake, text, moment).to_pylist()
    for moment in (99, "2000-01-01"):
        with pytest.raises(UserError) as caught:
            asking.sql(shown.at, text, moment)
        assert "carbonlake history" in caught.value.remedy


def test_the_command_asks_either(shown: Shown, tmp_path: Path) -> None:
    answers = [shown.said(tmp_path, "sql", "--saved", "industry_year", "--csv", *on) for on in ([], ["--on", "trino"])]
    assert answers[0].returncode == 0 and answers[0].stdout == answers[1].stdout
    assert "黑色金属冶炼和压延加工业" in answers[0].stdout
    quarantined = shown.said(tmp_path, "sql", "--on", "trino", "select count(*) as n from quarantine.cleaned.enterprise", "--csv")
    assert quarantined.stdout.split() == ["n", "3"]
    assert shown.said(tmp_path, "sql", "--on", "nowhere", "select 1").returncode == 1
