"""A follower in a process of its own, to be killed, or to be kept from writing."""

from __future__ import annotations

import os
import resource
import signal
import threading
from multiprocessing.connection import Connection

from jobs.follow import follow
from jobs.lake import Lake
from jobs.run import run
from jobs.session import engine
from schemas import rooms


def stand(root: str, project: str, connections: dict[str, str], table: str, messages: int, size: int, pipe: Connection) -> None:
    """Follow until so many messages were landed, and send what is told; files may grow to `size` until a word comes back."""
    os.environ[rooms.VARIABLE] = project
    lake, stop, left = Lake(root), threading.Event(), [messages]

    def heard(receipt: object) -> None:
        import json

        left[0] -= json.loads(receipt.declared)["rows"]  # type: ignore[attr-defined]
        pipe.send(("landed", messages - left[0]))
        if left[0] <= 0:
            stop.set()

    def tell(text: str) -> None:
        pipe.send(("told", text))
        if size:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with engine("sail", memory="1g") as opened:
        opened.session  # noqa: B018 - the engine itself is not to meet the limit
        if size:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        failed = follow(lake, [table], connections, lambda: run(lake, opened, [table], workers=1), stop=stop, heard=heard,
                        tell=tell)  # fmt: skip
    pipe.send(("ended", failed))
