"""Charts that Word and Excel draw themselves, in their own fonts: stacked columns, editable."""

from __future__ import annotations

from typing import Any

from openpyxl.chart import BarChart
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumVal, StrData, StrVal
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.xml.functions import tostring

WIDTH, HEIGHT = 22, 8  # cm


def chart(title: str) -> BarChart:
    """Return an empty chart of stacked columns."""
    made = BarChart()
    made.type, made.grouping, made.overlap, made.title = "col", "stacked", 100, title
    made.width, made.height = WIDTH, HEIGHT
    made.y_axis.title, made.y_axis.number_format = "tCO2e", "#,##0"
    made.x_axis.delete = made.y_axis.delete = False
    return made


def drawn(title: str, labels: list[str], lines: dict[str, list[float | None]]) -> bytes:
    """Return a chart as DrawingML that holds its own values, as Word takes it."""
    made = chart(title)
    for number, (name, values) in enumerate(lines.items()):
        points = [NumVal(idx=n, v=repr(value)) for n, value in enumerate(values) if value is not None]
        one: Any = Series(idx=number, order=number)
        one.tx = SeriesLabel(v=name)
        one.cat = AxDataSource(strLit=StrData(ptCount=len(labels), pt=[StrVal(idx=n, v=text) for n, text in enumerate(labels)]))
        one.val = NumDataSource(numLit=NumData(formatCode="General", ptCount=len(values), pt=points))
        made.series.append(one)
    return bytes(tostring(made._write(), encoding="UTF-8"))
