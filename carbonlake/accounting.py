"""`methods`: the methods of accounting, by industry and standard, and all about one."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Optional

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World
from models.method import Input, Method, formula, methods
from schemas.errors import UserError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("methods")(every)


def every(
    context: typer.Context,
    method: Annotated[Optional[str], typer.Argument(help="All about this one")] = None,
    industry: Annotated[Optional[str], typer.Option(help="Those for a code of GB/T 4754, as 44 or 3011")] = None,
    standard: Annotated[Optional[str], typer.Option(help="Those whose standard contains this, as 32151.8")] = None,
) -> None:
    """List the methods of accounting, yours among them, or show one: inputs, units, defaults, formula, examples.

    \b
    carbonlake methods --industry 30
    carbonlake methods --standard 32151.5
    carbonlake methods nitric_acid
    """
    world: World = context.obj
    known = methods()
    if method:
        if method not in known:
            raise UserError(f"there is no method {method!r}", remedy="`carbonlake methods` lists them")
        show_rows(world, [_about(known[method])])
        return
    asked = [one for one in known.values() if _of(one, industry) and (not standard or standard in one.standard)]
    show_rows(world, [_line(one) for one in sorted(asked, key=lambda one: (one.industries or ("~",), one.id))])


def _of(one: Method, industry: str | None) -> bool:
    """Tell whether a method is made for an industry; one for all industries is listed without the option."""
    return not industry or any(industry.startswith(code) or code.startswith(industry) for code in one.industries)


def _industries(one: Method) -> str:
    but = f" but {', '.join(one.not_industries)}" if one.not_industries else ""
    return (", ".join(one.industries) or "all") + but


def _line(one: Method) -> dict[str, Any]:
    return {
        "method": one.id,
        "industries": _industries(one),
        "standard": one.standard,
        "gas": one.gas,
        "book": one.book,
        "title": one.title,
    }


def _about(one: Method) -> dict[str, Any]:
    """All that is to be known of a method, what is said of it alone."""
    told = {
        "method": one.id, "title": one.title, "title_zh": one.title_zh, "cited": f"{one.standard}, {one.clause}",
        "in force": f"{one.valid_from} – {one.valid_to or ''}", "industries": _industries(one),
        "gas, scope, book": f"{one.gas}, {one.scope}, {one.book}", "activities": ", ".join(one.activities),
        "factor sets": ", ".join(one.sets), "instead of": ", ".join(one.instead_of),
        **{f"input {name}": _input(part) for name, part in one.inputs.items()},
        "formula": f"{one.formula}: {inspect.getdoc(formula(one))}".replace("\n", " "),
        **{f"example {part.id}": f"{part.given} → {part.expect} t" for part in one.examples}, "note": one.note,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}


def _input(part: Input) -> str:
    given = "quantity of the activity" if part.from_ == "activity" else f"factor {part.factor_role or ''}".strip()
    absent = f"; {part.default:g} where absent ({part.default_source})" if part.default is not None else ""
    own = "; the subject's own alone" if part.sets == ("measured",) else ""
    return f"{given} [{part.unit}]{own}{absent}"
