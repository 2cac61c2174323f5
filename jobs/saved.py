"""Saved queries: files of queries/ in Trino's SQL, each with a title, and what they are in DuckDB's."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from schemas import rooms
from schemas.errors import UserError

ROOM = "queries"
QUARANTINE = "quarantine"
HEAD = re.compile(r"--\s*(title|title_zh|view):\s*(.+)")


@dataclass(frozen=True)
class SavedQuery:
    """A query that is asked by name; `view` says that Trino shows it as a view, too."""

    name: str
    title: str
    title_zh: str
    view: bool
    sql: str
    file: str

    def tables_in_trino(self) -> list[str]:
        """Return schema.table of what it reads."""
        return tables_in(self.sql, self.file)

    def for_duckdb(self) -> str:
        """Return it in DuckDB's SQL over names of the lake."""
        return for_duckdb(self.sql, self.file)


def saved() -> dict[str, SavedQuery]:
    """Return the saved queries by name. Raise UserError for a file that is none."""
    return {path.stem: _read(path.stem, path.read_text(encoding="utf-8"), rooms.place(path))
            for path in rooms.files(ROOM, "*.sql")}  # fmt: skip


def named(name: str) -> SavedQuery:
    """Return a saved query. Raise UserError with near names where there is none."""
    known = saved()
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, n=3))
        raise UserError(f"there is no saved query {name!r}",
                        remedy=f"did you mean {near}?" if near else "`carbonlake sql --list` names all")  # fmt: skip
    return known[name]


def _read(name: str, text: str, file: str) -> SavedQuery:
    lines = text.strip().splitlines()
    head = {found[1]: found[2] for line in lines if (found := HEAD.fullmatch(line.strip()))}
    sql = "\n".join(line for line in lines if not HEAD.fullmatch(line.strip())).strip().rstrip(";")
    if missing := [key for key in ("title", "title_zh") if key not in head]:
        raise UserError(f"a saved query begins with its {' and '.join(missing)}", where=file,
                        remedy="write `-- title: …` and `-- title_zh: …` above it")  # fmt: skip
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not sql:
        raise UserError("a saved query is a file of small letters, digits and _ that holds one", where=file)
    return SavedQuery(name, head["title"], head["title_zh"], head.get("view") == "yes", sql, file)


def name_in_trino(table: str) -> str:
    """Return schema.table for a table of the lake: quarantine.cleaned.x lies in the schema quarantine_cleaned."""
    *schema, name = table.split(".")
    return f"{'_'.join(schema)}.{name}"


def parsed(text: str, where: str = "") -> exp.Expr:
    """Return Trino's SQL taken apart. Raise UserError where it cannot be."""
    try:
        statements = [one for one in sqlglot.parse(text, dialect="trino") if one is not None]
    except sqlglot.errors.SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        raise UserError(f"not valid SQL: {found[0].get('description', error)}", where=where or f"line {found[0].get('line', 1)}",
                        remedy=f"near {found[0].get('highlight', '')!r}") from None  # fmt: skip
    if len(statements) != 1:
        raise UserError("one query at a time", where=where)
    return statements[0]


def tables_in(text: str, where: str = "") -> list[str]:
    """Return schema.table of what a query in Trino's SQL reads."""
    return sorted({f"{one.db}.{one.name}" for one in _tables(parsed(text, where))})


def for_duckdb(text: str, where: str = "") -> str:
    """Return what a query in Trino's SQL is in DuckDB's; a table at an earlier version is named table@version."""
    tree = parsed(text, where)
    for table in _tables(tree):
        version = table.args.get("version")
        if version is not None:
            table.set("version", None)
            table.this.replace(exp.to_identifier(f"{table.name}@{_moment(version)}", quoted=True))
        if table.db.startswith(f"{QUARANTINE}_"):
            layer = table.db.removeprefix(f"{QUARANTINE}_")
            table.set("catalog", exp.to_identifier(QUARANTINE))
            table.set("db", exp.to_identifier(layer))
    return tree.sql(dialect="duckdb")


def for_trino(text: str, version: str = "") -> str:
    """Return a query with names of the lake as Trino names them, and each table at a version, e.g. `version as of 3`."""
    tree = parsed(text)
    for table in _tables(tree):
        if table.catalog == QUARANTINE:
            table.set("db", exp.to_identifier(f"{QUARANTINE}_{table.db}"))
            table.set("catalog", None)
        if version:
            kind, _, moment = version.partition(" as of ")
            table.set(
                "version", exp.Version(this=kind.upper(), kind="AS OF", expression=exp.maybe_parse(moment, dialect="trino"))
            )
    return tree.sql(dialect="trino")


def _tables(tree: exp.Expr) -> list[exp.Table]:
    """Return the tables that a query reads, its own common expressions left out."""
    known = {cte.alias for cte in tree.find_all(exp.CTE)}
    return [one for one in tree.find_all(exp.Table) if isinstance(one.this, exp.Identifier) and (one.db or one.name not in known)]


def _moment(version: exp.Expr) -> str:
    """Return a version's number, or its instant as ISO writes it; no point, which would part a name."""
    found = version.expression
    text = found.this.name if isinstance(found, exp.Cast) else found.name
    instant = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?)?(?: UTC)?", text)
    if text.isdigit():
        return str(text)
    if not instant:
        raise UserError(f"{text!r} is not an instant that is read here", remedy="write timestamp '2026-01-31 12:00:00 UTC'")
    day, clock, fraction = instant.groups()
    return f"{day}T{clock or '00:00'}{f',{fraction}' if fraction else ''}"
