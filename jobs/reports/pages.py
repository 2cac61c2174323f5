"""A report as Word: a template's pages with facts, tables and charts put in their places."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import docx
from docx.enum.section import WD_ORIENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Emu, Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from jobs.reports import shown, unfilled
from jobs.reports.charts import HEIGHT, WIDTH, drawn
from jobs.reports.figures import Figures, Table
from jobs.reports.packed import settled
from jobs.reports.template import MARK, Template, block, blocks, filled, series
from schemas.errors import UserError

STYLES = {"heading1": "Title", "heading2": "Heading 1", "heading3": "Heading 2", "bullet": "List Bullet", "paragraph": "Normal"}
CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
PAGES = ("", "first_page_", "even_page_")  # whose headers and footers may be their own
SMALL = 15  # half points of type in a table
INLINE = """<w:r {ns}><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{cx}" cy="{cy}"/>
<wp:docPr id="{id}" name="chart {id}" descr="{title}"/><wp:cNvGraphicFramePr/><a:graphic>
<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:chart
 xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="{rid}"/></a:graphicData></a:graphic>
</wp:inline></w:drawing></w:r>"""


@dataclass
class Pages:
    """A filled document, and the tables that its charts show, in their order."""

    document: Any
    charts: list[Table] = field(default_factory=list)
    template: Template | None = None

    def content(self, figures: Figures) -> bytes:
        """Return the .docx, the same bytes for the same figures. Raise UserError where a placeholder would be left in it."""
        properties = self.document.core_properties
        properties.author, properties.created, properties.modified = "carbonlake", figures.as_of, figures.as_of
        held = io.BytesIO()
        self.document.save(held)
        if self.template and self.template.ending == "docx":
            unfilled.check(held.getvalue(), self.template.path, self.template.where)
        return settled(held.getvalue(), figures.as_of)


def blank(text: str) -> Any:
    """Return a Word document of a text's headings, paragraphs and placeholders: what a person edits further."""
    document = docx.Document()
    section = document.sections[0]
    section.orientation, section.page_width, section.page_height = WD_ORIENT.LANDSCAPE, Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2)
    for name in ("Normal", "Title", "Heading 1", "Heading 2"):
        style = document.styles[name]
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体" if name == "Normal" else "黑体")
    document.styles["Normal"].font.size, document.styles["Title"].font.size = Pt(10.5), Pt(20)
    for kind, line in blocks(text):
        document.add_paragraph(line, STYLES[kind])
    return document


def pages(template: Template, figures: Figures) -> Pages:
    """Return a template's pages filled. Raise UserError for a file that is no document, and for unknown placeholders."""
    if template.ending == "md":
        document = blank(template.path.read_text(encoding="utf-8"))
    else:
        try:
            document = docx.Document(str(template.path))
        except Exception as error:  # python-docx and zipfile raise many kinds
            raise UserError(f"no Word document: {error}", where=template.where, remedy="save it as .docx") from None
    made = Pages(document, template=template)
    for paragraph in _paragraphs(document):
        text = "".join(run.text for run in _runs(paragraph))
        if not MARK.search(text):
            continue
        found = block(text, figures, template.where)
        if found is None:
            _fill(paragraph, figures, template.where)
        elif found[0] == "table":
            _table(paragraph, found[1])
        else:
            _chart(made, paragraph, found[1])
    return made


def _paragraphs(document: Any) -> Iterator[Paragraph]:
    """Yield all paragraphs: of the body, its tables, and headers and footers."""
    for section in document.sections:
        for part in (getattr(section, f"{page}{end}") for page in PAGES for end in ("header", "footer")):
            if not part.is_linked_to_previous:
                yield from (Paragraph(one, part) for one in list(part._element.iter(qn("w:p"))))
    yield from (Paragraph(one, document._body) for one in list(document.element.body.iter(qn("w:p"))))


def _runs(paragraph: Paragraph) -> list[Run]:
    """Return the runs of a paragraph, those of its links and fields too; not those of a text box that hangs on it."""
    return [Run(one, paragraph) for one in paragraph._p.iter(qn("w:r")) if next(one.iterancestors(qn("w:p"))) is paragraph._p]


def _fill(paragraph: Paragraph, figures: Figures, where: str) -> None:
    """Fill the runs of a paragraph, each in its own type; where Word cut a placeholder into several, all in the first one's."""
    runs = _runs(paragraph)
    text = "".join(run.text for run in runs)
    if sum(len(MARK.findall(run.text)) for run in runs) < len(MARK.findall(text)):
        _write(paragraph, filled(text, figures, where))
        return
    for run in runs:
        if MARK.search(run.text):
            run.text = filled(run.text, figures, where)


def _write(paragraph: Paragraph, text: str) -> None:
    """Let a text take the place of a paragraph's, in the type of its first run."""
    first, *others = _runs(paragraph)
    for run in others:
        run._r.getparent().remove(run._r)
    first.text = text


def _table(paragraph: Paragraph, table: Table) -> None:
    """Put a table behind a paragraph, which becomes its heading."""
    _write(paragraph, table.title if table.rows else f"{table.title}：无")
    paragraph.paragraph_format.keep_with_next = bool(table.rows)
    if table.rows:
        paragraph._p.addnext(parse_xml(_grid(table)))


def _grid(table: Table) -> str:
    edge = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>'
                   for side in ("top", "left", "bottom", "right", "insideH", "insideV"))  # fmt: skip
    head = _row([(name, False) for name in table.columns], "<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>", bold="<w:b/>")
    rows = "".join(_row([(shown.text(value), shown.number(value)) for value in row], "<w:trPr><w:cantSplit/></w:trPr>")
                   for row in table.rows)  # fmt: skip
    columns = "<w:gridCol/>" * len(table.columns)
    return (f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{edge}</w:tblBorders></w:tblPr>'
            f"<w:tblGrid>{columns}</w:tblGrid>{head}{rows}</w:tbl>")  # fmt: skip


def _row(cells: list[tuple[str, bool]], properties: str, bold: str = "") -> str:
    def cell(text: str, right: bool) -> str:
        side = '<w:jc w:val="right"/>' if right else ""
        type_ = f'<w:rPr>{bold}<w:sz w:val="{SMALL}"/><w:szCs w:val="{SMALL}"/></w:rPr>'
        return (f'<w:tc><w:tcPr/><w:p><w:pPr><w:spacing w:before="0" w:after="0"/>{side}</w:pPr>'
                f'<w:r>{type_}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p></w:tc>')  # fmt: skip

    return f"<w:tr>{properties}{''.join(cell(*one) for one in cells)}</w:tr>"


def _chart(made: Pages, paragraph: Paragraph, table: Table) -> None:
    labels, lines = series(table)
    if not lines:
        _write(paragraph, f"{table.title}：无")
        return
    made.charts.append(table)
    number = len(made.charts)
    package = made.document.part.package
    part = Part(PackURI(f"/word/charts/report{number}.xml"), CHART, drawn(table.title, labels, lines), package)
    rid = made.document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    _write(paragraph, "")
    size = {"cx": Emu(Cm(WIDTH)), "cy": Emu(Cm(HEIGHT))}
    paragraph._p.append(parse_xml(INLINE.format(ns=nsdecls("w", "wp", "a", "r"), id=1000 + number, rid=rid,
                                                title=escape(table.title, {'"': "&quot;"}), **size)))  # fmt: skip
