"""An answer's bytes: counted against what the server said, unpacked, and never more than allowed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from schemas.errors import UserError

BLOCK = 1 << 18
GZIP_OR_ZLIB = 47  # zlib.decompressobj: 32 + 15, the kind is told by the bytes


class CutOffError(Exception):
    """Fewer bytes came than there are."""


def save(answer: Any, target: BinaryIO, most: int, where: str) -> None:
    """Write the body of an answer, unpacked. Raise CutOffError where it is not whole, UserError where it is too large."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise UserError(f"the answer is packed as {encoding!r}, which was not asked for", where=where,
                        remedy="ask the publisher for plain or gzip")  # fmt: skip
    size = 0
    for block in _plain(answer) if encoding in ("", "identity") else _unpacked(answer):
        size += len(block)
        if size > most:
            raise UserError(f"the answer has more than {most:,} bytes", where=where,
                            remedy="raise source.fetch.most_bytes if it is meant to")  # fmt: skip
        target.write(block)


def _plain(answer: Any) -> Iterator[bytes]:
    """Yield the bytes as they came; raise CutOffError where they are not as many as the header says."""
    count = 0
    for block in answer.raw.stream(BLOCK, decode_content=False):
        count += len(block)
        yield block
    told = answer.headers.get("Content-Length", "")
    if told.isdigit() and int(told) != count:
        raise CutOffError(f"{count} of {told} bytes came")


def _unpacked(answer: Any) -> Iterator[bytes]:
    """Unpack all members, of which a gzip may have several (RFC 1952, 2.2); zeros behind the last one fill it up."""
    # The library behind us takes the beginning of a gzip for the whole of it.
    reader = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        for block in _plain(answer):
            data = block
            while data := data.lstrip(b"\0") if reader.eof else data:
                reader = zlib.decompressobj(GZIP_OR_ZLIB) if reader.eof else reader
                yield reader.decompress(data, BLOCK)
                data = reader.unconsumed_tail or reader.unused_data
        yield reader.flush()
    except zlib.error as error:
        raise CutOffError(f"what was packed is damaged ({error})") from None
    if not reader.eof:
        raise CutOffError("what was packed is cut off")
