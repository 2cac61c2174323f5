"""Pages of PDF: what they hold beside text, in which order text is read, and what damage is never read over."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from jobs.readers import pdf_tables
from jobs.readers.pdf_text import is_vertical
from tests.jobs.readers.reading import read_file, refusal
from tests.jobs.readers.test_documents import _pdf, _text


def test_columns_of_text_are_read_one_after_the_other(tmp_path: Path) -> None:
    left = [(10, 20, 330 - 14 * line, f"left line {line} of some prose") for line in range(6)]
    right = [(10, 170, 330 - 14 * line, f"right line {line} of the rest") for line in range(6)]
    lines = [(10, 20, 370, "A line over both of the columns, from the left to the very right end"), *left, *right]
    path = _pdf(tmp_path / "a.pdf", _text(*(part for pair in zip(lines[1:7], lines[7:], strict=True) for part in pair), lines[0]))
    texts = [row["text"] for row in read_file(tmp_path, "pdf", path).rows]
    assert texts[0].startswith("A line over both") and " ".join(texts[1:]) == " ".join(
        f"{side} line {line} of {'some prose' if side == 'left' else 'the rest'}"
        for side in ("left", "right")
        for line in range(6)
    )


def test_a_federal_register_of_three_columns_is_read_as_people_read_it(tmp_path: Path, shared: Path) -> None:
    found = read_file(tmp_path, "pdf", shared / "data/documents_pdf_en/federal-register-2020-17221.pdf")
    told = " ".join(row["text"] for row in found.rows if row["page"] == "6" and row["text"])
    assert "The FAA has received no definitive data that would enable the agency to provide cost estimates for the" in told
    assert found.read.info["scanned_pages"] == 2 and found.read.info["holds"] == ["a form"]


def test_chinese_in_vertical_lines_is_known() -> None:
    down = [
        {"text": sign, "x0": 500 - 20 * (at // 5), "top": 100 + 12 * (at % 5), "size": 12}
        for at, sign in enumerate("碳达峰碳中和是大事")
    ]
    across = [{"text": sign, "x0": 100 + 12 * at, "top": 100, "size": 12} for at, sign in enumerate("碳达峰碳中和")]
    assert is_vertical(down) and not is_vertical(across) and not is_vertical([])


def test_filled_fields_of_a_form_are_passages(tmp_path: Path) -> None:
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(plant)/V(Boiler 3)/Rect[40 300 140 320]>>"
    path = _pdf(tmp_path / "a.pdf", _text((10, 40, 360, "Form")), extra=field)
    path.write_bytes(path.read_bytes().replace(b"/MediaBox[0 0 300 400]", b"/Annots[5 0 R]/MediaBox[0 0 300 400]"))
    rows = read_file(tmp_path, "pdf", path).rows
    assert ("field", "plant: Boiler 3", "page 1 (40,80,140,100)") in {(row["kind"], row["text"], row["_locator"]) for row in rows}


def test_what_would_run_or_open_is_named_and_left_alone(tmp_path: Path) -> None:
    script = b"<</S/JavaScript/JS(app.launchURL\\('http://127.0.0.1:9'\\))>>"
    path = _pdf(tmp_path / "a.pdf", _text((10, 40, 360, "Text")), extra=script)
    path.write_bytes(
        path.read_bytes().replace(
            b"/Type/Catalog", b"/Type/Catalog/OpenAction 5 0 R/Names<</JavaScript 5 0 R/EmbeddedFiles 5 0 R>>"
        )
    )
    found = read_file(tmp_path, "pdf", path)
    assert found.read.info["holds"] == ["JavaScript", "embedded files", "an action on opening"]
    assert [row["text"] for row in found.rows] == ["Text"]


def _packed(path: Path, body: bytes) -> Path:
    """Write a page whose content is the given bytes, said to be compressed."""
    _pdf(path, body)
    path.write_bytes(path.read_bytes().replace(b"<</Length %d>>" % len(body), b"<</Filter/FlateDecode/Length %d>>" % len(body)))
    return path


def test_a_compressed_page_that_fails_its_check_is_refused(tmp_path: Path) -> None:
    whole = zlib.compress(b"".join(_text((10, 40, 300 - line, f"coal {line} 12 t")) for line in range(50)))
    assert read_file(tmp_path, "pdf", _packed(tmp_path / "a.pdf", whole)).rows
    for name, body in (("sum.pdf", whole[:-1] + bytes([whole[-1] ^ 1])), ("cut.pdf", whole[: len(whole) // 2])):
        told = refusal(tmp_path, "pdf", _packed(tmp_path / name, body))
        assert "1 compressed streams fail their check" in told and "ask for the delivery again" in told


def test_a_document_that_says_it_has_more_pages_is_refused(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", _text((10, 40, 360, "Text")))
    path.write_bytes(path.read_bytes().replace(b"/Count 1", b"/Count 3"))
    assert "it has 3 pages by its own account, 1 can be found" in refusal(tmp_path, "pdf", path)


def test_a_document_whose_table_of_objects_is_lost_is_read_by_its_objects(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", _text((10, 40, 360, "Text")))
    path.write_bytes(path.read_bytes().replace(b"startxref\n", b"startxref\n9"))
    assert [row["text"] for row in read_file(tmp_path, "pdf", path).rows] == ["Text"]


def test_signs_without_unicode_make_a_page_unreadable(tmp_path: Path) -> None:
    private = b"1 beginbfrange\n<61> <66> <E000>\nendbfrange\n"
    extra = b"<</Length %d>>stream\n%s\nendstream" % (len(private), private)
    path = _pdf(tmp_path / "a.pdf", _text((10, 40, 360, "abcdef")), extra=extra)
    path.write_bytes(path.read_bytes().replace(b"/BaseFont/Helvetica", b"/BaseFont/Helvetica/ToUnicode 5 0 R"))
    found = read_file(tmp_path, "pdf", path)
    assert [(row["kind"], row["text"]) for row in found.rows] == [("unreadable", None)]
    assert "no table can be read (unreadable: page 1)" in refusal(tmp_path, "pdf", path, tables={})


def test_letters_drawn_as_outlines_are_told(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", b"10 10 m 20 30 40 50 60 70 c S\n" * 60)
    assert [row["kind"] for row in read_file(tmp_path, "pdf", path).rows] == ["drawn"]


def test_a_page_of_too_many_lines_is_not_searched_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Page:
        edges = [{}] * (pdf_tables.MOST_EDGES + 1)
        page_number = 4

    with pytest.raises(pdf_tables.UserError, match="page 4 has 30001 lines, too many") as caught:
        pdf_tables.grids(Page(), True, "a.pdf")
    assert "choose other pages" in str(caught.value)
