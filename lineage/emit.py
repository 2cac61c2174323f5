"""The way of events to an OpenLineage receiver: first into a file, then over HTTP, never in a build's way."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = logging.getLogger(__name__)
REFUSED = {400, 413, 415, 422}
"""Answers that mean this one event will never be taken; any other failure is tried again later."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True)
class Spool:
    """A folder with every event ever told, one JSON a line, and how far they have been sent."""

    folder: Path

    @property
    def events(self) -> Path:
        """The file of all events."""
        return self.folder / "events.jsonl"

    @property
    def refused(self) -> Path:
        """The file of events that the receiver will never take."""
        return self.folder / "refused.jsonl"

    @property
    def mark(self) -> Path:
        """The file that says up to which byte events have been sent."""
        return self.folder / "sent"

    def append(self, event: Mapping[str, Any]) -> None:
        """Write an event down. Several processes may do so at once: each line is one write."""
        self.folder.mkdir(exist_ok=True)
        _write(self.events, json.dumps(event, ensure_ascii=False, allow_nan=False))

    def sent(self) -> int:
        """Return up to which byte events have been sent."""
        try:
            return int(self.mark.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def unsent(self) -> Iterator[tuple[int, str]]:
        """Yield (byte after it, line) of every event not yet sent; a line still being written waits."""
        if not self.events.exists():
            return
        with self.events.open("rb") as file:
            file.seek(self.sent())
            while (line := file.readline()).endswith(b"\n"):
                yield file.tell(), line.decode().rstrip("\n")

    def advance(self, to: int) -> None:
        """Remember up to which byte events have been sent."""
        new = self.mark.with_suffix(".new")
        new.write_text(str(to))
        new.replace(self.mark)


@dataclass(frozen=True)
class Receiver:
    """An OpenLineage receiver: its full URL, seconds to wait for it, and headers (a key, say)."""

    url: str
    timeout: float = 2.0
    headers: tuple[tuple[str, str], ...] = ()


def drain(spool: Spool, receiver: Receiver) -> bool:
    """Send what is unsent, in order; return whether all of it went out. One drains at a time."""
    spool.folder.mkdir(exist_ok=True)
    with (spool.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True  # another process is sending them
        for end, line in spool.unsent():
            if line and not _delivered(line, spool, receiver):
                return False
            spool.advance(end)
    return True


@contextmanager
def telling(
    spool: Spool, receiver: Receiver | None = None, patience: float = 1.0
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that tells an event; what an earlier run could not send goes first.

    Telling never raises and never waits for the network. At the end the sender gets `patience` seconds; what is then
    unsent stays in the spool for the next time.
    """
    news, over = threading.Event(), threading.Event()

    def tell(event: Mapping[str, Any]) -> None:
        try:
            spool.append(event)
        except (OSError, ValueError) as error:
            LOG.warning("lineage event not written to %s: %s", spool.folder, error)
        news.set()

    sender = None
    if receiver is not None:
        sender = threading.Thread(target=_send, args=(spool, receiver, news, over), daemon=True, name="lineage")
        sender.start()
        news.set()
    try:
        yield tell
    finally:
        over.set()
        news.set()
        if sender:
            sender.join(patience)


def _send(spool: Spool, receiver: Receiver, news: threading.Event, over: threading.Event) -> None:
    failures = 0
    while True:
        news.wait()
        news.clear()
        last = over.is_set()
        try:
            fine = drain(spool, receiver)
        except OSError as error:
            LOG.warning("lineage events stay in %s: %s", spool.folder, error)
            fine = False
        if last:
            return
        if not fine:
            over.wait(PAUSES[min(failures, len(PAUSES) - 1)])
            news.set()
        failures = 0 if fine else failures + 1


def _delivered(line: str, spool: Spool, receiver: Receiver) -> bool:
    """Post one event; True when it is done with: taken, or refused for good and set aside."""
    headers = {"Content-Type": "application/json", **dict(receiver.headers)}
    try:
        request = urllib.request.Request(receiver.url, line.encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=receiver.timeout):
            return True
    except urllib.error.HTTPError as error:
        if error.code in REFUSED:
            _write(spool.refused, line)
            LOG.warning("the lineage receiver refused an event for good (%s), kept in %s", error.code, spool.refused)
            return True
        return False
    except (OSError, ValueError):  # no connection, no answer in time, not HTTP
        return False


def _write(path: Path, line: str) -> None:
    handle = os.open(path, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
    try:
        # A writer killed, or a disk full, in the middle of a line must not spoil the next one; one at work is waited for.
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        data = ("\n" if torn else "") + line + "\n"
        if os.write(handle, data.encode()) < len(data.encode()):
            raise OSError("the disk is full")
    finally:
        os.close(handle)
