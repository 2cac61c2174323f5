"""Each part of the stack as its users meet it: what it lets in, what it refuses, and what it gives."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyarrow import fs
from trino.auth import BasicAuthentication
from trino.dbapi import connect
from trino.exceptions import HttpError, TrinoUserError

from carbonlake.stack import minio as minio_part
from carbonlake.stack.home import port, secret

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
