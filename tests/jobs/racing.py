"""Several engines at work on the same tables at once, over some rounds of deliveries; each row must be there exactly once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from jobs.lake import Lake
from jobs.run import run
from jobs.session import Engine
from tests.jobs import building

CLEANED, MONTH = "cleaned.flow_merge", "thematic.flow_merge_month"
ROWS = 40


def deliver(lake: Lake, number: int) -> None:
    """Land rows of meters of their own, spread over two months."""
    text = building.csv((f"m{number}-{n}", f"2025-{1 + n % 2:02}-{1 + number % 28:02}", n + 1, "x") for n in range(ROWS))
    building.deliver(lake, CLEANED, f"{number}.csv", text)


def race(lake: Lake, engines: Sequence[Engine], rounds: int) -> Counter[str]:
    """Deliver and let every engine build all tables at once, round by round; return how often a build ended in which way."""
    counted: Counter[str] = Counter()
    for number in range(1, rounds + 1):
        deliver(lake, number)
        ended = _at_once(lake, engines)
        counted.update(one.status for one in ended)
        assert {one.status for one in ended} <= {"built", "skipped", "repaired"}, [one.reason for one in ended]
        found = building.rows(lake, CLEANED, "meter", "day")
        assert len(found) == len(set(found)) == ROWS * number
        assert sum(days for _, days in building.rows(lake, MONTH, "month", "days")) == ROWS * number
    return counted


def _at_once(lake: Lake, engines: Sequence[Engine]) -> list[Any]:
    ended: list[Any] = []
    start = threading.Barrier(len(engines))

    def work(serving: Engine) -> None:
        start.wait()
        ended.extend(run(lake, serving, [f"{CLEANED}+"], force=True, workers=1))

    threads = [threading.Thread(target=work, args=(one,)) for one in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended
