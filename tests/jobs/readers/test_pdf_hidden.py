"""Text of a PDF that nobody sees is no text and no number: it is left out and counted, or its row is doubted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.readers.reading import read_file
from tests.jobs.readers.test_documents import _pdf, _text
from tests.jobs.readers.test_pdf_tables import _grid

HEAD = _text((10, 45, 280, "fuel"), (10, 145, 280, "t"), (10, 45, 250, "coal"))
TABLE = _grid([40, 140, 240], [240, 270, 300]) + HEAD
NUMBER = _text((10, 145, 250, "57"))
GROUND = "in the colour of their ground"
STATES = b"/ExtGState<</Half<</ca .5>>/Multiply<</BM/Multiply>>>>"
IMAGE = b"q %d 0 0 %d %d %d cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q\n"


@pytest.mark.parametrize(("drawn", "why"), [
    (b"1 g " + NUMBER + b"0 g\n", GROUND),
    (b"1 1 1 rg " + NUMBER + b"0 g\n", GROUND),
    (b"0 0 0 0 k " + NUMBER + b"0 g\n", GROUND),
    (b"0 .4 .4 rg 140 240 100 30 re f " + NUMBER + b"0 g\n", GROUND),
    (b"3 Tr " + NUMBER + b"0 Tr\n", "without ink"),
    (NUMBER + b"0 g 142 242 60 26 re f\n", "covered"),
    (NUMBER + b"q 0 0 300 400 re W n 1 g 142 242 60 26 re f Q\n", "covered"),
])  # fmt: skip
def test_a_number_that_nobody_sees_is_left_out_and_counted(tmp_path: Path, drawn: bytes, why: str) -> None:
    path = _pdf(tmp_path / "a.pdf", TABLE + drawn)
    found = read_file(tmp_path, "pdf", path, tables={})
    assert found.column("t") == [None]
    assert found.read.info["hidden_signs"] == {f"page 1: {why}": 2}
    passages = read_file(tmp_path, "pdf", path)
    assert not any("57" in row["text"] for row in passages.rows)


@pytest.mark.parametrize("drawn", [
    NUMBER,
    b"0 g 140 240 100 30 re f 1 g " + NUMBER + b"0 g\n",  # white on black
    b"0 g 140 240 m 240 240 l 240 270 l 200 280 l 140 270 l f 1 g " + NUMBER + b"0 g\n",  # on a shape
    b"0 G 30 w 140 255 m 240 255 l S 1 g " + NUMBER + b"0 g\n",  # on a thick line
    IMAGE % (100, 30, 140, 240) + b"1 g " + NUMBER + b"0 g\n",  # on a picture
    b"1 g 140 240 100 30 re f 0 g " + NUMBER,  # on white
    NUMBER + b"/Half gs 1 1 0 rg 140 240 100 30 re f 0 g\n",  # marked with a pen
    NUMBER + b"/Multiply gs 1 1 0 rg 140 240 100 30 re f 0 g\n",
    NUMBER + b"q 0 0 20 20 re W n 1 g 140 240 100 30 re f Q\n",  # clipped away
    NUMBER + b"140 240 100 30 re 141 241 98 28 re f*\n",  # a frame
    b"1 Tr " + NUMBER + b"0 Tr\n",
    b"q 3 Tr Q " + NUMBER,
])  # fmt: skip
def test_a_number_that_is_seen_stays(tmp_path: Path, drawn: bytes) -> None:
    found = read_file(tmp_path, "pdf", _pdf(tmp_path / "a.pdf", TABLE + drawn, resources=STATES), tables={})
    assert (found.column("t"), found.rows[0]["_doubt"]) == (["57"], None)
    assert "hidden_signs" not in found.read.info


def test_a_number_of_which_a_figure_is_hidden_waits(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", TABLE + NUMBER + b"1 g 150.3 242 60 26 re f 0 g\n")
    (row,) = read_file(tmp_path, "pdf", path, tables={}).rows
    assert row["t"] == "5" and row["_doubt"] == "low confidence 0.50: part of a text that can't be seen"


def test_text_beside_the_page_is_left_out(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", _text((10, 40, 300, "Seen"), (10, 500, 300, "Unseen"), (10, 40, -50, "Neither")))
    found = read_file(tmp_path, "pdf", path)
    assert found.column("text") == ["Seen"]
    assert found.read.info["hidden_signs"] == {"page 1: outside of the page": 13}


def test_text_without_ink_over_a_picture_is_what_recognition_made_of_it(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", IMAGE % (200, 60, 40, 240) + TABLE + b"3 Tr " + NUMBER)
    (row,) = read_file(tmp_path, "pdf", path, tables={}).rows
    assert row["t"] == "57" and "as recognition writes it" in row["_doubt"]


def test_a_form_has_the_state_that_it_is_drawn_in(tmp_path: Path) -> None:
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 300 400]/Length 25>>stream\n1 g 142 242 60 26 re f  \nendstream"
    for state, seen in ((b"", None), (b"/Half gs ", "57")):
        path = _pdf(
            tmp_path / "a.pdf", TABLE + NUMBER + state + b"/X Do\n", resources=STATES + b"/XObject<</X 5 0 R>>", extra=form
        )
        assert (read_file(tmp_path, "pdf", path, tables={}).rows[0]["t"] or None) == seen
