"""Members of an archive as files under numbers in a private folder, within limits: no name of theirs is a path of ours."""

from __future__ import annotations

import errno
import gzip
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from jobs.readers.encodings import fitting
from jobs.readers.sniff import GZIP, READABLE, TAR, ZIP, check_archive, media_type
from schemas.errors import UserError

ENTRIES = 10_000
DEEPEST = 3  # archives in one another
TOTAL = 16 << 30
# Deflate makes at most 1,032 bytes of one; tables of real data keep far below. Small archives may be what they like.
RATIO, SMALL = 200, 100 << 20
CHUNK = 1 << 20
SHOWN = 20
AGAIN = "ask for the delivery again"
FILES_ONLY = "ask for an archive of plain files"
BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError)


@dataclass
class _Work:
    """One unpacking: where to, which names, what for, and what was used so far."""

    out: Path
    patterns: Sequence[str]
    format: str
    where: str
    packed: int
    entries: int = 0
    written: int = 0
    files: int = 0
    members: dict[str, str] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)

    def no(self, what: str, remedy: str) -> UserError:
        """Return the error for something in this archive."""
        return UserError(what, where=self.where, remedy=remedy)

    def file(self, name: str) -> Path:
        """Return the path of the next file: a number, and the ending if it is a plain one."""
        self.files += 1
        ending = re.search(r"(\.[A-Za-z0-9]{1,8}){1,2}$", name)
        return self.out / f"{self.files:06}{ending[0] if ending else ''}"


def unpack(path: Path, out: Path, patterns: Sequence[str], where: str, format: str = "") -> dict[str, str]:
    """Unpack the members whose names match into `out`; return their names, in order, with the names of the files.

    A pattern is matched with the end of a name, folder by folder; an archive in an archive is a folder. What one gzip
    file holds is a member of the gzip file's own name. Raise UserError for archives that are damaged, encrypted, beyond
    the limits, or name anything but plain files inside themselves.
    """
    check_archive(path, where)
    work = _Work(out, patterns, format, where, path.stat().st_size)
    try:
        _open(work, path, "", PurePosixPath(where).name, 1)
    except NotImplementedError as error:
        raise work.no(f"a member is packed in a way that is not known ({error})", "ask for a usual zip or tar.gz") from None
    except (*BROKEN, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, BROKEN) and error.errno != errno.EINVAL:
            raise  # the disk's fault; a place before the beginning is the archive's
        raise work.no(f"the archive is damaged or cut off: {str(error) or type(error).__name__}", AGAIN) from None
    if not work.members:
        there = ", ".join(map(repr, work.passed[:SHOWN])) or "nothing"
        raise work.no(f"no member matches {' or '.join(map(repr, patterns))}", f"it has {there}; mend the option `members`")
    return dict(sorted(work.members.items()))


def _open(work: _Work, path: Path, prefix: str, name: str, depth: int) -> None:
    """Walk an archive; `prefix` is its place among the names, `name` its own."""
    if depth > DEEPEST:
        raise work.no(f"archives in archives, more than {DEEPEST} deep: {prefix}{name}", "ask for an archive of plain files")
    kind = media_type(path, name)
    if kind == GZIP:
        inner = re.sub(r"\.gz$", "", re.sub(r"\.tgz$", ".tar", name, flags=re.IGNORECASE), flags=re.IGNORECASE)
        held = work.file("")
        with gzip.open(path) as packed:
            _copy(work, packed, held)
        if (holds := media_type(held, inner)) in (TAR, ZIP, GZIP):
            _open(work, held, prefix, inner, depth + (holds != TAR))
            held.unlink()
        else:
            _leaf(work, held, f"{prefix}{inner}")
        return
    for member, stream in _zipped(work, path, prefix) if kind == ZIP else _tarred(work, path, prefix):
        with closing(stream):
            _take(work, stream, f"{prefix}{member}", depth)


def _take(work: _Work, stream: IO[bytes], name: str, depth: int) -> None:
    head = stream.read(512)
    holds = head.startswith((b"PK\x03\x04", b"\x1f\x8b")) or head[257:262] == b"ustar"
    if not holds and not _wanted(work, name):
        work.passed.append(name)
        return
    file = work.file(name)
    _copy(work, stream, file, head)
    kind = media_type(file, name) if holds else ""
    if kind in (ZIP, TAR) or (kind == GZIP and _is_tar(file)):
        _open(work, file, f"{name}/", name, depth + 1)
        file.unlink()
    else:
        _leaf(work, file, name)


def _leaf(work: _Work, file: Path, name: str) -> None:
    """Keep a member that is wanted; unpack it where its format does not take gzip."""
    if not _wanted(work, name):
        work.passed.append(name)
        file.unlink()
        return
    same = unicodedata.normalize("NFC", name).casefold()
    if twin := next((one for one in work.members if unicodedata.normalize("NFC", one).casefold() == same), None):
        raise work.no(f"the members {twin!r} and {name!r} are one to those who read them", FILES_ONLY)
    if work.format and GZIP not in READABLE[work.format] and media_type(file, name) == GZIP:
        plain = work.file(name.removesuffix(".gz"))
        with gzip.open(file) as stream:
            _copy(work, stream, plain)
        file.unlink()
        file = plain
    work.members[name] = file.name


def _wanted(work: _Work, name: str) -> bool:
    parts = PurePosixPath(name).parts
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    patterns = [PurePosixPath(one).parts for one in work.patterns]
    return any(len(parts) >= len(one) and all(map(fnmatchcase, parts[-len(one) :], one)) for one in patterns)


def _zipped(work: _Work, path: Path, prefix: str) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if infos and min(one.header_offset for one in infos) > 0:
            raise work.no("bytes stand before its first member, perhaps an archive of their own", AGAIN)
        if len(infos) & 0xFFFF != (said := _said(path)) and said != 0xFFFF:
            raise work.no(f"its directory has {len(infos)} members, and says that it has {said}", AGAIN)
        for one in infos:
            raw = one.orig_filename.encode("utf-8" if one.flag_bits & 0x800 else "cp437")
            name = _checked(work, _decoded(raw))
            mode = one.external_attr >> 16
            if one.is_dir() or name.endswith("/"):
                continue
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                _refuse_if_wanted(work, f"{prefix}{name}")
                continue
            if one.flag_bits & 1 and not _wanted(work, f"{prefix}{name}"):
                work.passed.append(f"{prefix}{name}")
                continue
            if one.flag_bits & 1:
                raise work.no(f"{name!r} is under a password", "ask for an archive without a password")
            yield name, archive.open(one)


def _said(path: Path) -> int:
    """Return how many members the end of a zip says there are, 65,535 where they are more (APPNOTE.TXT, 4.3.16)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 22 - 0xFFFF))
        tail = file.read()
    place = tail.rfind(b"PK\5\6")
    return int.from_bytes(tail[place + 10 : place + 12], "little")


def _tarred(work: _Work, path: Path, prefix: str) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(path, "r:") as archive:
        for one in archive:
            name = _checked(work, _decoded(one.name.encode("utf-8", "surrogateescape")))
            if one.isdir():
                continue
            if not one.isreg() or one.issparse():
                _refuse_if_wanted(work, f"{prefix}{name}")
                continue
            stream = archive.extractfile(one)
            assert stream
            yield name, stream
        _check_end(work, path, archive.offset)


def _check_end(work: _Work, path: Path, offset: int) -> None:
    """Raise UserError unless only zeros follow, a block at least: the library takes a damaged header for the end."""
    with path.open("rb") as file:
        file.seek(offset)
        if len(first := file.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
            raise work.no("the tar file is cut off", AGAIN)
        while first:
            if first.strip(b"\0"):
                raise work.no("the tar file is damaged, or two are joined: more stands behind a member's end", AGAIN)
            first = file.read(CHUNK)


def _checked(work: _Work, name: str) -> str:
    """Return the name of an entry as a relative path; raise UserError for one that leads out of the archive."""
    work.entries += 1
    if work.entries > ENTRIES:
        raise work.no(f"more than {ENTRIES:,} members", "ask for several archives")
    name = name.replace("\\", "/")  # as Windows writes it
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name) or any(ord(sign) < 32 for sign in name):
        raise work.no(f"the name {name!r} leads out of the archive", FILES_ONLY)
    return "/".join(part for part in parts if part not in ("", ".")) + ("/" if name.endswith("/") else "")


def _refuse_if_wanted(work: _Work, name: str) -> None:
    if _wanted(work, name):
        raise work.no(f"{name!r} is a link or a device, not a file", FILES_ONLY)


def _decoded(raw: bytes) -> str:
    """Return a name as text: UTF-8, or what Chinese systems write without saying so."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(fitting(raw), "replace")


def _is_tar(path: Path) -> bool:
    with gzip.open(path) as stream:
        return stream.read(512)[257:262] == b"ustar"


def _copy(work: _Work, source: IO[bytes] | gzip.GzipFile, target: Path, head: bytes = b"") -> None:
    """Copy a stream to a new file, and stop where it grows beyond the limits."""
    with target.open("xb") as file:
        chunk = head or source.read(CHUNK)
        while chunk:
            work.written += len(chunk)
            if work.written > max(SMALL, RATIO * work.packed):
                raise work.no(f"it unpacks to more than {RATIO} times its size", "ask for the files themselves")
            if work.written > min(TOTAL, shutil.disk_usage(work.out).free + work.written):
                raise work.no(f"it unpacks to more than {TOTAL >> 30} GB, or than there is room for", "ask for several archives")
            file.write(chunk)
            chunk = source.read(CHUNK)
