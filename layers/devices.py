"""Counters of devices as messages bring them: whose they are, which come again or late, and what was used between two."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

DEVICE = "device"
FAULTS = ("unknown_device", "not_valid_then", "other_topic", "out_of_range", "replayed")
EVENTS = ("overflow", "reset", "stuck")


def attributed(messages: DataFrame, registry: DataFrame) -> DataFrame:
    """Return messages with what the registry says of their device then, and `fault`, NULL where nothing is wrong.

    A device is known by its own row for the instant. One that speaks on the topic of another is spoofed; a counter is
    from 0 to below its range.
    """
    known = registry.groupBy(DEVICE).agg(F.count(F.lit(1)).alias("entries"))
    entry = registry.select(F.col(DEVICE).alias("known_device"), "subject_id", F.col("topic").alias("own_topic"),
                            "counter_range_kwh", "stuck_after_hours", "valid_from", "valid_to")  # fmt: skip
    then = (F.col("measured_at") >= F.col("valid_from")) & (
        F.col("valid_to").isNull() | (F.col("measured_at") < F.col("valid_to"))
    )
    found = messages.join(known, DEVICE, "left").join(entry, (F.col(DEVICE) == F.col("known_device")) & then, "left")
    outside = (F.col("counter_kwh") < 0) | (F.col("counter_kwh") >= F.col("counter_range_kwh"))
    fault = (
        F.when(F.col("entries").isNull(), "unknown_device")
        .when(F.col("known_device").isNull(), "not_valid_then")
        .when(F.col("topic") != F.col("own_topic"), "other_topic")
        .when(outside, "out_of_range")
    )
    return found.withColumn("fault", fault).drop("known_device", "entries", "own_topic", "valid_from", "valid_to")


def once(readings: DataFrame) -> DataFrame:
    """Mark as `replayed` what has a device's sequence number that came before, and as `late` what was overtaken."""
    sound = F.col("fault").isNull()
    same = Window.partitionBy(DEVICE, "sequence", "sound").orderBy("came_at", "delivery_id", "locator")
    numbered = readings.withColumn("sound", sound).withColumn("time", F.row_number().over(same))
    marked = numbered.withColumn("fault", F.when(sound & (F.col("time") > 1), F.lit("replayed")).otherwise(F.col("fault")))
    before = (
        Window.partitionBy(DEVICE, F.col("fault").isNull())
        .orderBy("came_at", "sequence", "delivery_id", "locator")
        .rowsBetween(Window.unboundedPreceding, -1)
    )
    late = F.coalesce(F.max("sequence").over(before) > F.col("sequence"), F.lit(False))
    return marked.withColumn("late", late & F.col("fault").isNull()).drop("sound", "time")


def used(readings: DataFrame) -> DataFrame:
    """Return sound readings with what was used since the one before by sequence, never less than nothing, and `event`.

    A counter that falls from the last tenth of its range into the first has gone over its end (`overflow`); any other
    fall is a `reset`, of which only what it counted since is known. `stuck` is one that has stood for longer than its
    registry bears.
    """
    order = Window.partitionBy(DEVICE).orderBy("sequence")
    counter, span, before = F.col("counter_kwh"), F.col("counter_range_kwh"), F.col("before_kwh")
    fell = counter < before
    over = fell & (before * 10 >= span * 9) & (counter * 10 < span)
    # Branches of one type: the embedded engine would take that of the first for all.
    amounts = [one.cast("decimal(28,6)") for one in (counter + span - before, counter, counter - before)]
    amount = F.when(over, amounts[0]).when(fell, amounts[1]).otherwise(amounts[2])
    with_before = readings.withColumn("before_kwh", F.lag("counter_kwh").over(order))
    moved = F.when(before.isNull() | (counter != before), F.col("measured_at"))
    changed = with_before.withColumn("moved_at", F.max(moved).over(order.rowsBetween(Window.unboundedPreceding, 0)))
    stood = (_seconds("measured_at") - _seconds("moved_at")) >= F.col("stuck_after_hours").cast("double") * F.lit(3600.0)
    event = F.when(over, "overflow").when(fell, "reset").when(stood, "stuck")
    return changed.withColumns({"event": event, "electricity_kwh": amount}).drop("before_kwh", "moved_at")


def _seconds(name: str) -> Column:
    return F.unix_timestamp(F.col(name)).cast("double")
