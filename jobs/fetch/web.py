"""Asking an address over HTTP: patiently, whole or not at all, and the token to nobody but its host."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
import urllib3

from conf import secrets
from jobs.fetch import Asked, waits
from jobs.fetch.unpack import CutOffError, save
from schemas.errors import UserError
from schemas.fetch import Http

SECONDS = 60
REDIRECTS = 5
BUSY = (429, 500, 502, 503, 504)
CLOSED = (401, 403, 407)
AGAIN = "the server or the line has a problem: fetch again later"


@dataclass
class Web:
    """A client of one source: what it sends with each request, and to which host alone."""

    how: Http
    headers: dict[str, str]
    query: dict[str, Any]
    private: dict[str, str] = field(default_factory=dict)
    private_query: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)
    next_at: float = 0.0  # on the clock of `time.monotonic`, where requests in a minute are bounded

    def get(self, url: str, query: Mapping[str, Any], file: Path, marks: Mapping[str, str] | None = None) -> Any:
        """Save what an address gives and return its headers; None where it is still what `marks` say."""
        reason = ""
        for attempt in range(waits.ATTEMPTS):
            self._pace()
            try:
                with self._answer(url, query, marks or {}) as answer:
                    if marks and answer.status_code == requests.codes.not_modified:
                        return None
                    if answer.status_code not in BUSY:
                        _check(answer, self.how, url)
                        with file.open("wb") as target:
                            save(answer, target, self.how.most_bytes, url)
                        return answer.headers
                    reason, after = f"it answers {answer.status_code}", answer.headers.get("Retry-After", "")
            except (CutOffError, requests.RequestException, urllib3.exceptions.HTTPError) as error:
                reason, after = secrets.redact(str(error)), ""
            if attempt + 1 < waits.ATTEMPTS:
                waits.wait(attempt, after, url)
        raise UserError(f"not fetched in {waits.ATTEMPTS} attempts: {reason}", where=url, remedy=AGAIN)

    def own(self, url: str) -> str:
        """Return an address without the token in its query, which some servers write into it and which we send anyway."""
        parts = urlsplit(url)
        kept = [one for one in parts.query.split("&") if one.partition("=")[0] not in self.private_query]
        return urlunsplit(parts._replace(query="&".join(kept)))

    def _pace(self) -> None:
        """Wait until the next request is due by `per_minute`; the first one is at once."""
        if self.how.per_minute:
            now = time.monotonic()
            if self.next_at > now:
                waits.sleep(self.next_at - now)
            self.next_at = max(now, self.next_at) + 60 / self.how.per_minute

    @contextmanager
    def _answer(self, url: str, query: Mapping[str, Any], marks: Mapping[str, str]) -> Iterator[Any]:
        """Ask, and follow where it leads; another host gets no token, and nothing goes on without TLS that had it."""
        home, place, asked = _host(self.how.url), url, {**self.query, **query}
        for _ in range(REDIRECTS):
            ours = _host(place) == home
            with self.session.get(
                place, params={**asked, **(self.private_query if ours else {})}, timeout=SECONDS, stream=True,
                headers={**self.headers, **marks, **(self.private if ours else {})}, allow_redirects=False,
                auth=_as_it_is,  # else a file .netrc would put in what it has for the host
            ) as answer:  # fmt: skip
                if not answer.is_redirect:
                    yield answer
                    return
                leads = urljoin(place, answer.headers["Location"])
            if urlsplit(place).scheme == "https" and urlsplit(leads).scheme != "https":
                raise UserError("it leads to an address without TLS", where=url, remedy="check the address")
            place, asked = leads, {}
        raise UserError(f"it leads on more than {REDIRECTS} times", where=url, remedy="check the address")


def opened(asked: Asked) -> Web:
    """Return the client of a source; its token is never shown from here on."""
    how: Http = asked.how
    made = Web(how, {"Accept-Encoding": "gzip", **how.headers}, dict(how.query))
    if not how.token:
        return made
    value = asked.connection(how.token.connection)
    secrets.learn({"token": value}, always=True)
    if how.token.query:
        made.private_query = {how.token.query: value}
        return made
    if how.token.prefix == "Basic ":
        value = base64.b64encode(value.encode()).decode()
        secrets.learn({"token": value}, always=True)
    made.private = {how.token.header: how.token.prefix + value}
    return made


def _as_it_is(request: Any) -> Any:
    return request


def _host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _check(answer: Any, how: Http, url: str) -> None:
    """Raise UserError for an answer that asking again does not change."""
    code = answer.status_code
    if code in CLOSED:
        lets_in = f"the token of connection {how.token.connection!r}" if how.token else "declare source.fetch.token"
        raise UserError(f"it answers {code} {answer.reason}", where=url, remedy=f"see who may read it, and {lets_in}")
    if code >= 300 or code < 200 or code in (204, 206):
        raise UserError(f"it answers {code} {answer.reason}", where=url, remedy="check the address and source.fetch.query")
