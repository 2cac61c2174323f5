"""Which rows of a sum by subject a member of a level is made of: the code lists say so, in the words of the layer itself."""

from __future__ import annotations

from pyspark.sql import functions as F

from jobs.tracing import Way, sql
from layers.business import _levels
from layers.business._places import dated, placed

OWN = ("park", "enterprise", "facility")  # levels that a row names itself
REGIONS = ("nation", "province", "prefecture", "county")


def of_level(way: Way, table: str, version: int, level: str, member: str) -> str:
    """Return the SQL condition that a row with a place counts for a member of a level."""
    if level == "total":
        return "true"
    if level in OWN:
        return f"coalesce({level}_id, {sql(_levels.UNKNOWN)}) = {sql(member)}"
    name = "region_code" if level in REGIONS else "industry_code"
    codes = [row[name] for row in way.rows(f"select distinct {name} from {way.view(table, version)}")]
    there = way.engine.session.createDataFrame([(code, code) for code in codes], "region_code string, industry_code string")
    found = [row[name] for row in there.where(_levels.member(level) == F.lit(member)).select(name).collect()]
    named = [sql(code) for code in sorted(code for code in found if code is not None)]
    either = [f"{name} in ({', '.join(named)})"] if named else []
    return f"({' or '.join([*either, f'{name} is null'])})" if None in found else "".join(either) or "false"


def of_places(way: Way, rows: tuple[str, int], subject: tuple[str, int], where: str, level: str, member: str) -> str:
    """Return the SQL condition that rows of states of subjects count for a member of a level; `where` keeps few of them."""
    if level == "total":
        return "true"
    states = way.rows(f"select distinct subject_id, subject_from from {way.view(*rows)} where {where}")
    if not states:
        return "false"
    session = way.engine.session
    few = session.createDataFrame([tuple(one.values()) for one in states], "subject_id string, subject_from date")
    there = placed(few, way.engine.delta(way.lake.table_path(subject[0]), subject[1]))
    found = there.where(_levels.member(level) == F.lit(member)).select("subject_id", "subject_from").distinct().collect()
    listed = ", ".join(sorted(f"({sql(one['subject_id'])}, {sql(one['subject_from'])})" for one in found))
    state = f"(values {listed}) state(subject, since)"
    return f"exists (from {state} where subject = subject_id and since = subject_from)" if found else "false"


def of_days(way: Way, rows: tuple[str, int], subject: tuple[str, int], where: str, level: str, member: str) -> str:
    """Return the SQL condition that rows of subjects on days count for a member of a level; `where` keeps few of them.

    A state of a subject lasts from day to day, so that the first and the last day of those in it hold the rest.
    """
    if level == "total":
        return "true"
    days = way.rows(f"select distinct subject_id, date from {way.view(*rows)} where {where}")
    if not days:
        return "false"
    few = way.engine.session.createDataFrame([tuple(one.values()) for one in days], "subject_id string, date date")
    known = way.engine.delta(way.lake.table_path(subject[0]), subject[1])
    there = placed(dated(few, known), known).where(_levels.member(level) == F.lit(member))
    spans = there.groupBy("subject_id", "subject_from").agg(F.min("date").alias("first"), F.max("date").alias("last")).collect()
    each = (f"({sql(one['subject_id'])}, {sql(one['first'])}, {sql(one['last'])})" for one in spans)
    span = f"(values {', '.join(sorted(each))}) span(subject, first, last)"
    # One semi-join, however many there are; a chain of conditions would be gone through for each row.
    return f"exists (from {span} where subject = subject_id and date between first and last)" if spans else "false"
