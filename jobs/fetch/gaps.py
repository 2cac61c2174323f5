"""Where a topic is gone on from: the offsets of the last receipt, if all that came since is still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import UserError

ACCEPT = "look for it elsewhere; `carbonlake fetch <table> --accept-gap` takes it for lost and goes on behind it"


@dataclass(frozen=True)
class Start:
    """The offset of each partition to go on from, and what is missing before it."""

    offsets: dict[int, int]
    gaps: dict[str, Any]


def starts(
    position: Mapping[str, Any], topic_id: str, held: Mapping[int, tuple[int, int]], where: str, *, accept: bool
) -> Start:  # fmt: skip
    """Return where to go on; `held` is, of each partition, the first offset there and the one behind the last.

    Raise UserError where messages are gone that were never fetched, unless that is accepted.
    """
    if not position:
        return Start({one: low for one, (low, _) in held.items()}, {})
    if position["topic_id"] != topic_id:
        gaps: dict[str, Any] = {"topic": position["topic_id"], "offsets": position["offsets"]}
        if not accept:
            raise UserError("the topic was deleted and made anew: what the old one held behind our place is gone", where=where,
                            remedy=ACCEPT)  # fmt: skip
        return Start({one: low for one, (low, _) in held.items()}, gaps)
    known = {int(one): int(at) for one, at in position["offsets"].items()}
    found = {one: _partition(known.get(one, 0), low, high) for one, (low, high) in held.items()}
    wrong = {str(one): told for one, (_, told) in found.items() if told}
    if wrong and not accept:
        listed = "; ".join(f"partition {one}: {told}" for one, told in wrong.items())
        raise UserError(f"messages are missing: {listed}", where=where, remedy=ACCEPT)
    return Start({one: at for one, (at, _) in found.items()}, wrong)


def _partition(at: int, low: int, high: int) -> tuple[int, str]:
    """Return where a partition is gone on from, and what is missing, if anything is."""
    if at < low:
        return low, f"{at} to {low - 1} were deleted before they were fetched"
    if at > high:
        return high, f"it ends at {high}, and was read up to {at}: it was cut off"
    return at, ""
