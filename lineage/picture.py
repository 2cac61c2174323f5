"""A picture of lineage: a graph drawn in layers as SVG, and a tree for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from html import escape
from itertools import pairwise

from rich.tree import Tree

Edges = Collection[tuple[str, str]]
"""(from, to) of every arrow."""
HEIGHT, GAP, ROW, MARGIN, LETTER = 34, 90, 52, 24, 7.4
COLOURS = {"raw": "#8d99ae", "cleaned": "#3a86c8", "thematic": "#2a9d8f", "knowledge": "#8a6fb3", "business": "#d9822b",
           "index": "#b5485d", "ops": "#6b7280"}  # fmt: skip
FONT = "'Noto Sans', 'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', Arial, sans-serif"


def svg(nodes: Collection[str], edges: Edges, *, title: str = "", focus: str = "", notes: Mapping[str, str] | None = None) -> str:
    """Return a graph as SVG, inputs on the left; `focus` stands out, `notes` are second lines under names.

    Nodes are coloured by their layer (the part before the first dot).
    """
    notes = notes or {}
    level = _levels(nodes, edges)
    steps = {(a, b): _way(a, b, level) for a, b in sorted(edges) if level[a] < level[b]}
    hops = [hop for way in steps.values() for hop in pairwise(way)]
    places, width, height = _places(_ordered(level, steps, hops), notes)
    head = 30 if title else 0
    body = [_arrow([places[point] for point in way]) for way in steps.values()]
    body += [_box(name, places[name], notes.get(name, ""), name == focus) for name in level]
    text = f'<text x="{MARGIN}" y="26" font-size="16" font-weight="600" fill="#1f2933">{escape(title)}</text>' if title else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height + head:.0f}" '
        f'viewBox="0 0 {width:.0f} {height + head:.0f}" font-family="{escape(FONT)}" font-size="13">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#7b8794"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{text}<g transform="translate(0,{head})">{"".join(body)}</g></svg>\n'
    )


def tree(root: str, edges: Edges, *, up: bool = True, notes: Mapping[str, str] | None = None) -> Tree:
    """Return what a node is made from (`up`) or what is made from it, for `rich.print`; a repeated branch is cut."""
    near: dict[str, list[str]] = {}
    for a, b in sorted(edges):
        near.setdefault(b if up else a, []).append(a if up else b)
    seen: set[str] = set()

    def label(name: str) -> str:
        note = (notes or {}).get(name, "")
        return f"{name}  [dim]{note}[/dim]" if note else name

    def grow(branch: Tree, name: str) -> None:
        for other in near.get(name, ()):
            again = other in seen and other in near
            twig = branch.add(label(other) + (" [dim]… above[/dim]" if again else ""))
            if not again:
                seen.add(other)
                grow(twig, other)

    made = Tree(label(root))
    seen.add(root)
    grow(made, root)
    return made


def _levels(nodes: Collection[str], edges: Edges) -> dict[str, int]:
    """Place every node one column right of the last of its sources, and sources as far right as they can stand."""
    level = dict.fromkeys(sorted({*nodes, *(name for edge in edges for name in edge)}), 0)
    for _ in level:
        for a, b in edges:
            if a != b and level[b] <= level[a] < len(level) - 1:
                level[b] = level[a] + 1
    made = {b for a, b in edges if a != b}
    for name in level.keys() - made:
        level[name] = min((level[b] - 1 for a, b in edges if a == name != b), default=level[name])
    numbers = sorted(set(level.values()))
    return {name: numbers.index(number) for name, number in level.items()}


def _way(a: str, b: str, level: Mapping[str, int]) -> list[str]:
    """Return the points that an arrow passes: a free place in every column between, named by the arrow."""
    return [a, *(f"{a}\0{b}\0{i}" for i in range(level[a] + 1, level[b])), b]


def _ordered(
    level: Mapping[str, int], steps: Mapping[tuple[str, str], list[str]], hops: list[tuple[str, str]]
) -> list[list[str]]:
    """Sort each column by the middle of its neighbours, to and fro, so that fewer arrows cross."""
    columns: list[list[str]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for name, number in level.items():
        columns[number].append(name)
    for (a, _), way in steps.items():
        for i, point in enumerate(way[1:-1], start=level[a] + 1):
            columns[i].append(point)
    near: dict[str, set[str]] = {name: set() for column in columns for name in column}
    for a, b in hops:
        near[a].add(b)
        near[b].add(a)
    for turn in range(8):
        for i in range(len(columns)) if turn % 2 == 0 else range(len(columns) - 1, -1, -1):
            place = {name: (k + 0.5) / len(column) for column in columns for k, name in enumerate(column)}
            beside = {name: [place[other] for other in sorted(near[name])] or [place[name]] for name in columns[i]}
            middle = {name: sum(values) / len(values) for name, values in beside.items()}
            columns[i] = sorted(columns[i], key=lambda name, middle=middle: (middle[name], name))  # type: ignore[misc]
    return columns


Place = tuple[float, float, float, float]
"""x, y, width, height of a box; a point that an arrow passes has no height."""


def _places(columns: list[list[str]], notes: Mapping[str, str]) -> tuple[dict[str, Place], float, float]:
    def tall(name: str) -> float:
        return ROW / 2.5 if "\0" in name else ROW + (14 if notes else 0)

    full = max(sum(map(tall, column)) for column in columns)
    places: dict[str, Place] = {}
    x = float(MARGIN)
    for column in columns:
        names = [name for name in column if "\0" not in name]
        wide = max((max(_width(name), _width(notes.get(name, "")) * 0.85) for name in names), default=0.0) + 22
        y = MARGIN + (full - sum(map(tall, column))) / 2
        for name in column:
            high = 0.0 if "\0" in name else float(HEIGHT + (14 if notes.get(name) else 0))
            places[name] = (x, y + (tall(name) - high) / 2, wide, high)
            y += tall(name)
        x += wide + GAP
    return places, x - GAP + MARGIN, full + 2 * MARGIN


def _width(text: str) -> float:
    """Return about how many pixels a text takes; Chinese signs are as wide as two letters."""
    return LETTER * sum(1.75 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _arrow(points: list[Place]) -> str:
    parts: list[str] = []
    for a, b in pairwise(points):
        last = b is points[-1]
        x1, y1, x2, y2 = a[0] + a[2], a[1] + a[3] / 2, b[0] - (2 if last else 0), b[1] + b[3] / 2
        bend = (x2 - x1) / 2
        parts.append(f"{'M' if not parts else 'L'}{x1:.0f},{y1:.0f}")
        parts.append(f"C{x1 + bend:.0f},{y1:.0f} {x2 - bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}")
    return f'<path d="{" ".join(parts)}" fill="none" stroke="#9aa5b1" stroke-width="1.3" marker-end="url(#tip)"/>'


def _box(name: str, place: Place, note: str, focus: bool) -> str:
    x, y, wide, high = place
    colour = COLOURS.get(name.split(".")[0], "#52606d")
    fill, ink = (colour, "#ffffff") if focus else ("#ffffff", "#1f2933")
    middle = x + wide / 2
    first = y + (high / 2 + 4.5 if not note else 20)
    small = f'font-size="11" text-anchor="middle" fill="{ink}" opacity="0.75"'
    under = f'<text x="{middle:.0f}" y="{y + 37:.0f}" {small}>{escape(note)}</text>'
    return (
        f'<g><title>{escape(name)}</title><rect x="{x:.0f}" y="{y:.0f}" width="{wide:.0f}" height="{high:.0f}" rx="7" '
        f'fill="{fill}" stroke="{colour}" stroke-width="1.6"/><rect x="{x:.0f}" y="{y + 5:.0f}" width="4" '
        f'height="{high - 10:.0f}" fill="{colour}"/><text x="{middle:.0f}" y="{first:.0f}" text-anchor="middle" '
        f'fill="{ink}">{escape(name)}</text>{under if note else ""}</g>'
    )
