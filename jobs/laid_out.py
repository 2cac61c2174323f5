"""Direct hops of figures laid out another way: activity rolled up, electricity by view, the cube of dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from jobs.members import of_days, of_level
from jobs.sums import MONTH, MONTHS, SUBJECT, UNRESOLVED, added, whole, within
from jobs.tracing import Parents, Row, Step, Way, same, sql
from layers.business.electricity_view import BOOK, GENERATED, OUTSIDE, PLANTS, USED

ACTIVITY, YEAR = "thematic.activity", "business.emission_year"
PROVINCE = "case when regexp_full_match(region_code, '[0-9]{6}') then concat(region_code[1:2], '0000') else region_code end"
DIMENSIONS = {
    "total": "'all'", "region": f"coalesce({PROVINCE}, 'unknown')", "industry": "coalesce(industry_code[1:2], 'unknown')",
    "subject": "coalesce(subject_id, 'unknown')", "category": "category", "scope": "cast(scope as varchar)", "gas": "gas",
}  # fmt: skip
VIEW = "business.electricity_view"
VIEWS = {"territorial": f"(scope = 1 and industry_code like '{PLANTS}%')",
         "consumption": "(scope = 2 and starts_with(activity_code, 'electricity_'))"}  # fmt: skip
Found = list[Parents | Step]


def of_activity_rollup(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return the activity of all subjects of a member."""
    months = MONTHS.get(row["grain"])
    period = within("date", row["period"], months) if months else f"date = {sql(row['period'])} and grain in ('hour', 'day')"
    where = f"{same(row, 'activity_code', 'unit')} and {period}"
    place = of_days(way, (ACTIVITY, pinned[ACTIVITY]), (SUBJECT, pinned[SUBJECT]), where, row["level"], row["member"])
    sums = {"quantity": "cast(sum(quantity) as decimal(28,6))", "rows": "count(*)"}
    return whole(added(way, ACTIVITY, pinned[ACTIVITY], f"{where} and {place}", sums, row))


def of_electricity(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the months of plants and of users that a view adds up, and where its kilowatt-hours are told."""
    if row["region"] == OUTSIDE:
        name = way.named(VIEW, way.released[VIEW]) if VIEW in way.released else VIEW
        note = ("who is not in the lake: it emitted what is used in all other regions beyond what is generated there; all: "
                f"select * from {name} where year = {row['year']} and region <> {sql(OUTSIDE)}")  # fmt: skip
        return [Step(VIEW, {}, note)]
    place = of_level(way, MONTH, pinned[MONTH], "province", row["region"])
    each = VIEWS if row["view"] == "transfer" else {row["view"]: VIEWS[row["view"]]}
    signed = "case when scope = 1 then -emission_tco2e else emission_tco2e end"
    sums = {"emission_tco2e": f"sum({signed if row['view'] == 'transfer' else 'emission_tco2e'})", "lines": "sum(lines)"}
    where = (
        f"book = {sql(BOOK)} and {within('month', date(row['year'], 1, 1), 12)} and {place} and ({' or '.join(each.values())})"
    )
    found = added(way, MONTH, pinned[MONTH], where, sums, row)
    if found is None:
        return None
    codes = {"territorial": [GENERATED], "consumption": [*USED], "transfer": [GENERATED, *USED]}[row["view"]]
    kwh = (f"its kilowatt-hours are of these subjects, among: select * from {way.named(ACTIVITY, pinned[ACTIVITY])} where "
           f"year(date) = {row['year']} and activity_code in ({', '.join(map(sql, codes))})")  # fmt: skip
    told = Step(ACTIVITY, {"electricity_kwh": row["electricity_kwh"]}, kwh)
    return [*([found] if found.total else []), told, *_lacking(way, pinned, row)]


def of_cube(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the years of all subjects of a member of a dimension."""
    where = f"{same(row, 'book', 'year')} and {DIMENSIONS[row['dimension']]} = {sql(row['member'])}"
    sums = {name: f"sum({name})" for name in ("emission_tco2e", "lines", "fallback_lines")}
    found = added(way, YEAR, pinned[YEAR], where, sums, row)
    return None if found is None else [*([found] if found.total else []), *_lacking(way, pinned, row)]


def _lacking(way: Way, pinned: Mapping[str, int], row: Row) -> list[Step]:
    """Name the table that holds the activity without a line, which such a figure counts and does not name."""
    if not row["unresolved_rows"]:
        return []
    query = f"select * from {way.named(UNRESOLVED, pinned[UNRESOLVED])} where year(date) = {row['year']}"
    return [Step(UNRESOLVED, {"unresolved_rows": row["unresolved_rows"]}, f"they are among: {query}")]


HOPS: dict[str, Any] = {
    "business.activity_rollup": of_activity_rollup, "business.electricity_view": of_electricity, "index.emission_cube": of_cube,
}  # fmt: skip
