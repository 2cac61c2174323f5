"""What docs/trino.md shows, done on a real Trino: commands, the Python client, SQLAlchemy, JDBC; and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from carbonlake.stack import parts, processes
from jobs import query, trino
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests import documents
from tests.stack.shown import Shown, played

DOCUMENT = SHIPPED / "docs" / "trino.md"
# Of a size that it is still at work when the server is killed.
SLOW = "select count(*) as n from business.emission a cross join business.emission_month b where a.date < b.month"


@pytest.fixture
def environment(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the environment of a client; the certificates of the machine are not in it, as the document says."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    return shown.environment


def test_every_command_and_program_of_the_document_runs(environment: dict[str, str], tmp_path: Path) -> None:
    printed = []
    for block in documents.blocks(DOCUMENT):
        if block.file:
            target = tmp_path / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.kind in ("sh", "python"):
            words = ["sh", "-e", "-c"] if block.kind == "sh" else [sys.executable, "-c"]
            done = played([*words, block.text], tmp_path, environment)
            assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
            printed.append(done.stdout)
    publish, ask, client, dialect, java = printed
    assert "tables read" in publish and "analysed" in publish
    assert "emission_of_books" in ask and "黑色金属冶炼和压延加工业" in ask
    assert "(2023, Decimal(" in client or "[2023, Decimal(" in client
    assert "'emission_of_books'" in dialect and "'enterprise', 2023, Decimal(" in dialect
    assert "黑色金属冶炼和压延加工业 49574415.509327" in java


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trino_password": "not-the-password"}, "the password is wrong"),
        ({"trino_ca": ""}, "certificate is not trusted"),
        ({"trino_ca": "/no/such.pem"}, "there is no file"),
        ({"trino": "https://carbonlake@127.0.0.1:1/lake"}, "no Trino answers here"),
        ({"trino": ""}, "no Trino is named"),
    ],
)
def test_what_is_wrong_is_told_with_a_remedy_and_without_the_password(
    changes: dict[str, str], says: str, shown: Shown, tmp_path: Path
) -> None:
    for words in (["publish"], ["sql", "--on", "trino", "select 1"]):
        done = shown.said(tmp_path, *words, log_level="debug", **changes)
        assert done.returncode == 1 and says in done.stderr and "→" in done.stderr, done.stderr
        for secret in (shown.at.password, "not-the-password"):
            assert secret not in done.stdout + done.stderr


def test_the_doctor_asks_trino(shown: Shown, tmp_path: Path) -> None:
    done = shown.said(tmp_path, "--json", "doctor")
    (found,) = [row for row in json.loads(done.stdout) if row["what"] == "Trino"]
    assert found["state"] == "ok" and "tables and views" in found["found"]


def test_what_is_not_there_or_not_allowed_is_told(shown: Shown, tmp_path: Path) -> None:
    for text, says in (
        ("select * from business.nothing", "carbonlake publish"),
        ("select nothing from business.emission_year", "describe"),
        ("selekt 1", "only one query that reads"),
        ("select 1 +", "SQL"),
        ("delete from business.emission_year", "only one query that reads"),
    ):
        done = shown.said(tmp_path, "sql", "--on", "trino", text)
        assert done.returncode == 1 and says in done.stderr, done.stderr


def test_a_question_outlives_the_server_that_was_killed_while_it_answered(
    shown: Shown, stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trino, "PATIENCE", 600.0)
    answers: list[object] = []

    def question() -> None:
        try:
            answers.append(shown.ask(SLOW).rows)
        except UserError as error:
            answers.append(str(error))

    asking = threading.Thread(target=question)
    asking.start()
    running = ("select count(*) from system.runtime.queries"
               " where state = 'RUNNING' and query like '%cross join%' and query not like '%runtime%'")  # fmt: skip
    while asking.is_alive() and shown.ask(running).rows == [(0,)]:
        time.sleep(0.2)
    assert asking.is_alive()
    pid = processes.records(stack, "trino")["trino"]["pid"]
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([process for process in psutil.process_iter() if process.pid == pid], timeout=20)
    parts.up(stack, ["trino"], lambda part, what: None)
    asking.join(timeout=600)
    (expected,) = query.sql(shown.lake, SLOW).to_pylist()
    assert answers == [[(expected["n"],)]]
