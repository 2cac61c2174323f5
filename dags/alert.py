"""What people are told of: tasks that failed for good, runs that are late; in the log, to a webhook, by mail."""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit

from conf import settings
from conf.settings import Settings

SECONDS = 10
HERE = ("localhost", "127.0.0.1", "::1")
log = logging.getLogger("carbonlake.alert")


def failed(context: Mapping[str, Any]) -> None:
    """Tell people of a task that failed after its last retry; `context` is Airflow's. Never raises."""
    task = context["task_instance"]
    told = {"dag": task.dag_id, "task": task.task_id, "run": task.run_id, "try": task.try_number,
            "log": str(getattr(task, "log_url", ""))}  # fmt: skip
    tell(f"carbonlake: {told['task']} of {told['dag']} failed in {told['run']}; the table keeps the version it had", told)


def late(context: Mapping[str, Any], within: str) -> None:
    """Tell people of a run that has not ended within the time that the freshness of its tables leaves. Never raises."""
    run = context["dag_run"]
    told = {"dag": run["dag_id"], "run": run["dag_run_id"], "deadline": str(context["deadline"]["deadline_time"])}
    tell(f"carbonlake: {told['run']} of {told['dag']} has not ended within {within}; its tables go stale", told)


def tell(text: str, told: Mapping[str, Any]) -> None:
    """Write a message to the log, and send it where the settings say: a receiver that is down is noted alone.

    The webhook gets JSON with `text`, which chat systems show, and what `told` names.
    """
    log.error("%s %s", text, told.get("log", ""))
    try:
        found = settings.load()
    except settings.SettingsError as error:
        log.warning("nobody else could be told: %s", type(error).__name__)
        return
    for name, to, send in (("webhook", found.alert_url, _post), ("mail", found.alert_mail, _mail)):
        if to:
            try:
                send(found, {"text": text, **told})
            except (OSError, ValueError, HTTPException, smtplib.SMTPException) as error:
                # Of an error only what it is: its text may hold the address, and that a token.
                what = f"{type(error).__name__} {getattr(error, 'code', '')}"
                log.warning("the alert could not be sent to the %s: %s", name, what)


def _post(found: Settings, message: Mapping[str, Any]) -> None:
    if not found.alert_url.startswith(("http://", "https://")):
        raise ValueError("not an address of the web")
    body = json.dumps(message, ensure_ascii=False).encode()
    request = urllib.request.Request(found.alert_url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=SECONDS):
        pass


def _mail(found: Settings, message: Mapping[str, Any]) -> None:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = message["text"], found.mail_from, found.alert_mail
    letter.set_content("\n".join(f"{name}: {value}" for name, value in message.items()))
    place = urlsplit(found.mail_server)
    if place.scheme not in ("smtp", "smtps") or not place.hostname:
        raise ValueError("not an address of a mail server")
    with _opened(place.scheme, place.hostname, place.port or 0) as server:
        if found.mail_password:
            server.login(unquote(place.username or found.mail_from), found.mail_password)
        server.send_message(letter)


def _opened(scheme: str, host: str, port: int) -> smtplib.SMTP:
    """Connect to a mail server, encrypted: smtps from the start, smtp by STARTTLS, which only this machine may lack."""
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    elif host not in HERE:
        server.close()
        raise ValueError("the mail server does not encrypt")
    return server
