"""A line of the log says which run and table it belongs to, in a form for people or for machines, and tells no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from carbonlake.logs import set_up
from conf.secrets import learn
from jobs import telemetry
from tests import documents
from tests.jobs import building
from tests.jobs.building import csv

LOG = logging.getLogger("carbonlake.test")
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"
TELLS = '''"""A transform whose error tells a secret, as that of a library may."""

import os


def transform(flow):
    """Say too much."""
    raise OSError("403 for " + os.environ["AWS_SECRET_ACCESS_KEY"])
'''


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("carbonlake")
    handlers, level = list(root.handlers), ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_each_line_carries_the_ids_of_the_work_of_its_own_thread(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", "json")

    def work(number: int) -> None:
        with telemetry.about(table=f"t{number}"):
            telemetry.add(run=f"r{number}")
            LOG.info("said", extra={"number": number})

    with telemetry.about(of="all"), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: copy_context().run(work, n), range(2)))
        for future in [pool.submit(copy_context().run, work, n) for n in range(2, 8)]:
            future.result()
        LOG.info("after")
    LOG.info("outside")
    found = lines(capsys)
    assert {(one["table"], one["run"]) for one in found[:8]} == {(f"t{n}", f"r{n}") for n in range(8)}
    assert all(one["table"] == f"t{one['number']}" for one in found[:8])
    assert (found[8].get("of"), "table" in found[8], "of" in found[9]) == ("all", False, False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_tells_a_secret_wherever_in_it_it_stands(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "-".join(['k"ey\\of the 湖', "+/"])
    learn({"AWS_SECRET_ACCESS_KEY": secret})
    set_up("debug", form)
    try:
        raise OSError(f"the store refused {secret}")
    except OSError as error:
        LOG.debug("unexpected", exc_info=error)
    LOG.warning("key %s or %r or %s", secret, secret, quote(secret))
    LOG.warning("given", extra={"options": {"deep": [secret]}})
    logging.getLogger("of.a.library").warning("signed with %s and Bearer abcdef123456", json.dumps(secret))
    said = capsys.readouterr().err
    for part in ("of the", "of%20the", "u6e56", "abcdef123456"):
        assert part not in said
    assert said.count("***") == 7
    assert "Traceback" in said


def test_a_log_for_people_leaves_to_the_summary_what_it_tells(capsys: pytest.CaptureFixture[str]) -> None:
    for level, form, shown in (("warning", "text", False), ("info", "text", True), ("warning", "json", True)):
        set_up(level, form)
        LOG.error("failed: why", extra={"summary": True})
        assert ("failed: why" in capsys.readouterr().err) == shown


def test_a_run_logs_each_table_with_its_run_as_one_object_a_line(tmp_path: Path) -> None:
    place = building.lay(tmp_path / "mine", building.flows(["merge"]) | {"inbox/a.csv": csv([("a", "2026-01-01", 1, "x")])})
    command = ["env", "CARBONLAKE_LOG_LEVEL=info", "CARBONLAKE_LOG_FORMAT=json", "carbonlake", "--project", str(place)]
    documents.run([*command, "land", str(place / "inbox/a.csv"), "--source", "cleaned.flow_merge"], tmp_path)
    done = documents.run([*command, "run", "cleaned.flow_merge", "--json"], tmp_path)
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    (row,) = json.loads(done.stdout)
    assert (line["table"], line["run"], line["status"], line["rows_written"]) == (row["table"], row["run_id"], "built", 1)
    assert line["level"] == "info"
    assert line["time"].endswith("Z")


def test_a_secret_that_an_error_tells_is_neither_shown_nor_kept_nor_sent(tmp_path: Path) -> None:
    files = building.flows(["merge"]) | {"layers/thematic/flow_merge_month.py": TELLS, "inbox/a.csv": csv([])}
    place = building.lay(tmp_path / "mine", files)
    given = [f"AWS_SECRET_ACCESS_KEY={SECRET}", "CARBONLAKE_LOG_LEVEL=debug"]
    command = ["env", *given, "carbonlake", "--project", str(place)]
    documents.run([*command, "land", str(place / "inbox/a.csv"), "--source", "cleaned.flow_merge"], tmp_path)
    said = [documents.run([*command, "run", "+thematic.flow_merge_month", *how], tmp_path) for how in ((), ("--json",))]
    assert all("403 for ***" in done.stdout for done in said), said
    assert "Traceback" in said[0].stderr
    assert all(SECRET not in done.stdout + done.stderr for done in said)
    kept = [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
    assert any(b"403 for ***" in path.read_bytes() for path in kept)
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    for table in ("ops.run", "ops.event"):
        found = documents.run([*command, "sql", f"from {table}", "--json"], tmp_path).stdout
        assert "403 for ***" in found
        assert SECRET not in found
