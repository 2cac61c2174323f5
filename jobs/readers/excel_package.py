"""The package of a workbook: whether its bytes are whole, and what it says of itself beside its sheets."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from schemas.errors import UserError

# A sheet at the limits of Excel in every cell is larger than this; no file that a person keeps is.
PART = 1 << 30
WHOLE = 4 << 30
ENTRIES = 20_000
CHUNK = 1 << 20
RELATION = re.compile(r"\{.*\}id$")
CUT = "ask for the file again: it was damaged on its way, or was not written by a spreadsheet program"


@dataclass(frozen=True)
class Facts:
    """What a workbook says of itself: parts of its sheets, workbooks it links to, macros, first day, rounding."""

    parts: dict[str, str] = field(default_factory=dict)
    external: tuple[str, ...] = ()
    macros: bool = False
    epoch: int = 1900
    rounded: bool = False  # "precision as displayed": formulas are computed from rounded values

    def info(self) -> dict[str, Any]:
        """Return what a person should know, and nothing of what is as usual."""
        found: dict[str, Any] = {"external_links": list(self.external)} if self.external else {}
        found |= {"macros": "there are macros; they are never run"} if self.macros else {}
        return found | ({"date_system": self.epoch} if self.epoch != 1900 else {})


@contextmanager
def package(path: Path, where: str) -> Iterator[zipfile.ZipFile | None]:
    """Open a workbook that is a ZIP archive, every part of it checked but the sheets; None where it is none.

    The checksums are those of the archive. Raise UserError where a part is damaged, encrypted, twice there or too large.
    """
    with path.open("rb") as file:
        packed = file.read(4) == b"PK\x03\x04"
    if not packed:
        yield None
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, where)
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        raise UserError(f"the workbook is damaged: {error}", where=where, remedy=CUT) from None


def _check(archive: zipfile.ZipFile, where: str) -> None:
    entries = archive.infolist()
    names = [entry.filename.casefold() for entry in entries]
    if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > WHOLE or any(e.file_size > PART for e in entries):
        raise UserError("the workbook unpacks to more than a workbook may", where=where,
                        remedy=f"split it: {PART >> 30} GiB a sheet, {WHOLE >> 30} GiB in all")  # fmt: skip
    if len(set(names)) < len(names):
        raise UserError("the workbook has a part twice", where=where, remedy=CUT)
    sealed = "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in archive.read("META-INF/manifest.xml")
    if sealed or any(entry.flag_bits & 1 for entry in entries):
        raise UserError("the workbook is under a password", where=where, remedy="ask for one without")
    for entry in entries:
        if "/worksheets/" not in entry.filename:
            with archive.open(entry) as file:  # reading to the end compares the checksum
                while file.read(CHUNK):
                    pass


def content(archive: zipfile.ZipFile, part: str, where: str) -> bytes:
    """Return the bytes of a part, compared with its checksum; raise UserError where there is none, or a DTD in it.

    ECMA-376-2, 8.3.6: a part holds no document type declaration.
    """
    named = {name.casefold(): name for name in archive.namelist()}
    if part.casefold() not in named:
        raise UserError(f"the workbook has no part {part!r}", where=where, remedy=CUT)
    data = archive.read(named[part.casefold()])
    if b"<!DOCTYPE" in data[:CHUNK] or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError(f"{part} is not as the format wants it: a document type, or another encoding than UTF-8", where=where,
                        remedy=CUT)  # fmt: skip
    return data


def facts(archive: zipfile.ZipFile, where: str) -> Facts:
    """Return what the workbook part of an .xlsx says and what stands beside it (ECMA-376-1, 18.2)."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names:
        return Facts(macros=any(name.lower().endswith("vbaproject.bin") for name in names),
                     external=tuple(name for name in names if re.fullmatch(r"xl/externalLinks/[^/]+\.bin", name)))  # fmt: skip
    relations = _relations(archive, "xl/_rels/workbook.xml.rels", where)
    parts, epoch, rounded = {}, 1900, False
    for one in _xml(content(archive, "xl/workbook.xml", where), "xl/workbook.xml", where).iter():
        kind = one.tag.rpartition("}")[2]
        if kind == "sheet":
            target = relations.get(next((value for key, value in one.attrib.items() if RELATION.match(key)), ""), "")
            parts[one.get("name", "")] = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        elif kind == "workbookPr" and one.get("date1904") in ("1", "true"):
            epoch = 1904
        elif kind == "calcPr" and one.get("fullPrecision") in ("0", "false"):
            rounded = True
    macros = any(name.lower().endswith("vbaproject.bin") or "/macrosheets/" in name.lower() for name in names)
    return Facts(parts, _external(archive, names, where), macros, epoch, rounded)


def _external(archive: zipfile.ZipFile, names: list[str], where: str) -> tuple[str, ...]:
    """Return the names of the workbooks whose values formulas take; they are not looked into."""
    found = []
    for name in sorted(names):
        if re.fullmatch(r"xl/externalLinks/_rels/[^/]+\.rels", name):
            found += [target.rpartition("/")[2] for target in _relations(archive, name, where).values()]
    return tuple(dict.fromkeys(found))


def _relations(archive: zipfile.ZipFile, part: str, where: str) -> dict[str, str]:
    return {one.get("Id", ""): one.get("Target", "") for one in _xml(content(archive, part, where), part, where)}


def _xml(data: bytes, part: str, where: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise UserError(f"{part} is no XML: {error}", where=where, remedy=CUT) from None
