"""`uncertainty`: how sure a sum of line items is."""

from __future__ import annotations

from typing import Annotated

import typer

from carbonlake.tables import show_rows
from carbonlake.world import World
from schemas.errors import UserError


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(uncertainty)


def uncertainty(
    context: typer.Context,
    where: Annotated[list[str], typer.Argument(help="column=value of business.emission, and year=…")],
    draws: Annotated[int, typer.Option(help="How often the inputs are drawn")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures")] = 1,
) -> None:
    """Compare error propagation with Monte Carlo (IPCC 2006 vol. 1 chapter 3) for the line items of one book.

    \b
    carbonlake uncertainty book=enterprise subject_id=enterprise:91140000EXAMPLE022 year=2024
    """
    from jobs.uncertainty import compare

    world: World = context.obj
    if wrong := [item for item in where if "=" not in item]:
        raise UserError("a filter is column=value", where=wrong[0], remedy="carbonlake uncertainty --help")
    found = compare(world.lake, dict(item.partition("=")[::2] for item in where), draws, seed)
    drawn = found.drawn
    show_rows(world, [{
        "lines": found.lines, "emission_tco2e": round(found.emission_tco2e, 3),
        "lines_unknown": found.unknown_lines, "unknown_tco2e": round(found.unknown_tco2e, 3),
        "propagated_percent": found.propagated_percent and round(found.propagated_percent, 2),
        "monte_carlo_percent": drawn and round(drawn.percent, 2), "low_tco2e": drawn and round(drawn.low, 3),
        "high_tco2e": drawn and round(drawn.high, 3), "draws": drawn and drawn.draws, "seed": drawn and drawn.seed,
    }])  # fmt: skip
