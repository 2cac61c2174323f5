"""Codes of former editions as columns: what stands for them today, and which can't be said."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.codes import codes, successors


def current(code: Column, name: str, on: str) -> Column:
    """Return the code in force on a day (ISO) that stands for a code of the list `name`: itself, or its one successor.

    NULL for a code that was divided, has no successor, or is in no edition: none is guessed. `divided` tells the first.
    """
    former = successors(name, on)
    live = codes(name) - former.keys()
    by_heir: dict[str, list[str]] = {}
    for old, heirs in former.items():
        if len(heirs) == 1:
            by_heir.setdefault(heirs[0], []).append(old)
    chosen = F.when(code.isin(sorted(live)), code)
    for heir, olds in sorted(by_heir.items()):
        chosen = chosen.when(code.isin(sorted(olds)), F.lit(heir))
    return chosen


def divided(code: Column, name: str, on: str) -> Column:
    """Return the codes (ascending, `|` between) that a divided code became, NULL for one that was not divided."""
    several: Mapping[str, tuple[str, ...]] = {old: heirs for old, heirs in successors(name, on).items() if len(heirs) > 1}
    listed = F.lit(None).cast("string")
    for old, heirs in sorted(several.items()):
        listed = F.when(code == old, F.lit("|".join(heirs))).otherwise(listed)
    return listed
