"""The methods of accounting as rows: what they are called, whose they are, what they ask for."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers import constants
from models.method import Method, methods

TYPES = {
    "method_id": "string", "title": "string", "title_zh": "string", "standard": "string", "clause": "string",
    "version": "string", "valid_from": "date", "valid_to": "date", "activities": "string", "formula": "string",
    "inputs": "string", "gas": "string", "scope": "int", "category": "string", "book": "string", "factor_set": "string",
    "fallback": "string", "note": "string", "family": "string", "industries": "string", "factor_sets": "string",
    "instead_of": "string", "not_industries": "string",
}  # fmt: skip


def transform(factor: DataFrame) -> DataFrame:
    """Return one row per method, with the number of factors that its first set holds in the library."""
    held = factor.groupBy("factor_set").agg(F.count(F.lit(1)).alias("factors"))
    known = constants.table(factor, [_row(one) for one in methods().values()], TYPES)
    joined = known.join(held.withColumnRenamed("factor_set", "held_set"), F.col("factor_set") == F.col("held_set"), "left")
    return joined.select(*TYPES, F.coalesce("factors", F.lit(0).cast("bigint")).alias("factors"))


def _row(one: Method) -> dict[str, object]:
    texts = {
        "method_id": one.id,
        "valid_from": str(one.valid_from),
        "valid_to": one.valid_to and str(one.valid_to),
        "activities": ", ".join(one.activities),
        "industries": ", ".join(one.industries) or None,
        "not_industries": ", ".join(one.not_industries) or None,
        "factor_set": one.sets[0] if one.sets else None,
        "factor_sets": ", ".join(one.sets) or None,
        "instead_of": ", ".join(one.instead_of) or None,
        "inputs": ", ".join(f"{name} [{part.unit}] from {part.from_}" for name, part in one.inputs.items()),
    }
    return {name: texts.get(name, getattr(one, name, None)) for name in TYPES}
