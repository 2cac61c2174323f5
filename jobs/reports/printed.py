"""A report as PDF: the pages of the Word document, printed in a font that readers of PDF bring along for Chinese."""

from __future__ import annotations

import io
import re
from typing import Any
from xml.sax.saxutils import escape

from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph as Words
from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import CondPageBreak, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from jobs.reports.figures import Figures, Table
from jobs.reports.pages import Pages
from jobs.reports.template import series

LATIN = re.compile(r"[\x20-\x7e]+")
FONT, ROOM = "STSong-Light", 25.7 * cm
PALETTE = [colors.HexColor(one) for one in ("#2f5d8a", "#d08a2e", "#5b8c5a", "#8a4f7d", "#777777")]
SIZES = {"Title": 18, "Heading 1": 14, "Heading 2": 12}
MOST, CELL = 40, 6.5  # letters of a column that count for its width; size of type in a table


def printed(pages: Pages, figures: Figures) -> bytes:
    """Return the PDF of a filled document, the same bytes for the same figures."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    charts, story = iter(pages.charts), list[Any]()
    for one in pages.document.element.body.iterchildren():
        if one.tag == qn("w:tbl"):
            story += [_table([[_text(cell) for cell in row.iter(qn("w:tc"))] for row in one.iter(qn("w:tr"))]), Spacer(1, 8)]
        elif one.tag == qn("w:p"):
            words = Words(one, pages.document._body)
            chart = next(charts, None) if one.findall(f".//{qn('w:drawing')}") else None
            story += [CondPageBreak(3 * cm)] if _leads(words) else []
            story.append(_drawing(chart) if chart else _words(words))
    held = io.BytesIO()
    paper = SimpleDocTemplate(held, pagesize=landscape(A4), leftMargin=2 * cm, rightMargin=2 * cm, topMargin=1.5 * cm,
                              bottomMargin=1.5 * cm, title=f"{figures.facts['name']} {figures.asked.year}",
                              author="carbonlake", invariant=1)  # fmt: skip
    paper.build(story, onFirstPage=_number, onLaterPages=_number)
    return held.getvalue()


def _leads(words: Words) -> bool:
    """Tell whether a paragraph is a heading, of a chapter or a table, which does not stand alone at the foot of a page."""
    return (words.style is not None and words.style.name in SIZES) or bool(words.paragraph_format.keep_with_next)


def _number(canvas: Any, paper: Any) -> None:
    canvas.setFont(FONT, 8)
    canvas.drawRightString(landscape(A4)[0] - 2 * cm, 0.8 * cm, str(paper.page))


def _text(cell: Any) -> str:
    return "".join(one.text or "" for one in cell.iter(qn("w:t")))


def _words(words: Words) -> Any:
    name = str(words.style.name) if words.style else "Normal"
    size = SIZES.get(name, 10)
    style = ParagraphStyle(name, fontName=FONT, fontSize=size, leading=size * 1.5, wordWrap="CJK", spaceBefore=size / 2,
                           leftIndent=12 if name.startswith("List") else 0)  # fmt: skip
    return Paragraph(_marked(words.text), style)


def _marked(text: str) -> str:
    """Return a text with figures and Latin letters in a font that needs none of the reader's."""
    return LATIN.sub(lambda found: f'<font name="Helvetica">{escape(found[0])}</font>', text.replace("\xa0", " "))


def _table(rows: list[list[str]]) -> Any:
    style = ParagraphStyle("cell", fontName=FONT, fontSize=CELL, leading=CELL * 1.3, wordWrap="CJK")
    right = ParagraphStyle("right", parent=style, alignment=2)
    wide = [max(3, *(min(_wide(row[n]), MOST) for row in rows if n < len(row))) for n in range(len(rows[0]))]
    cells = [[Paragraph(_marked(text), right if _numeric(text) else style) for text in row] for row in rows]
    made = LongTable(cells, colWidths=[ROOM * one / sum(wide) for one in wide], repeatRows=1)
    made.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                              ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 2),
                              ("RIGHTPADDING", (0, 0), (-1, -1), 2)]))  # fmt: skip
    return made


def _wide(text: str) -> float:
    return sum(2 if ord(letter) > 0x2E7F else 1.1 for letter in text)


def _numeric(text: str) -> bool:
    return bool(text) and not set(text) - set("0123456789,.-")


def _drawing(table: Table) -> Drawing:
    labels, lines = series(table)
    made = Drawing(ROOM, 6.5 * cm)
    bars = VerticalBarChart()
    bars.x, bars.y, bars.width, bars.height = 3 * cm, 1.5 * cm, ROOM - 8 * cm, 4 * cm
    bars.data = list(lines.values())  # what is not known has no column, and says so: a column of nought looks like none
    gaps = [all(values[n] is None for values in lines.values()) for n in range(len(labels))]
    labels = [f"{label}\n（缺）" if gap else label for label, gap in zip(labels, gaps, strict=True)]
    bars.categoryAxis.categoryNames, bars.categoryAxis.style = labels, "stacked"
    for axis in (bars.categoryAxis, bars.valueAxis):
        axis.labels.fontName, axis.labels.fontSize = FONT, 7
    bars.valueAxis.labels.fontName = "Helvetica"
    bars.valueAxis.labelTextFormat = lambda value: f"{value:,.0f}"
    for number in range(len(lines)):
        bars.bars[number].fillColor, bars.bars[number].strokeColor = PALETTE[number % len(PALETTE)], None
    legend = Legend()
    legend.x, legend.y, legend.fontName, legend.fontSize, legend.columnMaximum = ROOM - 4.5 * cm, 5 * cm, FONT, 7, 8
    legend.colorNamePairs = [(PALETTE[n % len(PALETTE)], name) for n, name in enumerate(lines)]
    made.add(bars)
    made.add(legend)
    made.add(String(ROOM / 2, 6.1 * cm, table.title, fontName=FONT, fontSize=9, textAnchor="middle"))
    return made
