"""Text encodings: turning bytes into UTF-8, and naming the encoding that fits where the declared one does not."""

from __future__ import annotations

import codecs
import re

import pyarrow as pa
from charset_normalizer import from_bytes

from schemas.errors import UserError

BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
# Text labelled GB2312 or GBK commonly holds characters of its superset GB18030 (WHATWG Encoding Standard, 10.1.1).
SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "utf_8_sig": "utf-8", "utf-8-sig": "utf-8"}

# The first of them where they say the same. Latin-1 is read as its superset cp1252, as the standard has it.
SAMPLE = 1 << 16
WESTERN = ("cp1252", "mac_roman", "cp850")
SIGNS = "\u00a0–—‘’‚“”„•…€£°²³±µ·§©®¼½¾«»™º×¿¡"


def canonical(name: str, where: str) -> str:
    """Return the codec to decode with; raise UserError for an unknown encoding."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise UserError(f"option 'encoding': there is no encoding {name!r}", where=where,
                        remedy="for example utf-8, gb18030, big5, utf-16, cp1252") from None  # fmt: skip
    return SUPERSETS.get(found, found)


def is_wide(encoding: str) -> bool:
    """Tell whether a line feed takes more than one byte, so that lines can't be split before decoding."""
    return encoding.startswith(("utf-16", "utf-32"))


def is_utf8(block: bytes) -> bool:
    """Tell whether the bytes are valid UTF-8."""
    if block.isascii():
        return True
    offsets = pa.array([0, len(block)], pa.int32()).buffers()[1]
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def to_utf8(block: bytes, encoding: str) -> bytes | None:
    """Return the bytes as UTF-8, None if they do not decode."""
    if encoding == "utf-8":
        return block if is_utf8(block) else None
    try:
        return block if block.isascii() and encoding == "gb18030" else block.decode(encoding).encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None


def fitting(sample: bytes) -> str:
    """Return the encoding that a sample of text is most probably in."""
    for bom, name in BOMS.items():
        if sample.startswith(bom):
            return name
    if _decodes(sample, "utf-8"):
        return "utf-8"
    if _decodes(sample, "gb18030") and _everyday_chinese(sample):
        return "gb18030"
    told = b"\n".join(line for line in sample.split(b"\n") if not line.isascii())[:SAMPLE]
    if western := _western(told):
        return western
    if best := from_bytes(told).best():
        return best.encoding
    return "gb18030" if _damaged_chinese(told) else "cp1252"


def _western(sample: bytes) -> str:
    """Return which encoding of Western Europe makes single letters with accents among plain ones, empty where none does."""
    best = min(WESTERN, key=lambda name: _odd_share(sample.decode(name, "replace")))
    return best if _odd_share(sample.decode(best, "replace")) <= 0.1 else ""


def _odd_share(text: str) -> float:
    runs = list(re.finditer(r"[^\x00-\x7f]+", text))
    odd = sum(_odd(run[0], text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]) for run in runs)
    return odd / max(1, len(runs))


def _odd(run: str, before: str, after: str) -> bool:
    """Tell whether signs are none of Western text: many together, what is no letter or a capital within a word."""
    if len(run) > 2 or not all(char.isalpha() or char in SIGNS for char in run):
        return True
    if before.islower() and any(char.isupper() for char in run):
        return True
    return before.isalpha() and after.isalpha() and not all(char.isalpha() or char == "’" for char in run)


def fitting_instead(block: bytes, encoding: str) -> str:
    """Return the encoding that fits where no line with more than ASCII decodes, empty where a few may be damaged."""
    lines = block.split(b"\n")
    strange = [line for line in lines if not line.isascii()]
    few = len(strange) <= 2 and len(strange) * 2 < len(lines) - 1
    if not strange or few or any(_decodes(line, encoding) for line in strange):
        return ""
    return "" if (fits := fitting(block)) == encoding else fits


def _decodes(sample: bytes, encoding: str) -> bool:
    # Incremental, so that a sample cut in the middle of a character still decodes.
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _everyday_chinese(sample: bytes) -> bool:
    """GB18030 decodes nearly anything; text that is really Chinese keeps to the 7,445 characters of GB 2312."""
    text = [char for char in sample.decode("gb18030", "ignore") if ord(char) > 127]
    known = sum(1 for char in text if char.encode("gb2312", "ignore"))
    return known >= 0.9 * len(text)


def _damaged_chinese(sample: bytes) -> bool:
    """Tell Chinese text of which some bytes came to harm from text that GB18030 decodes by chance.

    Text that is really Chinese keeps to the 3,755 characters of the first level; Russian falls among those of the second.
    """
    text = [char for char in sample.decode("gb18030", "replace") if ord(char) > 127]
    common = sum(b"\xb0" <= char.encode("gb2312", "ignore")[:1] <= b"\xd7" for char in text)
    return common >= 0.6 * len(text)
