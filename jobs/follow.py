"""Standing beside streams: what they give is landed batch by batch, and tables are built as it comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conf.secrets import redact
from jobs import maintain, sources, store
from jobs.fetch import fetched
from jobs.fetch.how import How, PassingError
from jobs.lake import Lake
from jobs.land import Receipt
from jobs.outcome import Outcome
from schemas import graph
from schemas.contracts import contract, contracts
from schemas.errors import UserError
from schemas.fetch import STREAMS

LOOK = 0.2
PAUSES = 1.0, 60.0  # seconds until the first and the last new try
PAUSED = 2.0  # seconds between two looks whether a person has paused the source
BUILDS = 50  # between two merges of the small files that they leave
Build = Callable[[], Sequence[Outcome]]


@dataclass
class Stand:
    """What the threads of a follower know of each other."""

    stop: threading.Event
    landed: threading.Event = field(default_factory=threading.Event)
    failed: dict[str, str] = field(default_factory=dict)

    def on(self) -> bool:
        """Tell whether to go on."""
        return not self.stop.is_set()


def streams(terms: Sequence[str]) -> list[str]:
    """Return the tables among those that terms select whose sources never end. Raise UserError where there is none."""
    found = [table for table in graph.select(terms)
             if (source := contract(table).source) and source.fetch and source.fetch.by in STREAMS]  # fmt: skip
    if not found:
        remedy = f"source.fetch: {{by: {' or '.join(STREAMS)}, …}}; `carbonlake fetch` asks other sources"
        raise UserError("no table among these is fed by a stream", where=" ".join(terms) or "all tables", remedy=remedy)
    return found


def follow(
    lake: Lake, terms: Sequence[str], connections: Mapping[str, str], build: Build, *, stop: threading.Event,
    heard: Callable[[Receipt], None], tell: Callable[[str], None], accept_gap: bool = False,
) -> dict[str, str]:  # fmt: skip
    """Land what streams give and build when something has come, until `stop` is set; return what sources failed of.

    A source that is away is asked again, after longer and longer pauses; where there is no room nothing is taken, and so
    nothing is lost. A batch that has begun is landed and built before the end.
    """
    stand = Stand(stop)
    tables = _active(lake, streams(terms), tell)
    threads = [threading.Thread(target=_stand, args=(lake, one, connections, stand, heard, tell, accept_gap), name=one)
               for one in tables]  # fmt: skip
    for thread in threads:
        thread.start()
    try:
        _builds(lake, terms, build, stand, threads, tell)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if stand.landed.is_set():
        _built(build, "", tell)
    return stand.failed


def _active(lake: Lake, tables: Sequence[str], tell: Callable[[str], None]) -> list[str]:
    """Return the streams that are asked for more, and tell of the others. Raise UserError where there is none."""
    held = {table: one for table in tables if (one := sources.standing(lake, table)).state != sources.ACTIVE}
    for table, one in held.items():
        tell(f"{table}: left alone: {one}")
    if len(held) == len(tables):
        raise UserError("every stream among these is paused or retired", where=" ".join(tables),
                        remedy="`carbonlake sources resume <table> --why …` takes one up again")  # fmt: skip
    return [table for table in tables if table not in held]


def _builds(
    lake: Lake, terms: Sequence[str], build: Build, stand: Stand, threads: Sequence[threading.Thread],
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Build whenever something was landed; what failed is tried again with the next batch, or after a while."""
    stand.landed.set()  # what was landed and not built when we were last stopped
    wrong, builds, again = "", 0, 0.0
    while stand.on() and any(thread.is_alive() for thread in threads):
        if not stand.landed.wait(LOOK) and not (wrong and time.monotonic() > again):
            continue
        stand.landed.clear()
        wrong, again = _built(build, wrong, tell), time.monotonic() + PAUSES[1]
        builds += 1
        if builds % BUILDS == 0:
            records = [table for table, one in contracts().items() if one.layer in ("raw", "ops")]
            maintain.maintain(lake, [table for table in (*graph.select(terms), *records) if lake.open(table)])


def _built(build: Build, before: str, tell: Callable[[str], None]) -> str:
    """Build, tell of what failed unless that was told before, and return what was wrong."""
    try:
        wrong = "\n".join(f"{one.table}: {one.reason}" for one in build() if one.status == "failed")
    except Exception as error:  # noqa: BLE001 - deliveries wait for the next build, and the streams go on
        wrong = _words(error)
    if wrong and wrong != before:
        tell(wrong)
    return wrong


def _words(error: Exception) -> str:
    """Return what an error says, without a secret."""
    reason = store.explain(error) if not isinstance(error, UserError) else error
    return redact(str(reason or f"{type(error).__name__}: {error}"))


def _stand(
    lake: Lake, table: str, connections: Mapping[str, str], stand: Stand, heard: Callable[[Receipt], None],
    tell: Callable[[str], None], accept_gap: bool,
) -> None:  # fmt: skip
    """Fetch from one stream until it is time to stop, or something is wrong that a person must mend."""
    pause, on = PAUSES[0], _unless_held(lake, table, stand, tell)
    while on():
        try:
            for receipt in fetched(lake, table, connections, How(on, accept_gap, tell)):
                pause, accept_gap = PAUSES[0], False
                stand.landed.set()
                heard(receipt)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other streams go on, and it is told at the end
            if isinstance(error, UserError) and (now := sources.standing(lake, table)).state != sources.ACTIVE:
                tell(f"{table}: left alone: {now}")
                return
            told = f"{table}: {_words(error)}"
            if not _may_pass(error):
                stand.failed[table] = told
                tell(told)
                return
            tell(f"{told}\n  … again in {pause:g} s")
            stand.stop.wait(pause)
            pause = min(2 * pause, PAUSES[1])


def _unless_held(lake: Lake, table: str, stand: Stand, tell: Callable[[str], None]) -> Callable[[], bool]:
    """Return what tells whether to go on: until we are stopped, or a person pauses or retires the source."""
    seen, looked = sources.Standing(), time.monotonic()

    def on() -> bool:
        nonlocal seen, looked
        if stand.on() and seen.state == sources.ACTIVE and time.monotonic() - looked > PAUSED:
            seen, looked = sources.standing(lake, table), time.monotonic()
            if seen.state != sources.ACTIVE:
                tell(f"{table}: left alone: {seen}")
        return stand.on() and seen.state == sources.ACTIVE

    return on


def _may_pass(error: BaseException) -> bool:
    """Tell whether an error may pass by itself: a broker that is away, a disk that is full, a store that is down."""
    return isinstance(error, PassingError) or isinstance(error.__cause__, OSError) or (
        not isinstance(error, UserError) and store.explain(error) is not None)  # fmt: skip
