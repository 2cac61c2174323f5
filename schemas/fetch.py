"""How the deliveries of a source are fetched, one closed model a kind; whatever is secret is named, never written."""

from __future__ import annotations

from typing import Literal

from schemas.closed import Closed


class Http(Closed):
    """An address that gives a file over HTTP."""

    by: Literal["http"]
    url: str


Fetch = Http
