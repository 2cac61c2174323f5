"""How the deliveries of a source are fetched, one closed model a kind; whatever is secret is named, never written."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from schemas.ages import age
from schemas.closed import Closed
from schemas.errors import UserError

HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


class Token(Closed):
    """What lets us in: the value of a connection, sent as a header or in the query, to this host alone."""

    connection: str = Field(description="Name of a connection in the settings whose value is the token (user:password for Basic)")
    header: str = "Authorization"
    prefix: str = Field("Bearer ", description="What stands before it in the header; `Basic ` encodes it")
    query: str = Field("", description="Name in the query, instead of a header")


class Pages(Closed):
    """How an API gives its records page by page."""

    by: Literal["page", "offset", "cursor", "link", "next"] = Field(
        description="Number of the page, offset, cursor in the answer, header Link, address in the answer"
    )
    parameter: str = Field("", description="Name in the query of the page, the offset or the cursor")
    first: int = Field(1, description="Number of the first page")
    size: int = Field(0, ge=0, description="Records of a page")
    size_parameter: str = Field("", description="Name in the query of the size")
    at: str = Field("", description="Where the answer holds the cursor or the next address, keys with dots between")
    most: int = Field(10_000, ge=1, description="Pages at most; more is an error")
    each: int = Field(0, ge=0, description="Pages of a delivery, behind which a fetch can go on; 0 for all in one")

    @model_validator(mode="after")
    def _whole(self) -> Pages:
        if self.by in ("page", "offset", "cursor") and not self.parameter:
            raise ValueError(f"parameter: pages by {self.by} need its name in the query")
        if self.by in ("cursor", "next") and not self.at:
            raise ValueError(f"at: pages by {self.by} need the place in the answer")
        return self


class Since(Closed):
    """How an API is asked for what changed alone: from the highest mark of the last time on."""

    parameter: str = Field(min_length=1, description="Name in the query of the mark to go on from, e.g. updated_since")
    at: str = Field(min_length=1, description="Where a record holds its mark, an instant, a day or a number: e.g. updated_at")
    first: str = Field("", description="Mark of the first time; nothing asks for everything")


class Polled(Closed):
    """A source that is asked now and then: how often at most, and at which hours."""

    every: str = Field("", description="At most once in this time, e.g. 15m or 6h; asked earlier, it is left alone")
    window: str = Field("", description="Hours in which it may be asked, e.g. 22:00-06:00, in the source's time zone")

    @model_validator(mode="after")
    def _timed(self) -> Polled:
        if self.every:
            try:
                age(self.every)
            except UserError as error:
                raise ValueError(f"every: {error.what}; {error.remedy}") from None
        if self.window and not HOURS.fullmatch(self.window):
            raise ValueError(f"window: {self.window!r} are no hours; write them like 22:00-06:00")
        first, _, last = self.window.partition("-")
        if first and first == last:
            raise ValueError(f"window: {self.window} is no time at all; leave it out where every hour will do")
        return self


class Http(Polled):
    """An address that gives a file over HTTP, or records page by page."""

    by: Literal["http"]
    url: str
    query: dict[str, str | int | float] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict, description="Nothing secret: that is `token`")
    token: Token | None = None
    pages: Pages | None = None
    records: str = Field("", description="Where a page holds its records, keys with dots between; nothing is the whole of it")
    total: str = Field("", description="Where a page says how many records there are in all")
    since: Since | None = None
    per_minute: int = Field(0, ge=0, description="Requests in a minute at most; 0 for as many as the server bears")
    most_bytes: int = Field(1 << 30, description="Largest answer, unpacked")

    @model_validator(mode="after")
    def _open(self) -> Http:
        if "@" in urlsplit(self.url).netloc:
            raise ValueError("url: no user and no password here; `token` names the connection that has them")
        if self.since and not self.pages:
            raise ValueError("since: it goes with `pages`, whose records hold the mark")
        if (self.records or self.total) and not self.pages:
            raise ValueError("records, total: they go with `pages`; the reader's option `records` is for one file")
        return self


class Batch(Closed):
    """How many messages become one delivery: so many, or those of so many seconds, whichever comes first."""

    rows: int = Field(50_000, ge=1, le=1_000_000)
    seconds: float = Field(2.0, gt=0, le=3600)


class Kafka(Closed):
    """A topic of Kafka; what is read is what transactions have committed."""

    by: Literal["kafka"]
    connection: str = Field(description="kafka://user:password@host:port[,…], kafkas:// over TLS, ?ca= and ?mechanism=")
    topic: str
    batch: Batch = Batch()


class Mqtt(Closed):
    """Topics of an MQTT 5 broker, which keeps what comes for `client` while nobody fetches."""

    by: Literal["mqtt"]
    connection: str = Field(description="mqtt://user:password@host:port, mqtts:// over TLS, ?ca=")
    topics: tuple[str, ...] = Field(min_length=1, description="Filters: + is one level, # all below")
    client: str = Field(min_length=1, description="Name of the session at the broker; no one else may use it")
    batch: Batch = Batch()


class Database(Polled):
    """A table or query of a database: whole, what changed by a cursor column, or every change from its log."""

    by: Literal["database"]
    connection: str = Field(description="Name of a connection in the settings, whose URL SQLAlchemy understands")
    table: str = Field("", description="schema.table, or table in the default schema")
    query: str = Field("", description="SELECT without order; instead of `table`")
    cursor: str = Field("", description="Column that grows with each change; `xmin` on PostgreSQL: its transactions alone")
    overlap: str | int = Field("", description="How far behind the cursor rows may still appear: 10m, or a number")
    batch: int = Field(0, ge=0, description="Rows of each delivery of a first load by key; 0 for one delivery")
    deletes: Literal["ignored", "compared"] = Field(
        "ignored", description="compared: keys that have gone are delivered again with `_deleted` true"
    )
    changes: str = Field("", pattern="^[a-z0-9_]*$", description="Replication slot of PostgreSQL that keeps the changes for us")
    publication: str = Field("", description="Publication of PostgreSQL that holds the table; needed by `changes`")

    @model_validator(mode="after")
    def _one_way(self) -> Database:
        if bool(self.table) == bool(self.query):
            raise ValueError("`table` or `query` says what is read, one of them")
        if bool(self.changes) != bool(self.publication):
            raise ValueError("`changes` and `publication` go together: slot and publication of PostgreSQL")
        if self.changes and (self.query or self.cursor or self.deletes != "ignored"):
            raise ValueError("changes: of a `table`; they say what was deleted, and need no `cursor`, no `deletes`")
        if not self.cursor and (self.overlap != "" or self.deletes != "ignored" or self.batch):
            raise ValueError("overlap, deletes, batch: they go with a `cursor`; without one the whole is read in one snapshot")
        self._check_overlap()
        return self

    def _check_overlap(self) -> None:
        if isinstance(self.overlap, str) and self.overlap:
            try:
                age(self.overlap)
            except UserError as error:
                raise ValueError(f"overlap: {error.what}; {error.remedy}, or a number") from None


class Bucket(Polled):
    """Objects of a bucket that speaks S3, each taken once for each of its states."""

    by: Literal["bucket"]
    url: str = Field(pattern="^s3://", description="s3://bucket/prefix")
    pattern: str = Field("*", description="Which of the names below the prefix, e.g. 2026/*.csv")
    connection: str = Field("", description="https://key:secret@host:port; nothing for AWS and the machine's own credentials")


class Sftp(Polled):
    """Files of a folder on a server of SFTP, each taken once for each of its states."""

    by: Literal["sftp"]
    connection: str = Field(description="sftp://user:password@host:port, without password where there is a `private_key`")
    host_key: str = Field(description="Name of the connection that is the server's public key, e.g. ssh-ed25519 AAAA…")
    private_key: str = Field("", description="Name of the connection that is our private key, e.g. ${file:/run/secrets/key}")
    folder: str
    pattern: str = Field("*", description="Which of the names below the folder")
    settled: str = Field("1m", description="How long a file must have been left alone")


STREAMS = ("kafka", "mqtt")  # give what comes without end
Fetch = Annotated[Http | Database | Bucket | Sftp | Kafka | Mqtt, Field(discriminator="by")]
