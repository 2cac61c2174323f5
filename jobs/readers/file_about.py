"""What files say of themselves: EXIF of pictures, properties of Office files, metadata of PDF."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, UnidentifiedImageError

from jobs.readers import docx_parts
from schemas.errors import UserError

# A picture of 500 megapixels takes 1.5 GB in memory; larger ones are bombs, or maps that belong into another format.
MOST_PIXELS = 500_000_000
LONGEST = 500
FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP")
About = dict[str, str | None]


def of_image(path: Path, name: str) -> About:
    """Describe a picture by its header and EXIF; its pixels are not unpacked. Raise UserError for a damaged one."""
    # The bound is ours, and names the file; the library would only warn.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("ignore")
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise UserError(f"the picture says that it has {width} × {height} pixels", where=name,
                                remedy="ask for a smaller picture")  # fmt: skip
            found: About = {"width_px": str(width), "height_px": str(height), **_exif(_given(image))}
        with Image.open(path, formats=FORMATS) as image:
            image.verify()  # the sums that a PNG carries
        return found
    except UserError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise UserError(f"the picture is damaged: {type(error).__name__} {str(error)[:100]}", where=name,
                        remedy="ask for the delivery again") from None  # fmt: skip


def _given(image: Image.Image) -> Image.Exif:
    """Return the EXIF of a picture; for that of a PNG the library would unpack its pixels."""
    if image.format != "PNG":
        return image.getexif()
    found = Image.Exif()
    found.load(image.info.get("exif", b""))
    return found


def _exif(given: Image.Exif) -> About:
    """Return time, camera, author and place, as the camera wrote them (CIPA DC-008, Exif 2.32)."""
    inner, place = given.get_ifd(ExifTags.IFD.Exif), given.get_ifd(ExifTags.IFD.GPSInfo)
    camera = " ".join(dict.fromkeys(filter(None, (_plain(given.get(ExifTags.Base[tag])) for tag in ("Make", "Model")))))
    taken = _plain(inner.get(ExifTags.Base.DateTimeOriginal)) or _plain(given.get(ExifTags.Base.DateTime))
    day = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", taken or "")
    return {
        "taken_at": f"{day[1]}-{day[2]}-{day[3]} {day[4]}" if day else taken, "camera": camera or None,
        "author": _plain(given.get(ExifTags.Base.Artist)), "title": _plain(given.get(ExifTags.Base.ImageDescription)),
        "latitude_deg": _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S"),
        "longitude_deg": _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W"),
    }  # fmt: skip


def _degrees(place: Mapping[int, Any], value: int, side: int, negative: str) -> str | None:
    """Return degrees with sign from degrees, minutes and seconds; None where they are none."""
    try:
        degrees, minutes, seconds = (float(part) for part in place[value])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    found = degrees + minutes / 60 + seconds / 3600
    return f"{-found if str(place.get(side)) == negative else found:.6f}" if 0 <= found <= 180 else None


def of_office(path: Path, name: str) -> About:
    """Describe an Office file by its core properties (ISO/IEC 29500-2, 11)."""
    with docx_parts.opened(path, name) as archive:
        found: About = {"holds": ", ".join(docx_parts.holds(archive)) or None}
        if "docProps/core.xml" in archive.namelist():
            said = {docx_parts.tag(one): _plain(one.text) for one in docx_parts.part(archive, "docProps/core.xml", name)}
            found |= {"title": said.get("title"), "author": said.get("creator"), "created_at": said.get("created")}
        return found


def of_pdf(path: Path, name: str) -> About:
    """Describe a PDF by its metadata, its pages and what it holds beside them."""
    from jobs.readers.pdf_pages import holds, opened

    with opened(path, name) as file:
        said = {key: _plain(value) for key, value in file.metadata.items()}
        made = re.match(r"D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", said.get("CreationDate") or "")
        created = f"{made[1]}-{made[2]}-{made[3]} {made[4]}:{made[5]}:{made[6]}" if made else None
        return {"pages": str(len(file.pages)), "title": said.get("Title"), "author": said.get("Author"), "created_at": created,
                "holds": ", ".join(holds(file)) or None}  # fmt: skip


def _plain(value: Any) -> str | None:
    """Return a text on one line, without signs that nobody sees; None where there is none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(value or "")).split())
    return text[:LONGEST] or None
