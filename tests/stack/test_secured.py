"""Lines that are encrypted, to servers that our own authority has signed; any other server is told nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from carbonlake.stack import mosquitto as mosquitto_part
from carbonlake.stack import postgres as server
from carbonlake.stack.home import port
from jobs.apache import free_port
from jobs.fetch import fetch
from jobs.fetch.how import PassingError
from jobs.lake import Lake
from schemas.errors import UserError
from tests.jobs import building
from tests.sources import Source
from tests.stack import streams
from tests.stack.certificates import authority, signed
from tests.stack.streams import Environment, payload

SCRAM = "scram-user", "a password: with @ signs / and more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tls"
    made.mkdir()
    return made


@contextmanager
def broker(folder: Path, host: str = "IP:127.0.0.1") -> Iterator[tuple[int, int, Path]]:
    """Run a mosquitto of the test's own; return its port, that of its encrypted line, and the authority of the latter."""
    ca = authority(folder)
    certificate, key = signed(folder, ca, host)
    plain, encrypted = free_port(), free_port()
    program = shutil.which("mosquitto", path=mosquitto_part.PATH)
    hasher, passwords = str(shutil.which("mosquitto_passwd", path=mosquitto_part.PATH)), str(folder / "passwords")
    subprocess.run([hasher, "-c", "-b", passwords, "us", "secret"], check=True, capture_output=True)
    root = ["user root"] if os.getuid() == 0 else []
    (folder / "conf").write_text("\n".join([
        *root, "allow_anonymous false", f"password_file {folder}/passwords", f"listener {plain} 127.0.0.1",
        f"listener {encrypted} 127.0.0.1", f"certfile {certificate}", f"keyfile {key}", ""]))  # fmt: skip
    process = subprocess.Popen([str(program), "-c", str(folder / "conf")], stderr=(folder / "log").open("wb"))
    try:
        until = time.monotonic() + 30
        while "running" not in (folder / "log").read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        yield plain, encrypted, ca
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    files = streams.table("plant", 'by: mqtt, connection: mqtt, topics: ["t/#"], client: secured')
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", files)))
    return Lake(tmp_path / "lake").init()


def test_messages_come_over_an_encrypted_line_from_the_broker_that_our_authority_has_signed(folder: Path, lake: Lake) -> None:
    with broker(folder) as (plain, encrypted, ca):
        url = {"mqtt": f"mqtts://us:secret@127.0.0.1:{encrypted}?ca={ca}"}
        assert fetch(lake, "cleaned.plant", url) == []
        streams.publish(f"mqtt://us:secret@127.0.0.1:{plain}", [("t/a", payload(n)) for n in range(100)])
        (receipt,) = fetch(lake, "cleaned.plant", url)
        assert json.loads(receipt.declared)["rows"] == 100
        with pytest.raises(PassingError, match="does not let us in"):
            fetch(lake, "cleaned.plant", {"mqtt": url["mqtt"].replace("secret", "wrong")})


@pytest.mark.parametrize(("host", "known"), [("IP:127.0.0.1", "other"), ("IP:127.0.0.1", ""), ("DNS:elsewhere.example", "ca")])
def test_a_broker_that_another_authority_has_signed_or_of_another_name_is_told_nothing(
    folder: Path, lake: Lake, host: str, known: str
) -> None:
    authority(folder, "other")
    with broker(folder, host) as (_, encrypted, _):
        words = f"?ca={folder / known}.pem" if known else ""
        with pytest.raises(PassingError, match=r"cannot be reached .*certificate verify failed"):
            fetch(lake, "cleaned.plant", {"mqtt": f"mqtts://us:secret@127.0.0.1:{encrypted}{words}"})


@pytest.fixture
def certified(stack: Path, postgres: Environment, folder: Path) -> Iterator[Path]:
    """Let PostgreSQL show a certificate, and return the authority that has signed it."""
    ca, data = authority(folder), server.place(stack) / "data"
    for name, made in zip(("tests.crt", "tests.key"), signed(folder, ca), strict=True):
        shutil.copy(made, data / name)
        (data / name).chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(data / name, server.OWNER, server.OWNER)
    where = {"host": str(server.place(stack)), "port": port(stack, "postgres"), "user": server.OWNER, "dbname": "postgres"}
    with psycopg.connect(**where, autocommit=True) as owner:
        for name, value in {"ssl_cert_file": "tests.crt", "ssl_key_file": "tests.key", "ssl": "on"}.items():
            owner.execute(f"alter system set {name} = '{value}'")
        owner.execute("select pg_reload_conf()")
        yield ca
        owner.execute("alter system reset all")
        owner.execute("select pg_reload_conf()")


def test_a_database_is_read_over_an_encrypted_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Environment, certified: Path, folder: Path
) -> None:
    url = postgres["CARBONLAKE_DATABASE"]
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("drop schema if exists own cascade")
        database.execute("create schema own")
        database.execute("create view own.reading as select 1::bigint as id, 1.5::numeric(18, 6) as kwh, ssl from pg_stat_ssl "
                         "where pid = pg_backend_pid()")  # fmt: skip
    source = Source(tmp_path, monkeypatch, {"meters": f"{url}?sslmode=verify-full&sslrootcert={certified}"})
    source.declare("{by: database, connection: meters, table: own.reading}", write="replace")
    (receipt,) = source.fetch()
    assert [row["ssl"] for row in source.rows(receipt)] == [True]
    other = authority(folder, "other")
    source.connections = {"meters": f"{url}?sslmode=verify-full&sslrootcert={other}"}
    with pytest.raises(UserError, match=r"PostgreSQL says: .*certificate verify failed\n  → see that the server runs"):
        source.fetch()


def test_kafka_lets_in_by_scram_who_has_the_password(kafka: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user, password = SCRAM
    topic = f"scram-{uuid4().hex[:8]}"
    streams.make_topic(kafka, topic)
    admin = AdminClient(streams.login(kafka))
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    for done in admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, password.encode())]).values():
        done.result(30)
    streams.produce(kafka, topic, map(payload, range(10)))
    files = streams.table("log", f"by: kafka, connection: kafka, topic: {topic}")
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "own", files)))
    made = Lake(tmp_path / "lake").init()

    def url(word: str) -> dict[str, Any]:
        return {"kafka": f"kafka://{user}:{word}@{kafka['CARBONLAKE_KAFKA']}?mechanism=SCRAM-SHA-512"}

    (receipt,) = fetch(made, "cleaned.log", url("a%20password%3A%20with%20%40%20signs%20%2F%20and%20more"))
    assert json.loads(receipt.declared)["rows"] == 10
    with pytest.raises(PassingError, match="uthentication"):
        fetch(made, "cleaned.log", url("wrong"))
