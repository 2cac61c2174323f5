"""Rows of the factor library: what every factor says of itself, whatever it was made from."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.contracts import contract


def rows(table: str, frame: DataFrame, factor_id: list[Column], **given: Column) -> DataFrame:
    """Shape rows to the columns of the library; what is not given is NULL."""
    columns = {name: F.lit(None).cast(column.type or "string") for name, column in contract("knowledge.factor").columns.items()}
    source = contract(table).source
    columns |= {
        "factor_id": F.concat_ws("|", *factor_id),
        "source": F.col("source"),
        "confidence": F.col("confidence"),
        "licence": F.lit(source.licence if source else None),
        "source_table": F.lit(table),
        "delivery_id": F.col("_delivery"),
        "locator": F.col("_locator").cast("string"),
    }
    columns |= {"kind": F.lit("default")} | _parts(given["unit"]) | given
    return frame.select(*(value.alias(name) for name, value in columns.items()))


def starts(said: Column, libraries: Mapping[str, str]) -> Column:
    """The library whose name the text begins with, in the order given."""
    return F.coalesce(*(F.when(said.startswith(start), F.lit(name)) for start, name in libraries.items()))


def _parts(unit: Column) -> dict[str, Column]:
    """What a unit counts, and what for: GJ and 1e4Nm3 of GJ/1e4Nm3."""
    below = F.regexp_extract(unit, "^[^/]+/(.+)$", 1)
    return {"numerator_unit": F.regexp_extract(unit, "^([^/]+)", 1), "denominator_unit": F.when(below != "", below)}
