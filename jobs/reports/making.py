"""The making of reports: of one member or all, in the formats asked for, kept in the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from jobs import release, variants
from jobs.lake import Lake
from jobs.reports import asked, figures, kept, template
from schemas.errors import UserError

if TYPE_CHECKING:
    from jobs.reports.kept import Made


def make(
    lake: Lake,
    kind: str,
    year: int,
    members: Sequence[str],
    formats: Sequence[str],
    given: Path | None = None,
    released: str | None = None,
) -> tuple[int, Iterator[Made]]:
    """Return how many reports there will be, and make them one by one; no members are all that have activity in the year.

    Raise UserError for a format or a template that is none, an unknown member or release, and a year without activity.
    """
    if (one := variants.noted(lake.folder)) is not None:
        raise UserError("a report is of what is published", where=f"--variant {one.name}", remedy="leave --variant out")
    if wrong := [name for name in formats if name not in template.FORMATS]:
        raise UserError(f"{wrong[0]!r} is no format of a report", where="--format", remedy=f"of {', '.join(template.FORMATS)}")
    templates = {name: template.chosen(kind, name, given) for name in formats}
    stack = ExitStack()
    duck, versions = stack.enter_context(figures.opened(lake, release.versions(lake, released) if released else None))
    wanted = [asked.find(duck, kind, member, year, released) for member in members] or \
        list(asked.every(duck, kind, year, released).values())  # fmt: skip
    if not wanted:
        raise UserError(
            f"no {kind} has any activity in {year}",
            where=f"report {kind}",
            remedy='carbonlake sql "select distinct year from business.emission_year" lists years',
        )

    def each() -> Iterator[Made]:
        with stack:
            for one in wanted:
                yield _made(lake, figures.figures(duck, versions, one), templates)

    return len(wanted), each()


def _made(lake: Lake, told: figures.Figures, templates: dict[str, template.Template]) -> Made:
    # The libraries of office files cost half a second to import: only where one is written.
    from jobs.reports import pages, printed, sheets

    files: dict[str, bytes] = {}
    document = {one.path: pages.pages(one, told) for name, one in templates.items() if name != "xlsx"}
    for name, one in templates.items():
        if name == "docx":
            files[name] = document[one.path].content(told)
        elif name == "pdf":
            files[name] = printed.printed(document[one.path], told)
        else:
            files[name] = sheets.sheets(one, told)
    return kept.keep(lake, told, files, templates)


def write_template(kind: str, target: Path) -> None:
    """Write the template of a kind as text, Word or Excel, by the ending of a file. Raise UserError where that is taken."""
    if target.exists():
        raise UserError("the file is there already", where=str(target), remedy="take another name, or delete it first")
    ending = target.suffix.lstrip(".")
    if ending not in template.ENDINGS:
        raise UserError(
            f"{target.suffix or 'no ending'} is no kind of template", where=str(target), remedy=f".{', .'.join(template.ENDINGS)}"
        )
    found = {one.ending: one for one in template.shipped(kind)}
    target.parent.mkdir(parents=True, exist_ok=True)
    if ending in found:
        target.write_bytes(found[ending].path.read_bytes())
        return
    from jobs.reports import pages, sheets

    text = found["md"].path.read_text(encoding="utf-8")
    (pages.blank(text) if ending == "docx" else sheets.blank(text)).save(str(target))
