"""Walking the graph: every selected table after its inputs, as many at once as the machine bears."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import copy_context
from functools import partial
from threading import Lock

from jobs import session, telemetry
from jobs.build import build
from jobs.energy import Meter, known_intensity
from jobs.lake import Lake
from jobs.land import receipts
from jobs.ops import Ops
from jobs.outcome import Outcome, new_run
from jobs.repair import mend
from jobs.session import Engine
from lineage.emit import Receiver, Spool, telling
from schemas import graph
from schemas.contracts import contract

Watch = Callable[[str, Outcome | None], None]
Opened = Callable[[str], AbstractContextManager[Engine]]


def run(
    lake: Lake, engine: Engine, terms: Sequence[str] = (), *, force: bool = False, month: str = "", workers: int = 2,
    watch: Watch = lambda table, outcome: None, receiver: Receiver | None = None, opened: Opened = session.engine,
    meter: Meter | None = None,
) -> list[Outcome]:  # fmt: skip
    """Build the tables that terms select, inputs first, and return how each ended, in the order they ended.

    `watch` is told when a table starts (None) and ends (its outcome). A table whose input failed or was never built
    waits: it keeps the version it had; a source without a delivery is an empty table, so that a lake may hold only
    one's own. Lineage events go to a file, and to `receiver` if there is one. `opened` opens the engine that a contract names,
    where it is another one, the first time that it is needed. Tables made from others are made anew for `month`, e.g.
    2026-01, where they are partitioned so. `meter` says what the energy is estimated from. Raise
    UserError for a term that names no table, and where there is no lake.
    """
    tables = graph.select(terms)
    lake.require()
    meter, kgco2 = meter or Meter(), None
    with (
        telemetry.span("run", tables=len(tables), engine=engine.name),
        telling(Spool(lake.folder / "_lineage"), receiver) as tell,
        _others(opened) as other,
    ):
        ops = Ops(lake, tell=tell)
        try:
            mend(lake, ops, engine.name)
            _empty(lake, tables)
            one = partial(build, lake, engine, ops=ops, other=other, force=force, meter=meter, month=month)
            done = _walk(tables, one, workers, watch)
        finally:
            if ops.rows["ops.run"]:
                kgco2 = known_intensity(lake, meter.assumed)
                ops.price(kgco2)
            ops.flush()
    return [outcome.priced(kgco2) for outcome in done]


def _empty(lake: Lake, tables: Sequence[str]) -> None:
    """Make what tables rest on as empty tables: sources for which nothing was ever delivered, records of people's word."""
    for source in {t for table in tables for t in graph.upstream(table)} - set(tables):
        one = contract(source)
        if lake.open(source) is None and (one.layer == "ops" or (one.source and not receipts(lake, source))):
            lake.create(one)


@contextmanager
def _others(opened: Opened) -> Iterator[Callable[[str], Engine]]:
    """Give what returns an engine by name, each opened once and closed at the end."""
    known: dict[str, Engine] = {}
    lock = Lock()
    with ExitStack() as stack:

        def other(name: str) -> Engine:
            with lock:
                if name not in known:
                    known[name] = stack.enter_context(opened(name))
                return known[name]

        yield other


def _walk(tables: Sequence[str], one: Callable[[str], Outcome], workers: int, watch: Watch) -> list[Outcome]:
    done: dict[str, Outcome] = {}
    running: dict[Future[Outcome], str] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        while len(done) < len(tables):
            for table in _ready(tables, done, running.values()):
                blocked = _blocked(table, done)
                if blocked:
                    done[table] = blocked
                    watch(table, blocked)
                elif len(running) < workers:
                    watch(table, None)
                    running[pool.submit(copy_context().run, one, table)] = table
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                table = running.pop(future)
                done[table] = future.result()
                watch(table, done[table])
    return list(done.values())


def _ready(tables: Sequence[str], done: dict[str, Outcome], running: object) -> list[str]:
    busy = set(running)  # type: ignore[call-overload]
    selected = set(tables)
    return [t for t in tables if t not in done and t not in busy
            and all(u in done for u in graph.upstream(t) if u in selected)]  # fmt: skip


def _blocked(table: str, done: dict[str, Outcome]) -> Outcome | None:
    failed = [u for u in graph.upstream(table) if u in done and not done[u].usable]
    if not failed:
        return None
    return Outcome(table, new_run(), "waiting", f"its input {failed[0]} was not built")
