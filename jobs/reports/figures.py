"""What a report tells: facts and tables of one member and year, asked of the lake at pinned versions of its tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from jobs import deltalog, query, relation
from jobs.lake import Lake, arrow_schema
from jobs.reports import shown
from jobs.reports.asked import Asked
from schemas import rooms
from schemas.codes import code_list
from schemas.contracts import contract, contracts
from schemas.errors import UserError

SCOPE = Path(__file__).with_name("scope.sql")
SETUP = SCOPE.read_text(encoding="utf-8")
LEADS = "business.emission_change"
LISTS = ("activity", "gas", "region", "industry", "energy_carrier")
TITLE = re.compile(r"^--\s*title:\s*(.+)$", re.MULTILINE)
SCOPES = """select coalesce(zh('scope', scope::varchar), ''), emission_tco2e, year_ago_change, year_ago_percent from totals
where book = ? and coalesce(scope, 1) > 0 order by scope"""
TOGETHER = """select c.book, c.emission_tco2e, coalesce(sum(l.emission_tco2e), 0) from changes c left join lines l using (book)
group by all having coalesce(c.emission_tco2e, 0) <> coalesce(sum(l.emission_tco2e), 0)"""


@dataclass(frozen=True)
class Table:
    """A table of a report: a title, columns named as people read them, and rows of values as the lake has them."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass
class Figures:
    """The facts and tables of one report; tables are asked when a template names them, and once."""

    asked: Asked
    duck: duckdb.DuckDBPyConnection
    versions: Mapping[str, int]
    as_of: datetime
    asked_for: dict[str, Table] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """Return a table by name. Raise UserError where its SQL does not run."""
        if name not in self.asked_for:
            path = tables()[name]
            text = path.read_text(encoding="utf-8")
            found = self._found(text, rooms.place(path))
            title = TITLE.search(text)
            rows = tuple(tuple(shown.legible(value) for value in row) for row in found.fetchall())
            self.asked_for[name] = Table(name, title[1].strip() if title else name, tuple(found.columns), rows)
        return self.asked_for[name]

    def _found(self, text: str, where: str) -> duckdb.DuckDBPyRelation:
        try:
            return self.duck.sql(text)
        except duckdb.Error as error:
            raise _refused(error, where, self.asked) from None

    @cached_property
    def facts(self) -> dict[str, str]:
        """The facts that a text may name, each as people read it."""
        total = self._total
        states = self.duck.execute("select distinct name, industry_code, region_code from states where subject_id in (?, ?)",
                                   [self.asked.member, f"region:{self.asked.member}"]).fetchall()  # fmt: skip
        name = "、".join(dict.fromkeys(row[0] for row in states)) or self._zh("region", self.asked.member)
        gwp = self.duck.sql("select string_agg(distinct gwp_set, '、' order by gwp_set) from lines").fetchall()[0][0]
        (unresolved,) = self.duck.sql("select count(*) from opens").fetchall()[0]
        told = {
            "name": name, "id": self.asked.member, "code": self.asked.member.split(":")[-1], "year": str(self.asked.year),
            "industry": self._named("industry", (row[1] for row in states)),
            "region": self._named("region", (row[2] for row in states)),
            "book": self._zh("book", self.asked.book),
            "total": shown.total(self._scopes(0), total["unresolved_rows"], self._months(total)),
            "change": "；".join(name + shown.change(*told) for name, told in self._scopes(1, 2).items()) or shown.NOTHING,
            "unresolved": f"{unresolved:,}", "gwp": gwp or "—",
            "release": self.asked.release or "未发布（取当前数据）", "as_of": f"{self.as_of:%Y-%m-%d %H:%M:%S} UTC",
        }  # fmt: skip
        return {key: shown.legible(value) for key, value in told.items()}

    @property
    def headline(self) -> dict[str, Any]:
        """The figure that stands first, its book, and how much activity it lacks; above an enterprise that is scope 1 alone."""
        first = self._scopes(0)
        value = first.get("" if self.asked.level == "enterprise" else "范围一")
        told: dict[str, Any] = {name: self._total[name] for name in ("book", "unresolved_rows")}
        return told | {"emission_tco2e": value and value[0]}

    def _scopes(self, *columns: int) -> dict[str, tuple[Any, ...]]:
        """Return figures of the book by scope; those of an enterprise are one, named nothing.

        Above an enterprise they are never added: scope 1 of a power plant is scope 2 of those who use its power.
        """
        rows = self.duck.execute(SCOPES, [self.asked.book]).fetchall()
        return {name: tuple(told[n] for n in columns) for name, *told in rows}

    def _months(self, total: Mapping[str, Any]) -> int | None:
        """The months of the year that have any line, where it is not covered as a whole; older releases don't say."""
        return None if total.get("complete", True) else total["covered_months"]

    @cached_property
    def _total(self) -> dict[str, Any]:
        found = self.duck.execute("select * from changes where book = ?", [self.asked.book])
        (row,) = found.fetchall()
        return {name: value for (name, *_), value in zip(found.description, row, strict=True)}

    def _zh(self, list_: str, code: str) -> str:
        return str(self.duck.execute("select zh(?, ?)", [list_, code]).fetchall()[0][0])

    def _named(self, list_: str, codes: Iterable[str | None]) -> str:
        return "；".join(f"{code} {self._zh(list_, code)}" for code in dict.fromkeys(codes) if code) or "—"


def tables() -> dict[str, Path]:
    """Return the tables that a template may name: files of reports/tables, a project's over the shipped ones."""
    return {path.stem: path for path in rooms.files("reports", "tables/*.sql")}


BUILT = pa.schema(
    [("table_name", pa.string()), ("version", pa.int64()), ("run_id", pa.string()), ("built_at", pa.timestamp("us"))]
)


@contextmanager
def opened(lake: Lake, released: Mapping[str, int] | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, int]]]:
    """Open the tables that reports read, at their newest versions or those of a release, with the names of codes."""
    wanted = _wanted()
    heads = {name: head for name in wanted if (released is None or name in released)
             and (head := lake.open(name, (released or {}).get(name))) is not None}  # fmt: skip
    if LEADS not in heads:
        raise UserError("there are no roll-ups to report yet", where=str(lake.root), remedy="`carbonlake run` builds them")
    versions = {name: int(head.version()) for name, head in heads.items()}
    built = [_built(name, head) for name, head in heads.items()]
    with query.connection(lake, dict(versions), locked=True) as duck:
        for name in set(wanted) - set(heads):
            _empty(duck, name)
        for name, rows in (("names", _names()), ("versions", pa.Table.from_pylist(built, schema=BUILT)),
                           ("regions", pa.Table.from_pylist([dict(row) for row in code_list("region")]))):  # fmt: skip
            duck.register(f"_{name}", rows)
            duck.execute(f"create table {name} as from _{name}")
        yield duck, versions


def _wanted() -> list[str]:
    """Return the tables of the lake that reports may read."""
    texts = [SETUP, *(path.read_text(encoding="utf-8") for path in tables().values())]
    named = {name for text in texts for name in re.findall(r"\b[a-z]+\.[a-z_]+\b", text)}
    return sorted({LEADS, *(name for name in named if name in contracts())})


def _built(name: str, head: Any) -> dict[str, Any]:
    note = deltalog.last_commit(head)
    at = deltalog.moment(head, int(note.get("version", head.version())))
    return {"table_name": name, "version": int(head.version()), "run_id": note.get("run"),
            "built_at": at.replace(tzinfo=None, microsecond=0) if at else None}  # fmt: skip


def _empty(duck: duckdb.DuckDBPyConnection, name: str) -> None:
    """Stand in for a table that has no data yet."""
    types = ", ".join(f"cast(null as {relation.duckdb_type(one.type)}) as {relation.quote(one.name)}"
                      for one in arrow_schema(contract(name)))  # fmt: skip
    duck.execute(f"create schema if not exists {name.split('.')[0]}; create view {name} as select {types} where false")


def _names() -> pa.Table:
    """Return what codes are called in Chinese: the code lists, and the words of reports."""
    found = {(name, row["code"]): row["name"] for name in LISTS for row in code_list(name)}
    for path in rooms.files("reports", "words.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {(row["list"], row["code"]): row["name"] for row in csv.DictReader(file)}
    return pa.table({"list": [key[0] for key in found], "code": [key[1] for key in found], "name": list(found.values())})


def _refused(error: duckdb.Error, where: str, asked: Asked) -> UserError:
    remedy = "docs/reports.md tells which tables a query may read"
    if asked.release:
        remedy = (f"release {asked.release} may be older than a column: make the report of a newer release, "
                  "or of a template without that table")  # fmt: skip
    return UserError(str(error).split("\n")[0], where=where, remedy=remedy)


def figures(duck: duckdb.DuckDBPyConnection, versions: Mapping[str, int], asked: Asked) -> Figures:
    """Return what a report of a member and year tells. Raise UserError where its lines are not what was rolled up."""
    row = {"level": asked.level, "member": asked.member, "year": asked.year, "first_day": asked.first_day, "book": asked.book,
           "release": asked.release}  # fmt: skip
    columns = ", ".join(f"${name} as {name}" for name in row)
    duck.execute(f"create or replace temp table asked as select {columns}", row)
    for statement in SETUP.split(";\n"):
        if statement.strip():
            try:
                duck.execute(statement)
            except duckdb.Error as error:
                raise _refused(error, SCOPE.name, asked) from None
    if wrong := duck.sql(TOGETHER).fetchall():
        book, rolled, added = wrong[0]
        raise UserError(f"the lines of {asked.member} in book {book} add up to {added}, the roll-up says {rolled}", where=LEADS,
                        remedy="`carbonlake run` brings the roll-ups up to date")  # fmt: skip
    (built,) = duck.sql("select max(built_at) from versions").fetchall()[0]
    return Figures(asked, duck, versions, built)
