"""Templates of reports: which there are, the placeholders that they hold, and what is said of one that nobody knows."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.reports.figures import Figures, Table, tables
from schemas import rooms
from schemas.errors import UserError

MARK = re.compile(r"\{\{\s*(.*?)\s*\}\}")
ALONE = re.compile(r"\{\{\s*(?P<what>table|chart):(?P<name>\w+)\s*(?:\((?P<columns>.*)\))?\s*\}\}")
ENDINGS = ("md", "docx", "xlsx")
FORMATS = ("docx", "xlsx", "pdf")


@dataclass(frozen=True)
class Template:
    """A file that a report is filled from: text (.md), which gives all formats, or a .docx or .xlsx of a person's own."""

    path: Path

    @property
    def where(self) -> str:
        """The file as a person would name it."""
        return rooms.place(self.path)

    @property
    def ending(self) -> str:
        """What kind of file it is."""
        return self.path.suffix.lstrip(".").lower()

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def shipped(kind: str) -> list[Template]:
    """Return the templates of a kind of report: the text, and what a project lays over it for Word or Excel."""
    return [Template(path) for ending in ENDINGS for path in rooms.files("reports", f"{kind}.{ending}")]


def chosen(kind: str, format_: str, given: Path | None) -> Template:
    """Return the template of a format. Raise UserError for a file that is none, or is not of that format."""
    fitting = {"docx": ("docx", "md"), "pdf": ("docx", "md"), "xlsx": ("xlsx", "md")}[format_]
    if given is not None:
        if not given.is_file():
            raise UserError(
                "there is no such template",
                where=str(given),
                remedy=f"`carbonlake report template {kind} --out {given}` writes one",
            )
        if Template(given).ending not in fitting:
            raise UserError(
                f"a template of {format_} is one of .{', .'.join(fitting)}",
                where=str(given),
                remedy=f"leave {format_} out of --format, or take a .md, which gives all",
            )
        return Template(given)
    found = {one.ending: one for one in shipped(kind)}
    return next(found[ending] for ending in fitting if ending in found)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a text holds, in order: heading 1 to 3, bullet, or paragraph, a line each."""
    for line in text.splitlines():
        found = re.fullmatch(r"(#{1,3}|-)\s+(.+)", line.strip())
        if found:
            yield ("bullet" if found[1] == "-" else f"heading{len(found[1])}"), found[2]
        elif line.strip():
            yield "paragraph", line.strip()


def filled(text: str, figures: Figures, where: str) -> str:
    """Return a text with its facts put in. Raise UserError for one that nobody knows."""

    def put(found: re.Match[str]) -> str:
        if found[1] not in figures.facts:
            raise unknown(found[1], figures, where)
        return figures.facts[found[1]]

    return MARK.sub(put, text)


def block(text: str, figures: Figures, where: str) -> tuple[str, Table] | None:
    """Return ("table" or "chart", table) where a line is nothing else than that, with the columns asked for."""
    found = ALONE.fullmatch(text.strip())
    if not found:
        return None
    if found["name"] not in tables():
        raise unknown(f"{found['what']}:{found['name']}", figures, where)
    table = figures.table(found["name"])
    return found["what"], _narrowed(table, found["columns"], where) if found["columns"] else table


def _narrowed(table: Table, columns: str, where: str) -> Table:
    wanted = [name.strip() for name in re.split("[,，]", columns)]
    for name in wanted:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns, n=3, cutoff=0.3) or list(table.columns)
            raise UserError(
                f"the table {table.name} has no column {name!r}", where=where, remedy=f"did you mean {', '.join(near)}?"
            )
    at = [table.columns.index(name) for name in wanted]
    return Table(table.name, table.title, tuple(wanted), tuple(tuple(row[n] for n in at) for row in table.rows))


def unknown(key: str, figures: Figures, where: str) -> UserError:
    """Return what is said of a placeholder that nobody knows."""
    known = [*figures.facts, *(f"{what}:{name}" for name in tables() for what in ("table", "chart"))]
    near = difflib.get_close_matches(key, known, n=3)
    return UserError(f"unknown placeholder {{{{ {key} }}}}", where=where,
                     remedy=f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}")  # fmt: skip


def series(table: Table) -> tuple[list[str], dict[str, list[float | None]]]:
    """Return labels and lines of a chart: the first column, and those in tCO2e but their sum."""
    named = {n: name for n, name in enumerate(table.columns) if "tCO2e" in name and not name.startswith("合计")}
    labels = [str(row[0]) for row in table.rows]
    found = {name: [None if row[n] is None else float(row[n]) for row in table.rows] for n, name in named.items()}
    return labels, {name: values for name, values in found.items() if any(value is not None for value in values)}
