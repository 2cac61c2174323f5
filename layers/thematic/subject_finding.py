"""What is wrong with master data, by name, with the rows concerned and what to do about it."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.history import of_the_day, overlapping, since, states, until
from layers.names import normalised
from layers.thematic._acting import acting
from layers.thematic._activities import MONTHS, kind_of
from layers.thematic._masters import Masters
from layers.thematic._parks import park_unsaid
from layers.thematic._within import several_sectors, told_in_parts
from models.method import methods

MEASURED = ("stack_operation", "flue_gas_dry")  # activities of cems_stack and cems_co2: the same gas by hours and as a mean
REFERENCES = {"park_id": "unknown_park", "enterprise_id": "unknown_enterprise", "successor_id": "unknown_successor"}


def transform(
    enterprise: DataFrame, park: DataFrame, project: DataFrame, individual: DataFrame, facility: DataFrame,
    activity: DataFrame, subject: DataFrame, sources: dict[str, DataFrame],
) -> DataFrame:  # fmt: skip
    """Return one row per finding, of those that the contract lists, with the rows concerned and a remedy."""
    told = Masters(enterprise, park, project, individual, facility).told()
    found = [_overlaps(told), _two_codes(subject), _outside(activity, subject), _measured_twice(activity)]
    found += [_hours_beside(activity), _elsewhere(subject), _in_parts(activity, subject)]
    if places := acting(sources, told):
        found.append(_two_places(places[0]))
    found += [_sectors(one) for one in several_sectors(sources)]
    found += [_unknown(subject, column, finding) for column, finding in REFERENCES.items()]
    return reduce(DataFrame.unionByName, found)


def _overlaps(told: DataFrame) -> DataFrame:
    """Rows of master data that begin while another of the same subject says it still holds: they don't stand."""
    return _found(
        overlapping(told, "subject_id"), "overlap", last_date=F.col("_until"),
        message=_text(F.col("subject_id"), ": the row from ", F.col("valid_from"), " is left out, for the row from ",
                      F.col("_since"), " says it holds until ", F.col("_until")),
        remedy="deliver one of the two again with a 生效日期 or 失效日期 that leaves no day to both",
    )  # fmt: skip


def _two_codes(subject: DataFrame) -> DataFrame:
    """Enterprises of one name and two codes on the same day; one that took another over comes after it."""
    named = subject.where((F.col("subject_type") == "enterprise") & F.col("name").isNotNull())
    one, other = (_lettered(named, letter) for letter in "ab")
    both = one.join(other, (F.col("a_written") == F.col("b_written")) & (F.col("a_id") < F.col("b_id")))
    at_once = both.where((F.col("a_to") >= F.col("b_from")) & (F.col("b_to") >= F.col("a_from")))
    begun = F.max(F.greatest("a_from", "b_from")).alias("valid_from")
    pairs = at_once.groupBy("a_id", "b_id").agg(F.min("a_name").alias("name"), begun)
    return _found(
        pairs.withColumnRenamed("a_id", "subject_id"), "two_codes", other_id=F.col("b_id"),
        message=_text(F.col("name"), " has two codes: ", F.col("subject_id"), " and ", F.col("b_id")),
        remedy="if they are one, deliver the wrong code again with 失效日期 and 承继单位代码; if not, deliver names that differ",
    )  # fmt: skip


def _lettered(named: DataFrame, letter: str) -> DataFrame:
    columns = {
        "id": F.col("subject_id"), "name": F.col("name"), "written": normalised(F.col("name")),
        "from": since(F.col("valid_from")), "to": until(F.col("valid_to")),
    }  # fmt: skip
    return named.select(*(column.alias(f"{letter}_{name}") for name, column in columns.items()))


def _unknown(subject: DataFrame, column: str, finding: str) -> DataFrame:
    """States that name a park, an enterprise or a successor that nobody has told of."""
    known = subject.select(F.col("subject_id").alias("known_id")).distinct()
    states = subject.where(F.col(column).isNotNull()).withColumn("named", F.col(column))
    state = _text(F.col("subject_id"), " from ", since(F.col("valid_from")))
    return _found(
        states.join(known, F.col("named") == F.col("known_id"), "left_anti"), finding, other_id=F.col("named"),
        message=_text(state, " names ", F.col("named"), ", which nobody has told of"),
        remedy="deliver it, or correct the code",
    )  # fmt: skip


def _elsewhere(subject: DataFrame) -> DataFrame:
    """Parts that name no park, in another region than their enterprise, which is in one: nobody knows whose part they are."""
    return _found(
        park_unsaid(subject), "park_unsaid", other_id=F.col("w_park"),
        message=_text(F.col("subject_id"), " names no park and stands in another region than ", F.col("enterprise_id"),
                      ", which is in ", F.col("w_park"), ": it is counted in no park"),
        remedy="deliver its 园区代码, or the region code of the enterprise if the facility stands there",
    )  # fmt: skip


def _outside(activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Activity of a known subject on days for which nobody says what it was, as after a merger."""
    ends = F.col("valid_to").cast("string").alias("l_to")
    newest = subject.where(F.coalesce("latest", F.lit(True)))
    last = newest.select(F.col("subject_id").alias("l_id"), "successor_id", "valid_from", ends)
    lost = _lost(activity, subject).join(last, F.col("subject_id") == F.col("l_id"))
    days = _text(F.col("first_date"), " to ", F.col("last_date"))
    return _found(
        lost, "outside", other_id=F.coalesce("successor_id", F.lit("")),
        rows=F.col("rows"), first_date=F.col("first_date"), last_date=F.col("last_date"),
        message=_text(F.col("subject_id"), " has activity from ", days, " on days for which nobody says what it was; ",
                      "its last row ends on ", F.coalesce("l_to", F.lit("no day"))),
        remedy="report it under the successor (other_id), or deliver a row of master data for those days",
    )  # fmt: skip


def _lost(activity: DataFrame, subject: DataFrame) -> DataFrame:
    known = states(subject.select("subject_id", "valid_from", "valid_to"), "s")
    days = activity.groupBy("subject_id", "date").agg(F.count(F.lit(1)).alias("rows"))
    counted = F.sum(F.col("rows").cast("decimal(19,0)")).alias("rows")
    first, last = F.min("date").alias("first_date"), F.max("date").alias("last_date")
    return (
        days.join(F.broadcast(known), of_the_day(F.col("subject_id"), F.col("date"), "s"), "left_anti")
        .groupBy("subject_id")
        .agg(counted, first, last)
    )


def _two_places(own: DataFrame) -> DataFrame:
    """Whoever acts in two regions or industries, and no master data say which holds when: one state cannot be in both."""
    each = [(F.min(name).alias(f"{name}_low"), F.max(name).alias(f"{name}_high")) for name in ("region_code", "industry_code")]
    seen = own.groupBy("subject_id").agg(*(end for ends in each for end in ends), F.count(F.lit(1)).alias("places"))
    differs = seen.where("region_code_low <> region_code_high or industry_code_low <> industry_code_high")
    taken = F.concat_ws(" and ", F.concat(F.lit("region "), F.col("region_code_high")),
                        F.concat(F.lit("industry "), F.col("industry_code_high")))  # fmt: skip
    other = F.concat_ws(" and ", *(F.when(F.col(f"{name}_low") != F.col(f"{name}_high"), F.col(f"{name}_low"))
                                   for name in ("region_code", "industry_code")))  # fmt: skip
    return _found(
        differs.withColumn("valid_from", F.lit(None).cast("date")), "two_places", rows=F.col("places"),
        message=_text(F.col("subject_id"), " is told to be in ", other, ", too, and is counted in ", taken),
        remedy="deliver it as a facility (cleaned.facility) with the days on which each held, or correct the code",
    )  # fmt: skip


def _measured_twice(activity: DataFrame) -> DataFrame:
    """Stacks of which hours and amounts of flue gas are told of one month: both add up in the book of what was measured.

    A quarter or a year is told of each of its months.
    """
    of_stack = [F.max(F.when(F.col("activity_code") == code, F.lit(1))).alias(f"_{n}") for n, code in enumerate(MEASURED)]
    days = (F.min("date").alias("first_date"), F.max("date").alias("last_date"), F.count(F.lit(1)).alias("rows"))
    of_one = ("subject_id", "activity_code", "grain", F.trunc("date", "month").alias("begins"))
    told = activity.where(F.col("activity_code").isin(*MEASURED)).groupBy(*of_one).agg(*days)
    lasts = F.coalesce(*(F.when(F.col("grain") == grain, F.lit(n)) for grain, n in MONTHS.items()), F.lit(1))
    months = F.array(*(F.when(lasts > n, F.add_months("begins", n)) for n in range(max(MONTHS.values()))))
    each = told.select("*", F.explode(months).alias("month")).where("month is not null")
    days = (F.min("first_date").alias("first_date"), F.max("last_date").alias("last_date"), F.sum("rows").alias("rows"))
    twice = each.groupBy("subject_id", "month").agg(*of_stack, *days).where("_0 = 1 and _1 = 1")
    return _found(
        twice.withColumnRenamed("month", "valid_from"), "measured_twice", rows=F.col("rows"),
        first_date=F.col("first_date"), last_date=F.col("last_date"),
        message=_text(F.col("subject_id"), " has both ", MEASURED[0], " and ", MEASURED[1], " from ", F.col("first_date"), " to ",
                      F.col("last_date"), ": both add up in the book measured"),
        remedy="withdraw one of both: hours by reading and a mean over the period measure the same gas",
    )  # fmt: skip


def _hours_beside(activity: DataFrame) -> DataFrame:
    """Who tells hours and longer periods of one year that no book takes both of, so that both stand (see `kind_of`)."""
    apart = [code for code in sorted({code for one in methods().values() for code in one.activities})
             if kind_of(code, "hour") != kind_of(code, "month")]  # fmt: skip
    hours, longer = (F.max(F.when(test, F.lit(1))) for test in (F.col("grain") == "hour", F.col("grain") != "hour"))
    days = (F.min("date").alias("first_date"), F.max("date").alias("last_date"), F.count(F.lit(1)).alias("rows"))
    told = activity.where(F.col("activity_code").isin(*apart, "")).withColumn("year", F.trunc("date", "year"))
    both = told.groupBy("subject_id", "activity_code", "year").agg(hours.alias("hours"), longer.alias("longer"), *days).where(
        "hours = 1 and longer = 1")  # fmt: skip
    ends = (F.min("first_date").alias("first_date"), F.max("last_date").alias("last_date"), F.sum("rows").alias("rows"))
    found = both.groupBy("subject_id", "year").agg(F.min("activity_code").alias("code"), *ends)
    return _found(
        found.withColumnRenamed("year", "valid_from"), "hours_beside", rows=F.col("rows"),
        first_date=F.col("first_date"), last_date=F.col("last_date"),
        message=_text(F.col("subject_id"), " tells ", F.col("code"), " by hours and by longer periods from ", F.col("first_date"),
                      " to ", F.col("last_date"), ": each stands in a book of its own, and business.activity_rollup adds both"),
        remedy="none is needed for emissions; read the quantity of one grain alone, or give the hours a code of their own",
    )  # fmt: skip


def _in_parts(activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Regions, industries and fuels that are told as a whole and in part: both stand, and both add up."""
    return _found(
        told_in_parts(activity, subject), "told_in_parts", other_id=F.col("part_id"), rows=F.col("rows"),
        message=_text(F.col("subject_id"), " tells ", F.col("said"), ": both add up in one book"),
        remedy="withdraw the whole or its parts, or deliver the whole without them; a fuel told without its kinds may stand",
    )  # fmt: skip


def _sectors(told: DataFrame) -> DataFrame:
    """Subjects that tell one fuel in several sectors: a sector and what it holds bear one code, and both add up."""
    return _found(
        told, "several_sectors", rows=F.col("rows"),
        message=_text(F.col("subject_id"), " tells ", F.col("said"), ": all add up, and what is part of another counts twice"),
        remedy="withdraw the whole or what is part of it (其中); where none is part of another, nothing is to be done",
    )  # fmt: skip


def _text(*parts: Column | str) -> Column:
    return F.concat(*(F.lit(part) if isinstance(part, str) else part.cast("string") for part in parts))


def _found(frame: DataFrame, finding: str, *, message: Column, remedy: str, **given: Column) -> DataFrame:
    nothing, types = F.lit(None), {"rows": "bigint", "valid_from": "date", "first_date": "date", "last_date": "date"}
    values = {
        "finding": F.lit(finding), "subject_id": F.col("subject_id"), "valid_from": since(F.col("valid_from")),
        "other_id": F.lit(""), "rows": F.lit(1), "first_date": nothing, "last_date": nothing, "message": message,
        "remedy": F.lit(remedy),
    } | given  # fmt: skip
    return frame.select(*(value.cast(types.get(name, "string")).alias(name) for name, value in values.items()))
