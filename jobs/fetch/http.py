"""What an address gives over HTTP: one file, or the records of all pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from jobs.fetch import Asked, html
from jobs.fetch.pages import paged
from jobs.fetch.web import opened
from jobs.land import Arrival


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield the file of the address, unless the server says that it is that of the last time; or the records of its pages."""
    if asked.how.pages:
        yield from paged(asked)
        return
    known = {"If-None-Match": asked.position.get("etag", ""), "If-Modified-Since": asked.position.get("modified", "")}
    file, url = asked.folder / "answer", asked.how.url
    answer = opened(asked).get(url, {}, file, {name: value for name, value in known.items() if value})
    if answer is None:
        return
    assert asked.contract.source
    html.check(file, asked.contract.source.format, url)
    marks = {"etag": answer.get("ETag", ""), "modified": answer.get("Last-Modified", "")}
    yield Arrival(
        file, PurePosixPath(unquote(urlsplit(url).path)).name or "answer", marks, {} if whole(answer) else {"length": "untold"}
    )


def whole(headers: Mapping[str, str]) -> bool:
    """Tell whether an answer says where it ends: by its length, by chunks, of which the last is empty, or by what packs it.

    One that goes on until the line is closed looks the same where the line broke (RFC 9112, 6.3).
    """
    told = headers.get("Content-Length", "") + headers.get("Transfer-Encoding", "") + headers.get("Content-Encoding", "")
    return bool(told)


def test(asked: Asked) -> str:
    """Ask the address once, and say what it gives, without taking it."""
    file = asked.folder / "answer"
    answer = opened(asked).get(asked.how.url, {}, file)
    assert asked.contract.source
    html.check(file, asked.contract.source.format, asked.how.url)
    return f"{file.stat().st_size} bytes, {answer.get('Content-Type', 'of no type')}"
