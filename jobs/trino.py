"""Trino as we talk to it: one address with user and catalog, statements, and what goes wrong in a person's words."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from trino import exceptions as wrong
from trino.auth import BasicAuthentication
from trino.dbapi import Connection, connect

from schemas.errors import UserError

PATIENCE = 180.0  # seconds that a Trino gets to come back before a question is asked again
EVERY = 0.5
SOURCE = "carbonlake"
READS = ("select", "with", "values", "table", "show", "describe", "desc", "explain")
SHAPE = "write it as https://user@host:port/catalog"
# Words of an error that say that the server was not there at all, or is on its way up or down.
UNREACHED = ("NewConnectionError", "NameResolutionError", "ConnectTimeout")
PASSING = ("SERVER_STARTING_UP", "SERVER_SHUTTING_DOWN", "NO_NODES_AVAILABLE", "REMOTE_TASK_ERROR", "PAGE_TRANSPORT_ERROR",
           "PAGE_TRANSPORT_TIMEOUT", "ABANDONED_TASK", "ABANDONED_QUERY", "TOO_MANY_REQUESTS_FAILED")  # fmt: skip
GONE = re.compile(r"error (404|410|503)|error 500: .*not loaded", re.DOTALL)


class RefusedError(UserError):
    """What Trino would not do, with its own name for the reason, e.g. ALREADY_EXISTS."""

    def __init__(self, code: str, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code


class Lost(Exception):  # noqa: N818 - it is news of the server, told as a UserError where it stays lost
    """The server went away or was on its way up; the same question may find it back."""


@dataclass(frozen=True)
class Server:
    """Where a Trino listens, as whom we come, and the catalog that holds the lake."""

    scheme: str
    host: str
    port: int
    user: str
    catalog: str
    password: str = field(default="", repr=False)
    ca: str = ""

    @property
    def address(self) -> str:
        """The address without user and catalog."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def verify(self) -> str | bool:
        """What a certificate is held against: a file of ours, or the authorities that this machine knows."""
        return self.ca or True


@dataclass(frozen=True)
class Answer:
    """What a statement gave: names and Trino's types of the columns, and the rows."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def server(url: str, password: str = "", ca: str = "") -> Server:
    """Return the server of an address such as https://user@host:8443/lake. Raise UserError for one that is not whole."""
    if not url:
        raise UserError("no Trino is named", remedy="set `trino` in conf/, or CARBONLAKE_TRINO=https://user@host:port/catalog")
    parts = urlsplit(url)
    catalog = unquote(parts.path.strip("/"))
    if parts.password is not None:
        raise UserError("a password does not belong into an address", where="trino", remedy="set `trino_password`")
    try:
        port = parts.port
    except ValueError:
        port = None
    whole = parts.scheme in ("http", "https") and parts.hostname and parts.username and port
    if not whole or not re.fullmatch(r"\w+", catalog):
        raise UserError("this is not the address of a Trino", where="trino", remedy=SHAPE)
    if parts.scheme == "http" and password:
        raise UserError("a password is not sent over http", where="trino", remedy="use https, or no `trino_password`")
    return Server(parts.scheme, str(parts.hostname), int(port or 0), unquote(str(parts.username)), catalog, password, ca)


def ask(at: Server, sql: str, *, session: Sequence[tuple[str, str]] = ()) -> Answer:
    """Return what a statement gives.

    One that reads is asked once more where the server was lost on the way, as soon as it is back. Raise UserError that
    says what is wrong; the password is in none.
    """
    with opened(at, session) as connection:
        return asked(connection, at, sql)


@contextmanager
def opened(at: Server, session: Sequence[tuple[str, str]] = ()) -> Iterator[Connection]:
    """Open a connection for several statements; it keeps its socket."""
    http = _Session()
    http.verify = at.verify
    connection = connect(  # type: ignore[no-untyped-call]
        host=at.host, port=at.port, user=at.user, catalog=at.catalog, http_scheme=at.scheme, source=SOURCE, http_session=http,
        auth=BasicAuthentication(at.user, at.password) if at.password else None, verify=at.verify,
        session_properties=dict(session), timezone="UTC",
    )  # fmt: skip
    try:
        yield connection
    finally:
        http.close()


def asked(connection: Connection, at: Server, sql: str) -> Answer:
    """Return what a statement gives over an open connection, as `ask` does."""
    try:
        return _answer(connection, at, sql)
    except Lost as lost:
        if not reads(sql):
            raise UserError(f"Trino was lost while it worked: {lost}", where=at.address,
                            remedy="look whether it was done, and run it again") from None  # fmt: skip
    wait(at)
    try:
        return _answer(connection, at, sql)
    except Lost as lost:
        raise UserError(f"Trino was lost twice while it answered: {lost}", where=at.address,
                        remedy="look into its log, and ask again when it stays up") from None  # fmt: skip


def reads(sql: str) -> bool:
    """Tell whether a statement reads and does nothing else; Trino takes one at a time."""
    words = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL).lower().replace("(", " ").split()
    return bool(words) and words[0] in READS and words[:2] != ["explain", "analyze"]


def wait(at: Server, patience: float | None = None) -> None:
    """Wait until the server takes statements. Raise UserError when it does not within `patience` seconds."""
    patience = PATIENCE if patience is None else patience
    until = time.monotonic() + patience
    while True:
        try:
            with _Session() as http:
                found = http.get(f"{at.address}/v1/info", verify=at.verify, timeout=10)
                if found.ok and not found.json()["starting"]:
                    return
        except (requests.RequestException, ValueError, KeyError):
            pass  # it is not there yet, or says something that is no answer of Trino
        if time.monotonic() > until:
            raise UserError(f"Trino was lost and is not back after {patience:g} s", where=at.address,
                            remedy="start it, and ask again")  # fmt: skip
        time.sleep(EVERY)


class _Session(requests.Session):
    """A session that holds the server against the certificate it was told, whatever REQUESTS_CA_BUNDLE says."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        verify = self.verify if verify is None and self.verify is not True else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def _answer(connection: Connection, at: Server, sql: str) -> Answer:
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        rows = [tuple(row) for row in cursor.fetchall()]
    except wrong.TrinoQueryError as error:
        if error.error_name in PASSING:
            raise Lost(error.error_name) from None
        raise _query(error, at) from error
    except wrong.TrinoConnectionError as error:
        raise _connection(str(error), at) from None
    except wrong.HttpError as error:
        if GONE.match(str(error)):
            raise Lost(str(error)) from None
        raise _http(str(error), at) from None
    except OSError as error:  # requests' own errors are some, too
        raise _connection(str(error), at) from None
    described = cursor.description or []
    return Answer(tuple(one[0] for one in described), tuple(str(one[1]) for one in described), rows)


def _connection(said: str, at: Server) -> Exception:
    """Return what a failure below a statement means."""
    if "TLS CA certificate bundle" in said:
        return UserError(f"there is no file {at.ca}", where="trino_ca", remedy="name the PEM file of Trino's authority")
    if "CERTIFICATE_VERIFY_FAILED" in said:
        reason = re.search(r"certificate verify failed: ([^(\"']+)", said)
        return UserError(f"its certificate is not trusted: {reason[1].strip() if reason else 'unknown'}", where=at.address,
                         remedy="set `trino_ca` to the certificate of the authority that signed it, a PEM file")  # fmt: skip
    if any(word in said for word in UNREACHED) and said.startswith("failed to execute"):
        return UserError("no Trino answers here", where=at.address, remedy="start it, or mend `trino` in conf/")
    if "BadStatusLine" in said or "WRONG_VERSION_NUMBER" in said:
        other = "https" if at.scheme == "http" else "http"
        return UserError(f"this port does not speak {at.scheme}", where=at.address, remedy=f"try {other}://")
    return Lost(said.partition(": ")[0])


def _http(said: str, at: Server) -> UserError:
    if "401" in said:
        what = f"user {at.user!r} or the password is wrong" if at.password else f"it asks {at.user!r} for a password"
        return UserError(what, where=at.address, remedy="set `trino_password`, by reference or as CARBONLAKE_TRINO_PASSWORD")
    if "403" in said:
        return UserError(f"{at.user!r} may not do this: {said}", where=at.address, remedy="ask who keeps Trino's rules")
    return UserError(f"no answer of a Trino: {said[:300]}", where=at.address, remedy="mend `trino` in conf/")


REMEDIES = {
    "TABLE_NOT_FOUND": "`carbonlake publish` registers every table that was built; `show tables from <layer>` lists them",
    "SCHEMA_NOT_FOUND": "`carbonlake publish` makes a schema of each layer; `show schemas` lists them",
    "CATALOG_NOT_FOUND": f"`trino` in conf/ names the catalog of the lake: {SHAPE}",
    "COLUMN_NOT_FOUND": "`describe <layer>.<table>` lists the columns",
    "PERMISSION_DENIED": "ask who keeps Trino's rules; to publish, a user needs to execute register_table",
    "SYNTAX_ERROR": "Trino's SQL is meant here; without `--on trino` it is DuckDB's",
    "EXCEEDED_TIME_LIMIT": "ask for less, or for another group of resources",
    "QUERY_QUEUE_FULL": "ask again in a while",
}


def _query(error: wrong.TrinoQueryError, at: Server) -> RefusedError:
    """Return what Trino says of a statement."""
    name, said = str(error.error_name), str(error.message or "").strip()
    remedy = REMEDIES.get(name, "")
    if "snapshot ID" in said or "temporal version history" in said:
        remedy = "`carbonlake history <table>` lists the versions that are kept"
    elif "No factory for location" in said:
        remedy = "the catalog reads another kind of storage than the lake is on; docs/trino.md shows one for each"
    elif name.startswith("DELTA_LAKE") or "No such file" in said or "Error opening" in said:
        remedy = "if it is an older version, its files may be gone: ask for a later one; `carbonlake publish` reads every table"
    elif not remedy and error.error_type != "USER_ERROR":
        remedy = f"Trino's log has more of query {error.query_id}"
    return RefusedError(name, said or name, where=f"Trino, {name.lower().replace('_', ' ')}", remedy=remedy or "check the query")
