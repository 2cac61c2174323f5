"""A small table known before any data is read (codes, methods) as a frame, without a session."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def table(anchor: DataFrame, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> DataFrame:
    """Return `rows` with the columns and Spark types of `types`; `anchor` lends its session, none of its values.

    One text literal, so that the plan stays small. A global aggregate has one row even over an empty frame.
    """
    one = anchor.groupBy().agg(F.count(F.lit(1)).alias("_one"))
    shape = ", ".join(f"{name}: {type_}" for name, type_ in types.items())
    text = json.dumps([{name: row[name] for name in types} for row in rows], ensure_ascii=False)
    return one.select(F.inline(F.from_json(F.lit(text), f"array<struct<{shape}>>")))
