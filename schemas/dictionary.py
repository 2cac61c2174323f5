"""The data dictionary: every column of every table, as CSV and as pages in Chinese and English."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from schemas.contract import Column, Contract

HEADER = (
    "table",
    "column",
    "type",
    "unit",
    "key",
    "required",
    "codes",
    "grade",
    "description",
    "description_zh",
    "from",
)
_HEADS = {
    "en": ("column", "type", "unit", "key", "codes", "grade", "description", "from"),
    "zh": ("字段", "类型", "单位", "主键", "代码表", "分级", "说明", "来源字段"),
}
_TITLES = {"en": "Data dictionary", "zh": "数据字典"}


def as_csv(contracts: Iterable[Contract]) -> str:
    """Return one line a column, with the header `HEADER`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for one in contracts:
        writer.writerows(
            (one.table, name, c.type, c.unit or "", "key" if name in one.key else "", "required" if c.required else "",
             c.codes or "", c.grade or one.grade, c.description or "", c.description_zh or "", _origin(c))
            for name, c in one.columns.items()
        )  # fmt: skip
    return out.getvalue()


def as_markdown(contracts: Iterable[Contract], language: str) -> str:
    """Return the dictionary as Markdown, `language` being zh or en; what has no Chinese text stays English."""
    return "\n".join([f"# {_TITLES[language]}", "", *(line for one in contracts for line in _table(one, language))])


def _table(one: Contract, language: str) -> list[str]:
    heads = _HEADS[language]
    text = (one.description_zh if language == "zh" else "") or one.description
    rows = [_row(one, name, column, language) for name, column in one.columns.items()]
    return [f"## {one.table}", "", text, "", _line(heads), _line(["---"] * len(heads)), *map(_line, rows), ""]


def _row(one: Contract, name: str, column: Column, language: str) -> list[str]:
    text = (column.description_zh if language == "zh" else "") or column.description or ""
    key = "●" if name in one.key else ""
    return [
        f"`{name}`",
        str(column.type),
        column.unit or "",
        key,
        column.codes or "",
        column.grade or one.grade,
        text,
        _origin(column),
    ]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


def _origin(column: Column) -> str:
    """Say where the value comes from: a header of the source, or an expression."""
    if column.derive:
        return f"= {column.derive}"
    return column.from_ if isinstance(column.from_, str) else " / ".join(column.from_ or ())
