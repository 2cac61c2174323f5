"""What a rule on the whole table may look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from quality.counts import Counts
from schemas.contract import Contract


@dataclass(frozen=True)
class Scene:
    """What a set rule may look at: the contract, the views, their counts and the time.

    `distinct` says that the keys of the very files in `new` were looked at and none comes twice.
    """

    contract: Contract
    connection: duckdb.DuckDBPyConnection
    new: Counts
    old: Counts | None
    now: datetime
    distinct: bool = False
