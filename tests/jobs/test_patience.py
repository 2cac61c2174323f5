"""What errors of an object store are waited for, how long, and what is told of the others."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jobs import patience
from schemas.errors import UserError

CUT = "Generic S3 error: request or response body error"


def failing(times: int, error: Exception, seconds: float = 0.0) -> Callable[[], str]:
    """Return work that fails some times, each time after some seconds."""
    left = [times]

    def work() -> str:
        time.sleep(seconds)
        if left[0]:
            left[0] -= 1
            raise error
        return "done"

    return work


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for tenths of a second."""
    for name, value in (("PATIENCE", 0.3), ("FIRST", 0.1), ("PAUSE", 0.01), ("LONGEST_PAUSE", 0.05)):
        monkeypatch.setattr(patience, name, value)
    monkeypatch.setattr(patience, "_answered", [True])


def test_what_passes_is_asked_again() -> None:
    assert patience.waiting(failing(4, OSError(CUT)), "s3://a") == "done"


def test_work_that_takes_longer_than_patience_is_done_again() -> None:
    assert patience.waiting(failing(1, OSError(CUT), seconds=0.5), "s3://a") == "done"


def test_what_does_not_pass_is_told_at_once() -> None:
    for error in (OSError("403 Forbidden, after 10 retries, error sending request"), ValueError(CUT), OSError("no space left")):
        with pytest.raises(type(error)):
            patience.waiting(failing(1, error), "s3://a")


@pytest.mark.parametrize(("answered", "seconds"), [([True], "0.3"), ([], "0.1")])
def test_patience_ends_sooner_where_nobody_ever_answered(
    monkeypatch: pytest.MonkeyPatch, answered: list[bool], seconds: str
) -> None:  # fmt: skip
    monkeypatch.setattr(patience, "_answered", answered)
    with pytest.raises(UserError, match=f"did not answer for {seconds} seconds .*body error") as error:
        patience.waiting(failing(10**6, OSError(CUT)), "s3://a")
    assert "AWS_ENDPOINT_URL" in str(error.value)


@pytest.mark.parametrize(("text", "again"), [
    (CUT, True),
    ("S3AFileSystem: AWSClientIOException: connection reset", True),
    ("column S3 of meter 500 not found", False),
    ("Generic S3 error: 403 Forbidden: error sending request", False),
    ("connection refused", False),
])  # fmt: skip
def test_a_build_is_done_again_for_errors_of_the_store_alone(text: str, again: bool) -> None:
    assert patience.told_by_engine(RuntimeError(text)) is again
