"""Objects of a bucket are taken once for each of their states, from a real MinIO."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from minio import Minio

from jobs import fetch as fetching
from jobs import land, objects
from schemas.errors import UserError
from tests.sources import TABLE, Source
from tests.stack.s3 import bucket, options


@pytest.fixture
def given(minio: dict[str, str]) -> dict[str, str]:
    return options(minio)


@pytest.fixture
def place(given: dict[str, str]) -> str:
    return bucket(given)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], place: str) -> Source:
    at = urlsplit(given["AWS_ENDPOINT_URL"])
    key = f"{quote(given['AWS_ACCESS_KEY_ID'], safe='')}:{quote(given['AWS_SECRET_ACCESS_KEY'], safe='')}"
    made = Source(tmp_path, monkeypatch, {"store": f"{at.scheme}://{key}@{at.netloc}?region={given['AWS_REGION']}"})
    made.declare(f"{{by: bucket, connection: store, url: 's3://{place}/meters', pattern: '*.csv'}}", format="csv")
    return made


def put(given: dict[str, str], place: str, name: str, text: str) -> None:
    content = text.encode()
    objects.client(given).put_object(place, name, io.BytesIO(content), len(content))


def test_each_state_of_each_object_is_taken_once(source: Source, given: dict[str, str], place: str) -> None:
    put(given, place, "meters/2026/甲 1.csv", "id,kwh\n1,1\n")
    put(given, place, "meters/b.csv", "id,kwh\n2,2\n")
    put(given, place, "meters/readme.txt", "no")
    put(given, place, "other/c.csv", "id,kwh\n3,3\n")
    first = source.fetch()
    assert sorted(one.name for one in first) == ["2026/甲 1.csv", "b.csv"]
    assert json.loads(first[0].declared)["bytes"] == len(source.bytes(first[0]))
    assert source.fetch() == []
    put(given, place, "meters/b.csv", "id,kwh\n2,9\n")
    (again,) = source.fetch()
    assert (again.name, source.bytes(again)) == ("b.csv", b"id,kwh\n2,9\n")


def test_an_object_that_was_withdrawn_does_not_come_back(source: Source, given: dict[str, str], place: str) -> None:
    put(given, place, "meters/b.csv", "id,kwh\n2,2\n")
    (receipt,) = source.fetch()
    land.withdraw(source.lake, receipt.delivery_id, "wrong")
    assert source.fetch() == []


def test_an_object_that_is_replaced_behind_the_listing_is_taken_the_next_time(
    source: Source, given: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(given, place, "meters/b.csv", "id,kwh\n2,2\n")
    ask = Minio.get_object

    def late(self: Any, *words: Any, **more: Any) -> Any:
        put(given, place, "meters/b.csv", "id,kwh\n2,9\n")
        return ask(self, *words, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Minio, "get_object", late)
        assert source.fetch() == []
    assert source.bytes(source.fetch()[0]) == b"id,kwh\n2,9\n"


def test_what_is_wrong_is_told_without_the_key(source: Source, given: dict[str, str], place: str) -> None:
    right = source.connections["store"]
    source.connections = {"store": right.replace("@", "-and-more@")}
    with pytest.raises(UserError, match="SignatureDoesNotMatch") as caught:
        source.fetch()
    assert "-and-more" not in str(caught.value)
    source.connections = {"store": "https://without.example.org"}
    with pytest.raises(UserError, match=r"connection store: this is no store with a key\n  → write it as https://key:secret@"):
        source.fetch()


def test_a_connection_is_tried_without_taking_anything(source: Source, given: dict[str, str], place: str) -> None:
    put(given, place, "meters/b.csv", "id,kwh\n2,2\n")
    assert fetching.tested(TABLE, source.connections) == "1 objects that fit *.csv"
    assert source.position() == {}
