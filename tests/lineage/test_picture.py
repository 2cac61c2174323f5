"""The picture is well-formed, in columns from left to right, with nothing on top of anything else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations

from rich.console import Console

from lineage.picture import svg, tree

EDGES = {
    ("raw.delivery", "cleaned.meter"), ("cleaned.meter", "thematic.activity"), ("cleaned.fuel", "thematic.activity"),
    ("thematic.activity", "business.emission"), ("knowledge.factor", "business.emission"), ("raw.delivery", "business.emission"),
    ("business.emission", "business.month"), ("thematic.活动", "business.month"),
}  # fmt: skip
SPACE = {"s": "http://www.w3.org/2000/svg"}


def _boxes(text: str) -> dict[str, tuple[float, float, float, float]]:
    root = ET.fromstring(text)
    found = {}
    for group in root.findall(".//s:g/s:g", SPACE):
        title, rect = group.find("s:title", SPACE), group.find("s:rect", SPACE)
        assert title is not None and rect is not None and title.text
        x, y, w, h = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        found[title.text] = (x, y, w, h)
    return found


def test_every_node_has_a_box_and_no_two_overlap() -> None:
    boxes = _boxes(svg([], EDGES, notes={"thematic.activity": "活动数据"}))
    assert set(boxes) == {name for edge in EDGES for name in edge}
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes.values(), 2):
        assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1


def test_sources_stand_left_of_what_is_made_from_them() -> None:
    boxes = _boxes(svg([], EDGES))
    for a, b in EDGES:
        assert boxes[a][0] + boxes[a][2] < boxes[b][0]


def test_one_arrow_for_each_edge_and_none_runs_through_a_box() -> None:
    text = svg([], EDGES)
    arrows = ET.fromstring(text).findall(".//s:g/s:path", SPACE)
    assert len(arrows) == len(EDGES)
    numbers = [point for arrow in arrows for point in re.sub("[MCL]", "", arrow.get("d", "")).split()]
    points = [tuple(map(float, point.split(","))) for point in numbers]
    inside = [p for p in points for x, y, w, h in _boxes(text).values() if x + 3 < p[0] < x + w - 3 and y < p[1] < y + h]
    assert inside == []


def test_names_are_escaped_and_circles_end() -> None:
    text = svg(["a<b"], {("x.a", "x.b"), ("x.b", "x.a"), ("x.a", "x.a")}, title='"&"')
    assert set(_boxes(text)) == {"a<b", "x.a", "x.b"}
    assert _boxes(svg([], set())) == {}


def test_the_tree_shows_what_a_table_is_made_from_and_cuts_repetition() -> None:
    console = Console(width=100, record=True, file=None, quiet=False)
    with console.capture() as shown:
        console.print(tree("business.emission", EDGES, notes={"knowledge.factor": "12 rows"}))
    lines = [line.strip("│├└─ ") for line in shown.get().splitlines()]
    assert lines == ["business.emission", "knowledge.factor  12 rows", "raw.delivery", "thematic.activity",
                     "cleaned.fuel", "cleaned.meter", "raw.delivery"]  # fmt: skip
    with console.capture() as shown:
        console.print(tree("raw.delivery", EDGES, up=False))
    assert "business.emission … above" in shown.get()
