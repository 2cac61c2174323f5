"""How the deliveries of a source are fetched, one closed model a kind; whatever is secret is named, never written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.ages import age
from schemas.closed import Closed
from schemas.errors import UserError


class Http(Closed):
    """An address that gives a file over HTTP."""

    by: Literal["http"]
    url: str


class Database(Closed):
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


Fetch = Annotated[Http | Database, Field(discriminator="by")]
