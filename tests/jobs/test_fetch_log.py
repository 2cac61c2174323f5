"""What a snapshot of PostgreSQL has seen is told by a transaction's number of 32 bits, whenever numbers come round."""

from __future__ import annotations

import pytest

from jobs.fetch.pgoutput import lsn, lsn_text
from jobs.fetch.transactions import visible

ROUND = 1 << 32


@pytest.mark.parametrize(
    ("snapshot", "number", "seen"),
    [
        ("10:20:12,15", 9, True),
        ("10:20:12,15", 12, False),
        ("10:20:12,15", 13, True),
        ("10:20:", 20, False),
        (f"{ROUND - 5}:{ROUND + 5}:{ROUND - 3}", ROUND - 4, True),
        (f"{ROUND - 5}:{ROUND + 5}:{ROUND - 3}", ROUND - 3, False),
        (f"{ROUND - 5}:{ROUND + 5}:", 4, True),
        (f"{ROUND - 5}:{ROUND - 1}:", 3, False),
    ],
)
def test_a_transaction_was_seen_or_not(snapshot: str, number: int, seen: bool) -> None:
    assert visible(snapshot)(number) is seen


def test_a_place_in_the_log_is_a_number_and_back() -> None:
    assert (lsn("1/16B3748"), lsn_text(lsn("1/16B3748"))) == ((1 << 32) + 0x16B3748, "1/16B3748")
