"""Passages of a document: what is a heading, and the rows that PDF and Word have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from jobs.readers.parts import with_locators

# Headings of Chinese official documents (GB/T 9704-2012, 7.3.3) and numbered ones of standards (GB/T 1.1-2020, 7).
HEADING = re.compile(
    r"第[一二三四五六七八九十百零〇\d]+[编章节]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[)）]"
    r"|(附件|附录|附表)\s*[A-Z一二三四五六七八九十\d]*\s*([:：]|$)|\d{1,2}(\.\d{1,2}){0,3}[\s　、]+\S"
)
LONGEST_HEADING = 40
ENDS = "。；，：;,:"


@dataclass(frozen=True)
class Passage:
    """A piece of a document and where it is. `kind` is text, table or scanned; `heading` the last one above it."""

    heading: str
    kind: str
    text: str
    locator: str
    page: str = ""


def is_heading(text: str) -> bool:
    """Tell whether a line stands above others by its numbering."""
    return len(text) <= LONGEST_HEADING and text[-1:] not in ENDS and bool(HEADING.match(text))


def row_text(cells: list[str | None]) -> str:
    """Return the cells of a table's row as one line."""
    return " | ".join(" ".join((cell or "").split()) for cell in cells)


def to_table(passages: list[Passage], columns: tuple[str, ...], delivery: int) -> pa.Table:
    """Return passages as a part, empty text NULL."""
    schema = with_locators([pa.field(name, pa.string()) for name in columns], pa.string())
    data: dict[str, list[str | int | None]] = {name: [getattr(one, name) or None for one in passages] for name in columns}
    data["_delivery"] = [delivery] * len(passages)
    data["_locator"] = [one.locator for one in passages]
    return pa.table({name: pa.array(data[name], schema.field(name).type) for name in schema.names}, schema)
