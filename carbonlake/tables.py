"""Rows on a terminal: aligned, cut to the width, numbers to the right; JSON where a machine asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.table import Table

from carbonlake.world import World

FEW, WIDE = 5, 32


def show_rows(world: World, rows: Iterable[Mapping[str, Any]], *, title: str = "") -> None:
    """Print rows as a table, or as JSON."""
    listed = [dict(row) for row in rows]
    if world.as_json:
        print(json.dumps(listed, ensure_ascii=False, default=str, indent=2))
        return
    if not listed:
        world.console.print("[dim]nothing[/dim]")
        return
    wide = sum(max(len(text(row[name])) for row in [*listed, {name: name}]) + 2 for name in listed[0]) > world.console.width
    if wide and len(listed) <= FEW:
        _records(world, listed, title)
    else:
        _grid(world, listed, title, WIDE if wide else 10_000)


def _grid(world: World, rows: Sequence[Mapping[str, Any]], title: str, widest: int) -> None:
    """Print rows under headings; what does not fit is cut with …, and columns at the right are named below."""
    table = Table(box=None, header_style="bold", pad_edge=False, title=title or None, title_justify="left")
    shown: list[str] = []
    left = world.console.width
    for name in rows[0]:
        width = min(max(cell_len(text(row[name])) for row in [*rows, {name: name}]), widest)
        left -= width + 2
        if left < 0 and shown:
            break
        shown.append(name)
        numeric = all(isinstance(row[name], int | float | Decimal) or row[name] is None for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True, max_width=width)
    for row in rows:
        table.add_row(*(text(row[name]) for name in shown))
    world.console.print(table)
    if len(shown) < len(rows[0]):
        hidden = ", ".join(list(rows[0])[len(shown) :])
        world.console.print(f"[dim]not shown: {hidden}; name columns, or use --json[/dim]", soft_wrap=True)


def _records(world: World, rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print a few wide rows one under the other, a line for each column that has a value."""
    for number, row in enumerate(rows):
        table = Table(box=None, show_header=False, pad_edge=False, title=title or None, title_justify="left")
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in row.items():
            if value is not None:
                table.add_row(name, text(value))
        world.console.print(table)
        if number < len(rows) - 1:
            world.console.print("[dim]" + "─" * 40 + "[/dim]")


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
        return f"{value:,.10g}"
    return str(value).replace("[", r"\[")
