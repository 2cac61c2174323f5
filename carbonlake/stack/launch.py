"""The first moment of a server: it notes who it is, then becomes the program; a kill before leaves nothing unknown."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil


def main(record: str, part: str, asked: str, ending: str, *command: str) -> None:
    """Write the record of this process, then run the command in its place; its standard error is a log."""
    noted = {"host": os.uname().nodename, "pid": os.getpid(), "started": psutil.Process().create_time(),
             "part": part, "asked": asked, "ending": int(ending)}  # fmt: skip
    new = Path(f"{record}.{os.getpid()}")
    new.write_text(json.dumps(noted), encoding="utf-8")
    new.replace(record)
    # The lock of the home came with us so that nobody looked before this; from here on it is not ours.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
