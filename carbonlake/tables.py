"""Rows on a terminal: aligned, cut to the width, numbers to the right; JSON where a machine asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rich.table import Table

from carbonlake.world import World


def show_rows(world: World, rows: Iterable[Mapping[str, Any]], *, title: str = "") -> None:
    """Print rows as a table, or as JSON."""
    listed = [dict(row) for row in rows]
    if world.as_json:
        print(json.dumps(listed, ensure_ascii=False, default=str, indent=2))
        return
    if not listed:
        world.console.print("[dim]nothing[/dim]")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, title=title or None, title_justify="left")
    for name in listed[0]:
        numeric = all(isinstance(row[name], int | float | Decimal) or row[name] is None for row in listed)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(text(value) for value in row.values()))
    world.console.print(table)


def text(value: Any) -> str:
    """Return a value as people read it: thousands apart, zeros at the end of decimals gone."""
    if value is None:
        return "[dim]–[/dim]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        plain = f"{value:,f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, float):
        return f"{value:,.6g}"
    return str(value).replace("[", r"\[")
