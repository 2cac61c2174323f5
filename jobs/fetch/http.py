"""What an address gives over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import requests

from jobs.fetch import Asked
from jobs.land import Arrival
from schemas.errors import UserError

SECONDS = 60
BLOCK = 1 << 20


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield the file of the address, unless the server says that it is that of the last time."""
    url = asked.how.url
    known = {"If-None-Match": asked.position.get("etag", ""), "If-Modified-Since": asked.position.get("modified", "")}
    try:
        with requests.get(url, headers={k: v for k, v in known.items() if v}, timeout=SECONDS, stream=True) as answer:
            if answer.status_code == requests.codes.not_modified:
                return
            answer.raise_for_status()
            file = asked.folder / "answer"
            with file.open("wb") as target:
                for block in answer.iter_content(BLOCK):
                    target.write(block)
            marks = {"etag": answer.headers.get("ETag", ""), "modified": answer.headers.get("Last-Modified", "")}
    except requests.RequestException as error:
        raise UserError(f"cannot be fetched ({error})", where=url, remedy="check the address; fetch again") from None
    yield Arrival(file, PurePosixPath(unquote(urlsplit(url).path)).name or "answer", marks)


def test(asked: Asked) -> str:
    """Ask for the head of the address, and say what it gives, without taking it."""
    url = asked.how.url
    try:
        with requests.get(url, timeout=SECONDS, stream=True) as answer:
            answer.raise_for_status()
            return f"{answer.status_code}, {answer.headers.get('Content-Type', 'of no type')}"
    except requests.RequestException as error:
        raise UserError(f"cannot be reached ({error})", where=url, remedy="check the address") from None
