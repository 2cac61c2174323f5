"""What a delivery is by its bytes, not by its name; and what is inside, without reading all of it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

HEAD = 4096
CSV, TEXT, HTML, LFS = "text/csv", "text/plain", "text/html", "application/x-git-lfs-pointer"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OLE, ZIP, GZIP = "application/x-ole-storage", "application/zip", "application/gzip"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
XLS, PDF, HDF5, NETCDF3 = "application/vnd.ms-excel", "application/pdf", "application/x-hdf5", "application/x-netcdf"
JSON, PARQUET = "application/json", "application/vnd.apache.parquet"
XML, BINARY, EMPTY = "text/xml", "application/octet-stream", "application/x-empty"

READABLE = {
    "csv": (CSV, TEXT, GZIP),
    "excel": (XLSX, XLS, ODS, "application/vnd.ms-excel.sheet.binary.macroEnabled.12"),
    "netcdf": (NETCDF3, HDF5),
    "hdf5": (HDF5,),
    "pdf": (PDF,),
    "word": (DOCX,),
    "json": (JSON, TEXT, CSV, GZIP),
    "parquet": (PARQUET,),
    "xml": (XML, TEXT, CSV, GZIP),
}
MAGIC = (
    (b"\x1f\x8b", GZIP), (b"CDF\x01", NETCDF3), (b"CDF\x02", NETCDF3), (b"CDF\x05", NETCDF3),
    (b"\x89HDF\r\n\x1a\n", HDF5), (b"version https://git-lfs", LFS), (b"%PDF-", PDF),
)  # fmt: skip
ENTRIES = (
    ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.12"), ("xl/workbook.xml", XLSX),
    ("word/document.xml", DOCX),
)  # fmt: skip


def media_type(path: Path, name: str) -> str:
    """Return the media type of a file by its bytes; the name only tells CSV from other text."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read()
    if head.startswith(b"PAR1") and tail == b"PAR1" and len(head) > len(tail):
        return PARQUET
    if head.startswith(b"PK\x03\x04"):
        return _zip(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole(path)
    return _of_bytes(head, name)


def _of_bytes(head: bytes, name: str) -> str:
    if not head:
        return EMPTY
    for magic, found in MAGIC:
        if head.startswith(magic):
            return found
    # A PDF may begin up to 1 kB late, an HDF5 file behind a user block of 512 bytes times a power of two.
    if b"%PDF-" in head[:1024]:
        return PDF
    if any(head.startswith(b"\x89HDF\r\n\x1a\n", offset) for offset in (512, 1024, 2048)):
        return HDF5
    return _text(head, name)


def _text(head: bytes, name: str) -> str:
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(0) * 20 > len(head):
        return BINARY
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    plain_head = head.decode("utf-16", "ignore").encode() if wide else head.removeprefix(b"\xef\xbb\xbf")
    start = plain_head.lstrip().lower()
    if re.match(rb"<(!doctype html|html|head|body|table|script|meta)\b", start):
        return HTML
    if re.match(rb"<\?xml|<!--|<!doctype|<[a-z_\x80-\xff][\w.:\x80-\xff-]*[\s/>]", start):
        return HTML if b"<html" in start else XML
    if re.match(rb'[\[{]\s*["\[{\]}]', start):
        return JSON
    plain = name.lower().removesuffix(".gz")
    return CSV if plain.endswith((".csv", ".tsv", ".tab")) or start.split(b"\n")[0].count(b",") else TEXT


def _zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100].decode("ascii", "replace") if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        return ZIP
    return kind if kind == ODS else next((found for entry, found in ENTRIES if entry in names), ZIP)


def _ole(path: Path) -> str:
    """Old Office files share one container, as do new ones under a password; the names inside are UTF-16."""
    with path.open("rb") as file:
        content = file.read(32 << 20)
    if "EncryptedPackage".encode("utf-16-le") in content:
        return "application/x-encrypted-office"
    workbook = any(name.encode("utf-16-le") in content for name in ("Workbook", "Book"))
    return XLS if workbook else OLE


def refuse_other(head: bytes, format: str, where: str) -> None:
    """Raise UserError if the first bytes of a text delivery are of another kind of file."""
    found = _of_bytes(head[:HEAD], where)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        found = ZIP if head.startswith(b"PK") else OLE
    if found not in READABLE[format] and found != BINARY:
        raise _other(found, format, where)


def check_type(path: Path, format: str, where: str) -> None:
    """Raise UserError if a file is of another kind than its format says."""
    found = media_type(path, where)
    if found not in READABLE[format]:
        raise _other(found, format, where)


SAYS = {
    LFS: ("a pointer of Git LFS, not the file itself", "fetch the file with `git lfs pull` and land it again"),
    HTML: ("an HTML page", "the source may have answered with an error page or a login; open it in a browser"),
    EMPTY: ("empty", "ask for the delivery again"),
    ZIP: ("a ZIP archive, damaged or of another kind", "unpack it and land the files"),
    "application/x-encrypted-office": ("an Office file under a password", "ask for a file without a password"),
}


def _other(found: str, format: str, where: str) -> UserError:
    what, remedy = SAYS.get(found, (found, "check the `format` of the source"))
    return UserError(f"the file is {what}, and {format} was expected", where=where, remedy=remedy)


def format_of(path: Path) -> str:
    """Return the format that reads a file, by its bytes; of HDF5, which NetCDF is made of, by its name too.

    Raise UserError where none does.
    """
    found = media_type(path, path.name)
    if found == HDF5:
        return "netcdf" if path.suffix.lower() in (".nc", ".nc4", ".cdf") else "hdf5"
    if found in (TEXT, GZIP) and re.search(r"\.(geo)?json(l)?(\.gz)?$|\.ndjson(\.gz)?$", path.name, re.IGNORECASE):
        return "json"
    if found == GZIP and path.name.lower().endswith(".xml.gz"):
        return "xml"
    known = next((format for format, kinds in READABLE.items() if found in kinds), None)
    if known is None:
        what, remedy = SAYS.get(found, (found, f"known formats: {', '.join(READABLE)}"))
        raise UserError(f"the file is {what}, which no reader takes", where=path.name, remedy=remedy)
    return known


def probe(format: str, path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Say what is inside a delivery without reading all: sheets, headers, encoding, variables, dimensions, first rows."""
    if format == "csv":
        from jobs.readers.csv import probe as probe_csv

        return probe_csv(path, dict(options))
    from jobs.readers.cage import probe_caged

    return probe_caged(format, path, options)
