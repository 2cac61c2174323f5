"""Whether a table may be rebuilt for the partitions of an input that changed, and for no others."""

from __future__ import annotations

from collections.abc import Mapping

from lineage.columns import DataFrame, column_lineage


def separable(df: DataFrame, inputs: Mapping[str, DataFrame], column: str, table: str, input_column: str) -> bool:
    """Tell whether rows of `df` with one value of `column` depend on rows of `table` with that value alone."""
    return (table, input_column) in column_lineage(df, inputs).passes_through(column)
