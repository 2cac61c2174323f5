"""Bytes on their way in: from a file or a URL, hashed while they stream, to the place that their hash names."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from itertools import cycle
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from jobs import store
from jobs.lake import Lake
from schemas.errors import UserError

BLOCK = 1 * 1024 * 1024
SECONDS = 60
AT_ONCE = 8  # most of the time goes to waiting for the disk
MANY = 64  # files that the disk is waited for once
AGAIN = "land it again: what has arrived is kept, and the rest is fetched"


@dataclass(frozen=True)
class Place:
    """Where a delivery comes from: its address, its whole path, and the path within what was landed."""

    address: str
    path: PurePosixPath
    relative: PurePosixPath


@dataclass(frozen=True)
class Stored:
    """Bytes in the lake: their SHA-256 and how many they are."""

    sha256: str
    size: int


def places(what: Sequence[str | Path]) -> Iterator[Place]:
    """Yield every file that is named, those of folders in order of their names; hidden ones are passed over."""
    for one in what:
        if str(one).startswith(("http://", "https://")):
            path = PurePosixPath(unquote(urlsplit(str(one)).path))
            yield Place(str(one), path, PurePosixPath(path.name or urlsplit(str(one)).netloc))
            continue
        start = store.local(one).absolute()
        if not start.exists():
            raise UserError("there is no such file or folder", where=str(one), remedy="check the path")
        for file in sorted(start.rglob("*")) if start.is_dir() else [start]:
            relative = file.relative_to(start if start.is_dir() else start.parent)
            if file.is_file() and not any(part.startswith(".") for part in relative.parts):
                yield Place(str(file), PurePosixPath(file), PurePosixPath(relative))


def store_bytes(lake: Lake, place: Place) -> Stored:
    """Bring the bytes of one place into the lake; those that are there already are not stored twice."""
    folder = lake.folder / "_deliveries" / ".tmp"
    with store.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if "://" in place.address:
            return _from_url(lake, folder, place.address)
        return _from_file(lake, folder, Path(place.address))


def store_all(lake: Lake, what: Sequence[Place]) -> list[Stored]:
    """Bring the bytes of places into the lake, several at once; after this they last, also if the power fails."""
    local = [place for place in what if "://" not in place.address]
    if len(local) >= MANY and len(local) == len(what) and (sync := _sync_of_all()):
        return _store_many(lake, what, sync)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            found = list(pool.map(lambda place: store_bytes(lake, place), what))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for folder in {lake.delivery_path(one.sha256).parent for one in found}:
        _sync(folder)
    return found


def _store_many(lake: Lake, what: Sequence[Place], sync: Callable[[Path], None]) -> list[Stored]:
    """Write all, let the disk take them in at once, and only then give each its place: to wait for each is what takes long."""
    folder = lake.folder / "_deliveries" / ".tmp" / uuid4().hex
    with store.explained(folder):
        folder.mkdir(parents=True)
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                try:
                    parts = list(pool.map(lambda place: _part_of(folder, Path(place.address), lasting=False), what))
                    sync(folder)
                    found = list(pool.map(lambda part: _settle(lake, *part), parts))
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
            sync(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _sync_of_all() -> Callable[[Path], None] | None:
    """Return what waits until all that was written to the file system of a folder lasts; None where there is no such call."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if sys.platform == "linux" else None

    def sync(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            if call and call(handle):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
        finally:
            os.close(handle)

    return sync if call else None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return str(_hash(path).hexdigest())


def _hash(path: Path) -> Any:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def _from_file(lake: Lake, folder: Path, path: Path) -> Stored:
    part, sha256 = _part_of(folder, path)
    try:
        return _settle(lake, part, sha256)
    finally:
        part.unlink(missing_ok=True)


def _part_of(folder: Path, path: Path, *, lasting: bool = True) -> tuple[Path, str]:
    """Copy a file into a folder and return the copy with its SHA-256; what is small need not be `lasting` yet."""
    part = folder / uuid4().hex
    before = path.stat()
    try:
        with path.open("rb", buffering=0) as source, part.open("xb") as target:
            if before.st_size <= BLOCK:
                sha256 = _short(source, target, hashlib.sha256(), lasting=lasting)
            else:
                sha256 = _copy(source, target, hashlib.sha256())
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise UserError("the file changed while it was read", where=str(path), remedy="land it when it is complete")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part, sha256


def _short(source: IO[bytes], target: IO[bytes], found: Any, *, lasting: bool = True) -> str:
    """Copy what is small in one go."""
    while block := source.read(BLOCK):
        target.write(block)
        found.update(block)
    target.flush()
    if lasting:
        os.fsync(target.fileno())
    return str(found.hexdigest())


def _copy(source: IO[bytes] | HTTPResponse, target: IO[bytes], found: Any) -> str:
    # Two buffers for all blocks: a fresh one each time costs more in page faults than the copying itself. One is
    # written by a second thread while it is hashed here and the other is filled.
    buffers = cycle([memoryview(bytearray(BLOCK)), memoryview(bytearray(BLOCK))])
    with ThreadPoolExecutor(1) as writer:
        written: Future[int] | None = None
        for buffer in buffers:
            size = source.readinto(buffer)  # type: ignore[union-attr]
            if written:
                written.result()
            if not size:
                break
            written = writer.submit(target.write, buffer[:size])
            found.update(buffer[:size])
    target.flush()
    os.fsync(target.fileno())
    return str(found.hexdigest())


def _settle(lake: Lake, part: Path, sha256: str) -> Stored:
    """Move the bytes to the place that their hash names, whole or not at all; what lay there may be damaged."""
    size, place = part.stat().st_size, lake.delivery_path(sha256)
    place.parent.mkdir(parents=True, exist_ok=True)
    part.replace(place)
    lake.keep(sha256)
    return Stored(sha256, size)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _from_url(lake: Lake, folder: Path, url: str) -> Stored:
    """Fetch a URL; what an earlier, broken attempt left is continued if the server says that it is the same."""
    part = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.part"
    with part.open("ab") as target, _alone(target, url):
        marks = part.with_suffix(".json")
        with _answer(url, part.stat().st_size, _mark(marks)) as answer:
            if answer.status != 206:
                target.truncate(0)
            marks.write_text(json.dumps(answer.headers.get("ETag") or answer.headers.get("Last-Modified")))
            found = _hash(part) if answer.status == 206 else hashlib.sha256()
            expected = part.stat().st_size + int(answer.headers.get("Content-Length") or -1)
            try:
                sha256 = _copy(answer, target, found)
            except (OSError, HTTPException) as error:
                raise UserError(f"the connection broke ({error})", where=url, remedy=AGAIN) from None
            if answer.headers.get("Content-Length") and part.stat().st_size != expected:
                raise UserError(f"{part.stat().st_size} of {expected} bytes came", where=url, remedy=AGAIN)
        marks.unlink()
        stored = _settle(lake, part, sha256)
        part.unlink(missing_ok=True)
        return stored


@contextmanager
def _alone(target: IO[bytes], url: str) -> Iterator[None]:
    try:
        fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError("another process is fetching this", where=url, remedy="wait for it, or stop it") from None
    yield


def _mark(path: Path) -> str | None:
    """Return what the server called the bytes that we have a part of."""
    try:
        return str(json.loads(path.read_text()) or "") or None
    except (FileNotFoundError, ValueError):
        return None


def _answer(url: str, have: int, mark: str | None) -> HTTPResponse:
    headers = {"Range": f"bytes={have}-", "If-Range": mark} if have and mark else {}
    try:
        answer: HTTPResponse = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS)
        return answer
    except HTTPError as error:
        if error.code == 416 and headers:  # we have all of it, or more: begin again
            return _answer(url, 0, None)
        raise UserError(f"the server answered {error.code} {error.reason}", where=url, remedy="check the address") from None
    except (URLError, OSError) as error:
        raise UserError(f"cannot be reached ({error})", where=url, remedy=AGAIN) from None
