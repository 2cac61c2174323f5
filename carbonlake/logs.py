"""The log: a line for people or an object for machines, with the run and table it belongs to, and never a secret."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from conf.secrets import redact
from jobs import telemetry

LOGGERS = ("carbonlake", "jobs", "lineage")
# What a record of Python's has by itself; anything else was given with `extra`.
STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class Ids(logging.Filter):
    """Puts the run and table of the work that is going on onto each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Never drop anything; what a record says itself stands."""
        for name, value in telemetry.current().items():
            record.__dict__.setdefault(name, value)
        return True


class Untold(logging.Filter):
    """Drops what a command's summary tells the same person anyway."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep what is not marked `summary`."""
        return not getattr(record, "summary", False)


class Text(logging.Formatter):
    """A line for people: instant, level, message, ids."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the trace of an error below it."""
        given = [f"{name}={value}" for name, value in _extra(record).items()]
        line = " ".join([_instant(record), record.levelname, record.getMessage(), *given])
        return redact("\n".join([line, self.formatException(record.exc_info)] if record.exc_info else [line]))


class Json(logging.Formatter):
    """An object for machines, one a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; secrets are taken out of each text before JSON writes it in its own way."""
        found = {"time": _instant(record), "level": record.levelname.lower(), "logger": record.name,
                 "message": record.getMessage(), **_extra(record)}  # fmt: skip
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(_redacted(found), ensure_ascii=False)


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value if isinstance(value, bool | int | float | None) else redact(str(value))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in STANDARD and name != "summary"}


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Stderr(logging.StreamHandler):  # type: ignore[type-arg]
    """Whatever stderr is when a line is written."""

    @property
    def stream(self) -> Any:
        """The stream of now."""
        return sys.stderr

    @stream.setter
    def stream(self, value: object) -> None:
        """Nothing is kept."""


def set_up(level: str, form: str) -> None:
    """Let our loggers speak from a level on, to stderr, as `text` or `json`; those of the libraries keep their level.

    All go one way, so that a library that tells a secret is cut short, too. Called again, it sets up anew.
    """
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one.formatter, Text | Json)]:
        root.removeHandler(handler)
    handler = Stderr()
    handler.setLevel(level.upper())
    handler.setFormatter(Json() if form == "json" else Text())
    handler.addFilter(Ids())
    if form == "text" and level in ("warning", "error"):
        handler.addFilter(Untold())
    root.addHandler(handler)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(level.upper())
