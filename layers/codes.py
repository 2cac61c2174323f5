"""Codes as columns: what stands for those of former editions today, which can't be said, and of which section they are."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.codes import code_list, codes, successors


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


def section(code: Column) -> Column:
    """Return the letter of the section of a code of GB/T 4754; NULL where there is none."""
    division = F.when(code.rlike("^[0-9]{2}"), F.substring(code, 1, 2))
    known = {row["code"]: row["parent"] for row in code_list("industry") if row["level"] == "division"}
    found: Column = F.when(code.rlike("^[A-Z]$"), code)
    for name in sorted(set(known.values())):
        found = found.when(division.isin(sorted(one for one, parent in known.items() if parent == name)), F.lit(name))
    return found
