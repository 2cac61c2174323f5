"""Files that are kept and described: pictures by their EXIF, Office files and PDF by what they say of themselves."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from jobs.readers import sniff
from tests.jobs.readers.reading import read_file, refusal


def photo(path: Path) -> Path:
    """Write a picture as a camera does, with time, camera, author and place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model], exif[ExifTags.Base.Artist] = "Canon", "EOS R5", "Li Hua"
    exif[ExifTags.Base.ImageDescription] = "Meter of boiler 3"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2025:03:04 05:06:07"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", (39.0, 54.0, 36.0)
    place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "W", (116.0, 30.0, 0.0)
    Image.new("RGB", (40, 30), "white").save(path, exif=exif)
    return path


def _png(path: Path, width: int, height: int) -> Path:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    return path


def test_a_photo_says_when_with_what_where_and_by_whom_it_was_taken(tmp_path: Path) -> None:
    (row,) = read_file(tmp_path, "file", photo(tmp_path / "meter.jpg")).rows
    assert (row["media_type"], row["width_px"], row["height_px"], row["_locator"]) == ("image/jpeg", "40", "30", "file")
    assert (row["taken_at"], row["camera"], row["author"]) == ("2025-03-04 05:06:07", "Canon EOS R5", "Li Hua")
    assert (row["latitude_deg"], row["longitude_deg"]) == ("39.910000", "-116.500000")
    assert row["description"] == "meter.jpg; Meter of boiler 3; image/jpeg; 2025-03-04 05:06:07", "no person, no place"
    assert len(row["sha256"]) == 64 and row["size_bytes"] == str((tmp_path / "meter.jpg").stat().st_size)


@pytest.mark.parametrize(("name", "media", "field", "value"), [
    ("documents_office/word_sample.docx", sniff.DOCX, "holds", "pictures"),
    ("documents_office/xlsx_01.xlsx", sniff.XLSX, "author", "Peter Staar"),
    ("documents_pdf_en/ag-energy-round-up-2017-02-24.pdf", sniff.PDF, "title", "National Ag Energy"),
    ("documents_pdf_en/ag-energy-round-up-2017-02-24.pdf", sniff.PDF, "created_at", "2017-02-24 13:31:44"),
    ("netcdf_quirks/cf__umfile.pp", sniff.BINARY, "title", None),
])  # fmt: skip
def test_files_say_what_they_are(tmp_path: Path, shared: Path, name: str, media: str, field: str, value: str | None) -> None:
    (row,) = read_file(tmp_path, "file", shared / "data" / name).rows
    assert (row["media_type"], row[field]) == (media, value)


def test_what_can_not_be_looked_into_is_kept_and_says_why(tmp_path: Path, shared: Path) -> None:
    (row,) = read_file(tmp_path, "file", shared / "data/documents_pdf_en/password-example.pdf").rows
    assert row["doubt"] == "the document is under a password" and row["size_bytes"] == "49755"
    cut = tmp_path / "cut.png"
    Image.new("RGB", (200, 200), "red").save(cut)
    cut.write_bytes(cut.read_bytes()[:60])
    (row,) = read_file(tmp_path, "file", cut).rows
    assert row["doubt"].startswith("the picture is damaged")


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, "file", _png(tmp_path / "bomb.png", 60000, 60000))
    assert "the picture says that it has 60000 × 60000 pixels" in told and "ask for a smaller picture" in told
    (row,) = read_file(tmp_path, "file", _png(tmp_path / "large.png", 20000, 20000)).rows
    assert row["width_px"] == "20000", "a large scan is none"


def test_a_file_without_bytes_is_refused(tmp_path: Path, shared: Path) -> None:
    told = refusal(tmp_path, "file", shared / "data/documents_pdf_en/empty.pdf")
    assert "the file is empty" in told and "ask for the delivery again" in told


@pytest.mark.parametrize(("kind", "media"), [("PNG", "image/png"), ("GIF", "image/gif"), ("TIFF", "image/tiff"),
                                             ("WEBP", "image/webp"),
                                             ("BMP", "image/bmp"), ("JPEG", "image/jpeg")])  # fmt: skip
def test_pictures_are_known_by_their_bytes(tmp_path: Path, kind: str, media: str) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (8, 8)).save(path, format=kind)
    assert sniff.media_type(path, "picture") == media and sniff.format_of(path) == "file"
    (row,) = read_file(tmp_path, "file", path).rows
    assert (row["width_px"], row["doubt"]) == ("8", None)
