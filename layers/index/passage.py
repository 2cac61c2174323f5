"""Passages cut into terms for full-text search: words in Latin letters, and pairs of neighbouring Chinese characters.

Pairs need no dictionary, find every substring of two characters or more, and are the same on every engine. The words
of a query are cut by `models.terms`.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.terms import HAN, WORD


def transform(passage: DataFrame) -> DataFrame:
    """Return one row per passage with its terms, separated by blanks, in the order of the text."""
    lower = F.lower("text")
    words = F.regexp_extract_all(lower, F.lit(f"({WORD})"), F.lit(1))
    places = F.sequence(F.lit(1), F.greatest(F.length("text") - 1, F.lit(1)))
    pairs = F.transform(places, lambda place: F.substring(lower, place, F.lit(2)))
    chinese = F.filter(pairs, lambda pair: pair.rlike(f"^{HAN}{HAN}$"))
    return passage.select(
        "passage_id", "document", "place", "page", "text", F.array_join(F.concat(words, chinese), " ").alias("terms"),
    )  # fmt: skip
