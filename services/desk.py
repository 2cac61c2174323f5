"""What services work with: the lake, and the command line for what takes an engine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from jobs.lake import Lake
from schemas.errors import UserError

AT_ONCE = 2  # commands
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RUN = "import sys; from carbonlake.cli import main; sys.argv[0] = 'carbonlake'; main()"


@dataclass(frozen=True)
class Desk:
    """A lake, and the options that name it and its engine on the command line."""

    lake: Lake
    options: tuple[str, ...] = ()
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def ask(self, *words: str, codes: Sequence[int] = (0,)) -> Any:
        """Run a command as a process of its own, and return what it answers in JSON.

        So the server never holds an engine, and what a hostile file does to a reader it does not do to the server. Raise
        UserError with the command's own words where it ends with another code.
        """
        async with self.turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", RUN, *self.options, "--json", *words, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "NO_COLOR": "1"},
            )  # fmt: skip
            try:
                out, told = await process.communicate()
            except BaseException:  # whoever asked has left
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                raise
        if process.returncode not in codes:
            raise _told(told.decode(errors="replace"), words[0], process.returncode)
        try:
            return json.loads(out)
        except ValueError:  # it ended before it had an answer
            raise _told(told.decode(errors="replace"), words[0], process.returncode) from None


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that is asked."""
    desk: Desk = request.app.state.desk
    return desk


def _told(text: str, command: str, code: int | None) -> UserError:
    """Return what a command says on its way out."""
    text = COLOUR.sub("", text)
    said = text[text.rfind("✗") + 1 :].strip() if "✗" in text else ""
    if not said:
        last = text.strip().splitlines()[-1:] or [""]
        return UserError(f"`carbonlake {command}` ended with {code}: {last[0][:300]}", remedy="the log of the server says more")
    what, _, remedy = said.partition("\n  → ")
    return UserError(what.strip(), remedy=remedy.strip())
