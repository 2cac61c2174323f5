"""Yearly emissions laid out for BI: one dimension at a time, each with names, so that a chart reads one member each."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers import constants
from layers.business._open import unresolved_sums
from layers.business._places import placed
from schemas.codes import code_list

NOWHERE = "unknown"


ROWS = ("book", "year", "subject_id", "region_code", "industry_code", "scope", "category", "gas")
COUNTS = ("lines", "fallback_lines", "unresolved_rows")


def transform(emission_year: DataFrame, unresolved: DataFrame, subject: DataFrame) -> DataFrame:
    """Return sums by book, year, dimension and member.

    Members of one dimension add up to the whole of the book and year; dimensions are views of the same emissions and
    never add up with each other. A member of unresolved activity alone has NULL for its emission.
    """
    named = _named(_lines(emission_year).unionByName(_unresolved(unresolved, subject)), subject)
    dimensions = {
        "total": (F.lit("all"), F.lit("all")),
        "region": _member("region_code", "region_name"),
        "industry": _member("industry_code", "industry_name"),
        "subject": _member("subject_id", "subject_name"),
        "category": (F.col("category"), F.col("category")),
        "scope": (F.col("scope").cast("string"), F.concat(F.lit("scope "), F.col("scope").cast("string"))),
        "gas": (F.col("gas"), F.col("gas")),
    }
    # One name per row, then a choice: an array of structs that differ in nullability makes Sail panic.
    each = F.explode(F.array(*(F.lit(name) for name in dimensions))).alias("dimension")
    long = (
        named.select("*", each)
        .withColumn("member", _chosen({name: member for name, (member, _) in dimensions.items()}))
        .withColumn("member_name", _chosen({name: label for name, (_, label) in dimensions.items()}))
    )
    return long.groupBy("book", "year", "dimension", "member", "member_name").agg(
        F.sum("emission_tco2e").alias("emission_tco2e"),
        *(F.sum(F.col(name).cast("decimal(19,0)")).alias(name) for name in COUNTS),
    )


def _lines(emission_year: DataFrame) -> DataFrame:
    counts = [F.col(name).cast("bigint").alias(name) for name in ("lines", "fallback_lines")]
    return emission_year.select(*ROWS, "emission_tco2e", *counts, _none("bigint", 0).alias("unresolved_rows"))


def _unresolved(unresolved: DataFrame, subject: DataFrame) -> DataFrame:
    rows = placed(unresolved_sums(unresolved), subject).withColumn("year", F.year("period"))
    none = [_none("decimal(28,6)").alias("emission_tco2e"), *(_none("bigint", 0).alias(n) for n in ("lines", "fallback_lines"))]
    return rows.select(*ROWS, *none, F.col("unresolved_rows").cast("bigint").alias("unresolved_rows"))


def _none(type_: str, value: int | None = None) -> Column:
    return F.lit(value).cast(type_)


def _chosen(by_dimension: dict[str, Column]) -> Column:
    return F.coalesce(*(F.when(F.col("dimension") == name, value) for name, value in by_dimension.items()))


def _member(code: str, name: str) -> tuple[Column, Column]:
    return F.coalesce(code, F.lit(NOWHERE)), F.coalesce(name, code, F.lit(NOWHERE))


def _named(rows: DataFrame, subject: DataFrame) -> DataFrame:
    last = subject.where(F.coalesce("latest", F.lit(True)))  # one name for a subject, whatever it was called before
    subjects = last.select(F.col("subject_id").alias("s_id"), F.col("name").alias("subject_name"))
    regions = subject.where("subject_type = 'region'").select(
        F.col("region_code").alias("r_code"), F.col("name").alias("region_name")
    )
    codes = code_list("industry")
    industries = constants.table(subject, codes, {"code": "string", "name": "string"}).select(
        F.col("code").alias("i_code"), F.col("name").alias("industry_name")
    )
    return (
        rows.select(
            "book",
            "year",
            "subject_id",
            "scope",
            "category",
            "gas",
            "emission_tco2e",
            *COUNTS,
            _province().alias("region_code"),
            _division().alias("industry_code"),
        )
        .join(F.broadcast(subjects), F.col("subject_id") == F.col("s_id"), "left")
        .join(F.broadcast(regions), F.col("region_code") == F.col("r_code"), "left")
        .join(F.broadcast(industries), F.col("industry_code") == F.col("i_code"), "left")
    )


def _province() -> Column:
    """The province of a division (GB/T 2260, six digits); other codes as they are."""
    code = F.col("region_code")
    return F.when(code.rlike("^[0-9]{6}$"), F.concat(F.substring(code, 1, 2), F.lit("0000"))).otherwise(code)


def _division() -> Column:
    """The division of an industry (GB/T 4754, first two digits)."""
    return F.substring("industry_code", 1, 2)
