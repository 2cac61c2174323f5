"""What a delivery is by its bytes, not by its name; and what is inside, without reading all of it."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.readers.encodings import fitting
from jobs.readers.fixed_layout import layout
from schemas.errors import UserError

HEAD, SAMPLE = 4096, 1 << 18
CSV, TEXT, HTML, LFS = "text/csv", "text/plain", "text/html", "application/x-git-lfs-pointer"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OLE, ZIP, GZIP = "application/x-ole-storage", "application/zip", "application/gzip"
CUT = "a zip without its end"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
XLS, PDF, HDF5, NETCDF3 = "application/vnd.ms-excel", "application/pdf", "application/x-hdf5", "application/x-netcdf"
JSON, PARQUET = "application/json", "application/vnd.apache.parquet"
ORC, AVRO, TAR = "application/vnd.apache.orc", "application/vnd.apache.avro", "application/x-tar"
YAML, CDL = "application/yaml", "text/x-cdl"
PACKED = {"application/x-7z-compressed": "7z", "application/vnd.rar": "RAR", "application/x-bzip2": "bzip2",
          "application/x-xz": "xz", "application/zstd": "Zstandard"}  # fmt: skip
XML, BINARY, EMPTY = "text/xml", "application/octet-stream", "application/x-empty"

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/tiff", "image/webp", "image/bmp")
READABLE = {
    "csv": (CSV, TEXT, YAML, GZIP),
    "excel": (XLSX, XLS, ODS, "application/vnd.ms-excel.sheet.binary.macroEnabled.12"),
    "netcdf": (NETCDF3, HDF5),
    "hdf5": (HDF5,),
    "pdf": (PDF,),
    "word": (DOCX,),
    "json": (JSON, TEXT, CSV, GZIP),
    "parquet": (PARQUET,),
    "xml": (XML, TEXT, CSV, GZIP),
    "yaml": (YAML, TEXT, CSV, JSON, GZIP),
    "html": (HTML, GZIP),
    "fixed": (CSV, TEXT, YAML, GZIP),
    "cdl": (CDL, GZIP),
    "boundaries": (JSON, TEXT, GZIP),
    "orc": (ORC,),
    "avro": (AVRO,),
    "messages": (PARQUET,),
    "file": IMAGES,  # and whatever else it is asked to
}
MAGIC = (
    (b"\x1f\x8b", GZIP), (b"CDF\x01", NETCDF3), (b"CDF\x02", NETCDF3), (b"CDF\x05", NETCDF3),
    (b"\x89HDF\r\n\x1a\n", HDF5), (b"version https://git-lfs", LFS), (b"%PDF-", PDF),
    (b"Obj\x01", AVRO), (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"), (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xfd7zXZ\0", "application/x-xz"), (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"), (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
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
    if head.startswith(b"ORC") and tail.startswith(b"ORC") and len(head) > len(tail):
        return ORC
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
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    # A PDF may begin up to 1 kB late, an HDF5 file behind a user block of 512 bytes times a power of two.
    if b"%PDF-" in head[:1024]:
        return PDF
    if any(head.startswith(b"\x89HDF\r\n\x1a\n", offset) for offset in (512, 1024, 2048)):
        return HDF5
    if re.match(rb"BZh[1-9]1AY&SY", head):
        return "application/x-bzip2"
    return TAR if head[257:262] == b"ustar" else _text(head, name)


def _text(head: bytes, name: str) -> str:
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")) and head.count(0) * 20 > len(head):
        return BINARY
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    plain_head = head.decode("utf-16", "ignore").encode() if wide else head.removeprefix(b"\xef\xbb\xbf")
    start = plain_head.lstrip().lower()
    if re.match(rb"<(!doctype html|html|head|body|script|meta)\b", start) or _is_html_table(start):
        return HTML
    if re.match(rb"<\?xml|<!--|<!doctype|<[a-z_\x80-\xff][\w.:\x80-\xff-]*[\s/>]", start):
        return HTML if b"<html" in start else XML
    if re.match(rb'[\[{]\s*["\[{\]}]', start):
        return JSON
    if re.match(rb"(//[^\n]*\s+)*netcdf\s+[^\s{]+\s*\{", start):
        return CDL
    plain = name.lower().removesuffix(".gz")
    if plain.endswith((".csv", ".tsv", ".tab")):
        return CSV
    if plain.endswith((".yaml", ".yml")) or _is_yaml(start):
        return YAML
    return CSV if start.split(b"\n")[0].count(b",") else TEXT


def _is_html_table(start: bytes) -> bool:
    """Tell a table of HTML from XML whose root has that name: the elements in it are those of HTML."""
    return bool(re.match(rb"<table\b[^>]*>\s*(<!--.*?-->\s*)*<(tr|thead|tbody|tfoot|caption|colgroup|col)\b", start, re.DOTALL))


def _is_yaml(start: bytes) -> bool:
    """Tell YAML by its marks, or by every line of the beginning that is no comment: `key: value`, `key:` or `- value`."""
    if re.match(rb"%yaml\b|---(\s|$)", start):
        return True
    lines = [line for line in start.split(b"\n")[:-1][:100] if line.strip() and not line.lstrip().startswith(b"#")]
    keys = sum(bool(re.match(rb"(\s*- )*\s*[\w\x80-\xff ()/.'\"-]{1,60}:(\s|$)", line)) for line in lines)
    return keys > 1 and keys + sum(bool(re.match(rb"\s*- ", line)) for line in lines) >= len(lines)


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
    """Raise UserError if a file is of another kind than its format says; `file` takes any."""
    found = media_type(path, where)
    if format != "file" and found not in READABLE[format]:
        raise _other(CUT if found == ZIP and not zipfile.is_zipfile(path) else found, format, where)


def check_archive(path: Path, where: str) -> None:
    """Raise UserError if a file is no archive that is unpacked."""
    found = media_type(path, where)
    if found not in (ZIP, TAR, GZIP):
        what, remedy = SAYS.get(found, (found, "leave out the option `members`, which is for archives"))
        raise UserError(f"the file is {what}, and an archive was expected", where=where, remedy=remedy)


def is_archive(path: Path, name: str = "") -> bool:
    """Tell whether a file is an archive to us: Office files are none, a gzip file is one where no text is in it."""
    found = media_type(path, name or path.name)
    texts = {kind for kinds in READABLE.values() if GZIP in kinds for kind in kinds} - {GZIP}
    return found in (ZIP, TAR) or (found == GZIP and _unpacked(path, name or path.name) not in texts)


SAYS = {
    LFS: ("a pointer of Git LFS, not the file itself", "fetch the file with `git lfs pull` and land it again"),
    HTML: ("an HTML page", "the source may have answered with an error page or a login; open it in a browser"),
    EMPTY: ("empty", "ask for the delivery again"),
    ZIP: ("a ZIP archive", "name its members in the option `members`; `carbonlake probe` lists them"),
    CUT: ("a ZIP, as Office files are, too, that is cut off or damaged", "ask for the delivery again"),
    TAR: ("a tar archive", "name its members in the option `members`; `carbonlake probe` lists them"),
    **{kind: (f"packed by {name}", "unpack it, and land the files, or a zip or tar.gz of them") for kind, name in PACKED.items()},
    "application/x-encrypted-office": ("an Office file under a password", "ask for a file without a password"),
}


def _other(found: str, format: str, where: str) -> UserError:
    what, remedy = SAYS.get(found, (found, "check the `format` of the source"))
    return UserError(f"the file is {what}, and {format} was expected", where=where, remedy=remedy)


def format_of(path: Path, name: str = "") -> str:
    """Return the format that reads a file, by its bytes; of HDF5, which NetCDF is made of, by its name too.

    Raise UserError where none does.
    """
    name = name or path.name
    found = media_type(path, name)
    if found == GZIP:
        found, name = _unpacked(path, name), name.lower().removesuffix(".gz")
    if found == HDF5:
        return "netcdf" if name.lower().endswith((".nc", ".nc4", ".cdf")) else "hdf5"
    if found == TEXT and re.search(r"\.(geo)?json(l)?$|\.ndjson$", name, re.IGNORECASE):
        return "json"
    if found == TEXT and layout(_sample(path)):
        return "fixed"
    known = next((format for format, kinds in READABLE.items() if found == kinds[0]), None)
    known = known or next((format for format, kinds in READABLE.items() if found in kinds), None)
    if known is None:
        what, remedy = SAYS.get(found, (found, f"known formats: {', '.join(READABLE)}"))
        raise UserError(f"the file is {what}, which no reader takes", where=name, remedy=remedy)
    return known


def _sample(path: Path) -> str:
    """Return the beginning of a text."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head: bytes = file.read(SAMPLE)
    except (OSError, EOFError, zlib.error):
        return ""
    return head.decode(fitting(head), "ignore").rpartition("\n")[0]


def _unpacked(path: Path, name: str) -> str:
    """Return the media type of what a gzip file holds, by its beginning."""
    try:
        with gzip.open(path) as file:
            head = file.read(HEAD)
    except (OSError, EOFError, zlib.error):
        return CSV  # its reader says what is wrong with the file
    return _of_bytes(head, name.lower().removesuffix(".gz"))


def probe(format: str, path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Say what is inside a delivery without reading all: sheets, headers, encoding, variables, dimensions, first rows."""
    if format == "csv":
        from jobs.readers.csv import probe as probe_csv

        return probe_csv(path, dict(options))
    from jobs.readers.cage import probe_caged

    return probe_caged(format, path, options)
