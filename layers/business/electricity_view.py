"""Emissions of electricity where it is generated and where it is used, and the transfer that makes one of the other."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.business._levels import regions
from layers.business._open import unresolved_sums
from layers.business._places import dated, placed
from models.method import methods

BOOK = "enterprise"  # each kilowatt-hour used has its share of the grid, but for what is proven green, which counts zero
OUTSIDE = "outside"
VIEWS = ("territorial", "transfer", "consumption")
MEASURES = {"emission_tco2e": "decimal(28,6)", "electricity_kwh": "decimal(28,6)", "lines": "decimal(19,0)",
            "unresolved_rows": "decimal(19,0)"}  # fmt: skip
GENERATED = "electricity_generated"
# What takes electricity in and what passes it on; the green part is one of what is purchased, the difference of a grid its loss.
USED = {"electricity_purchased": 1, "electricity_exported": -1, "electricity_fed_in": 1, "electricity_imported_grid": 1,
        "electricity_exported_grid": -1, "electricity_sold": -1}  # fmt: skip
KWH = {"kWh": 1, "MWh": 1000, "GWh": 10**6}
PLANTS = "441"  # GB/T 4754: generation of electricity
CELL = ("subject_id", "subject_from", "month", "activity_code")


def transform(emission_month: DataFrame, unresolved: DataFrame, activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Return per province and year: territorial + transfer = consumption.

    Territorial is what power plants there emit (scope 1 of industry 441), consumption what the electricity used there
    stands for (scope 2). The views tell of the same emissions and are never added. `outside` is who is not in the lake:
    it emitted what is used here beyond what is generated here, so that both views have one sum and transfers have none.
    Electricity is of the same subjects and lines as emissions are: what power plants generated, and what was used of
    which there is a line in this book.
    """
    electricity = _electricity(activity, subject)
    parts = [_lines(emission_month), _unresolved(unresolved, subject), _generated(electricity, subject)]
    parts += [_used(electricity, emission_month, unresolved, subject)]
    rows = reduce(DataFrame.unionByName, parts).where("view is not null")
    sides = [_side(name, view) for name in MEASURES for view in ("territorial", "consumption")]
    wide = rows.groupBy("region", "year").agg(*sides).where(_known())
    return _views(wide.unionByName(_outside(wide)))


def _lines(month: DataFrame) -> DataFrame:
    rows = month.where(F.col("book") == BOOK).withColumn("year", F.year("month"))
    return _shaped(rows, emission_tco2e=F.col("emission_tco2e"), lines=F.col("lines"))


def _unresolved(unresolved: DataFrame, subject: DataFrame) -> DataFrame:
    rows = unresolved_sums(unresolved).where(F.col("book") == BOOK)
    return _shaped(placed(rows, subject).withColumn("year", F.year("period")), unresolved_rows=F.col("unresolved_rows"))


def _shaped(rows: DataFrame, **measures: Column) -> DataFrame:
    """Return the rows of plants and of users, with the view they are of."""
    fuel = F.col("activity_code").startswith("fuel_")
    plant = F.col("industry_code").startswith(PLANTS) & ((F.col("scope") == 1) | ((F.col("scope") == 0) & fuel))
    used = (F.col("scope") == 2) & F.col("activity_code").startswith("electricity_")
    view = F.when(plant, F.lit("territorial")).when(used, F.lit("consumption"))
    region = regions(F.col("region_code"))["province"].alias("region")
    return rows.select(region, "year", view.alias("view"), *_measures(**measures))


def _electricity(activity: DataFrame, subject: DataFrame) -> DataFrame:
    """Return rows of electricity in kWh, signed, with the state of the subject and the month."""
    rows = dated(activity.where(F.col("activity_code").isin(GENERATED, *USED) & F.col("unit").isin(*KWH)), subject)
    sign = F.coalesce(*(F.when(F.col("activity_code") == code, F.lit(n)) for code, n in ({GENERATED: 1} | USED).items()))
    each = F.coalesce(*(F.when(F.col("unit") == unit, F.lit(n)) for unit, n in KWH.items()))
    quantity = F.col("quantity").cast("decimal(28,6)") * sign.cast("decimal(1,0)") * each.cast("decimal(7,0)")
    return rows.select("activity_id", *CELL[:2], F.trunc("date", "month").alias("month"), "activity_code",
                       quantity.cast("decimal(28,6)").alias("kwh"))  # fmt: skip


def _generated(electricity: DataFrame, subject: DataFrame) -> DataFrame:
    rows = electricity.where(F.col("activity_code") == GENERATED)
    return _of_place(rows, "territorial", subject).where(F.col("industry_code").startswith(PLANTS)).drop("industry_code")


def _used(electricity: DataFrame, month: DataFrame, unresolved: DataFrame, subject: DataFrame) -> DataFrame:
    """What was used of which there is a line: that of other books and that without a factor is in no emission here."""
    here = month.where((F.col("book") == BOOK) & (F.col("scope") == 2)).groupBy(*CELL).agg(F.count(F.lit(1)).alias("_lines"))
    own = [one.id for one in methods().values() if one.book == BOOK]
    open_ = unresolved.where(F.col("method_id").isin(*own)).select(F.col("activity_id").alias("open_id")).distinct()
    kept = electricity.join(here.select(*(F.col(name).alias(f"h_{name}") for name in CELL)),
                            [electricity[name] == F.col(f"h_{name}") for name in CELL], "left_semi")  # fmt: skip
    return _of_place(kept.join(open_, kept["activity_id"] == open_["open_id"], "left_anti"), "consumption", subject).drop(
        "industry_code"
    )


def _of_place(rows: DataFrame, view: str, subject: DataFrame) -> DataFrame:
    sums = rows.groupBy(*CELL[:2], F.year("month").alias("year")).agg(F.sum("kwh").alias("kwh"))
    region = regions(F.col("region_code"))["province"].alias("region")
    return placed(sums, subject).select(
        region, "year", F.lit(view).alias("view"), *_measures(electricity_kwh=F.col("kwh")), "industry_code"
    )


def _measures(**given: Column) -> list[Column]:
    """Return every measure, zero for those that are not given."""
    return [given.get(name, F.lit(0)).cast(type_).alias(name) for name, type_ in MEASURES.items()]


def _side(name: str, view: str) -> Column:
    of_view = F.when(F.col("view") == view, F.col(name)).otherwise(F.lit(0).cast(MEASURES[name]))
    return F.sum(of_view).cast("decimal(28,6)").alias(f"{view}_{name}")


def _known() -> Column:
    """Tell whether the book knows of a place: electricity that is used there may be another book's, and is no zero here."""
    counted = [f"{view}_{name}" for name in ("lines", "unresolved_rows") for view in ("territorial", "consumption")]
    return reduce(Column.__or__, (F.col(name) > 0 for name in (*counted, "territorial_electricity_kwh")))


def _outside(wide: DataFrame) -> DataFrame:
    """Return who closes the year: it generated what is used beyond what is generated, and used nothing here."""
    columns, none = [], F.lit(0).cast("decimal(28,6)")
    for name in MEASURES:
        each = (F.col(f"consumption_{name}") - F.col(f"territorial_{name}")).cast("decimal(28,6)")
        gap = F.sum(each).cast("decimal(28,6)")
        counted = none if name in ("lines", "unresolved_rows") else gap
        columns += [counted.alias(f"territorial_{name}"), F.max(none).alias(f"consumption_{name}")]
    return wide.groupBy("year").agg(*columns).select(F.lit(OUTSIDE).alias("region"), "*")


def _views(wide: DataFrame) -> DataFrame:
    each = wide.select("*", F.explode(F.array(*(F.lit(view) for view in VIEWS))).alias("view"))
    shown = []
    for name in MEASURES:
        here, used = F.col(f"territorial_{name}"), F.col(f"consumption_{name}")
        both = used + here if name in ("lines", "unresolved_rows") else used - here
        chosen = [
            F.when(F.col("view") == view, value.cast("decimal(28,6)"))
            for view, value in zip(VIEWS, (here, both, used), strict=True)
        ]
        shown.append(F.coalesce(*chosen).alias(name))
    return each.select(F.lit(BOOK).alias("book"), "region", "year", "view", *shown)
