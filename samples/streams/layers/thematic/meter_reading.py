"""What each meter counted between two of its messages; those that are not to be trusted are set aside with the reason."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from layers.devices import attributed, once, used

COLUMNS = ("device", "sequence", "subject_id", "measured_at", "came_at", "topic", "counter_kwh", "electricity_kwh", "late",
           "event", "fault", "source_table", "delivery_id", "locator")  # fmt: skip


def transform(meter_message: DataFrame, device: DataFrame) -> DataFrame:
    """Return one row per message, the sound ones with what was used since the one before."""
    messages = meter_message.withColumnsRenamed({"_delivery": "delivery_id", "_locator": "locator"}).withColumn(
        "source_table", F.lit("cleaned.meter_message")
    )
    every = once(attributed(messages, device))
    sound = used(every.where(F.col("fault").isNull()))
    wrong = every.where(F.col("fault").isNotNull()).withColumns(
        {"event": F.lit(None).cast("string"), "electricity_kwh": F.lit(None).cast("decimal(28,6)")}
    )
    return sound.select(*COLUMNS).unionByName(wrong.select(*COLUMNS))
