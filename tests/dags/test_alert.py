"""People are told of what failed or is late: in the log, by webhook, by mail; a receiver that is down shows no secret."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from dags import alert
from tests.dags.receivers import mailbox, webhook

TASK = SimpleNamespace(dag_id="d", task_id="cleaned.t", run_id="r", try_number=4, log_url="http://here/log")


def test_without_receivers_the_log_has_it_all(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        alert.failed({"task_instance": TASK})
    assert "cleaned.t of d failed in r; the table keeps the version it had http://here/log" in caplog.text


def test_webhook_and_mail_get_the_same_message(monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as (address, posted), mailbox() as (server, letters):
        monkeypatch.setenv("CARBONLAKE_ALERT_URL", address)
        monkeypatch.setenv("CARBONLAKE_ALERT_MAIL", "a@example.org, b@example.org")
        monkeypatch.setenv("CARBONLAKE_MAIL_SERVER", server)
        alert.failed({"task_instance": TASK})
    assert [(one["dag"], one["task"], one["run"], one["try"]) for one in posted] == [("d", "cleaned.t", "r", 4)]
    (letter,) = letters
    assert "To: a@example.org, b@example.org" in letter and "From: carbonlake@localhost" in letter
    assert posted[0]["text"] in letter.replace("\n ", " ") and "log: http://here/log" in letter


def test_a_run_that_is_late_names_itself_and_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as (address, posted):
        monkeypatch.setenv("CARBONLAKE_ALERT_URL", address)
        context = {"dag_run": {"dag_id": "d", "dag_run_id": "r"}, "deadline": {"deadline_time": "2026-01-02 00:00:00+00:00"}}
        alert.late(context, within="1 day, 0:00:00")
    assert posted == [{"text": "carbonlake: r of d has not ended within 1 day, 0:00:00; its tables go stale", "dag": "d",
                       "run": "r", "deadline": "2026-01-02 00:00:00+00:00"}]  # fmt: skip


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
    alert.tell("t", {})
    assert "could not be sent to the webhook" in caplog.text and "s3cret" not in caplog.text


@pytest.mark.parametrize("server", ["smtp://127.0.0.1:9", "smtps://u@127.0.0.1:9", "mail.example.org", ""])
def test_a_mail_server_that_does_not_answer_is_noted_and_the_webhook_is_told_all_the_same(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CARBONLAKE_ALERT_MAIL", "a@example.org")
    monkeypatch.setenv("CARBONLAKE_MAIL_SERVER", server)
    monkeypatch.setenv("CARBONLAKE_MAIL_PASSWORD", "s3cret")
    with webhook() as (address, posted):
        monkeypatch.setenv("CARBONLAKE_ALERT_URL", address)
        alert.tell("t", {})
    assert posted == [{"text": "t"}]
    assert "could not be sent to the mail" in caplog.text and "s3cret" not in caplog.text


def test_a_password_never_goes_to_another_machine_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def __init__(self, *given: object, **named: object) -> None:
            self.closed = False

        def ehlo(self) -> None:
            pass

        def has_extn(self, name: str) -> bool:
            return False

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(alert.smtplib, "SMTP", Plain)
    with pytest.raises(ValueError, match="does not encrypt"):
        alert._opened("smtp", "mail.example.org", 25)


def test_settings_that_cannot_be_read_do_not_hide_the_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CARBONLAKE_ENV", "nowhere")
    alert.tell("a task failed", {})
    assert "a task failed" in caplog.text and "nobody else could be told" in caplog.text
