"""Landing: bytes are stored once under their hash, and every receipt is a row of raw.delivery, in sequence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import pyarrow as pa

from jobs import claims, declared, intake, sources
from jobs.commit import retrying, write_rows
from jobs.intake import Stored
from jobs.lake import Lake, arrow_schema
from jobs.readers.sniff import media_type
from jobs.relation import plain_rows, read_rows
from schemas.contract import Contract
from schemas.contracts import contract, contracts
from schemas.errors import UserError

TABLE = "raw.delivery"
STATES = UNCLAIMED, RECEIVED, WITHDRAWN = "unclaimed", "received", "withdrawn"  # in the order they can follow


@dataclass(frozen=True)
class Arrival:
    """A file as it was fetched, the name of its delivery, where the next fetch goes on, and what the source says it sent."""

    file: Path
    name: str
    position: Mapping[str, Any]
    declared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """One receipt, as a row of raw.delivery; `fresh` is False where the same bytes were there already."""

    delivery_id: int
    source: str
    name: str
    sha256: str
    size_bytes: int
    media_type: str
    received_at: datetime
    publisher: str
    licence: str
    status: str
    note: str = ""
    position: str = ""
    declared: str = ""
    fresh: bool = True


def land(
    lake: Lake, what: str | Path | Sequence[str | Path], source: str | None = None, note: str = "", *, lying: bool = False,
    declares: Mapping[str, Any] | None = None,
) -> list[Receipt]:  # fmt: skip
    """Store files, the files of folders, or what URLs give, and return a receipt for each.

    Without a source the one contract whose pattern fits claims a delivery; where none or several fit, it is kept
    unclaimed. The same bytes as the last receipt of a source and name in force change nothing. `lying` says that nobody
    named what is landed, it just lies in a folder: bytes that were withdrawn then stay so, and what is for a source that is
    paused or retired is left there. Raise UserError for what is named and for a source that is retired.

    What a sender says of a file, beside it or in `declares`, is kept with it. Raise UserError where the bytes are others.
    """
    lake.require()
    claimed = _source(source) if source else None
    arrivals = []
    places = [place for place in intake.places([what] if isinstance(what, str | Path) else what)
              if "://" in place.address or not declared.stands_by(Path(place.address))]  # fmt: skip
    if declares and len(places) != 1:
        raise UserError(f"{len(places)} files are landed, and one is declared", where="--declares",
                        remedy=f"land it alone, or write a <file>{declared.MANIFEST} beside each")  # fmt: skip
    whose = _taken(lake, [(place, claimed or claims.claim(place.path)) for place in places], lying=lying)
    for (place, owner), stored in zip(whose, intake.store_all(lake, [place for place, _ in whose]), strict=True):
        name = claims.name(place.path, place.relative, owner)
        said = declares or ({} if "://" in place.address else declared.beside(Path(place.address)))
        declared.demand_bytes(said, stored.sha256, stored.size, place.address)
        arrivals.append(replace(_receipt(lake, stored, owner, name, note), declared=written(said) if said else ""))
    return retrying(lambda: _record(lake, arrivals, lying=lying))


def _taken(
    lake: Lake, whose: Sequence[tuple[intake.Place, Contract | None]], *, lying: bool
) -> list[tuple[intake.Place, Contract | None]]:  # fmt: skip
    """Return what is taken in: what lies there for a source that is paused or retired stays."""
    held = sources.held(lake)
    for place, owner in whose:
        if not lying and owner and (now := held.get(owner.table)) and now.state == sources.RETIRED:
            raise _retired(owner.table, now, place.address)
    return [(place, owner) for place, owner in whose if not (lying and owner and owner.table in held)]


def _retired(table: str, now: sources.Standing, where: str) -> UserError:
    return UserError(f"{table} takes no more deliveries: it is {now}", where=where,
                     remedy=f"`carbonlake sources resume {table} --why …` takes it up again; or name another table")  # fmt: skip


def land_fetched(lake: Lake, source: str, arrival: Arrival, after: str) -> Receipt:
    """Take in what was fetched from where `after` says, and where the next fetch goes on, in one commit.

    So nothing is fetched twice or passed over, whenever a fetch is killed. Raise UserError where another one went on from
    the same position.
    """
    owner = _source(source)
    place = intake.Place(str(arrival.file), PurePosixPath(arrival.file), PurePosixPath(arrival.name))
    (stored,) = intake.store_all(lake, [place])
    declared.demand_bytes(arrival.declared, stored.sha256, stored.size, f"{source}: {arrival.name}")
    one = replace(_receipt(lake, stored, owner, arrival.name, ""), position=written(arrival.position),
                  declared=written(arrival.declared) if arrival.declared else "")  # fmt: skip

    def record() -> Receipt:
        if (now := position(lake, owner.table)) != after:
            raise UserError(f"another fetch went on from here, to {now}", where=owner.table, remedy="fetch again")
        return _record(lake, [one])[0]

    return retrying(record)


def position(lake: Lake, source: str) -> str:
    """Return where the next fetch of a source goes on, as JSON; empty before the first. What was withdrawn counts, too."""
    return next((event.position for event in reversed(_events(lake)[1]) if event.source == source and event.position), "")


def fetched_files(lake: Lake, source: str) -> Iterator[Path]:
    """Yield the bytes of what was fetched for a source, the newest first; what was withdrawn counts, too."""
    for event in reversed(_events(lake)[1]):
        if event.source == source and event.position and event.status == RECEIVED:
            yield lake.delivery(event.sha256)


def brought(lake: Lake, source: str) -> list[Receipt]:
    """Return every receipt that a source ever got, what was withdrawn included, in sequence."""
    return [event for event in _events(lake)[1] if event.source == source]


def written(value: Mapping[str, Any]) -> str:
    """Return JSON that is the same for the same content."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _source(table: str) -> Contract:
    """Return the contract by whose name deliveries of a table are landed."""
    found = contract(contract(table).reads)
    if not found.source:
        raise UserError(f"{table} reads no deliveries", where=found.file, remedy="name a cleaned table")
    return found


def _receipt(lake: Lake, stored: Stored, owner: Contract | None, name: str, note: str) -> Receipt:
    source = owner.source if owner else None
    return Receipt(
        delivery_id=0, source=owner.table if owner else "", name=name, sha256=stored.sha256, size_bytes=stored.size,
        media_type=media_type(lake.delivery_path(stored.sha256), name), received_at=_now(),
        publisher=source.publisher if source else "", licence=source.licence if source else "",
        status=RECEIVED if owner else UNCLAIMED, note=note,
    )  # fmt: skip


def _now() -> datetime:
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _record(lake: Lake, arrivals: Sequence[Receipt], *, lying: bool = False) -> list[Receipt]:
    """Give the arrivals the next ids and append those that change something; raise Moved if others landed meanwhile."""
    version, before = _events(lake)
    withdrawn = {event.delivery_id for event in before if event.status == WITHDRAWN}
    last = {(e.source, e.name): e for e in before if e.delivery_id not in withdrawn}
    gone = {(e.source, e.name, e.sha256): replace(e, status=WITHDRAWN, fresh=False) for e in before if e.delivery_id in withdrawn}
    number, result = max((event.delivery_id for event in before), default=0), []
    for one in arrivals:
        same = last.get((one.source, one.name))
        # What is fetched moves the position on, also where the bytes are those of last time.
        if same and same.sha256 == one.sha256 and one.position in ("", same.position) and not _says_more(one, same):
            result.append(replace(same, fresh=False))
            continue
        if lying and (put_away := gone.get((one.source, one.name, one.sha256))):
            result.append(put_away)
            continue
        number += 1
        last[one.source, one.name] = replace(one, delivery_id=number)
        result.append(last[one.source, one.name])
    _append(lake, version, len(before), [r for r in result if r.fresh])
    return result


def _says_more(one: Receipt, same: Receipt) -> bool:
    """Tell whether the same bytes come with another declaration, which is a receipt of its own.

    Raise UserError where both receipts would give their rows.
    """
    if one.position or one.declared in ("", same.declared):
        return False
    if (known := contracts().get(one.source)) and known.write == "append":
        raise UserError(
            f"these bytes came already, as delivery {same.delivery_id}, and something else was declared of them",
            where=one.name,
            remedy=f"`carbonlake withdraw {same.delivery_id} --reason …`, and land it again",
        )
    return True


def _standing(events: Sequence[Receipt], states: Sequence[str]) -> list[Receipt]:
    return [event for event in events if event.status in states]


def _events(lake: Lake) -> tuple[int, list[Receipt]]:
    """Return the version of raw.delivery and its rows, in the order of ids."""
    table = lake.create(contract(TABLE))
    rows = plain_rows(read_rows(table).select(list(contract(TABLE).columns)))
    filled: list[dict[str, Any]] = [{k: "" if v is None else v for k, v in row.items()} for row in rows]
    events = [Receipt(**row) for row in filled]
    return int(table.version()), sorted(events, key=lambda event: (event.delivery_id, STATES.index(event.status)))


def _append(lake: Lake, version: int, count: int, events: Sequence[Receipt]) -> None:
    if not events:
        return
    schema = arrow_schema(contract(TABLE))
    rows = [{key: value for key, value in vars(event).items() if key in schema.names} for event in events]
    # The number of rows is the app's sequence: two that counted the same cannot both commit, so ids have no gaps.
    write_rows(lake, lake.table_path(TABLE), pa.Table.from_pylist(rows, schema=schema), f"land-{uuid4().hex}",
               read_version=version, app_id="land", app_sequence=count + len(events), new_run=True)  # fmt: skip


def receipts(lake: Lake, source: str | None = None) -> list[Receipt]:
    """Return the receipts in force that a table reads (all without one), in sequence."""
    events, known = _events(lake)[1], contracts().get(source or "")
    source = known.reads if known else source
    withdrawn = {event.delivery_id for event in events if event.status == WITHDRAWN}
    return [e for e in _standing(events, (RECEIVED,)) if e.delivery_id not in withdrawn and source in (None, e.source)]


def unclaimed(lake: Lake) -> list[Receipt]:
    """Return the deliveries that no source claims, in sequence."""
    events = _events(lake)[1]
    settled = {event.delivery_id for event in events if event.status != UNCLAIMED}
    return [event for event in _standing(events, (UNCLAIMED,)) if event.delivery_id not in settled]


def withdraw(lake: Lake, delivery_id: int, reason: str) -> Receipt:
    """Take a receipt out of force; it stays on record. Raise UserError if it is not in force."""
    return retrying(lambda: _event(lake, delivery_id, (RECEIVED, UNCLAIMED), status=WITHDRAWN, note=reason))


def claim(lake: Lake, delivery_id: int, source: str) -> Receipt:
    """Give an unclaimed delivery to a source."""
    owner = _source(source)
    assert owner.source
    if (now := sources.standing(lake, owner.table)).state == sources.RETIRED:
        raise _retired(owner.table, now, f"delivery {delivery_id}")
    changes = {"source": owner.table, "publisher": owner.source.publisher, "licence": owner.source.licence}
    return retrying(lambda: _event(lake, delivery_id, (UNCLAIMED,), status=RECEIVED, **changes))


def _event(lake: Lake, delivery_id: int, states: Sequence[str], **changes: Any) -> Receipt:
    version, events = _events(lake)
    mine = [event for event in events if event.delivery_id == delivery_id]
    if not mine:
        raise UserError(f"there is no delivery {delivery_id}", remedy='`carbonlake sql "from raw.delivery"` lists all')
    if mine[-1].status not in states:
        raise UserError(f"delivery {delivery_id} is {mine[-1].status}", remedy=f"only {' or '.join(states)} can become so")
    event = replace(mine[-1], received_at=_now(), **changes)
    _append(lake, version, len(events), [event])
    return event


def verify(lake: Lake) -> list[tuple[Receipt, str]]:
    """Hash all bytes again, and return the receipts whose bytes are missing or damaged, with the reason."""
    wrong = []
    for event in _standing(_events(lake)[1], (RECEIVED, UNCLAIMED)):
        try:
            path = lake.delivery(event.sha256, anew=True)
        except FileNotFoundError:
            wrong.append((event, "missing"))
            continue
        if intake.digest(path) != event.sha256:
            wrong.append((event, "damaged"))
    return wrong
