"""Where tables and columns come from and go to, over the whole lake, as text, picture or plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.text import Text

from jobs import query
from jobs.lake import Lake
from lineage import picture
from schemas import graph
from schemas.contracts import contract
from schemas.errors import UserError

Edge = tuple[str, str]


@dataclass(frozen=True)
class Ancestry:
    """The neighbourhood of a table or column: edges point from what is read to what is made."""

    root: str
    above: frozenset[Edge]
    below: frozenset[Edge]

    def as_text(self) -> Group:
        """Return trees for the terminal, what it comes from first."""
        parts: list[Any] = []
        for label, edges, up in (("comes from", self.above, True), ("goes into", self.below, False)):
            if edges:
                parts += [Text(label, style="bold"), picture.tree(self.root, edges, up=up)]
        return Group(*parts or [Text(f"{self.root} has no neighbours")])

    def as_svg(self) -> str:
        """Return a picture."""
        edges = self.above | self.below
        nodes = {name for edge in edges for name in edge} | {self.root}
        return picture.svg(nodes, edges, title=f"Lineage of {self.root}", focus=self.root)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"root": self.root, "comes_from": sorted(self.above), "goes_into": sorted(self.below)}


def ancestry(lake: Lake, table: str, column: str | None, *, up: bool, down: bool) -> Ancestry:
    """Return where a table, or one of its columns, comes from (`up`) and goes (`down`)."""
    if column is None:
        edges = {(above, one) for one in graph.built() for above in graph.upstream(one)}
        root = table
    else:
        if column not in contract(table).columns:
            raise UserError(f"{table} has no column {column!r}", remedy=f"columns: {', '.join(contract(table).columns)}")
        edges, root = _column_edges(lake), f"{table}.{column}"
    above = _closure(root, edges, 1) if up else frozenset()
    below = _closure(root, edges, 0) if down else frozenset()
    return Ancestry(root, above, below)


def _column_edges(lake: Lake) -> set[Edge]:
    """Return the direct edges between columns, of the newest build of each table."""
    if lake.open("ops.lineage") is None:
        raise UserError("nothing was built yet", where=str(lake.root), remedy="carbonlake run")
    rows = query.sql(
        lake,
        """
        select distinct input_table || '.' || input_column as a, table_name || '.' || column_name as b from ops.lineage
        where kind = 'DIRECT' and run_id in (select max(run_id) from ops.lineage group by table_name)""",
    )
    return {(row["a"], row["b"]) for row in rows.to_pylist()}


def _closure(root: str, edges: Iterable[Edge], end: int) -> frozenset[Edge]:
    near: dict[str, list[Edge]] = {}
    for edge in edges:
        near.setdefault(edge[end], []).append(edge)
    found: set[Edge] = set()
    open_ = [root]
    while open_:
        for edge in near.get(open_.pop(), ()):
            if edge not in found:
                found.add(edge)
                open_.append(edge[1 - end])
    return frozenset(found)
