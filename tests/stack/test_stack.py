"""`carbonlake stack` with a real MinIO: a second `up`, two at once, what dies, what is left alone, where secrets are."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from carbonlake.stack import parts, processes
from carbonlake.stack.home import port, secret
from tests import documents

KILLS = 5


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return a home of its own in which nothing runs, neither before nor after."""
    yield tmp_path / "home"
    parts.down(tmp_path / "home", None, lambda part, what: None)


def said(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `carbonlake stack` on a home."""
    return documents.run(["carbonlake", "stack", *words, "--home", str(home)], home.parent)


def started(home: Path) -> subprocess.Popen[str]:
    """Start `carbonlake stack up --only minio` on a home and do not wait for it."""
    program = Path(sys.executable).with_name("carbonlake")
    return subprocess.Popen([program, "stack", "up", "--only", "minio", "--home", home, "--json"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def servers(home: Path) -> list[psutil.Process]:
    """Return every process that was started for a home."""
    return list(processes._left(home, "minio"))


def pid(home: Path) -> Any:
    """Return the process id on record."""
    return processes.records(home)["minio"]["pid"]


def test_a_second_up_changes_nothing_and_what_died_comes_back_where_it_was(home: Path) -> None:
    first = json.loads(said(home, "up", "--only", "minio", "--json").stdout)
    before = pid(home)
    second = json.loads(said(home, "up", "--only", "minio", "--json").stdout)
    assert second == first and pid(home) == before and first["minio"]["state"] == "running"
    os.kill(before, signal.SIGKILL)
    psutil.wait_procs([process for process in servers(home) if process.pid == before], timeout=10)
    looked = said(home, "status", "--only", "minio", "--json")
    assert (looked.returncode, json.loads(looked.stdout)["minio"]["state"]) == (1, "died")
    third = json.loads(said(home, "up", "--only", "minio", "--json").stdout)
    assert third == first and pid(home) != before and len(servers(home)) == 1


def test_two_ups_at_once_start_one_server(home: Path) -> None:
    ups = [started(home) for _ in range(4)]
    answers = [one.communicate(timeout=300)[0] for one in ups]
    assert [one.returncode for one in ups] == [0] * 4
    assert len(set(answers)) == 1 and len(servers(home)) == 1


def test_an_up_that_is_killed_at_any_moment_leaves_nothing_unknown(home: Path) -> None:
    for number in range(KILLS):
        one = started(home)
        time.sleep(0.5 + 0.25 * number)
        one.kill()
        one.communicate()
        said(home, "down")
        assert servers(home) == [], f"kill {number}"
    assert json.loads(said(home, "up", "--only", "minio", "--json").stdout)["minio"]["state"] == "running"
    assert len(servers(home)) == 1
    print(f"{KILLS} ups killed, each time nothing was left behind")


def test_down_stops_what_it_started_and_leaves_others_alone(home: Path) -> None:
    said(home, "up", "--only", "minio")
    assert len(servers(home)) == 1
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        # As if the machine had given the number of a server that died to a process of somebody else.
        record = home / "run" / "other.json"
        noted = json.loads((home / "run" / "minio.json").read_text()) | {"pid": other.pid, "started": 1.0}
        record.write_text(json.dumps(noted))
        told = said(home, "down")
        assert told.returncode == 0 and "minio: stopped: minio" in told.stderr
        assert servers(home) == [] and other.poll() is None
        assert processes.records(home) == {} and (home / "minio" / "carbonlake").is_dir()
    finally:
        other.kill()
        other.wait()


def test_a_port_that_somebody_else_took_meanwhile_is_left_to_him(home: Path) -> None:
    said(home, "up", "--only", "minio")
    before = port(home, "minio")
    said(home, "down")
    with socket.create_server(("127.0.0.1", before)):
        told = json.loads(said(home, "up", "--only", "minio", "--json").stdout)["minio"]
    assert told["state"] == "running" and str(before) not in told["url"] and port(home, "minio") != before


def test_credentials_are_in_files_of_their_owner_and_nowhere_else(home: Path) -> None:
    up = said(home, "up", "--only", "minio", "--json")
    status = said(home, "status", "--json")
    files = list((home / "secrets").iterdir())
    assert len(files) >= 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600} and (home / "secrets").stat().st_mode & 0o777 == 0o700
    password = secret(home, "minio")
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines if password in line]
    assert not [path for path in (home / "logs").iterdir() if password in path.read_text(errors="replace")]
    assert password not in up.stdout + up.stderr + status.stdout + status.stderr
    assert f"${{file:{home / 'secrets' / 'minio'}}}" in status.stdout
    assert password in said(home, "env").stdout


def test_the_environment_is_what_a_shell_can_take_in(home: Path) -> None:
    said(home, "up", "--only", "minio")
    shell = 'eval "$(carbonlake stack env --home home)"; echo "$CARBONLAKE_LAKE"; echo "$CARBONLAKE_STORAGE_OPTIONS"'
    lake, options = documents.run(["sh", "-e", "-c", shell], home.parent).stdout.splitlines()
    assert lake == "s3://carbonlake/lake" and json.loads(options)["AWS_SECRET_ACCESS_KEY"] == secret(home, "minio")
