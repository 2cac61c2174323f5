"""Money in one currency: converted at the rate of its day, or not at all and with the reason."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from layers.numbers import fits, fix, to_double
from schemas.codes import OF_SEVERAL, code_list

NO_CURRENCY, NO_RATE, TOO_OLD, TOO_LARGE = "no_currency", "no_rate", "rate_too_old", "out_of_range"


def currency_code(text: Column) -> Column:
    """Return the ISO 4217 code of a currency as people write it (人民币, US$, usd), NULL for one that is not in the list."""
    chosen: Column = F.when(F.lit(False), F.lit(""))
    for row in code_list("currency"):
        spelled = {row["code"], row["name"], *filter(None, row["names"].split(OF_SEVERAL))}
        chosen = chosen.when(F.upper(F.trim(text)).isin(sorted(name.upper() for name in spelled)), F.lit(row["code"]))
    return chosen


def converted(
    frame: DataFrame, rates: DataFrame, *, amount: str, currency: str, day: str, kind: str, oldest_days: int,
    to: str = "CNY", into: str = "amount_cny",
) -> DataFrame:  # fmt: skip
    """Return the frame with `into` (decimal(28,6)), `rate`, `rate_from` and `rate_reason`.

    `rates` is knowledge.exchange_rate, `kind` one of its kinds, `currency` a column of ISO codes, `day` one of dates. The
    latest rate in force on the day applies if it began at most `oldest_days` before; a pair that is only known the other
    way round is turned. Where `into` is NULL although there is an amount, `rate_reason` says why: no_currency, no_rate,
    rate_too_old, out_of_range. A rule on the target (`not_null`) sends such rows to quarantine. Crosses over a third
    currency are not made up.
    """
    known = F.broadcast(_both_ways(rates.where(F.col("kind") == kind), to))
    on = ((F.col(currency) == known["_of"]) & (F.col(day) >= known["_from"])
          & (known["_next"].isNull() | (F.col(day) < known["_next"])))  # fmt: skip
    # The small side stands first: that is the side the embedded engine builds its hash table of.
    joined = known.join(frame, on, "right")
    same = F.col(currency) == to
    young = F.date_diff(F.col(day), F.col("_from")) <= oldest_days
    rate = F.when(same, F.lit(1.0)).when(young, F.col("_rate"))
    product = to_double(F.col(amount).cast("decimal(28,6)")) * rate
    reason = (
        F.when(F.col(amount).isNull(), F.lit(None).cast("string")).when(F.col(currency).isNull(), F.lit(NO_CURRENCY))
        .when(same, F.lit(None).cast("string")).when(F.col("_rate").isNull(), F.lit(NO_RATE)).when(~young, F.lit(TOO_OLD))
    )  # fmt: skip
    beyond = product.isNotNull() & ~fits(product)
    return joined.select(
        *frame.columns, F.when(fits(product), fix(product)).alias(into), rate.alias("rate"),
        F.when(~same & young, F.col("_from")).alias("rate_from"),
        F.coalesce(reason, F.when(beyond, F.lit(TOO_LARGE))).alias("rate_reason"),
    )  # fmt: skip


def _both_ways(rates: DataFrame, to: str) -> DataFrame:
    """Return the rates into a currency; of a pair quoted both ways, the one quoted in it."""
    names = [F.col("valid_from").alias("_from"), F.col("next_from").alias("_next")]
    straight = rates.where(F.col("quote_currency") == to).select(
        F.col("base_currency").alias("_of"), *names, F.col("rate").alias("_rate")
    )
    turned = rates.where(F.col("base_currency") == to).select(
        F.col("quote_currency").alias("_of"), *names, (F.lit(1.0) / F.col("rate")).alias("_rate")
    )
    return straight.unionByName(turned.join(straight.select("_of").distinct(), "_of", "left_anti"))
