"""Files that lie somewhere are taken by the state that was taken last."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from jobs.fetch.states import There, fresh


def _asked(*taken: tuple[str, Any]) -> Any:
    receipts = [SimpleNamespace(name=name, declared=json.dumps(state) if state else "") for name, state in taken]
    return SimpleNamespace(brought=lambda: receipts, how=SimpleNamespace(pattern="*"))


def test_what_is_again_as_it_was_two_states_ago_is_taken_again() -> None:
    there = [There("a.csv", 3.0, {"etag": "1"})]
    assert fresh(_asked(("a.csv", {"etag": "1"}), ("a.csv", {"etag": "2"})), there) == there
    assert fresh(_asked(("a.csv", {"etag": "2"}), ("a.csv", {"etag": "1"})), there) == []


def test_what_a_person_landed_by_hand_is_not_taken_over_by_the_state_before() -> None:
    assert fresh(_asked(("a.csv", {"etag": "1"}), ("a.csv", None)), [There("a.csv", 3.0, {"etag": "1"})]) == []
