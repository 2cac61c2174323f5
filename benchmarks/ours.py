"""Our side of every comparison, one process each: what was asked is done with everything on, and the seconds are printed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from conf.settings import load
from jobs.direct import likely
from jobs.lake import Lake
from jobs.land import land
from jobs.maintain import maintain
from jobs.run import run
from jobs.session import Engine, engine
from jobs.store import is_remote
from schemas.contracts import contract
from schemas.rooms import SHIPPED

METER, MONTH = "cleaned.bench_meter", "thematic.bench_meter_month"


class Clock:
    """Seconds by name, each from the end of the one before."""

    def __init__(self) -> None:
        self.laps: dict[str, Any] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> float:
        """Note the seconds since the last lap under a name."""
        now = time.perf_counter()
        self.laps[name], self.last = now - self.last, now
        return float(self.laps[name])


def opened_engine(storage: Mapping[str, str] | None = None, *, at_once: bool = True) -> AbstractContextManager[Engine]:
    """Open the engine that the settings of this process name, the embedded one without any."""
    settings = load()
    return engine(settings.engine, settings.engine_memory, settings.spark_settings, storage, at_once=at_once)


@contextmanager
def opened(folder: Path | str, clock: Clock, *, at_once: bool = True) -> Iterator[tuple[Lake, Engine]]:
    """Open a lake, made if it is not there, and the engine."""
    remote = is_remote(folder)
    storage = load().storage_options if remote else {}
    with opened_engine(storage if remote else None, at_once=at_once) as session:
        lake = Lake(folder, storage).init()
        clock.lap("start")
        yield lake, session


def built(lake: Lake, session: Engine, terms: Sequence[str], force: bool = False) -> dict[str, str]:
    """Build tables and return how each was made; end the process if one was not built."""
    outcomes = run(lake, session, terms, force=force)
    for outcome in outcomes:
        if outcome.status != "built":
            raise SystemExit(f"{outcome.table}: {outcome.status}: {outcome.reason}")
    return {outcome.table: outcome.mode for outcome in outcomes}


def build(folder: Path, delivery: str, *terms: str) -> dict[str, Any]:
    """Land one delivery for the first of the tables and build them all."""
    clock = Clock()
    needed = not all(likely(contract(term)) for term in terms)  # as `carbonlake run` does
    with opened(folder, clock, at_once=needed) as (lake, session):
        land(lake, delivery, terms[0])
        clock.lap("land")
        built(lake, session, terms)
        clock.lap("build")
    return clock.laps


def fetch(folder: Path, table: str) -> dict[str, Any]:
    """Fetch a table from its source and build it."""
    from jobs.fetch import fetch as fetched

    clock = Clock()
    with opened(folder, clock) as (lake, session):
        fetched(lake, table, load().connections)
        clock.lap("fetch")
        built(lake, session, [table])
        clock.lap("build")
    return clock.laps


def change(folder: Path, deliveries: str, corrected: str) -> dict[str, Any]:
    """Land a folder of deliveries and build; build all again; then land one that changed and build what it touches."""
    clock = Clock()
    with opened(folder, clock) as (lake, session):
        land(lake, deliveries, METER)
        clock.lap("land")
        built(lake, session, [METER, MONTH])
        clock.lap("first")
        built(lake, session, [METER, MONTH], force=True)
        clock.lap("full")
        land(lake, Path(corrected), METER)
        clock.laps["modes"] = built(lake, session, [METER, MONTH])
        clock.lap("change")
    return clock.laps


def demo(folder: Path) -> dict[str, Any]:
    """Land the deliveries of the demo and build every table."""
    clock = Clock()
    with opened(folder, clock) as (lake, session):
        land(lake, [str(SHIPPED / "samples" / "deliveries")])
        clock.lap("land")
        built(lake, session, [])
        clock.lap("build")
    return clock.laps


def again(folder: Path, terms: str = f"{METER} {MONTH}") -> dict[str, Any]:
    """Build tables again, whatever is there: those that are named, or `all`."""
    clock = Clock()
    with opened(folder, clock) as (lake, session):
        built(lake, session, [] if terms == "all" else terms.split(), force=True)
        clock.lap("build")
    return clock.laps


def prepared(folder: Path, deliveries: str, *terms: str) -> dict[str, Any]:
    """Land a folder and build tables with all that they are made from; a source of which nothing came is an empty table."""
    clock = Clock()
    with opened(folder, clock) as (lake, session):
        land(lake, deliveries)
        for outcome in run(lake, session, terms):
            if outcome.status not in ("built", "waiting"):
                raise SystemExit(f"{outcome.table}: {outcome.status}: {outcome.reason}")
        clock.lap("build")
    return clock.laps


def restate(folder: Path, gwp: str) -> dict[str, Any]:
    """Restate everything under another GWP set, named as the set is."""
    from jobs.restate import restate as again
    from models.variant import Variant

    clock = Clock()
    with opened(folder, clock) as (lake, session):
        again(lake, session, gwp.lower(), Variant(gwp))
        clock.lap("restate")
    return clock.laps


def rounds(folder: Path, deliveries: str) -> dict[str, Any]:
    """Land, build and maintain, one delivery after the other; return the seconds of each round."""
    clock, seconds = Clock(), []
    with opened(folder, clock) as (lake, session):
        for delivery in sorted(Path(deliveries).iterdir()):
            land(lake, delivery, METER)
            built(lake, session, [METER, MONTH])
            maintain(lake)
            seconds.append(clock.lap("round"))
    return {"rounds": seconds}


def trace(folder: Path, table: str, *key: str) -> dict[str, Any]:
    """Trace one figure and query its table for the same row, in turn; return the seconds of each and the hops."""
    pairs = dict(item.split("=", 1) for item in key)
    clock = Clock()
    with opened(folder, clock) as (lake, session):
        return _traced(lake, session, table, pairs)


def traced_twice(folder: Path, table: str, *key: str) -> dict[str, Any]:
    """Trace a figure twice and return the seconds of the second, which finds warm what the first did not."""
    from jobs.trace import trace as follow

    clock, pairs = Clock(), dict(item.split("=", 1) for item in key)
    with opened(folder, clock) as (lake, session):
        follow(lake, session, table, pairs)
        clock.lap("first")
        clock.laps["hops"] = _depth(follow(lake, session, table, pairs))
        clock.lap("second")
    return clock.laps


def _traced(lake: Lake, session: Engine, table: str, pairs: dict[str, str]) -> dict[str, Any]:
    from jobs.trace import trace as follow

    head = lake.open(table)
    assert head is not None
    where = " and ".join(f"cast({name} as string) = '{value}'" for name, value in pairs.items())
    traces, queries = [], []
    # The first of each warms up what the others find warm: both pay for it, neither is counted.
    for _ in range(6):
        began = time.perf_counter()
        found = follow(lake, session, table, pairs)
        between = time.perf_counter()
        rows = session.delta(lake.table_path(table), int(head.version())).filter(where).collect()
        traces.append(between - began)
        queries.append(time.perf_counter() - between)
    return {"traces": traces[1:], "queries": queries[1:], "hops": _depth(found), "rows": len(rows)}


def _depth(step: Any) -> int:
    """Return the number of steps from a figure down to the cell that lies deepest."""
    return max((1 + _depth(below) for below in step.made_from), default=0)


def rules(folder: Path, rows: str, table: str) -> dict[str, Any]:
    """Evaluate the row rules of a table over typed rows in one pass; return the seconds and the rows that fail each."""
    from pyspark.sql import functions as F

    from quality.rules import mask, row_checks

    with opened(folder, Clock()) as (_, session):
        checks = row_checks(contract(table))
        frame = session.parquet([rows])
        frame.limit(1).collect()
        began = time.perf_counter()
        bits = frame.select(mask(checks).alias("bits"))
        failed = [
            F.sum(F.col("bits").bitwiseAND(F.lit(1 << i).cast("bigint")) / (1 << i)).cast("bigint") for i in range(len(checks))
        ]
        row = bits.agg(*(count.alias(check.label) for check, count in zip(checks, failed, strict=True))).collect()[0]
        return {"seconds": time.perf_counter() - began, "failed": row.asDict()}


if __name__ == "__main__":
    known = (build, change, again, demo, fetch, prepared, restate, rounds, rules, trace, traced_twice)
    does = {function.__name__: function for function in known}[sys.argv[1]]
    place = sys.argv[2] if is_remote(sys.argv[2]) else Path(sys.argv[2])
    print(json.dumps(does(place, *sys.argv[3:])))  # type: ignore[operator]
