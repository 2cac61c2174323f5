"""Fetching: what sources that are no files give becomes deliveries, each with where the next fetch goes on.

One module a kind, `jobs/fetch/<by>.py`, with `arrivals(asked) -> Iterator[Arrival]`: files as received, in sequence. Each is
landed, in one commit with its position, before the next is asked for, so that a fetch that is killed goes on where it was.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs import sources
from jobs.fetch.how import ONCE, How
from jobs.fetch.log import in_vain, recorded
from jobs.lake import Lake
from jobs.land import Arrival, Receipt, brought, fetched_files, land_fetched, position, receipts, written
from schemas.contract import Contract
from schemas.contracts import contract
from schemas.errors import UserError


@dataclass(frozen=True)
class Asked:
    """What a kind of fetch gets: the contract, the URLs of connections, where it goes on, and an empty folder for files.

    `earlier` gives the files of all deliveries in force, in sequence; `newest` those of what was fetched, the newest first;
    `brought` every receipt there ever was; `in_vain` why it was asked in vain since it last gave something, the newest first.
    """

    contract: Contract
    connections: Mapping[str, str]
    position: Mapping[str, Any]
    folder: Path
    earlier: Callable[[], list[Path]] = field(default=list)
    how_to: How = ONCE
    newest: Callable[[], Iterator[Path]] = field(default=lambda: iter(()))
    brought: Callable[[], list[Receipt]] = field(default=list)
    in_vain: Callable[[], list[str]] = field(default=list)

    @property
    def how(self) -> Any:
        """The `fetch` of the contract."""
        assert self.contract.source
        return self.contract.source.fetch

    def connection(self, name: str) -> str:
        """Return the URL of a connection of the settings. Raise UserError where there is none of the name."""
        if name not in self.connections:
            raise UserError(f"there is no connection {name!r}", where=f"{self.contract.file}: source.fetch.connection",
                            remedy=f"write it into conf as connections: {{{name}: \"${{env:…}}\"}}; known: "
                                   f"{', '.join(sorted(self.connections)) or 'none'}")  # fmt: skip
        return self.connections[name]


def fetch(
    lake: Lake, table: str, connections: Mapping[str, str], watch: Callable[[Receipt], None] = lambda _: None,
    how: How = ONCE,
) -> list[Receipt]:  # fmt: skip
    """Fetch all that a source has since the last time, and return the receipts; `watch` hears of each."""
    found: list[Receipt] = []
    for receipt in fetched(lake, table, connections, how):
        found.append(receipt)
        watch(receipt)
    return found


def fetched(lake: Lake, table: str, connections: Mapping[str, str], how: How = ONCE) -> Iterator[Receipt]:
    """Fetch what a source has since the last time, and yield each receipt once it is landed; how it went is kept.

    Raise UserError for a source that is paused or retired, and for what the source can't give.
    """
    one = contract(contract(table).reads)
    module = _module(one)
    lake.require()
    sources.demand_active(lake, one.table)
    with recorded(lake, one.table) as came, closing(_arrivals(lake, one, module, connections, how)) as found:
        for arrival, after in found:
            receipt = land_fetched(lake, one.table, arrival, after)
            arrival.file.unlink(missing_ok=True)
            came.add(receipt)
            yield receipt


def _arrivals(
    lake: Lake, one: Contract, module: Any, connections: Mapping[str, str], how: How
) -> Generator[tuple[Arrival, str]]:  # fmt: skip
    """Yield what a source gives, each with the position that it went on from."""
    after = position(lake, one.table)
    with tempfile.TemporaryDirectory(prefix="carbonlake-") as folder:
        asked = Asked(one, connections, json.loads(after or "{}"), Path(folder), lambda: _files(lake, one), how,
                      lambda: fetched_files(lake, one.table), lambda: brought(lake, one.table),
                      lambda: in_vain(lake, one.table))  # fmt: skip
        # What fails here is told to the source at once, so that no line stays open behind it.
        with closing(module.arrivals(asked)) as found:
            for arrival in found:
                yield arrival, after
                after = written(arrival.position)


def _files(lake: Lake, one: Contract) -> list[Path]:
    return [lake.delivery(receipt.sha256) for receipt in receipts(lake, one.table)]


def tested(table: str, connections: Mapping[str, str]) -> str:
    """Try the connection of a source, without taking anything, and say what is there. Raise UserError where it fails."""
    one = contract(contract(table).reads)
    module = _module(one)
    with tempfile.TemporaryDirectory(prefix="carbonlake-") as folder:
        return str(module.test(Asked(one, connections, {}, Path(folder))))


def _module(one: Contract) -> Any:
    if not one.source or not one.source.fetch:
        raise UserError(f"{one.table} is not fetched: deliveries of it are landed", where=one.file,
                        remedy="`carbonlake land` takes them in; or write source.fetch")  # fmt: skip
    return importlib.import_module(f"jobs.fetch.{one.source.fetch.by}")
