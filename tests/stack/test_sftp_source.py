"""Files on a real server of SFTP are taken once each, from nobody but the server that is known."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from jobs import fetch as fetching
from jobs.fetch import sftp
from schemas.errors import UserError
from tests.sources import TABLE, Source
from tests.stack.sshd import Server, sshd


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    with sshd(folder) as made:
        yield made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the folder that the server shows."""
    folder = tmp_path / "out"
    (folder / "2026").mkdir(parents=True)
    return folder


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, out: Path) -> Source:
    made = Source(tmp_path, monkeypatch, {"files": server.url, "known": server.host_key, "key": server.private_key})
    declare(made, out)
    return made


def declare(source: Source, out: Path, more: str = "") -> None:
    fetch = f"{{by: sftp, connection: files, host_key: known, private_key: key, folder: '{out}'{more}}}"
    source.declare(fetch, format="csv")


def put(path: Path, text: str, age: float = 3600) -> None:
    """Write a file that was left alone for so many seconds."""
    path.write_text(text)
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))


def test_each_state_of_each_file_is_taken_once_the_oldest_first(source: Source, out: Path) -> None:
    put(out / "b.csv", "id,kwh\n1,1\n", 3600)
    put(out / "2026" / "甲.csv", "id,kwh\n2,2\n", 7200)
    assert [one.name for one in source.fetch()] == ["2026/甲.csv", "b.csv"]
    assert source.fetch() == []
    put(out / "b.csv", "id,kwh\n1,9\n", 1800)
    (again,) = source.fetch()
    assert (again.name, source.bytes(again)) == ("b.csv", b"id,kwh\n1,9\n")


def test_files_that_are_being_written_are_left_until_they_are_settled(source: Source, out: Path) -> None:
    put(out / "young.csv", "id,kwh\n", 5)
    for name in (".hidden.csv", "a.csv.part", "b.filepart", "c.TMP"):
        put(out / name, "id,kwh\n")
    assert source.fetch() == []
    declare(source, out, ", settled: 0m")
    assert [one.name for one in source.fetch()] == ["young.csv"]


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_time(
    source: Source, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(out / "a.csv", "id,kwh\n1,1\n")
    read = paramiko.SFTPFile.read

    def growing(self: Any, *given: Any) -> bytes:
        put(out / "a.csv", "id,kwh\n1,1\n2,2\n", 100)
        return read(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(paramiko.SFTPFile, "read", growing)
        assert source.fetch() == []
    assert source.bytes(source.fetch()[0]) == b"id,kwh\n1,1\n2,2\n"


def test_a_line_that_breaks_goes_on_where_it_was(source: Source, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(out / "a.csv", "id,kwh\n" + "1,1\n" * 1000)
    monkeypatch.setattr(sftp, "BLOCK", 1000)
    read, places = paramiko.SFTPFile.read, []

    def breaking(self: Any, *given: Any) -> bytes:
        places.append(self.tell())
        if len(places) == 3:
            raise EOFError
        return read(self, *given)

    monkeypatch.setattr(paramiko.SFTPFile, "read", breaking)
    assert source.bytes(source.fetch()[0]) == (out / "a.csv").read_bytes()
    assert places[:4] == [0, 1000, 2000, 2000]


def test_another_server_is_told_nothing(source: Source, out: Path, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    source.connections = {**source.connections, "known": (tmp_path / "other.pub").read_text()}
    with pytest.raises(UserError, match=r"shows another key than the known one .*\n  → ask who runs it whether it has changed"):
        source.fetch()


def test_what_is_wrong_with_keys_is_told_without_showing_them(source: Source, out: Path, tmp_path: Path) -> None:
    right = dict(source.connections)
    source.connections = {**right, "known": "nonsense"}
    with pytest.raises(UserError, match=r"connection known: this is no public key of a server\n  → write what `ssh-keyscan`"):
        source.fetch()
    source.connections = {**right, "key": "private nonsense"}
    with pytest.raises(UserError, match=r"connection key: this is no private key\n  → give it as") as caught:
        source.fetch()
    assert "nonsense" not in str(caught.value)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    source.connections = {**right, "key": (tmp_path / "other").read_text()}
    with pytest.raises(UserError, match=r"it does not let us in\n  → see user, password and private_key"):
        source.fetch()


def test_what_is_not_there_says_what_to_do(source: Source, out: Path, server: Server) -> None:
    declare(source, out / "none")
    with pytest.raises(UserError, match=r"none: there is no such folder\n  → mend source.fetch.folder"):
        source.fetch()
    server.process.terminate()
    server.process.wait()
    with pytest.raises(UserError, match=r"the connection broke .*\n  → see that the server can be reached"):
        source.fetch()


def test_a_connection_is_tried_without_taking_anything(source: Source, out: Path) -> None:
    put(out / "a.csv", "id,kwh\n")
    assert fetching.tested(TABLE, source.connections) == "1 files that fit *"
    assert source.position() == {}
