"""What happens when a task has failed for good: a line in the log, and a message to the webhook of the settings."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from conf import settings

SECONDS = 10
log = logging.getLogger("carbonlake.alert")


def failed(context: Mapping[str, Any]) -> None:
    """Tell people of a task that failed after its last retry; `context` is Airflow's. Never raises.

    The webhook gets JSON with `text` (which chat systems show), `dag`, `task`, `run`, `try` and `log`, a URL.
    """
    task = context["task_instance"]
    told = {"dag": task.dag_id, "task": task.task_id, "run": task.run_id, "try": task.try_number,
            "log": str(getattr(task, "log_url", ""))}  # fmt: skip
    text = f"carbonlake: {told['task']} of {told['dag']} failed in {told['run']}; the table keeps the version it had"
    log.error("%s %s", text, told["log"])
    send({"text": text, **told})


def send(message: Mapping[str, Any]) -> bool:
    """Post a message to the webhook if there is one; tell whether it took it. A receiver that is down is noted alone."""
    try:
        if not (url := settings.load().alert_url):
            return False
        if not url.startswith(("http://", "https://")):
            raise ValueError("not an address of the web")
        body = json.dumps(message, ensure_ascii=False).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=SECONDS):
            return True
    except (OSError, ValueError, HTTPException, settings.SettingsError) as error:
        # Of an error only what it is: its text may hold the address, and that a token.
        log.warning("the alert could not be sent to the webhook: %s %s", type(error).__name__, getattr(error, "code", ""))
        return False
