"""Pages of a PDF: opened with every damage told, pictures of pages known as such, fonts whose maps can't be right."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pdfminer.pdftypes
import pdfplumber
from pdfminer.encodingdb import name2unicode
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfminer.pdftypes import dict_value, list_value, resolve1

from jobs.readers.pdf_seen import heeded
from jobs.readers.pdf_text import Box
from schemas.errors import UserError

# A picture of that share of the page is the page; text over it in that number is a layer of recognised text.
PAGE, PICTURE, LAYER = 0.8, 0.5, 20
JUNK = 0.3  # share of signs without meaning at which the text of a page is none
DRAWN = 50  # curves on a page without text: letters as outlines
_unpack = pdfminer.pdftypes.decompress_corrupted


@contextmanager
def opened(path: Path, where: str) -> Iterator[Any]:
    """Open a file; passwords and whatever the library makes of a damaged one become UserError."""
    damaged: list[int] = []

    def told(data: bytes) -> bytes:
        damaged.append(len(data))
        return _unpack(data)

    # The library goes on with what it can unpack of a damaged stream: half a page, or a digit that was flipped.
    pdfminer.pdftypes.decompress_corrupted = told
    try:
        with heeded(), pdfplumber.open(path) as file:
            _check_pages(file, where)
            yield file
            if damaged:
                raise UserError(f"the document is damaged: {len(damaged)} compressed streams fail their check", where=where,
                                remedy="ask for the delivery again")  # fmt: skip
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001
        # pdfminer lets any exception through from damaged objects, and pdfplumber wraps those of opening.
        causes = (error, error.__cause__, error.__context__, *error.args)
        if any(isinstance(one, PDFPasswordIncorrect) for one in causes):
            raise UserError("the document is under a password", where=where, remedy="ask for one without") from None
        raise UserError(f"the document is damaged: {type(error).__name__} {str(error)[:200]}", where=where,
                        remedy="ask for the delivery again") from None  # fmt: skip
    finally:
        pdfminer.pdftypes.decompress_corrupted = _unpack


def _check_pages(file: Any, where: str) -> None:
    """Raise UserError where the document says that it has more pages than can be found."""
    said = resolve1(dict_value(file.doc.catalog.get("Pages", {})).get("Count"))
    if isinstance(said, int) and said > len(file.pages):
        raise UserError(f"the document is damaged: it has {said} pages by its own account, {len(file.pages)} can be found",
                        where=where, remedy="ask for the delivery again")  # fmt: skip


def pictures(page: Any) -> list[Box]:
    """Return the boxes of pictures that show (half of) the page and whose text nobody wrote beside them."""
    area = float(page.width * page.height) or 1.0
    found = []
    for one in page.images:
        box = (max(one["x0"], 0.0), max(one["top"], 0.0), min(one["x1"], page.width), min(one["bottom"], page.height))
        if box[0] >= box[2] or box[1] >= box[3]:
            box = (0.0, 0.0, page.width, page.height)  # where a damaged page says that its picture lies beside it
        if (one["x1"] - one["x0"]) * (one["bottom"] - one["top"]) >= PICTURE * area and _over(page, box) < LAYER:
            found.append(box)
    return found


def has_layer(page: Any) -> bool:
    """Tell whether text lies over a picture of the whole page, as programs of recognition write it."""
    area = float(page.width * page.height) or 1.0
    boxes = [(one["x0"], one["top"], one["x1"], one["bottom"]) for one in page.images]
    return any((b[2] - b[0]) * (b[3] - b[1]) >= PAGE * area and _over(page, b) >= LAYER for b in boxes)


def _over(page: Any, box: Box) -> int:
    return sum(box[0] <= one["x0"] and one["x1"] <= box[2] and box[1] <= one["top"] and one["bottom"] <= box[3]
               for one in page.chars if one["text"].strip())  # fmt: skip


def kind(page: Any) -> str:
    """Say what a page without readable text is: scanned, drawn (letters as outlines), unreadable; "" for any other."""
    texts = [one["text"] for one in page.chars if one["text"].strip()]
    if not texts:
        return "scanned" if page.images else "drawn" if len(page.curves) >= DRAWN else ""
    junk = sum(text.startswith("(cid:") or unicodedata.category(text[0]) in ("Co", "Cn", "Cc") or "�" in text for text in texts)
    return "unreadable" if junk > JUNK * len(texts) else ""


def wrong_maps(page: Any) -> set[str]:
    """Return the fonts of a page whose map to Unicode can't be right.

    Either the names of their glyphs say another figure or letter than ToUnicode, or several glyphs are one figure, or there is
    neither a map nor a name. A map that is wrong as a whole and agrees with itself can't be told without looking at the page.
    """
    found = set()
    fonts = resolve1(dict_value(page.page_obj.resources or {}).get("Font")) or {}
    for spec in fonts.values():
        font = page.pdf.rsrcmgr.get_font(getattr(spec, "objid", None), dict_value(spec))
        to_unicode = getattr(getattr(font, "unicode_map", None), "cid2unichr", {})
        if _contradicts(to_unicode, getattr(font, "cid2unicode", {})) or _nameless(dict_value(spec)) - to_unicode.keys():
            found.add(str(font.fontname.decode("ascii", "replace") if isinstance(font.fontname, bytes) else font.fontname))
    return found


def _contradicts(to_unicode: Mapping[int, str], by_name: Mapping[int, str]) -> bool:
    figures = [text for text in to_unicode.values() if len(text) == 1 and "0" <= text <= "9"]
    named = [cid for cid, text in to_unicode.items() if by_name.get(cid, "").isalnum() and text.isalnum()
             and unicodedata.normalize("NFKC", by_name[cid]) != unicodedata.normalize("NFKC", text)]  # fmt: skip
    return len(set(figures)) < len(figures) or any(by_name[cid].isdigit() or to_unicode[cid].isdigit() for cid in named)


def _nameless(spec: Mapping[str, Any]) -> set[int]:
    """Return the codes whose glyphs have names that are none of a letter: the library takes them for those of its own table."""
    encoding = resolve1(spec.get("Encoding"))
    found: set[int] = set()
    code = 0
    for one in list_value(encoding.get("Differences", [])) if isinstance(encoding, dict) else []:
        if isinstance(one, int):
            code = one
            continue
        try:
            name2unicode(str(getattr(one, "name", "")))
        except (KeyError, ValueError):
            found.add(code)
        code += 1
    return found


def holds(file: Any) -> list[str]:
    """Name what a document holds beside its pages; none of it is run, opened or followed."""
    catalog = file.doc.catalog
    names = dict_value(catalog.get("Names", {}))
    found = [what for key, what in (("JavaScript", "JavaScript"), ("EmbeddedFiles", "embedded files")) if key in names]
    found += [what for key, what in (("OpenAction", "an action on opening"), ("AA", "further actions")) if key in catalog]
    form = dict_value(catalog.get("AcroForm", {}))
    found += ["a form"] if form else []
    found += ["an XFA form, which is not read"] if "XFA" in form else []
    return found


def fields(page: Any) -> Iterator[tuple[str, Box]]:
    """Yield the filled fields of a form as `name: value`, with their boxes."""
    for given in list_value(page.page_obj.annots or []):
        one = dict_value(given)
        above = dict_value(one.get("Parent", {}))
        value = resolve1(one.get("V", above.get("V")))
        rect = [resolve1(side) for side in list_value(one.get("Rect", []))]
        if getattr(resolve1(one.get("Subtype")), "name", "") != "Widget" or value is None or len(rect) != 4:
            continue
        name, text = _plain(resolve1(one.get("T", above.get("T"))) or b""), _plain(value)
        x0, y0, x1, y1 = (float(side) for side in rect)
        if text:
            yield f"{name}: {text}" if name else text, (x0, page.height - y1, x1, page.height - y0)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_plain(resolve1(one)) for one in list_value(value))
    if isinstance(value, bytes):
        return value.decode("utf-16" if value.startswith((b"\xfe\xff", b"\xff\xfe")) else "latin-1", "replace").strip()
    return str(getattr(value, "name", value)).strip()
