"""A desk with a Trino for many statements: some at once, each thread over a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Lock, local

from jobs import trino
from jobs.trino import Answer, Server

AT_ONCE = 4


class Desk:
    """Where statements are handed in; `desk` opens one."""

    def __init__(self, at: Server, stack: ExitStack) -> None:
        self.at, self._stack = at, stack
        self._own, self._lock = local(), Lock()

    def ask(self, sql: str) -> Answer:
        """Return what a statement gives."""
        if not hasattr(self._own, "connection"):
            with self._lock:
                self._own.connection = self._stack.enter_context(trino.opened(self.at))
        return trino.asked(self._own.connection, self.at, sql)

    def each(self, work: Callable[[str], None], names: Iterable[str]) -> None:
        """Do some work for several names, a few at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(work, names))


@contextmanager
def desk(at: Server) -> Iterator[Desk]:
    """Open a desk."""
    with ExitStack() as stack:
        yield Desk(at, stack)
