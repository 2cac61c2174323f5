"""`carbonlake follow` as it is typed: it takes what comes until a signal, ends well, and says what it did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from jobs.fetch import fetch
from jobs.lake import Lake
from tests.jobs import building
from tests.stack import streams
from tests.stack.streams import payload
from tests.stack.test_follow import TABLE, counted, landed

MESSAGES = 2000


@pytest.mark.parametrize(("how", "number"), [("text", signal.SIGTERM), ("--json", signal.SIGINT)])
def test_it_ends_well_at_a_signal_and_says_what_it_did(
    tmp_path: Path, mosquitto: dict[str, str], monkeypatch: pytest.MonkeyPatch, how: str, number: signal.Signals
) -> None:
    name, lake = f"s-{uuid4().hex[:8]}", Lake(tmp_path / "lake").init()
    connections = streams.connections(mosquitto=mosquitto)
    files = streams.table("stream", f'by: mqtt, connection: mqtt, topics: ["{name}/#"], client: {name}', rows=500)
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", files)))
    monkeypatch.setenv("CARBONLAKE_CONNECTIONS", json.dumps(connections))
    fetch(lake, TABLE, connections)  # the session begins here
    program = str(Path(sys.executable).with_name("carbonlake"))
    command = [program, *(["--json"] if how == "--json" else []), "--lake", str(lake.root), "follow", TABLE]
    with subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        streams.publish(connections["mqtt"], ((f"{name}/a", payload(n)) for n in range(MESSAGES)))
        while landed(lake) < MESSAGES:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert counted(lake) == list(range(MESSAGES)), err
    if how == "--json":
        said = json.loads(out)
        assert (said["messages"], said["rows_written"], said["failed"]) == (MESSAGES, MESSAGES, {})
        assert said["deliveries"] >= 1 and said["builds"] >= 1
    else:
        assert out.startswith("2,000 messages in ") and "2,000 rows in " in out
    password = connections["mqtt"].split("@")[0].rsplit(":", 1)[1]
    assert password not in out + err
