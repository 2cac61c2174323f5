from __future__ import annotations

from pathlib import Path
from typing import Any

import docx
import pytest

from jobs.readers.passages import is_heading
from tests.jobs.readers.reading import read_file, refusal


def _pdf(path: Path, *streams: bytes, resources: bytes = b"", extra: bytes = b"", trailer: bytes = b"") -> Path:
    """Write a PDF by hand, of a page for each stream."""
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    pages = b" ".join(b"%d 0 R" % (3 + 2 * at) for at in range(len(streams)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (pages, len(streams))]
    for at, stream in enumerate(streams):
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 400]/Contents %d 0 R/Resources" % (4 + 2 * at)
            + b"<</Font<</F " + font + b">>" + resources + b">>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        ]  # fmt: skip
    objects += [extra] if extra else []
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (
        size, table, size, trailer, len(content))  # fmt: skip
    path.write_bytes(content + end)
    return path


def _text(*lines: tuple[int, int, int, str]) -> bytes:
    return b"".join(b"BT /F %d Tf %d %d Td (%s) Tj ET\n" % (size, x, y, text.encode()) for size, x, y, text in lines)


def test_paragraphs_carry_page_box_and_the_heading_above(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", _text(
        (18, 60, 360, "Carbon plan"), (10, 40, 320, "1.1 Scope"),
        (10, 40, 300, "The plan covers all of the plants that use"), (10, 40, 286, "coal."), (10, 40, 240, "Another one."),
    ))  # fmt: skip
    found = read_file(tmp_path, "pdf", path)
    assert [(row["page"], row["heading"], row["text"]) for row in found.rows] == [
        ("1", "Carbon plan", "Carbon plan"),
        ("1", "1.1 Scope", "1.1 Scope"),
        ("1", "1.1 Scope", "The plan covers all of the plants that use coal."),
        ("1", "1.1 Scope", "Another one."),
    ]
    assert found.rows[2]["_locator"].startswith("page 1 (40,9") and found.rows[2]["kind"] == "text"


def test_tables_are_passages_of_their_own(tmp_path: Path) -> None:
    lines = b"".join(b"%d 100 m %d 200 l S\n" % (x, x) for x in (40, 140, 240))
    lines += b"".join(b"40 %d m 240 %d l S\n" % (y, y) for y in (100, 150, 200))
    cells = _text((10, 50, 170, "fuel"), (10, 150, 170, "tonnes"), (10, 50, 120, "coal"), (10, 150, 120, "12"))
    found = read_file(tmp_path, "pdf", _pdf(tmp_path / "t.pdf", lines + cells + _text((10, 40, 300, "Above it."))))
    assert [(row["kind"], row["text"]) for row in found.rows] == [("text", "Above it."), ("table", "fuel | tonnes\ncoal | 12")]


def test_a_scanned_page_says_so(tmp_path: Path) -> None:
    image = (b"<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>"
             b"stream\nx\nendstream")  # fmt: skip
    path = _pdf(tmp_path / "scan.pdf", b"q 300 0 0 400 0 0 cm /I Do Q", resources=b"/XObject<</I 5 0 R>>", extra=image)
    found = read_file(tmp_path, "pdf", path)
    assert [(row["kind"], row["text"], row["_locator"]) for row in found.rows] == [("scanned", None, "page 1 (0,0,300,400)")]
    told = {name: value for name, value in found.read.info.items() if name != "documents"}
    assert told == {"pages": 1, "scanned_pages": 1, "integrity": "unchecked"}


def test_a_document_under_a_password_is_refused(tmp_path: Path) -> None:
    lock = b"<</Filter/Standard/V 1/R 2/P -44/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>"
    path = _pdf(tmp_path / "locked.pdf", _text((10, 40, 300, "secret")), extra=lock,
                trailer=b"/Encrypt 5 0 R/ID[<" + b"43" * 16 + b"><" + b"43" * 16 + b">]")  # fmt: skip
    assert "under a password" in refusal(tmp_path, "pdf", path)


@pytest.mark.parametrize("content", [b"%PDF-1.4\nnothing", b"%PDF-1.4\n" + bytes(range(256)) * 20])
def test_a_damaged_document_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.pdf"
    path.write_bytes(content)
    assert "bad.pdf: the document is damaged" in refusal(tmp_path, "pdf", path)


def test_an_empty_page_is_no_content(tmp_path: Path) -> None:
    assert "no text, no table and no picture" in refusal(tmp_path, "pdf", _pdf(tmp_path / "empty.pdf", b""))


def test_a_notice_of_tianjin_is_read_by_its_headings(tmp_path: Path, shared: Path) -> None:
    path = next((shared / "data/documents_pdf_zh").glob("218*.pdf"))
    found = read_file(tmp_path, "pdf", path)
    assert {"一、配额总量", "二、配额分配方法"} <= set(found.column("heading"))
    assert any("75 亿吨" in (text or "") for text in found.column("text"))


def _word(path: Path) -> Path:
    document = docx.Document()
    document.add_heading("Scope", 1)
    document.add_paragraph("All plants.")
    document.add_paragraph("")
    table = document.add_table(2, 3)
    for cell, text in zip([c for row in table.rows for c in row.cells], ["fuel", "t", "", "coal", "12", "x"], strict=True):
        cell.text = text
    table.rows[0].cells[1].merge(table.rows[0].cells[2])
    document.add_paragraph("二、配额")
    document.add_paragraph("最后")
    document.save(str(path))
    return path


def test_paragraphs_and_rows_of_tables_carry_their_place(tmp_path: Path) -> None:
    found = read_file(tmp_path, "word", _word(tmp_path / "a.docx"))
    assert [tuple(row[name] for name in ("heading", "kind", "text", "_locator")) for row in found.rows] == [
        ("Scope", "text", "Scope", "paragraph 1"),
        ("Scope", "text", "All plants.", "paragraph 2"),
        ("Scope", "table", "fuel | t", "table 1 row 1"),
        ("Scope", "table", "coal | 12 | x", "table 1 row 2"),
        ("二、配额", "text", "二、配额", "paragraph 4"),
        ("二、配额", "text", "最后", "paragraph 5"),
    ]


@pytest.mark.parametrize(("name", "reason"), [
    ("documents_office/xlsx_01.xlsx", "and word was expected"),
    ("documents_office/legacy_sample.xls", "and word was expected"),
])  # fmt: skip
def test_what_is_no_document_is_refused(tmp_path: Path, shared: Path, name: str, reason: str) -> None:
    assert reason in refusal(tmp_path, "word", shared / "data" / name)


@pytest.mark.parametrize(("text", "is_one"), [
    ("第三章 总则", True), ("一、配额总量", True), ("（二）历史法", True), ("1.2 Scope", True), ("附件 2", True),
    ("第一批企业名单如下：", False), ("2021 年度", False), ("一、" + "长" * 60, False),
])  # fmt: skip
def test_headings_are_told_by_their_numbering(text: str, is_one: Any) -> None:
    assert is_heading(text) is is_one
