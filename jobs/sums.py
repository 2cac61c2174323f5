"""Direct hops of sums: the rows that were added up, read by what they share with the figure and held to its sums."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from jobs.members import of_level, of_places
from jobs.tracing import Parents, Row, Way, same, sql
from models.method import methods
from schemas.codes import code_list
from schemas.contracts import contract as contract_of

LINES, DAY, MONTH, ROLLUP = "business.emission", "business.emission_day", "business.emission_month", "business.emission_rollup"
UNRESOLVED, SUBJECT = "business.unresolved", "thematic.subject"
DETAIL = ("scope", "category", "activity_code", "gas")
WHOLE = ("book", "grain", "period", "level", "member")
MONTHS = {"month": 1, "quarter": 3, "year": 12}
SINCE = "1900-01-01"  # since when a state was that nobody dates, as layers.history has it
# What a sum says → how it comes of the rows below; all of decimals and counts, so that equal means to the last digit.
OF_LINES = {
    "mass_t": "sum(mass_t)", "emission_tco2e": "sum(emission_tco2e)", "lines": "count(*)",
    "fallback_lines": "count(*) filter (fallback)", "unrated_lines": "count(*) filter (uncertainty_percent is null)",
    "unrated_tco2e": "sum(case when uncertainty_percent is null then emission_tco2e else 0 end)",
}  # fmt: skip
AGAIN = {name: f"sum({name})" for name in OF_LINES} | {"uncertainty_most_tco2e": "sum(uncertainty_tco2e)"}
UNCOUNTED = {"unresolved_rows": "count(*)"}


def added(way: Way, table: str, version: int, where: str, sums: Mapping[str, str], row: Row, role: str = "") -> Parents | None:
    """Return the rows of a table that a condition keeps, the largest first; None where they do not add up to the row."""
    view, key = way.view(table, version), contract_of(table).key
    told = ", ".join(["count(*) as _total", *(f"{how} as {name}" for name, how in sums.items())])
    (found,) = way.rows(f"select {told} from {view} where {where}")
    if any((found[name] or 0) != (row[name] or 0) for name in sums):
        return None
    largest = [f"abs({name}) desc nulls last" for name in ("emission_tco2e", "quantity") if name in contract_of(table).columns]
    order = ", ".join([*largest[:1], *key])
    rows = way.rows(f"select * from {view} where {where} order by {order} limit {way.width}")
    note = f"{'together the figure; ' if sums else ''}all: select * from {way.named(table, version)} where {where}"
    return Parents(table, version, rows, found["_total"], note, role)


def of_year(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return the months of a year of one state of a subject."""
    by = ("book", "subject_id", "subject_from", "region_code", "industry_code", "park_id", "scope", "category", "gas")
    where = f"{same(row, *by)} and {within('month', date(row['year'], 1, 1), 12)}"
    return whole(added(way, MONTH, pinned[MONTH], where, AGAIN, row))


def of_month(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return the lines of a month of one state of a subject."""
    where = f"{same(row, 'book', 'subject_id', *DETAIL)} and {_since(row)} and {within('date', row['month'], 1)}"
    return whole(added(way, LINES, pinned[LINES], where, OF_LINES, row))


def of_day(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return the lines of hours and of the day itself."""
    where = f"{same(row, 'book', 'subject_id', 'date', *DETAIL)} and grain in ('hour', 'day')"
    return whole(added(way, LINES, pinned[LINES], where, OF_LINES, row))


def of_rollup(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return the days or months of all subjects of a member, and the activity that it lacks."""
    fine = row["grain"] == "day"
    table, day = (DAY, "date") if fine else (MONTH, "month")
    place = of_level(way, table, pinned[table], row["level"], row["member"])
    period = same({day: row["period"]}, day) if fine else within(day, row["period"], MONTHS[row["grain"]])
    lines = added(way, table, pinned[table], f"{same(row, 'book', *DETAIL)} and {period} and {place}", AGAIN, row)
    return whole(lines, *([_lacking(way, pinned, row)] if row["unresolved_rows"] else []))


def _lacking(way: Way, pinned: Mapping[str, int], row: Row) -> Parents | None:
    """Return the activity without a line that a roll-up counts."""
    detail = (row["book"], row["scope"], row["category"], row["gas"])
    ids = [one.id for one in methods().values() if (one.book, one.scope, one.category, one.gas) == detail]
    named = f"method_id in ({', '.join(map(sql, ids))})" if ids else "false"
    if detail == ("enterprise", 0, "unresolved", "GHG"):  # what no method takes, see layers.business._open
        named = f"(method_id is null or method_id not in ({', '.join(map(sql, methods()))}))"
    fine = row["grain"] == "day"
    period = f"date = {sql(row['period'])} and grain in ('hour', 'day')" if fine else within("date", row["period"],
                                                                                           MONTHS[row["grain"]])  # fmt: skip
    where = f"{named} and {same(row, 'activity_code')} and {period}"
    place = of_places(way, (UNRESOLVED, pinned[UNRESOLVED]), (SUBJECT, pinned[SUBJECT]), where, row["level"], row["member"])
    return added(way, UNRESOLVED, pinned[UNRESOLVED], f"{where} and {place}", UNCOUNTED, row)


def of_change(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return what a figure is the sum of, and what those before it are that it is compared with."""
    sums = {name: f"sum({name})" for name in ("emission_tco2e", "lines", "unresolved_rows")}
    found = [added(way, ROLLUP, pinned[ROLLUP], same(row, *WHOLE), sums, row)]
    for side, months in (("previous", MONTHS.get(row["grain"], 0)), ("year_ago", 12)):
        if row[f"{side}_emission_tco2e"] is not None:
            then = {**row, "period": earlier(row["period"], months), "emission_tco2e": row[f"{side}_emission_tco2e"]}
            only = {"emission_tco2e": sums["emission_tco2e"]}
            found.append(added(way, ROLLUP, pinned[ROLLUP], same(then, *WHOLE), only, then, side))
    return whole(*found)


def of_structure(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return what a part of a structure is the sum of."""
    column = {"activity": "activity_code"}.get(row["kind"], row["kind"])
    if column in ("fuel", "fuel_group"):
        codes = ", ".join(map(sql, _burning(column, row["part"])))
        part = "activity_code " + (f"not in ({codes})" if row["part"] == "none" else f"in ({codes})")
    else:
        part = f"cast({column} as varchar) = {sql(row['part'])}"
    sums = {name: f"sum({name})" for name in ("emission_tco2e", "unresolved_rows")}
    return whole(added(way, ROLLUP, pinned[ROLLUP], f"{same(row, *WHOLE)} and {part}", sums, row))


def _burning(kind: str, part: str) -> list[str]:
    """Return the activities of a carrier, or of a group of them; of all carriers for what is of none."""
    above = {row["code"]: row["parent"] for row in code_list("energy_carrier")}
    known = {row["code"]: row["carrier_code"] for row in code_list("activity") if row["carrier_code"]}
    named = {code: carrier if kind == "fuel" else above[carrier] or carrier for code, carrier in known.items()}
    return [code for code, name in named.items() if part in ("none", name)] or [""]


def of_intensity(way: Way, pinned: Mapping[str, int], row: Row) -> list[Parents] | None:
    """Return what is emitted and what it is divided by."""
    scopes = {"0": "0", "1": "0, 1", "2": "0, 2", "3": "0, 3", "1+2": "0, 1, 2"}[row["scopes"]]
    year = {**row, "grain": "year", "period": date(row["year"], 1, 1)}
    sums = {name: f"sum({name})" for name in ("emission_tco2e", "lines", "unresolved_rows")}
    over = added(way, ROLLUP, pinned[ROLLUP], f"{same(year, *WHOLE)} and scope in ({scopes})", sums, row)
    return whole(over, _denominator(way, pinned, year))


def _denominator(way: Way, pinned: Mapping[str, int], row: Row) -> Parents | None:
    table, named = "cleaned.region_indicator", {"region_code": row["member"], "year": row["year"]}
    named |= {"indicator": row["denominator"], "source": row["source"]}
    value = {"denominator_value": "cast(sum(value) as decimal(28,6))"}
    if row["source"] == "business.activity_rollup":
        table, named = row["source"], {name: row[name] for name in WHOLE[1:]} | {"activity_code": row["denominator"]}
        value = {}  # told in several units, perhaps
    elif row["source"].startswith("Our World in Data, edition of "):
        table, named = "cleaned.owid_co2", {"iso_code": row["member"], "year": row["year"]}
        named |= {"edition_date": date.fromisoformat(row["source"][-10:])}
        value = {"denominator_value": "sum(population)" if row["denominator"] == "population" else "sum(gdp_million_usd)"}
    return added(way, table, pinned[table], same(named, *named), value or {"year": f"max({row['year']})"}, row, "denominator")


def whole(*found: Parents | None) -> list[Parents] | None:
    """Return rows of all inputs, or None where those of one do not make the figure."""
    known = [one for one in found if one is not None]
    return [one for one in known if one.total] if len(known) == len(found) else None


def _since(row: Row) -> str:
    return f"coalesce(subject_from, date '{SINCE}') = {sql(row['subject_from'])}"


def within(column: str, first: date, months: int) -> str:
    """Return the SQL condition that a day is one of so many months from the first."""
    return f"{column} >= {sql(first)} and {column} < {sql(earlier(first, -months))}"


def earlier(day: date, months: int) -> date:
    """Return the day so many months before, of a period that begins with a month; the day before for none."""
    if not months:
        return day - timedelta(days=1)
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, day.day)


HOPS: dict[str, Any] = {
    "business.emission_year": of_year, MONTH: of_month, DAY: of_day, ROLLUP: of_rollup, "business.emission_change": of_change,
    "business.emission_structure": of_structure, "business.emission_intensity": of_intensity,
}  # fmt: skip
