"""Word files: rows of their tables, both editions of the format, changes that wait, boxes, notes, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest

from jobs.readers import docx_parts
from tests.jobs.readers.reading import read_file, refusal

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _changed(path: Path, name: str, content: str, source: Path | None = None) -> Path:
    """Write a Word file with one part replaced or added."""
    first = source or path.with_name("plain.docx")
    if source is None:
        docx.Document().save(str(first))
    with zipfile.ZipFile(first) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            if item.filename != name:
                new.writestr(item, old.read(item))
        new.writestr(name, content)
    return path


def _body(path: Path, body: str) -> Path:
    return _changed(path, "word/document.xml", f"<w:document {W}><w:body>{body}</w:body></w:document>")


def _table(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<w:tc>{cell}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def _p(text: str, inner: str = "") -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r>{inner}</w:p>"


def test_rows_of_a_table_carry_their_place_and_merged_cells_stand_everywhere(tmp_path: Path, shared: Path) -> None:
    path = shared / "data/documents_office/word_tables.docx"
    found = read_file(tmp_path, "word", path, tables={"numbers": [5]}, header=1, columns=list("abcde"))
    assert found.rows[0]["_locator"] == "table 5 row 2" and found.rows[0]["_cells"] is None
    assert [(row["a"], row["b"]) for row in found.rows[:2]] == [
        ("Cell 1.0", "Merged Cell 1.1 2.1"),
        ("Cell 2.0", "Merged Cell 1.1 2.1"),
    ]
    assert found.read.info["tables"] == 1


def test_a_table_is_chosen_by_its_header(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "word", shared / "data/documents_office/word_sample.docx", tables={"header": "Calories"})
    assert found.read.columns[:3] == ("column_1", "Food", "Calories per portion")
    assert [(row["Food"], row["Calories per portion"]) for row in found.rows][::2] == [
        ("Ash, Elm, Maple", "50"),
        ("Corn, Buckwheat, Barley", "200"),
    ]


def test_a_strict_document_is_read_like_any_other(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "word", shared / "data/documents_office/Strict.docx")
    assert [(row["text"], row["_locator"]) for row in found.rows] == [("Some text", "paragraph 1")]


def test_content_controls_text_boxes_headers_and_inner_tables_are_read(tmp_path: Path, shared: Path) -> None:
    office = shared / "data/documents_office"
    boxes = read_file(tmp_path, "word", office / "docx_checkboxes.docx")
    assert any("☒ Orange juice" in row["text"] for row in boxes.rows)
    floating = read_file(tmp_path, "word", office / "textbox.docx")
    assert [row["text"] for row in floating.rows if row["_locator"] == "paragraph 4 box 1"] == ["Student falls ill"]
    assert len([row for row in floating.rows if row["text"] == "Student falls ill"]) == 1, "the copy for old programs is left out"
    heads = read_file(tmp_path, "word", office / "docx_page_header_footer_first_page.docx")
    assert {(row["kind"], row["_locator"]) for row in heads.rows} >= {("header", "header1"), ("footer", "footer1")}
    inner = read_file(tmp_path, "word", office / "tablecell.docx")
    assert [row["text"] for row in inner.rows if row["_locator"].startswith("table 2.1")] == [
        "Tab1 | Tab2 | Tab3",
        "A | B | C",
        "D | E | F",
    ]


def test_a_change_that_waits_is_read_as_accepted_and_doubted(tmp_path: Path) -> None:
    ins = "<w:ins><w:r><w:t>14</w:t></w:r></w:ins><w:del><w:r><w:delText>12</w:delText></w:r></w:del>"
    gone = "<w:tr><w:trPr><w:del/></w:trPr><w:tc>" + _p("peat") + "</w:tc><w:tc>" + _p("9") + "</w:tc></w:tr></w:tbl>"
    body = _table((_p("fuel"), _p("t")), (_p("coal"), f"<w:p>{ins}</w:p>"), (_p("gas"), _p("3"))).replace("</w:tbl>", gone)
    path = _body(tmp_path / "a.docx", body)
    found = read_file(tmp_path, "word", path, tables={})
    told = [(row["fuel"], row["t"], row["_doubt"]) for row in found.rows]
    assert told == [("coal", "14", "low confidence 0.60: a change that nobody accepted yet"), ("gas", "3", None)]


def test_a_raised_figure_is_no_part_of_the_number_and_what_is_struck_or_hidden_is_doubted(tmp_path: Path) -> None:
    def run(text: str, look: str = "") -> str:
        return f"<w:r><w:rPr>{look}</w:rPr><w:t>{text}</w:t></w:r>"

    looks = ['<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>', "<w:strike/>", '<w:vanish w:val="1"/>',
             '<w:strike w:val="0"/>']  # fmt: skip
    rows = [f"<w:tr><w:tc><w:p>{run('coal')}</w:p></w:tc><w:tc><w:p>{run('12')}{run('3', look)}</w:p></w:tc></w:tr>"
            for look in looks]  # fmt: skip
    body = _table((_p("fuel"), _p("t"))).replace("</w:tbl>", f"{''.join(rows)}</w:tbl>")
    found = read_file(tmp_path, "word", _body(tmp_path / "a.docx", body), tables={})
    assert found.column("t") == ["12³", "12₃", "123", "123", "123"]
    raised, struck = "raised or lowered signs beside a number", "text that is struck through or hidden"
    assert [doubt and doubt.partition(": ")[2] for doubt in found.column("_doubt")] == [raised, raised, struck, struck, None]


def test_a_style_raises_figures_as_well(tmp_path: Path) -> None:
    style = ('<w:style w:styleId="Up"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>'
             '<w:style w:styleId="Mark"><w:basedOn w:val="Up"/></w:style>')  # fmt: skip
    raised = '<w:r><w:rPr><w:rStyle w:val="Mark"/></w:rPr><w:t>3</w:t></w:r>'
    plain = _body(tmp_path / "b.docx", _table((_p("fuel"), _p("t")), (_p("coal"), _p("12", raised))))
    path = _changed(tmp_path / "a.docx", "word/styles.xml", f"<w:styles {W}>{style}</w:styles>", plain)
    assert read_file(tmp_path, "word", path, tables={}).column("t") == ["12³"]


def test_notes_are_passages_and_leave_their_number_at_the_text(tmp_path: Path) -> None:
    path = _body(tmp_path / "a.docx", _p("Steel", '<w:r><w:footnoteReference w:id="2"/></w:r>'))
    notes = (f'<w:footnotes {W}><w:footnote w:type="separator" w:id="-1">{_p("x")}</w:footnote>'
             f'<w:footnote w:id="2">{_p("crude steel only")}</w:footnote></w:footnotes>')  # fmt: skip
    found = read_file(tmp_path, "word", _changed(tmp_path / "b.docx", "word/footnotes.xml", notes, path))
    assert [(row["kind"], row["text"], row["_locator"]) for row in found.rows] == [
        ("text", "Steel[2]", "paragraph 1"), ("footnote", "crude steel only", "footnote 2"),
    ]  # fmt: skip


def test_a_row_that_begins_late_has_no_cell_there_and_is_doubted(tmp_path: Path) -> None:
    late = "<w:tr><w:trPr><w:gridBefore w:val='1'/></w:trPr><w:tc>" + _p("7") + "</w:tc></w:tr></w:tbl>"
    path = _body(tmp_path / "a.docx", _table((_p("fuel"), _p("t")), (_p("coal"), _p("3"))).replace("</w:tbl>", late))
    found = read_file(tmp_path, "word", path, tables={})
    assert [(row["fuel"], row["t"], row["_doubt"]) for row in found.rows][1] == (
        None,
        "7",
        "low confidence 0.50: no cell in part of the grid",
    )


@pytest.mark.parametrize(("name", "content", "message"), [
    ("word/document.xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares a document type"),
    ("word/document.xml", "<w:document", "can't be opened: XMLSyntaxError"),
])  # fmt: skip
def test_what_no_word_file_has_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    told = refusal(tmp_path, "word", _changed(tmp_path / "a.docx", name, content))
    assert message in told and "save it as .docx" in told


def test_a_part_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _body(tmp_path / "a.docx", _p("x" * 5000))
    monkeypatch.setattr(docx_parts, "LARGEST", 1000)
    with zipfile.ZipFile(path) as archive, pytest.raises(docx_parts.UserError, match="unpacks to more than"):
        docx_parts.part(archive, docx_parts.BODY, "a.docx")


def test_a_bit_that_was_flipped_is_found(tmp_path: Path) -> None:
    path = _body(tmp_path / "a.docx", "".join(_p(f"paragraph {number}") for number in range(200)))
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("word/document.xml").header_offset + 120
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(bytes(content))
    assert "can't be opened" in refusal(tmp_path, "word", path)


@pytest.mark.parametrize(("given", "message"), [
    ({"tables": {"pages": 1}}, "`pages` and `ruled` are for PDF"), ({"tables": {"numbers": [9]}}, "no table is the one"),
    ({"table": True}, "did you mean 'tables'?"),
])  # fmt: skip
def test_options_that_are_not_for_word_are_said(tmp_path: Path, shared: Path, given: dict[str, Any], message: str) -> None:
    assert message in refusal(tmp_path, "word", shared / "data/documents_office/word_tables.docx", **given)


def test_macros_and_embedded_files_are_named_and_left_alone(tmp_path: Path) -> None:
    path = _changed(tmp_path / "a.docx", "word/vbaProject.bin", "x", _body(tmp_path / "b.docx", _p("text")))
    told = read_file(tmp_path, "word", path).read.info
    assert (told["holds"], told["integrity"]) == (["macros"], "checked")
