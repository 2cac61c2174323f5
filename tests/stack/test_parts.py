"""Each part of the stack as its users meet it: what it lets in, what it refuses, and what it gives."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from pyarrow import fs
from trino.auth import BasicAuthentication
from trino.dbapi import connect
from trino.exceptions import HttpError, TrinoUserError

from carbonlake.stack import minio as minio_part
from carbonlake.stack import mosquitto as mosquitto_part
from carbonlake.stack import parts, processes
from carbonlake.stack import spark as spark_part
from carbonlake.stack.home import port, secret
from dags.plan import plans
from jobs.session import engine
from schemas.errors import UserError

Environment = dict[str, str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what overrules the certificate that a client of Trino is given."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def store(environment: Environment, password: str) -> fs.S3FileSystem:
    """Return the object store of an environment, with a password."""
    options = json.loads(environment["CARBONLAKE_STORAGE_OPTIONS"])
    return fs.S3FileSystem(access_key=options["AWS_ACCESS_KEY_ID"], secret_key=password, region=options["AWS_REGION"],
                           endpoint_override=options["AWS_ENDPOINT_URL"])  # fmt: skip


def test_minio_has_the_bucket_of_the_lake_and_lets_nobody_in_without_the_password(stack: Path, minio: Environment) -> None:
    mine = store(minio, secret(stack, "minio"))
    assert minio_part.BUCKET in [found.path for found in mine.get_file_info(fs.FileSelector(""))]
    with pytest.raises(OSError, match=r"ACCESS_DENIED|SIGNATURE|403"):
        store(minio, "wrong-password").create_dir("carbonlake/x")


def asked(trino: Environment, sql: str, user: str = "carbonlake", password: str = "", scheme: str = "https", at: int = 0) -> Any:
    """Ask Trino as a user."""
    where = urlsplit(trino["CARBONLAKE_TRINO"])
    auth = BasicAuthentication(user, password) if password else None
    with connect(host=where.hostname, port=at or where.port, user=user, auth=auth, catalog="lake", http_scheme=scheme,
                 verify=trino["CARBONLAKE_TRINO_CA"]) as connection:  # fmt: skip
        return connection.cursor().execute(sql).fetchall()


def test_trino_takes_tables_from_one_user_and_lets_the_other_read_them(stack: Path, trino: Environment) -> None:
    mine, theirs = trino["CARBONLAKE_TRINO_PASSWORD"], secret(stack, "trino-analyst")
    for sql in ("create schema if not exists tried", "drop table if exists tried.t", "create table tried.t as select '碳' as c"):
        asked(trino, sql, password=mine)
    ((path,),) = asked(trino, 'select distinct "$path" from tried.t', password=mine)
    folder = path.rsplit("/", 1)[0]
    asked(trino, "call lake.system.unregister_table('tried', 't')", password=mine)
    asked(trino, f"call lake.system.register_table('tried', 't', '{folder}')", password=mine)
    assert asked(trino, "select c from tried.t", "analyst", theirs) == [["碳"]]
    for sql in ("insert into tried.t values ('x')", "drop table tried.t", "call lake.system.unregister_table('tried', 't')"):
        with pytest.raises(TrinoUserError, match="Access Denied"):
            asked(trino, sql, "analyst", theirs)
    asked(trino, "drop table tried.t", password=mine)
    assert asked(trino, "show session like 'query_max_run_time'", "analyst", theirs)[0][1] == "10m"


def test_trino_lets_nobody_in_without_the_password_nor_without_tls(stack: Path, trino: Environment) -> None:
    for password in ("", "wrong"):
        with pytest.raises(HttpError, match="401"):
            asked(trino, "select 1", password=password)
    with pytest.raises(HttpError, match="403"):
        asked(trino, "select 1", scheme="http", at=port(stack, "trino-internal"))


def test_the_rules_of_trino_hold_as_soon_as_they_are_replaced(stack: Path, trino: Environment) -> None:
    rules, theirs = Path(trino["CARBONLAKE_TRINO_RULES"]), secret(stack, "trino-analyst")
    before = rules.read_text()
    shut = json.loads(before)
    shut["catalogs"] = [{"user": "carbonlake", "allow": "all"}]
    try:
        _replace(rules, json.dumps(shut))
        until = time.monotonic() + 30
        while ["lake"] in asked(trino, "show catalogs", "analyst", theirs):
            assert time.monotonic() < until, "the analyst still sees the lake"
            time.sleep(0.2)
    finally:
        _replace(rules, before)


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_postgres_has_a_database_for_applications_and_lets_nobody_in_without_the_password(
    stack: Path, postgres: Environment
) -> None:
    address = urlsplit(postgres["CARBONLAKE_DATABASE"])

    def asked(password: str) -> subprocess.CompletedProcess[str]:
        words = [
            "psql",
            "-h",
            str(address.hostname),
            "-p",
            str(address.port),
            "-U",
            "carbonlake",
            "-Atc",
            "show wal_level",
            "carbonlake",
        ]
        return subprocess.run(words, env=os.environ | {"PGPASSWORD": password}, capture_output=True, text=True, check=False)

    assert asked(str(address.password)).stdout == "logical\n"
    assert "password authentication failed" in asked("wrong").stderr
    server = psutil.Process(processes.records(stack)["postgres"]["pid"])
    assert server.uids().real != 0 and {one.laddr.ip for one in server.net_connections("tcp")} == {"127.0.0.1"}


def test_a_postgres_that_is_killed_comes_back_with_what_it_held(stack: Path, postgres: Environment) -> None:
    words = ["psql", postgres["CARBONLAKE_DATABASE"], "-Atc"]
    subprocess.run([*words, "create table if not exists kept (n int); insert into kept values (7)"], check=True)
    os.kill(processes.records(stack)["postgres"]["pid"], signal.SIGKILL)
    parts.up(stack, ["postgres"], lambda part, what: None)
    found = subprocess.run([*words, "select max(n) from kept; drop table kept"], check=True, capture_output=True, text=True)
    assert found.stdout.splitlines()[0] == "7"


def test_the_cluster_of_spark_computes_for_who_has_the_token_alone(stack: Path, spark_cluster: Environment) -> None:
    with engine(spark_cluster["CARBONLAKE_ENGINE"]) as opened:
        assert opened.name == "spark"
        assert [row.n for row in opened.session.sql("select count(*) as n from range(1000)").collect()] == [1000]
    with pytest.raises(UserError, match="can't be reached"), engine(spark_part.url(stack) + "/;token=wrong"):
        pass
    log = processes.log(stack, "spark-master").read_text(errors="replace")
    assert log.count("Registering worker") >= 2 and "Launching executor" in log


def test_airflow_shows_our_dags_to_who_has_the_password_alone(airflow: Environment) -> None:
    root = airflow["CARBONLAKE_AIRFLOW_URL"]

    def asked(path: str, body: Any = None, token: str = "") -> Any:
        head = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(root + path, json.dumps(body).encode() if body else None, head)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked("/auth/token", {"username": "carbonlake", "password": "wrong"})
    token = asked("/auth/token", {"username": "carbonlake", "password": airflow["CARBONLAKE_AIRFLOW_PASSWORD"]})["access_token"]
    until = time.monotonic() + 120
    while not {one.name for one in plans()} <= {one["dag_id"] for one in asked("/api/v2/dags?limit=500", token=token)["dags"]}:
        assert time.monotonic() < until, "the DAGs do not come"
        time.sleep(1)


def test_mosquitto_lets_nobody_in_without_the_password(
    stack: Path, mosquitto: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mosquitto["CARBONLAKE_MQTT"].startswith("mqtt://carbonlake@127.0.0.1:") and mosquitto_part.healthy(stack)
    monkeypatch.setattr(mosquitto_part, "secret", lambda home, name: "wrong")
    assert not mosquitto_part.healthy(stack)


def test_kafka_lets_nobody_in_without_the_password(stack: Path, kafka: Environment) -> None:
    def answer(line: socket.socket, key: int, version: int, body: bytes) -> int:
        """Send a request of Kafka's protocol and return the error code of the answer."""
        asked = struct.pack(">hhih", key, version, 1, -1) + body
        line.sendall(struct.pack(">i", len(asked)) + asked)
        size = struct.unpack(">i", line.recv(4))[0]
        return int(struct.unpack(">h", line.recv(size)[4:6])[0])

    def entered(password: str) -> int:
        host, _, at = kafka["CARBONLAKE_KAFKA"].partition(":")
        said = f"\0{kafka['CARBONLAKE_KAFKA_USER']}\0{password}".encode()
        with socket.create_connection((host, int(at)), timeout=30) as line:
            assert answer(line, 17, 1, struct.pack(">h", 5) + b"PLAIN") == 0  # SaslHandshake
            return answer(line, 36, 0, struct.pack(">i", len(said)) + said)  # SaslAuthenticate

    wrong_password = 58
    assert entered(kafka["CARBONLAKE_KAFKA_PASSWORD"]) == 0
    assert entered("wrong") == wrong_password
    text = processes.log(stack, "kafka").read_text(errors="replace")
    assert "Kafka Server started" in text and kafka["CARBONLAKE_KAFKA_PASSWORD"] not in text
