"""The shipped comparison of inventories where there is no activity of ours to compute from."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.business import inventory_comparison
from schemas.contracts import contract


def transform(inventory: DataFrame) -> DataFrame:
    """Return what the shipped transform makes of these inventories and of no roll-up."""
    columns = contract("business.emission_rollup").columns.items()
    none = inventory.where("false").select(*(F.lit(None).cast(str(one.type)).alias(name) for name, one in columns))
    return inventory_comparison.transform(inventory, none)
