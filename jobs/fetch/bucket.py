"""What lies in a bucket, by its listing: new objects and new states of old ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from minio.error import S3Error

from conf import secrets
from jobs import objects
from jobs.fetch import Asked
from jobs.fetch.states import There, fresh
from jobs.land import Arrival
from schemas.errors import UserError

CHANGED = ("PreconditionFailed", "NoSuchKey")


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield each object that is new or another one than before, as it is in the listing."""
    options = _options(asked)
    for one in fresh(asked, _listed(asked, options)):
        file = asked.folder / "object"
        if _got(asked, options, one, file):
            yield Arrival(file, one.name, {"key": one.name, **one.state}, one.state)


def test(asked: Asked) -> str:
    """List the bucket, and say how much is there, without taking it."""
    return f"{len(fresh(asked, _listed(asked, _options(asked))))} objects that fit {asked.how.pattern}"


def _options(asked: Asked) -> dict[str, str]:
    """Return what the client of object stores needs; a connection is https://key:secret@host:port?region=…"""
    if not asked.how.connection:
        return {}
    value = asked.connection(asked.how.connection)
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.username:
        raise UserError("this is no store with a key", where=f"connection {asked.how.connection}",
                        remedy="write it as https://key:secret@host:port")  # fmt: skip
    secrets.learn({"secret": unquote(parts.password or "")}, always=True)
    region = parse_qs(parts.query).get("region", [objects.REGION])[0]
    return {"AWS_ENDPOINT_URL": f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}",
            "AWS_ACCESS_KEY_ID": unquote(parts.username), "AWS_SECRET_ACCESS_KEY": unquote(parts.password or ""),
            "AWS_REGION": region, "AWS_ALLOW_HTTP": "true"}  # fmt: skip


def _listed(asked: Asked, options: dict[str, str]) -> list[There]:
    bucket, key = objects.split(asked.how.url)
    prefix = f"{key.rstrip('/')}/" if key else ""
    store = objects.client(options)
    found = objects.patiently(lambda: list(store.list_objects(bucket, prefix, recursive=True)), asked.how.url)
    return [
        There(str(one.object_name).removeprefix(prefix), one.last_modified.timestamp() if one.last_modified else 0.0,
              {"etag": str(one.etag or "").strip('"'), "bytes": one.size})
        for one in found if not one.is_dir
    ]  # fmt: skip


def _got(asked: Asked, options: dict[str, str], one: There, file: Path) -> bool:
    """Save an object in the state that was listed; False where it is another one by now, which the next fetch takes."""
    bucket, key = objects.split(f"{asked.how.url.rstrip('/')}/{one.name}")
    store, where = objects.client(options), f"{asked.how.url}/{one.name}"
    match: dict[str, Any] = {"If-Match": f'"{one.state["etag"]}"'}

    def read() -> bool:
        try:
            answer = store.get_object(bucket, key, request_headers=match)
        except S3Error as error:
            if error.code in CHANGED:
                return False
            raise
        try:
            with file.open("wb") as target:
                for block in answer.stream(1 << 20):
                    target.write(block)
        finally:
            answer.close()
            answer.release_conn()
        if file.stat().st_size != one.state["bytes"]:
            raise ConnectionError("the answer was cut off")
        return True

    return objects.patiently(read, where)
