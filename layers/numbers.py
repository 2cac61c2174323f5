"""How a double becomes a decimal and back, the same on every engine."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.numbers import LIMIT


def fix(x: Column, type_: str = "decimal(28,6)") -> Column:
    """Fix a double to six decimals, half away from zero; as `schemas.numbers.fix_sql` does, the sign taken in earlier.

    NULL stays NULL. Outside |x| < LIMIT it is false without an error, so filter by `fits` first.
    """
    sign = F.when(x < 0, F.lit(-1)).otherwise(F.lit(1)).cast("bigint")
    magnitude = F.floor(F.abs(x) * F.lit(1e6) + F.lit(0.5)).cast("bigint")
    return ((sign * magnitude).cast("decimal(19,0)") * F.lit("0.000001").cast("decimal(7,6)")).cast(type_)


def fits(x: Column) -> Column:
    """Tell whether `fix` can take a double: neither NaN nor infinite nor beyond the limit. NULL gives NULL."""
    return ~F.isnan(x) & (F.abs(x) < F.lit(LIMIT))


def to_double(x: Column) -> Column:
    """Return a decimal as a double; through text, because direct casts differ between engines."""
    return x.cast("string").cast("double")
