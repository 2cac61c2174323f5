"""A fetch in a process of its own, to be killed at a named point, within a write or at any moment, or kept from writing."""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from operator import or_
from typing import Any

from jobs import commit, land, store
from jobs import fetch as fetching
from jobs.lake import Lake
from schemas import rooms
from schemas.errors import UserError
from tests.jobs import killed
from tests.sources import TABLE, Source

MOMENTS = 3
COMMITS = ("commit:before_move", "commit:after_move", "commit:after_commit")
Row = tuple[int, str]


def work(root: str, project: str, connections: Mapping[str, str], point: str, nth: int, size: int, pipe: Connection) -> None:
    """Fetch. Die when a point is passed for the nth time; where `size` is below zero, when a file grows beyond -size bytes.

    Where it is above zero no file may grow beyond it, as on a full disk. What went wrong is sent.
    """
    os.environ[rooms.VARIABLE] = project
    left, plain = nth, fetching.land_fetched

    def failpoint(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def landed(*given: Any) -> Any:
        failpoint("fetch:came")
        receipt = plain(*given)
        failpoint("fetch:landed")
        return receipt

    commit.failpoint = failpoint
    fetching.land_fetched = landed  # type: ignore[assignment]
    if size:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if size < 0 else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (abs(size), abs(size)))
    pipe.send("begun")
    try:
        pipe.send(f"{len(fetching.fetch(Lake(root), TABLE, connections))} came")
    except Exception as error:
        if (told := error if isinstance(error, UserError) else store.explain(error)) is None:  # as the command tells it
            raise
        pipe.send(str(told))


@dataclass
class Ordeal:
    """Fetches of one source that are killed, each after the source has got `more`, and what became of them."""

    source: Source
    more: Callable[[], list[Row]]
    expected: Counter[Row] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    lasted: float = 0.0  # seconds that the last fetch took
    rounds: bool = False  # the source gives all that it has, round by round, each in deliveries of one name and a number
    seen: dict[int, list[Row]] = field(default_factory=dict)

    def rows(self) -> Counter[Row]:
        """Return the rows of all deliveries in force, each as often as it was delivered (in rounds: in one of them)."""
        found: dict[str, Counter[Row]] = {}
        for one in land.receipts(self.source.lake, TABLE):
            if one.delivery_id not in self.seen:
                self.seen[one.delivery_id] = told(self.source, one)
            found.setdefault(one.name.rpartition("-")[0] if self.rounds else "", Counter()).update(self.seen[one.delivery_id])
        return reduce(or_, found.values(), Counter())

    def fetch(self, point: str = "", nth: int = 1, size: int = 0, after: float = 120) -> tuple[int | None, str]:
        """Fetch in a process that is killed `after` so many seconds; return how it ended, and its last word."""
        here, there = Pipe()
        process = killed.fork(work, str(self.source.lake.root), os.environ[rooms.VARIABLE], dict(self.source.connections), point,
                              nth, size, there)  # fmt: skip
        there.close()
        said, began = here.recv(), time.monotonic()
        process.join(after)
        self.lasted = time.monotonic() - began
        process.kill()
        process.join()
        while here.poll():
            try:
                said = here.recv()
            except EOFError:
                break
        return process.exitcode, said

    def again(self) -> None:
        """Let the source have more, for another try."""
        self.expected.update(self.more())

    def demand(self) -> None:
        """Demand that nothing came twice, and that the next fetch brings all that has not come."""
        assert self.rows() <= self.expected, "doubled"
        self.source.fetch()
        found = self.rows()
        assert found == self.expected, f"{found.total()} of {self.expected.total()} rows"
        assert self.rounds or not [one for one in self.source.fetch() if one.fresh], "what came came again"

    def run(self, points: int, sizes: tuple[int, ...]) -> None:
        """Kill at every named point of so many deliveries, within files, and at random; then let there be no room."""
        for point, nth in _points(points):
            self.again()
            assert self.fetch(point, nth)[0] == -signal.SIGKILL, f"{point} was not passed {nth} times"
            self.counts["killed at a point"] += 1
            self.demand()
        for size in sizes:
            self.again()
            assert self.fetch(size=-size)[0] == -signal.SIGXFSZ, f"no file grew beyond {size}"
            self.counts["killed within a write"] += 1
            self.demand()
            self.again()
            code, said = self.fetch(size=size)
            assert code == 0 and "file sizes" in said and "→" in said, said
            self.counts["without room"] += 1
            self.demand()
        self._moments()
        rows = f"{self.expected.total()} rows in {len(land.receipts(self.source.lake, TABLE))} deliveries"
        print(f"\n{dict(self.counts)}: {rows}, none lost, none twice")

    def demand_table(self, spark: Any) -> None:
        """Demand that the table holds every row once."""
        found = self.source.built(spark, "id", "kwh")
        assert sorted((number, str(kwh)) for number, kwh in found) == sorted(self.expected)

    def _moments(self) -> None:
        chance = random.Random(5)
        self.again()
        self.fetch()
        usual = self.lasted
        for _ in range(MOMENTS):
            self.again()
            code, _ = self.fetch(after=chance.uniform(0, usual))
            self.counts["killed at a moment" if code else "ended before"] += 1
            self.demand()


def _points(deliveries: int) -> Iterator[tuple[str, int]]:
    """Yield the points around the first and the last delivery, and around the record that a fetch leaves behind the last one."""
    for nth in sorted({1, deliveries}):
        yield from ((point, nth) for point in ("fetch:came", *COMMITS, "fetch:landed"))
    yield from ((point, deliveries + 1) for point in COMMITS)


def told(source: Source, receipt: Any) -> list[Row]:
    """Return number and value of each row of a delivery: Parquet, JSON Lines, or CSV."""
    content = source.bytes(receipt)
    if content.startswith(b"PAR1"):
        return [(row["id"], row["kwh"]) for row in source.rows(receipt)]
    lines = content.decode().splitlines()
    if lines[0].startswith("{"):
        return [(one["id"], one["kwh"]) for one in map(json.loads, lines)]
    return [(int(row["id"]), row["kwh"]) for row in csv.DictReader(lines)]


class Numbers:
    """New rows, no number of which came before."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self, count: int) -> list[Row]:
        begin, self.last = self.last, self.last + count
        return [(number, f"{number % 97}.250000") for number in range(begin, self.last)]


def as_csv(rows: list[Row]) -> str:
    """Return rows as a file."""
    return "id,kwh\n" + "".join(f"{number},{kwh}\n" for number, kwh in rows)
