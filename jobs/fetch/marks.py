"""Marks by which an API is asked for what changed alone: the highest that came, from which the next fetch goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs.fetch import Asked
from jobs.fetch.database import AHEAD
from jobs.intake import digest
from schemas.errors import UserError


def asked_for(asked: Asked) -> dict[str, str]:
    """Return the query that asks for what changed since the last time; nothing at the first time."""
    since = asked.how.since
    mark = (asked.position.get("since") or since.first) if since else ""
    return {since.parameter: mark} if since and mark else {}


def higher(highest: str, mark: Any, asked: Asked, line: str) -> str:
    """Return the higher of two marks; one that is ahead of the clock is not gone on from, as what changes until then would
    be passed over. Raise UserError for a record without a mark that can be compared."""
    try:
        rank = _rank(mark)
        if isinstance(rank, datetime) and rank > datetime.now(UTC) + AHEAD:
            return highest
        return str(mark) if not highest or rank > _rank(highest) else highest
    except (ValueError, TypeError, ArithmeticError):
        raise UserError(f"no instant, day or number at {asked.how.since.at!r} to go on from: {line[:100]}", where=asked.how.url,
                        remedy="mend source.fetch.since.at; without `since` all is taken each time") from None  # fmt: skip


def after(asked: Asked, highest: str, file: Path | None) -> dict[str, Any]:
    """Return where the next round begins, and which file the last one was, where it was one."""
    if not asked.how.since:
        return {}
    return {"since": highest or asked.position.get("since", ""), **({"sha256": digest(file)} if file else {})}


def known(asked: Asked, now: dict[str, Any]) -> bool:
    """Tell whether all that came are the records at the border that came the last time."""
    return bool(now) and now == {name: asked.position.get(name) for name in ("since", "sha256")}


def _rank(mark: Any) -> Any:
    text = str(mark)
    if "-" in text[4:5]:
        instant = datetime.fromisoformat(text)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    rank = Decimal(text)
    if not rank.is_finite():
        raise ValueError(text)
    return rank
