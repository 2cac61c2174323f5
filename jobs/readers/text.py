"""Text deliveries as blocks of whole lines, unpacked and bounded in memory whatever the file holds."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobs.readers.encodings import is_wide
from schemas.errors import UserError

BLOCK = 16 << 20
# A longer line is cut; no row of it can be right, because no field may be larger than 1 MB.
LINE_LIMIT = 16 << 20
GZIP = b"\x1f\x8b"
HEAD = 1 << 16  # of so much it is seen how lines end


@contextmanager
def opened(path: Path, encoding: str, where: str) -> Iterator[BinaryIO]:
    """Open a text file, unpacked, UTF-16 and UTF-32 as UTF-8; errors of the container become UserError."""
    with path.open("rb", HEAD) as raw:
        packed = raw.read(2) == GZIP
        raw.seek(0)
        stream: BinaryIO = io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20) if packed else raw
        try:
            # typeshed asks for a stream of files here; any raw stream serves.
            if is_wide(encoding):
                stream = io.BufferedReader(_Recoded(stream, encoding), 1 << 20)  # type: ignore[type-var]
            yield _with_line_feeds(stream)
        except EOFError:
            raise UserError("the gzip file is cut off", where=where, remedy="ask for the delivery again") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UserError(f"the gzip file is damaged: {error}", where=where,
                            remedy="ask for the delivery again") from None  # fmt: skip
        except UnicodeDecodeError as error:
            raise UserError(f"the bytes are not {encoding}: {error.reason}", where=where,
                            remedy="ask for the delivery again, or set the option `encoding`") from None  # fmt: skip


def _with_line_feeds(stream: BinaryIO) -> BinaryIO:
    """Return the stream with lines that end in line feeds, where a carriage return alone ends them (old Macintosh files)."""
    begin = stream.peek(HEAD) if isinstance(stream, io.BufferedReader) else b""
    if b"\r" not in begin[:-1] or b"\n" in begin:
        return stream
    return io.BufferedReader(_Fed(stream), 1 << 20)  # type: ignore[type-var]


def blocks(stream: BinaryIO, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines of about `size` bytes; each ends with a line feed."""
    while block := stream.read(size):
        if not block.endswith(b"\n"):
            block += stream.readline(LINE_LIMIT)
        if not block.endswith(b"\n"):
            _skip_line(stream)
            block += b"\n"
        yield block


def _skip_line(stream: BinaryIO) -> None:
    while chunk := stream.readline(1 << 20):
        if chunk.endswith(b"\n"):
            return


class _Fed(io.RawIOBase):
    """A stream whose carriage returns are read as line feeds."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray) -> int:  # type: ignore[override]
        chunk = self._stream.read(len(target)).replace(b"\r", b"\n")
        target[: len(chunk)] = chunk
        return len(chunk)


class _Recoded(io.RawIOBase):
    """A stream of UTF-16 or UTF-32, read as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream, self._decoder, self._rest = stream, codecs.getincrementaldecoder(encoding)(), b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = self._stream.read(1 << 18)
            self._rest = self._decoder.decode(chunk, final=not chunk).encode()
            if not chunk and not self._rest:
                return 0
        taken = self._rest[: len(target)]
        target[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
