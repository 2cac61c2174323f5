"""Parts of a Word file: XML of both editions of Office Open XML, read whole or refused, and what else the file holds."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lxml import etree

from schemas.errors import UserError

LARGEST = 256 << 20  # bytes of one part, unpacked; a book of a thousand pages has 20 MB
REMEDY = "open it in Word or LibreOffice, save it as .docx, and land it again"
BODY = "word/document.xml"


@contextmanager
def opened(path: Path, where: str) -> Iterator[zipfile.ZipFile]:
    """Open a Word file; whatever is wrong with it becomes UserError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UserError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        etree.XMLSyntaxError,
        LookupError,
        ValueError,
        RuntimeError,
        OSError,
        EOFError,
    ) as error:
        raise UserError(f"the document can't be opened: {type(error).__name__} {str(error)[:200]}", where=where,
                        remedy=REMEDY) from None  # fmt: skip


def part(archive: zipfile.ZipFile, name: str, where: str) -> Any:
    """Return the root of one part. Raise UserError for one that unpacks beyond the limit, or declares entities."""
    with archive.open(name) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UserError(f"{name} unpacks to more than {LARGEST >> 20} MB", where=where, remedy="a document is never that large")
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
        raise UserError(f"{name} declares a document type, which Word never writes", where=where, remedy=REMEDY)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    return etree.fromstring(content, parser)


def parts(archive: zipfile.ZipFile, kind: str, where: str) -> Iterator[tuple[str, Any]]:
    """Yield name and root of the parts of a kind (header, footer, footnotes, endnotes), in the order of their names."""
    for name in sorted(archive.namelist()):
        plain = name.removeprefix("word/").removesuffix(".xml")
        if name.startswith("word/") and name.endswith(".xml") and plain.rstrip("0123456789") == kind:
            yield plain, part(archive, name, where)


def styles(archive: zipfile.ZipFile, where: str) -> dict[str, str]:
    """Return style id → name."""
    if "word/styles.xml" not in archive.namelist():
        return {}
    found = {}
    for one in part(archive, "word/styles.xml", where):
        if tag(one) == "style":
            names = [value(child) for child in one if tag(child) == "name"]
            found[value(one, "styleId")] = names[0] if names else ""
    return found


def looks(archive: zipfile.ZipFile, where: str) -> dict[str, list[Any]]:
    """Return style id → the marks that its text wears, those of the style that it is based on included."""
    if "word/styles.xml" not in archive.namelist():
        return {}
    own: dict[str, list[Any]] = {}
    base: dict[str, str] = {}
    for one in part(archive, "word/styles.xml", where):
        if tag(one) == "style":
            name = value(one, "styleId")
            own[name] = [mark for inner in one if tag(inner) == "rPr" for mark in inner]
            base[name] = next((value(inner) for inner in one if tag(inner) == "basedOn"), "")
    found = {}
    for name in own:
        line = [name]
        while (below := base.get(line[-1], "")) and below not in line:
            line.append(below)
        found[name] = [mark for one in reversed(line) for mark in own.get(one, [])]
    return found


def holds(archive: zipfile.ZipFile) -> list[str]:
    """Name what a file holds beside its text; none of it is run or opened."""
    names = archive.namelist()
    kinds = (("vbaProject.bin", "macros"), ("word/embeddings/", "embedded files"), ("word/media/", "pictures"),
             ("word/comments.xml", "comments"))  # fmt: skip
    return [what for mark, what in kinds if any(mark in name for name in names)]


def tag(one: Any) -> str:
    """Return the name of an element without its namespace: Strict and Transitional differ by that alone."""
    return etree.QName(one).localname if isinstance(one.tag, str) else ""


def value(one: Any, name: str = "val") -> str:
    """Return an attribute, whatever its namespace; "" where it is not there."""
    return next((str(text) for key, text in one.attrib.items() if etree.QName(key).localname == name), "")
