"""Uploads: files that come in pieces, kept on the disk of the lake until they are whole and landed, or too old."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from uuid import uuid4

from jobs import store
from jobs.intake import digest
from jobs.lake import Lake
from schemas.contracts import contract, contracts
from schemas.errors import UserError

FOLDER, NOTE, BYTES = "_uploads", "upload.json", "bytes"
DAYS = 7.0  # after the last byte, or after it was landed
ID = re.compile(r"[0-9a-f]{32}")
# Of a file's name: no folder, no sign that a terminal or a file system reads as something else, nothing hidden.
NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")
ROOM = 64 << 20  # bytes that stay free on the disk for what the lake itself writes
CHECKSUMS = ("sha256", "sha1", "md5")  # of one piece; the protocol asks for sha1
Kind = Literal["name", "unknown", "offset", "busy", "checksum", "size", "room", "unfinished"]


class Refusal(UserError):  # noqa: N818
    """Why a step of an upload is refused; `kind` says it to programs."""

    def __init__(self, kind: Kind, what: str, *, where: str = "", remedy: str = "") -> None:
        self.kind = kind
        super().__init__(what, where=where, remedy=remedy)


@dataclass(frozen=True)
class Upload:
    """A file on its way: its name, how many bytes it has and how many are there, and what became of it."""

    id: str
    name: str
    size: int
    sha256: str
    created_at: str
    offset: int = 0
    landed: int = 0
    table: str = ""
    expires_at: str = ""

    @property
    def whole(self) -> bool:
        """Whether every byte is there."""
        return self.offset == self.size

    @property
    def state(self) -> str:
        """In a word, what the upload waits for."""
        return "landed" if self.landed else "whole" if self.whole else "receiving"


def create(lake: Lake, name: str, size: int, sha256: str = "") -> Upload:
    """Begin an upload of a file. Raise Refusal for a name that is no plain file name, and where the disk is too small."""
    sweep(lake)
    if not NAME.fullmatch(name) or name.startswith(".") or len(name.encode()) > 255:
        raise Refusal("name", f"{name!r} is no plain file name", remedy="give a name without folders, such as meters_2025.csv")
    if size < 0:
        raise Refusal("size", "a file has no fewer than 0 bytes", where=name, remedy="say how many bytes the file has")
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Refusal("checksum", "this is no SHA-256", where=name, remedy="send 64 signs of 0-9 and a-f, or none")
    folder = lake.require().folder / FOLDER
    with store.explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free - ROOM
    if size > free:
        raise Refusal("room", f"the file has {size:,} bytes, the disk of the lake has room for {max(free, 0):,}", where=name,
                      remedy="free some space on the disk, and send it again")  # fmt: skip
    upload = Upload(uuid4().hex, name, size, sha256, datetime.now(UTC).isoformat(timespec="seconds"))
    with store.explained(folder):
        (folder / upload.id).mkdir()
        (folder / upload.id / BYTES).touch()
        _note(lake, upload)
    return found(lake, upload.id)


def found(lake: Lake, id: str) -> Upload:
    """Return an upload with what is there of it. Raise Refusal where there is none."""
    folder = _folder(lake, id)
    try:
        note: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        last = max(path.stat().st_mtime for path in folder.iterdir())
    except (FileNotFoundError, ValueError):
        raise Refusal(
            "unknown", "there is no such upload", where=id, remedy="begin it again: it was ended or is too old"
        ) from None
    there = note["size"] if note["landed"] else (folder / BYTES).stat().st_size
    ends = datetime.fromtimestamp(last + DAYS * 86400, UTC).isoformat(timespec="seconds")
    return Upload(**note | {"offset": there, "expires_at": ends})


def listed(lake: Lake) -> list[Upload]:
    """Return every upload that is not too old, the newest first."""
    sweep(lake)
    known = []
    for folder in (lake.folder / FOLDER).glob("*"):
        with suppress(Refusal):
            known.append(found(lake, folder.name))
    return sorted(known, key=lambda one: one.created_at, reverse=True)


@contextmanager
def appending(lake: Lake, id: str, offset: int, checksum: str = "") -> Iterator[Callable[[bytes], None]]:
    """Give what appends bytes to an upload from an offset on; those that came stay, also where the sender is cut off.

    With a `checksum`, an algorithm and the digest in base 64 as the protocol writes it, all of them stay or none. Raise
    Refusal where another sender is at it, where the bytes there end elsewhere, and where more come than were announced.
    """
    upload, path = found(lake, id), _folder(lake, id) / BYTES
    check, wanted = _checksum(checksum)
    with path.open("r+b", buffering=0) as file, _alone(file.fileno(), upload):
        there = os.fstat(file.fileno()).st_size
        if there != offset:
            raise Refusal("offset", f"the upload stands at {there:,} bytes, not at {offset:,}", where=upload.name,
                          remedy="ask where it stands, and go on from there")  # fmt: skip
        file.seek(offset)
        try:
            yield lambda block: _write(file, block, upload, check)
            if check and check.digest() != wanted:
                raise Refusal("checksum", "the bytes that came differ from those that were sent", where=upload.name,
                              remedy=f"send them again from {offset:,}")  # fmt: skip
        except BaseException:
            if check:
                file.truncate(offset)
            raise
        finally:
            with suppress(OSError):
                os.fsync(file.fileno())
        if file.tell() == upload.size and upload.sha256 and digest(path) != upload.sha256:
            file.truncate(0)
            raise Refusal("checksum", "the file that came has another SHA-256 than was announced", where=upload.name,
                          remedy="send it again from the beginning")  # fmt: skip


def _checksum(given: str) -> tuple[Any, bytes]:
    if not given:
        return None, b""
    name, _, value = given.partition(" ")
    try:
        if name in CHECKSUMS:
            return hashlib.new(name, usedforsecurity=False), base64.b64decode(value, validate=True)
    except ValueError:
        pass
    raise Refusal("name", f"{given!r} is no checksum", remedy=f"write one of {', '.join(CHECKSUMS)}, a blank, and it in base 64")


def _write(file: Any, block: bytes, upload: Upload, check: Any) -> None:
    if file.tell() + len(block) > upload.size:
        raise Refusal("size", f"more bytes came than the {upload.size:,} that were announced", where=upload.name,
                      remedy="begin an upload of the right size")  # fmt: skip
    left = memoryview(block)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise Refusal("room", os.strerror(error.errno or 0).lower(), where=upload.name,
                      remedy="free some space on the disk of the lake and go on: what has come is kept") from error  # fmt: skip
    if check:
        check.update(block)


@contextmanager
def _alone(handle: int, upload: Upload) -> Iterator[None]:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
    except BlockingIOError:
        raise Refusal(
            "busy", "another sender is at it", where=upload.name, remedy="wait for it, or begin an upload of your own"
        ) from None
    yield


def remove(lake: Lake, id: str) -> None:
    """End an upload, and forget its bytes."""
    found(lake, id)
    shutil.rmtree(_folder(lake, id))


def sweep(lake: Lake) -> None:
    """Forget uploads that are too old."""
    for folder in (lake.folder / FOLDER).glob("*"):
        with suppress(FileNotFoundError, ValueError):
            if max(path.stat().st_mtime for path in folder.iterdir()) + DAYS * 86400 < time.time():
                shutil.rmtree(folder, ignore_errors=True)


def placed(lake: Lake, id: str, table: str = "") -> Path:
    """Return the whole file under its own name, or under that which deliveries of a table have in its drop folder.

    Raise Refusal where bytes are missing, UserError where the table takes no deliveries.
    """
    upload, folders = found(lake, id), _folders(found(lake, id).name, table) if table else ()
    if not upload.whole or upload.landed:
        what = f"was landed as delivery {upload.landed}" if upload.landed else f"has {upload.offset:,} of {upload.size:,} bytes"
        raise Refusal("unfinished", f"the upload {what}", where=upload.name,
                      remedy="upload it again, if that is meant" if upload.landed else "send the rest first")  # fmt: skip
    path = _folder(lake, id).joinpath("as", *folders, upload.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.hardlink_to(_folder(lake, id) / BYTES)
    return path


def _folders(name: str, table: str) -> tuple[str, ...]:
    """Return the drop folder of a table, and those of its pattern where a name fits that and they are plain."""
    reads = contract(contract(table).reads)
    if not reads.source:
        raise UserError(f"{table} reads no deliveries", where=reads.file, remedy="name a cleaned table")
    *folders, last = PurePosixPath(reads.source.path).parts
    known = fnmatchcase(name, last) and not any(sign in part for part in folders for sign in "*?[")
    return (reads.table, *(folders if known else ()))


def settle(lake: Lake, id: str, table: str, delivery: int) -> Upload:
    """Put down as which delivery an upload was landed; its bytes are in the lake now and go."""
    upload = found(lake, id)
    _note(lake, Upload(**asdict(upload) | {"landed": delivery, "table": table}))
    shutil.rmtree(_folder(lake, id) / "as", ignore_errors=True)
    (_folder(lake, id) / BYTES).unlink(missing_ok=True)
    return found(lake, id)


def likely(name: str) -> list[str]:
    """Return the tables whose deliveries may have such a name, those with the more exact pattern first."""
    sources = {table: one.source for table, one in contracts().items() if one.source and not one.source.of}
    fits = {table: PurePosixPath(source.path).name for table, source in sources.items()
            if source and fnmatchcase(name, PurePosixPath(source.path).name)}  # fmt: skip
    return sorted(fits, key=lambda table: (-len(fits[table].replace("*", "")), table))


def _folder(lake: Lake, id: str) -> Path:
    if not ID.fullmatch(id):  # the name of a folder comes from outside
        raise Refusal("unknown", "there is no such upload", where=id[:40], remedy="an upload is named by what began it")
    return lake.folder / FOLDER / id


def _note(lake: Lake, upload: Upload) -> None:
    kept = {key: value for key, value in asdict(upload).items() if key not in ("offset", "expires_at")}
    store.write(_folder(lake, upload.id) / NOTE, json.dumps(kept, ensure_ascii=False).encode())
