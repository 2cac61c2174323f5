"""What every command needs: settings, the lake, an engine, and a place to print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from carbonlake.logs import set_up
from conf.settings import Settings, load
from schemas import rooms

if TYPE_CHECKING:
    from jobs.lake import Lake
    from jobs.session import Engine
    from jobs.trino import Server

# Exit codes that mean something to a scheduler.
FAILED, WRONG, SOME_WAITING, INTERRUPTED = 1, 2, 3, 130


@dataclass
class World:
    """The options before the command's name, and what follows from them."""

    lake_root: str | None = None
    engine_url: str | None = None
    as_json: bool = False
    variant: str | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings of the environment, with what the command line says on top."""
        given = {"lake": self.lake_root, "engine": self.engine_url}
        found = load(overrides={key: value for key, value in given.items() if value})
        set_up(found.log_level, found.log_format)
        return found

    @cached_property
    def lake(self) -> Lake:
        """The lake, made on first use, or a restatement of it."""
        if self.variant is None:
            return self.published
        from jobs.variants import opened

        return opened(self.published, self.variant)

    @cached_property
    def published(self) -> Lake:
        """The lake of the settings, whatever restatement is asked."""
        from jobs.lake import Lake

        work = Path(self.settings.work).absolute() if self.settings.work else None
        return Lake(self.settings.lake, dict(self.settings.storage_options), work).init()

    @property
    def trino(self) -> Server:
        """The Trino of the settings. Raise UserError where none is named."""
        from jobs.trino import server

        return server(self.settings.trino, self.settings.trino_password, self.settings.trino_ca)

    @property
    def storage(self) -> dict[str, str] | None:
        """The way to a lake on S3, None for one on a disk."""
        from jobs.store import is_remote

        return dict(self.settings.storage_options) if is_remote(self.settings.lake) else None

    @contextmanager
    def engine(self, *, at_once: bool = True) -> Iterator[Engine]:
        """Open the engine of the settings; the embedded one `at_once`, or when it is asked for."""
        with self.opened(self.settings.engine, at_once=at_once) as opened:
            yield opened

    def opened(self, url: str, *, at_once: bool = True) -> AbstractContextManager[Engine]:
        """Open an engine with the memory of the settings, which reads the lake where it lies."""
        from jobs.session import engine

        return engine(url, self.settings.engine_memory, self.settings.spark_settings, self.storage, at_once=at_once)

    @cached_property
    def console(self) -> Console:
        """Where people read: wide enough for tables when nobody watches."""
        return Console(width=None if sys.stdout.isatty() else 140, highlight=False, soft_wrap=False)

    @cached_property
    def aside(self) -> Console:
        """Where people are told what is not the answer: stderr, so that machines can read the answer."""
        return Console(stderr=True, highlight=False)

    def say(self, value: Any) -> None:
        """Print a machine's answer as JSON."""
        print(json.dumps(value, ensure_ascii=False, default=str, indent=2))


def use_project(folder: str | None) -> None:
    """Lay a user's own project over the shipped rooms, for this process and those it starts."""
    if folder:
        os.environ[rooms.VARIABLE] = folder
