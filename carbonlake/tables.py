"""Rows on a terminal: aligned, cut to the width, numbers to the right; JSON where a machine asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from carbonlake.world import World

FEW, NARROW, NAMED = 5, 16, 6


def show_rows(world: World, rows: Iterable[Mapping[str, Any]], *, title: str = "") -> None:
    """Print rows as a table, or as JSON; a row that lacks a column of another has nothing there."""
    listed = [dict(row) for row in rows]
    if world.as_json:
        print(json.dumps(listed, ensure_ascii=False, default=str, indent=2))
        return
    if not listed:
        world.console.print("[dim]nothing[/dim]")
        return
    names = list(dict.fromkeys(name for row in listed for name in row))
    full = [{name: row.get(name) for name in names} for row in listed]
    widths = {name: max(_wide(name), *(_wide(text(row[name])) for row in full)) for name in names}
    if sum(widths.values()) + 2 * len(names) > world.console.width and len(full) <= FEW and len(names) > FEW:
        _records(world, full, title)
    else:
        _grid(world, full, widths, title)


def _wide(value: str) -> int:
    """Return the cells that a text takes on a terminal; a Chinese sign takes two."""
    return cell_len(Text.from_markup(value).plain)


def _grid(world: World, rows: Sequence[Mapping[str, Any]], widths: Mapping[str, int], title: str) -> None:
    """Print rows under headings; what does not fit is cut with …, and columns at the right are named below."""
    table = Table(box=None, header_style="bold", pad_edge=False, title=title or None, title_justify="left")
    shown = _fitted(widths, world.console.width)
    for name, width in shown.items():
        numeric = all(isinstance(row[name], int | float | Decimal) or row[name] is None for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="ellipsis", no_wrap=True, max_width=width)
    for row in rows:
        table.add_row(*(text(row[name]).partition("\n")[0] for name in shown))
    world.console.print(table)
    if hidden := [name for name in rows[0] if name not in shown]:
        more = f" and {len(hidden) - NAMED} more" if len(hidden) > NAMED else ""
        named = ", ".join(hidden[:NAMED])
        world.console.print(f"[dim]not shown: {named}{more}; name columns, or use --json[/dim]", soft_wrap=True)


def _fitted(widths: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the widths that fit: the widest columns give way first, down to NARROW; then those at the right go."""
    shown = dict(widths)
    while len(shown) > 1 and sum(min(width, NARROW) + 2 for width in shown.values()) > room:
        shown.popitem()
    limit = max(shown.values())
    while limit > NARROW and sum(min(width, limit) + 2 for width in shown.values()) > room:
        limit -= 1
    return {name: min(width, limit) for name, width in shown.items()}


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
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}{'Z' if value.tzinfo else ''}"
    return str(value).replace("[", r"\[")
