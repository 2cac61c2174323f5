"""Direct hops of single rows: a line's activity and factors, an input's, and the delivered row that either names as its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jobs.clean import DELIVERY, LOCATOR
from jobs.sums import LINES, MONTHS, SINCE, SUBJECT, UNRESOLVED, added, earlier
from jobs.tracing import Parents, Row, Step, Way, same, sql
from models import units
from models.method import Method, methods
from schemas.contract import Contract
from schemas.contracts import contract as contract_of
from schemas.contracts import contracts
from schemas.errors import UserError

LINE_INPUTS, ACTIVITY, OVERLAP = "business.emission_input", "thematic.activity", "thematic.activity_overlap"
UNCOUNTED = ("remainder", "sources_differ")  # reasons of what was told twice: no activity holds it
GWP = "gwp"
OF_ACTIVITY = ("subject_id", "date", "grain", "activity_code")  # what a line takes from its activity as it is
MASTERS = ("enterprise", "park", "project", "individual", "facility")
Found = list[Parents | Step]


def of_line(way: Way, pinned: Mapping[str, int], row: Row, used: Sequence[Row]) -> Found | None:
    """Return the activity, the factors and the state of the subject of a line; None where they do not make its figure.

    `used` are its inputs. The formula of its method, worked out again on their values, must give the tonnes.
    """
    method = methods().get(row["method_id"])
    if method is None or not _comes_out(method, used, row):
        return None
    roles = [one for one in used if one["role"] != method.quantity]
    parts = [_input(way, pinned, {**one, "line_id": row["line_id"]}) for one in [*_of_role(used, method.quantity), *roles]]
    if any(part is None for part in parts) or not _same_activity(parts[0], row):
        return None
    state = _one(way, SUBJECT, pinned, f"subject_id = {sql(row['subject_id'])} and coalesce(valid_from, date '{SINCE}')"
                                       f" = {sql(row['subject_from'])}")  # fmt: skip
    return [part for part in [*parts, state] if part is not None]


def _of_role(used: Sequence[Row], role: str) -> list[Row]:
    return [one for one in used if one["role"] == role]


def _comes_out(method: Method, used: Sequence[Row], row: Row) -> bool:
    values = {one["role"]: one["value"] for one in used}
    if not {*method.inputs, GWP} <= set(values):
        return False
    mass = float(method.mass(values))
    return all(math.isclose(value, float(row[name]), rel_tol=1e-9, abs_tol=1e-6)
               for name, value in (("mass_t", mass), ("emission_tco2e", mass * values[GWP])))  # fmt: skip


def _same_activity(part: Parents | Step | None, row: Row) -> bool:
    return isinstance(part, Parents) and all(part.rows[0][name] == row[name] for name in OF_ACTIVITY)


def of_input(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the line or the row of the library that an input was taken from, or the method that gave its default."""
    found = _line(way, pinned, row) if row["kind"] == "activity" else _input(way, pinned, row)
    return None if found is None else [found]


def _line(way: Way, pinned: Mapping[str, int], row: Row) -> Parents | None:
    """Return the line whose quantity an input is, as it tells it in the unit of its method."""
    found = _one(way, LINES, pinned, f"line_id = {sql(row['line_id'])}")
    return found if found and found.rows[0]["activity_data"] == row["value"] else None


def _input(way: Way, pinned: Mapping[str, int], row: Row) -> Parents | Step | None:
    if row["kind"] == "default":
        return _default(row)
    column, value = ("activity_id", "quantity") if row["kind"] == "activity" else ("factor_id", "value")
    for table in (name for name in pinned if column in contract_of(name).columns):
        found = _one(way, table, pinned, f"{column} = {sql(row['ref_id'])}", "" if row["kind"] == "activity" else row["role"])
        if found is not None:
            return found if _converts(found.rows[0], value, row) else None
    return None


def factor(way: Way, pinned: Mapping[str, int], row: Row) -> Parents | Step:
    """Return the row of the library that an input names, whatever its value; what is to be shown of it where there is none."""
    tables = [name for name in pinned if "factor_id" in contract_of(name).columns]
    every = (_one(way, table, pinned, f"factor_id = {sql(row['ref_id'])}", row["role"]) for table in tables)
    told = Step("knowledge.factor", {name: row[name] for name in ("role", "value", "unit")}, f"{row['ref_id']} is not there")
    return next((one for one in every if one is not None), told)


def _converts(given: Row, name: str, row: Row) -> bool:
    """Tell whether a value in its own unit is that of an input, in the unit of the method."""
    try:
        times = 1.0 if given["unit"] == row["unit"] else units.factor(given["unit"], row["unit"])
    except UserError:
        return False
    return math.isclose(float(given[name]) * times, row["value"], rel_tol=1e-9, abs_tol=1e-12)


def _default(row: Row) -> Step | None:
    """Return what a method takes where nothing is told, with the standard that says so."""
    method = methods().get(row["ref_id"])
    if method is None or row["role"] not in method.inputs:
        return None
    source = method.inputs[row["role"]].default_source or f"{method.standard}, {method.clause}"
    return Step("method", {"role": row["role"], "method_id": method.id, "value": row["value"], "unit": row["unit"],
                           "source": source, "file": method.file}, "default of the method")  # fmt: skip


def _one(way: Way, table: str, pinned: Mapping[str, int], where: str, role: str = "") -> Parents | None:
    rows = way.rows(f"select * from {way.view(table, pinned[table])} where {where} limit 2")
    return Parents(table, pinned[table], rows, 1, role=role) if len(rows) == 1 else None


def of_activity(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the delivered row of an activity: the one at its place whose key and quantity are those of the activity."""
    table, code = row["source_table"], row["activity_code"]
    if table not in pinned:
        return None
    one, measure = contract_of(table), contract_of(table).activity[code].quantity
    rows = [each for each in _placed(way, table, pinned[table], row) if _activity_id(one, each, code) == row["activity_id"]]
    if len(rows) != 1 or not math.isclose(float(rows[0][measure]), float(row["quantity"]), rel_tol=1e-9, abs_tol=1e-6):
        return None
    return [Parents(table, pinned[table], rows, 1)]


def _activity_id(one: Contract, row: Row, code: str) -> str:
    """Return the id of an activity as layers.thematic makes it: table, key and code."""
    key = (row[name] for name in one.key)
    texts = (each.strftime("%Y%m%dT%H%M") if isinstance(each, datetime) else str(each) for each in key if each is not None)
    return "|".join([one.name, *texts, code])


def of_unresolved(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the activity that no line could be made of, what stands on both sides of a gap, or what was told twice."""
    if row["reason"] == "gap":
        return _sides(way, pinned, row)
    found = _one(way, ACTIVITY, pinned, f"activity_id = {sql(row['activity_id'])}")
    told = (*OF_ACTIVITY, "quantity", "unit")
    if found is None and row["reason"] in UNCOUNTED:
        return _uncounted(way, pinned, row)
    return [found] if found and all(found.rows[0][name] == row[name] for name in told) else None


def _sides(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the activity of the period before a gap and of that after it, whose sum its row tells."""
    months = MONTHS[row["grain"]]
    days = (earlier(row["date"], months), earlier(row["date"], -months * row["missing_periods"]))
    where = f"{same(row, 'subject_id', 'activity_code', 'unit', 'grain')} and date in ({', '.join(map(sql, days))})"
    found = added(way, ACTIVITY, pinned[ACTIVITY], where, {"quantity": "cast(sum(quantity) as decimal(28,6))"}, row)
    return None if found is None else [found]


def _uncounted(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return what was taken out: the whole that told more than its parts, or each source of a figure that nobody settled."""
    own = _one(way, OVERLAP, pinned, f"activity_id = {sql(row['activity_id'])}")
    if own is None or (row["reason"] == "remainder" and own.rows[0]["remainder"] != row["quantity"]):
        return None
    if own.rows[0]["settled_by"] != "nobody":
        return [own]
    same_ = same(own.rows[0], "subject_id", "activity_code", "grain", *(["period_start"] if row["grain"] == "hour" else ["date"]))
    every = added(way, OVERLAP, pinned[OVERLAP], f"{same_} and settled_by = 'nobody'", {}, row)
    return None if every is None else [every]


def of_overlap(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the delivered row of an activity that was taken out, whose quantity is turned round."""
    return of_activity(way, pinned, {**row, "quantity": -row["quantity"]})


def of_factor(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the delivered row of a factor, by its place; of several there the one that holds the value."""
    table = row["source_table"]
    if table not in pinned:
        return None
    rows = _placed(way, table, pinned[table], row)
    if len(rows) > 1:
        rows = [each for each in rows if row["value"] in each.values()]
    return [Parents(table, pinned[table], rows, 1)] if len(rows) == 1 else None


def _placed(way: Way, table: str, version: int, row: Row) -> list[dict[str, Any]]:
    where = f"{DELIVERY} = {sql(row['delivery_id'])} and cast({LOCATOR} as varchar) = {sql(row['locator'])}"
    return way.rows(f"select * from {way.view(table, version)} where {where}")


def of_subject(way: Way, pinned: Mapping[str, int], row: Row) -> Found | None:
    """Return the master data of a state of a subject, or the rows of activity that say where it is."""
    if row["subject_type"] == "region":
        return [Step("codes", {"file": "schemas/codes/region.csv", "code": row["region_code"], "name": row["name"]})]
    since = f"subject_id = {sql(row['subject_id'])} and valid_from = {sql(row['valid_from'])}"
    tables = [name for name in (f"cleaned.{kind}" for kind in MASTERS) if name in pinned]
    told = [one for one in (_one(way, table, pinned, since) for table in tables) if one is not None]
    if told:
        return list(told) if len(told) == 1 else None
    acting = [one for table in pinned if table not in tables for one in _acting(way, table, pinned[table], row)]
    return list(acting) or None


def _acting(way: Way, table: str, version: int, row: Row) -> list[Parents]:
    one = contracts()[table]
    if not one.activity or "region_code" not in one.columns:
        return []
    found = []
    for column in sorted({activity.subject for activity in one.activity.values()}):
        where = f"{column} = {sql(row['subject_id'])} and {same(row, 'region_code')}"
        rows = added(way, table, version, where, {}, row)
        found += [rows] if rows and rows.total else []
    return found


HOPS: dict[str, Any] = {
    LINE_INPUTS: of_input, ACTIVITY: of_activity, OVERLAP: of_overlap, SUBJECT: of_subject, UNRESOLVED: of_unresolved,
    "knowledge.factor": of_factor, "knowledge.factor_hour": of_factor,
}  # fmt: skip
