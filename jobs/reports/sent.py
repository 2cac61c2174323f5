"""A report on its way: submitted to a receiver by a signed message, and what was answered."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping

from conf.settings import Webhook
from jobs.lake import Lake
from jobs.posting import post, signature
from jobs.reports.kept import TABLE, Row, became, files, report
from jobs.webhooks import subscribed
from schemas.errors import UserError

SECONDS = 60.0
ANSWERS = ("accepted", "returned")


def submit(lake: Lake, hooks: Mapping[str, Webhook], report_id: str, to: str = "") -> Row:
    """Send a report with its files to a subscription of the settings that names ops.report, and record what came of it.

    The message has the same id at every attempt. Raise UserError where it was submitted before, or nobody receives it.
    """
    row = report(lake, report_id)
    if row["status"] in ("submitted", "accepted"):
        raise UserError(f"it is {row['status']} already", where=row["report_id"],
                        remedy="`carbonlake report mark` puts down an answer; changed data give a new version")  # fmt: skip
    receiver = _receiver(hooks, to)
    body = _body(row, files(lake, row))
    event, at = hashlib.sha256(f"{row['report_id']}|{row['files']}".encode()).hexdigest()[:32], int(time.time())
    hook = hooks[receiver]
    headers = {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": signature(hook.secret, event, at, body)}
    reply = post(hook.url, body, headers, private=hook.private, seconds=SECONDS)
    # Sending takes its time, and another may have added a format to what was still a draft: the receiver does not have it.
    late = json.loads(report(lake, row["report_id"])["files"]).keys() - json.loads(row["files"]).keys()
    told = "; ".join([reply.told, *(f"{name} came too late and was not sent" for name in sorted(late))])
    return became(lake, row["report_id"], status="submitted" if reply.taken else "failed", receiver=receiver, reply=told)


def _receiver(hooks: Mapping[str, Webhook], to: str) -> str:
    ready = [name for name, hook in hooks.items() if TABLE in subscribed(hook)]
    if to and to not in ready:
        raise UserError(f"{to!r} is no subscription of {TABLE}", where="webhooks",
                        remedy=f"known: {', '.join(ready) or 'none'}; name {TABLE} in its `tables`")  # fmt: skip
    if not to and len(ready) != 1:
        remedy = (
            f"name one by --to: {', '.join(ready)}" if ready else f"add one with `tables: {TABLE}` to conf/, see docs/reports.md"
        )
        raise UserError(f"{len(ready)} subscriptions receive reports", where="webhooks", remedy=remedy)
    return to or ready[0]


def _body(row: Row, held: Mapping[str, bytes]) -> bytes:
    """Return the message: what the report is, and its files with their hashes."""
    told = {name: row[name] for name in ("report_id", "kind", "member", "name", "year", "release", "version", "book",
                                         "emission_tco2e", "unresolved_rows")}  # fmt: skip
    sent = [{"name": name, "sha256": hashlib.sha256(content).hexdigest(), "content": base64.b64encode(content).decode()}
            for name, content in held.items()]  # fmt: skip
    told |= {"emission_scope": "all" if row["kind"] == "enterprise" else "1", "tables": json.loads(row["tables"])}
    message = {"type": "report.submitted", "report": told, "files": sent}
    return json.dumps(message, ensure_ascii=False, default=str).encode()


def mark(lake: Lake, report_id: str, answer: str, by: str) -> Row:
    """Put down what was answered to a report that was submitted, and by whom. Raise UserError for one that was not."""
    row = report(lake, report_id)
    if answer not in ANSWERS:
        raise UserError(f"{answer!r} is no answer", where="report mark", remedy=f"one of {', '.join(ANSWERS)}")
    if row["status"] != "submitted":
        raise UserError(f"it is {row['status']}, and not submitted", where=row["report_id"],
                        remedy=f"`carbonlake report submit {row['report_id']}` first")  # fmt: skip
    return became(lake, row["report_id"], status=answer, reply=by)
