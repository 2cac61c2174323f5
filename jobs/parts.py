"""Objects as files that DuckDB reads in parts, from several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from fsspec.implementations.arrow import ArrowFSWrapper

from jobs import objects


class _Parts:
    """A file whose place is each thread's own.

    DuckDB seeks and then reads, from many threads on one file; with one place for all, a thread would get the bytes of
    another's (seen with DuckDB 2.0: mostly an error, for they are too few at the file's end).
    """

    def __init__(self, file: Any) -> None:
        self.file = file
        self.place = threading.local()

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: getattr(self.place, "at", 0), 2: self.file.size()}[whence]
        self.place.at = base + offset
        return int(self.place.at)

    def tell(self) -> int:
        return int(getattr(self.place, "at", 0))

    def read(self, size: int = -1) -> bytes:
        if not hasattr(self.place, "at"):
            raise OSError("read before a place was named in this thread")
        size = self.file.size() - self.place.at if size < 0 else size
        found = bytes(self.file.read_at(size, self.place.at))
        self.place.at += len(found)
        return found

    def close(self) -> None:
        self.file.close()


class Parts(ArrowFSWrapper):  # type: ignore[misc]
    """The object store as a file system for DuckDB; it reads alone."""

    def open(self, path: str, mode: str = "rb", **options: Any) -> _Parts:
        """Open an object for reading."""
        if set(mode) - set("rb"):
            raise OSError(f"{path}: objects are not written this way")
        return _Parts(self.fs.open_input_file(self._strip_protocol(path)))


def parts(options: Mapping[str, str] | None) -> Parts:
    """Return the file system of the store that the options name."""
    return Parts(objects.reading(options))
