"""Objects as files that DuckDB reads in parts, from several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fsspec import AbstractFileSystem

from jobs import objects

# A Parquet file of a lake is written once and never changed, so that what was asked of it need not be asked again: the
# sizes of many, and the bytes of those so small that parts of them would cost as many requests.
SIZES, SMALL, SMALL_BYTES = 65536, 256, 2**18
Options = tuple[tuple[str, str], ...]


class _Parts:
    """A file whose place is each thread's own.

    DuckDB seeks and then reads, from many threads on one file; with one place for all, a thread would get the bytes of
    another's (seen with DuckDB 2.0: mostly an error, for they are too few at the file's end).
    """

    def __init__(self, url: str, options: Options, size: int) -> None:
        self.url, self.options, self.size = url, options, size
        self.place = threading.local()

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: getattr(self.place, "at", 0), 2: self.size}[whence]
        self.place.at = base + offset
        return int(self.place.at)

    def tell(self) -> int:
        return int(getattr(self.place, "at", 0))

    def read(self, size: int = -1) -> bytes:
        if not hasattr(self.place, "at"):
            raise OSError("read before a place was named in this thread")
        left = self.size - self.place.at
        size = left if size < 0 else min(size, left)
        found = self._part(self.place.at, size) if size > 0 else b""
        self.place.at += len(found)
        return found

    def _part(self, offset: int, length: int) -> bytes:
        if self.size <= SMALL_BYTES:
            return _whole(self.url, self.options)[offset : offset + length]
        return objects.get(self.url, dict(self.options), offset, length)

    def close(self) -> None:
        """Nothing is kept open."""


class Parts(AbstractFileSystem):  # type: ignore[misc]
    """The object store as a file system for DuckDB; it reads alone."""

    protocol = "s3"
    cachable = False

    def __init__(self, options: Mapping[str, str] | None) -> None:
        super().__init__()
        self.options = tuple(sorted((options or {}).items()))

    def open(self, path: str, mode: str = "rb", **more: Any) -> _Parts:
        """Open an object for reading."""
        if set(mode) - set("rb"):
            raise OSError(f"{path}: objects are not written this way")
        return _Parts(_url(path), self.options, self.size(path))

    def size(self, path: str) -> int:
        """Return the bytes of an object. Raise FileNotFoundError."""
        return _size(_url(path), self.options)

    def modified(self, path: str) -> datetime:
        """Return one moment for all: an object of a lake is written once and never changed."""
        return datetime.fromtimestamp(0, UTC)

    def info(self, path: str, **more: Any) -> dict[str, Any]:
        """Return what there is to say of an object."""
        return {"name": path, "size": self.size(path), "type": "file"}

    def glob(self, path: str, **more: Any) -> list[str]:
        """Return a path itself: files are named by the log of their table, and none has a pattern in its name."""
        try:
            self.size(path)
        except FileNotFoundError:
            return []
        return [path]


@lru_cache(SIZES)
def _size(url: str, options: Options) -> int:
    found = objects.size(url, dict(options))
    if found is None:
        raise FileNotFoundError(2, "no such object", url)
    return found


@lru_cache(SMALL)
def _whole(url: str, options: Options) -> bytes:
    return objects.get(url, dict(options))


def _url(path: str) -> str:
    return path if path.startswith("s3://") else f"s3://{path}"
