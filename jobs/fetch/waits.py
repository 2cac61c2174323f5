"""How long to wait before an address is asked again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from schemas.errors import UserError

ATTEMPTS = 6
LONGEST = 300.0  # seconds that a server may make us wait
sleep: Callable[[float], None] = time.sleep


def wait(attempt: int, retry_after: str, where: str) -> None:
    """Wait as the server says, in seconds or until a date, else twice as long each time, with jitter.

    Raise UserError where it would take too long.
    """
    seconds = told(retry_after)
    if seconds is not None and seconds > LONGEST:
        raise UserError(f"the server wants to be left alone for {seconds:.0f} s", where=where, remedy="fetch again after that")
    # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    sleep(seconds if seconds is not None else random.uniform(0, min(60.0, 2.0**attempt)))


def told(retry_after: str) -> float | None:
    """Return the seconds that a header Retry-After asks for; None where it says nothing that can be read."""
    text = retry_after.strip()
    if text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
