"""Files of a lake as bytes, on a disk or in an object store."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jobs import patience
from schemas.errors import UserError

REMEDIES = {
    errno.ENOSPC: "free some space on the disk and run it again; nothing was published",
    errno.EDQUOT: "the quota is used up: free some space and run it again; nothing was published",
    errno.EFBIG: "a limit on file sizes was met (ulimit -f): raise it and run it again; nothing was published",
    errno.EROFS: "the file system is read-only: point the lake root at a folder that can be written",
    errno.EACCES: "no right to write here: change the owner of the folder or the lake root",
    errno.EPERM: "no right to write here: change the owner of the folder or the lake root",
    errno.ENOENT: "a folder of the lake is missing: `carbonlake doctor` says what is there",
}


@contextmanager
def explained(where: str | Path) -> Iterator[None]:
    """Turn an error of the operating system into one that says what to do; others pass."""
    try:
        yield
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        raise UserError(os.strerror(error.errno or 0).lower(), where=str(error.filename or where), remedy=remedy) from error


def explain(error: BaseException, where: str | Path = "") -> UserError | None:
    """Return what an error of the operating system means, also where a library tells it in its own words; else None."""
    if (remote := patience.explain(str(error), str(where))) is not None:
        return remote
    number = getattr(error, "errno", None)
    if number not in REMEDIES:
        number = next((code for code in REMEDIES if os.strerror(code).lower() in str(error).lower()), None)
    if number is None:
        return None
    place = getattr(error, "filename", None) or where or str(error).strip().split("\n")[0][:300]
    return UserError(os.strerror(number).lower(), where=str(place), remedy=REMEDIES[number])


def check_room(folder: Path) -> None:
    """Raise UserError where a folder can't take another file of 1 MB."""
    probe = folder / ".room"
    with explained(folder):
        try:
            probe.write_bytes(bytes(1 << 20))
        finally:
            probe.unlink(missing_ok=True)


def is_remote(path: str | Path) -> bool:
    """Tell whether a path is in an object store."""
    return "://" in str(path) and not str(path).startswith("file://")


def local(path: str | Path) -> Path:
    """Return a path or file:// URL as a local path."""
    text = str(path)
    return Path(unquote(urlsplit(text).path)) if text.startswith("file://") else Path(text)


def _objects() -> Any:
    """Return the client of object stores; its import takes a fifth of a second, which a lake on a disk need not pay."""
    from jobs import objects

    return objects


def read(path: str, options: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a small file. Raise FileNotFoundError."""
    return bytes(_objects().get(path, options)) if is_remote(path) else local(path).read_bytes()


def exists(path: str, options: Mapping[str, str] | None = None) -> bool:
    """Tell whether there is a file."""
    return _objects().size(path, options) is not None if is_remote(path) else local(path).is_file()


def delete(path: str, options: Mapping[str, str] | None = None) -> None:
    """Delete a file; one that is gone already is fine."""
    if is_remote(path):
        _objects().delete(path, options)
    else:
        local(path).unlink(missing_ok=True)


def move(source: Path, target: str, options: Mapping[str, str] | None = None) -> None:
    """Move a local file to its place: a rename on the same disk, a copy and delete elsewhere."""
    if is_remote(target):
        _objects().put(source, target, options)
        source.unlink()
        return
    place = local(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, place)
        source.unlink()


def write(path: Path, content: bytes) -> None:
    """Write a small local file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
