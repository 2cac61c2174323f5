"""A task that failed for good is told to people; a webhook that is down does no harm and shows no secret."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from dags import alert


def test_without_a_webhook_the_log_has_it_all(caplog: pytest.LogCaptureFixture) -> None:
    task = SimpleNamespace(dag_id="d", task_id="cleaned.t", run_id="r", try_number=4, log_url="http://here/log")
    with caplog.at_level(logging.ERROR):
        alert.failed({"task_instance": task})
    assert "cleaned.t of d failed in r; the table keeps the version it had http://here/log" in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/hook?token=s3cret",
        "no address s3cret",
        "file:///etc/hostname?s3cret",
        "http://h:9/hook?token=s3 cret",
        "http://127.0.0.1:s3cret/hook",
        "https://u:s3 cret@h/x",
    ],
)
def test_a_webhook_that_does_not_answer_is_noted_without_its_address(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CARBONLAKE_ALERT_URL", address)
    assert alert.send({"text": "t"}) is False
    assert "could not be sent" in caplog.text and "s3cret" not in caplog.text


def test_settings_that_cannot_be_read_do_not_hide_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_ENV", "nowhere")
    assert alert.send({"text": "t"}) is False
