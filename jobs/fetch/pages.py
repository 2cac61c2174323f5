"""Records of an API, page by page, into one file of JSON Lines; what moves while it is read is read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urljoin

from jobs.fetch import Asked, html, marks
from jobs.fetch.cut import at, decoded, parsed, records
from jobs.fetch.database import headers
from jobs.fetch.web import Web, opened
from jobs.land import Arrival
from schemas.errors import UserError

READINGS = 3
NEVER = 3  # fetches in a row that a total does not fit, behind which it is told that it never will
MOVE, NEVER_FITS = "the records move while they are read", "the total that the source tells never fits"
OTHER_TOTAL = "the source says"
Place = dict[str, Any]  # of a page: `query`, or `url`


class MovedError(Exception):
    """The records changed their places while they were read."""


class OtherTotalError(MovedError):
    """All pages came, and another number of records than the source says; where nothing moves, this comes again and again."""


@dataclass
class _Reading:
    """What was read of one round: where the next page is, how many records and which came, and what the source says."""

    next: Place | None
    count: int = 0
    pages: int = 0
    total: int | None = None
    seen: set[bytes] = field(default_factory=set)
    highest: str = ""  # mark of what changed last, where only that is asked for


def paged(asked: Asked) -> Iterator[Arrival]:
    """Yield the records of all pages, as one delivery or one for each so many pages."""
    _demand(asked)
    stamp = asked.position.get("round") or f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    going, part = _going(asked), int(asked.position.get("part", 0))
    web, each, yielded = opened(asked), asked.how.pages.each, False
    while going.next is not None:
        file = asked.folder / f"{part}.jsonl"
        going, came = _part(asked, web, going, file)
        part += 1
        dated = each or asked.how.since  # what changed does not stand for what came before
        name = f"{asked.contract.name}-{stamp}-{part:05d}.jsonl" if dated else f"{asked.contract.name}.jsonl"
        declared = {"rows": going.total} if going.total is not None and not each else {}
        after = {"next": going.next, "round": stamp, "part": part, "count": going.count, "pages": going.pages}
        ended = marks.after(asked, going.highest, file if part == 1 else None)
        after |= {"highest": going.highest, "since": asked.position.get("since", "")} if asked.how.since else {}
        if came and not (going.next is None and marks.known(asked, ended)):
            yield Arrival(file, name, after if going.next is not None else ended, declared)
        yielded = yielded or bool(came)
    if not yielded and asked.position.get("next") is not None:
        # Nothing was left of the last round, which only now is seen.
        yield from paged(replace(asked, position=marks.after(asked, going.highest, None)))


def _demand(asked: Asked) -> None:
    """Raise UserError where records at the border of two increments would be doubled."""
    if asked.how.since and asked.contract.write != "merge":
        raise UserError("records at the border of an increment come twice", where=f"{asked.contract.file}: write",
                        remedy="declare `write: merge`, by which the latest wins")  # fmt: skip


def _going(asked: Asked) -> _Reading:
    position = asked.position
    if position.get("next") is None:
        return _Reading(_first(asked))
    return _Reading(position["next"], int(position["count"]), int(position["pages"]),
                    highest=str(position.get("highest", "")))  # fmt: skip


def _first(asked: Asked) -> Place:
    pages = asked.how.pages
    query = {pages.size_parameter: pages.size} if pages.size_parameter else {}
    query |= marks.asked_for(asked)
    start = {"page": pages.first, "offset": 0}.get(pages.by)
    return {"query": query if start is None else {**query, pages.parameter: start}}


def _part(asked: Asked, web: Web, going: _Reading, file: Path) -> tuple[_Reading, int]:
    """Read pages into a file; where they move meanwhile, all of it anew."""
    reason: MovedError = MovedError()
    for _ in range(READINGS):
        now = _Reading(going.next, going.count, going.pages, highest=going.highest)
        try:
            with file.open("w", encoding="utf-8") as target:
                _read(asked, web, now, target)
            return now, now.count - going.count
        except MovedError as error:
            reason = error
    if isinstance(reason, OtherTotalError) and (times := _times(asked)) >= NEVER:
        raise UserError(f"{NEVER_FITS}: {reason}, at {times + 1} fetches in a row", where=asked.how.url,
                        remedy="it counts something else than the records it gives: ask the publisher, or leave out "
                               "source.fetch.total, and the number is no longer compared")  # fmt: skip
    raise UserError(f"{MOVE}: {reason}, {READINGS} times", where=asked.how.url,
                    remedy="ask for an order that stays, such as by the time of creation, in source.fetch.query")  # fmt: skip


def _times(asked: Asked) -> int:
    """Return at how many fetches in a row the total was another one than what came."""
    found = 0
    for reason in asked.in_vain():
        if not (OTHER_TOTAL in reason and (MOVE in reason or NEVER_FITS in reason)):
            break
        found += 1
    return found


def _read(asked: Asked, web: Web, now: _Reading, target: TextIO) -> None:
    how, begun = asked.how, now.pages
    while now.next is not None and not (how.pages.each and now.pages - begun >= how.pages.each):
        if now.pages >= how.pages.most:
            raise UserError(f"more than {how.pages.most} pages", where=how.url, remedy="raise source.fetch.pages.most if so many")
        page = asked.folder / "page"
        url = str(now.next.get("url") or how.url)
        answer = web.get(url, now.next.get("query", {}), page)
        html.check(page, "json", url)
        text = decoded(page.read_bytes(), url)
        document = parsed(text, url)
        came = _take(asked, now, text, document, target)
        now.pages += 1
        now.next = _following(asked, web, now, came, document, answer, url)
    if now.next is None and now.total is not None and now.count != now.total:
        raise OtherTotalError(f"{now.count} records came, {OTHER_TOTAL} {now.total}")


def _take(asked: Asked, now: _Reading, text: str, document: Any, target: TextIO) -> int:
    """Write the records of a page, and return how many; raise MovedError where one came before, or the total is another."""
    total = _total(asked, document)
    if now.total is not None and total != now.total:
        raise MovedError(f"the total was {now.total} and is {total}")
    now.total, key, came = total, headers(asked.contract, asked.contract.key), 0
    for line, record in records(text, asked.how.records, asked.how.url):
        parts = [at(record, name) for name in key] if isinstance(record, dict) else []
        if parts and None not in parts:
            known = blake2b(json.dumps(parts).encode(), digest_size=16).digest()
            if known in now.seen:
                raise MovedError(f"a record came twice: {line[:100]}")
            now.seen.add(known)
        if asked.how.since:
            now.highest = marks.higher(now.highest, at(record, asked.how.since.at), asked, line)
        target.write(f"{line}\n")
        came += 1
    now.count += came
    return came


def _total(asked: Asked, document: Any) -> int | None:
    if not asked.how.total:
        return None
    found = at(document, asked.how.total)
    if not str(found).isdigit():
        raise UserError(f"no total at {asked.how.total!r}: {found!r}", where=asked.how.url, remedy="mend source.fetch.total")
    return int(found)


def _following(asked: Asked, web: Web, now: _Reading, came: int, document: Any, answer: Any, url: str) -> Place | None:
    """Return where the next page is; None behind the last one."""
    pages, last = asked.how.pages, now.next or {}
    if pages.by in ("page", "offset"):
        # A page that is not full need not be the last: servers give fewer than they are asked for.
        if not came or (now.total is not None and now.count >= now.total):
            return None
        step = 1 if pages.by == "page" else came
        return {"query": {**last["query"], pages.parameter: last["query"][pages.parameter] + step}}
    found = _linked(answer.get("Link", "")) if pages.by == "link" else at(document, pages.at)
    if found in (None, "", False):
        return None
    by_cursor = pages.by == "cursor"
    place: Place = (
        {"query": {**_first(asked)["query"], pages.parameter: found}} if by_cursor else {"url": web.own(urljoin(url, str(found)))}
    )
    if place == last:
        raise UserError("a page leads to itself", where=url, remedy="see source.fetch.pages, and the answer at its `at`")
    return place


def _linked(header: str) -> str | None:
    import requests

    links = requests.utils.parse_header_links(header) if header else []
    return next((str(one["url"]) for one in links if "next" in str(one.get("rel", "")).split()), None)
