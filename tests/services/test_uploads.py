"""Uploads by the protocol: pieces, where they go on, and everything that can be wrong with them."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from starlette.testclient import TestClient

from jobs import uploads
from jobs.lake import Lake
from tests.services.serving import PIECE, TUS, begin, client, server


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake").init()


@pytest.fixture
def asked(lake: Lake) -> TestClient:
    return client(lake)


def begun(asked: TestClient, name: str, size: int, sha256: str = "") -> str:
    answer = asked.post("/api/uploads", headers=begin(name, size, sha256))
    assert answer.status_code == 201, answer.text
    return urlsplit(answer.headers["Location"]).path


def piece(asked: TestClient, at: str, offset: int, content: bytes, **more: str) -> Any:
    return asked.patch(at, content=content, headers=PIECE | {"Upload-Offset": str(offset)} | more)


def said(answer: Any, status: int) -> tuple[str, str]:
    assert answer.status_code == status, answer.text
    return answer.json()["error"], answer.json()["remedy"]


def content(lake: Lake, at: str) -> bytes:
    return (lake.folder / "_uploads" / at.rsplit("/", 1)[-1] / "bytes").read_bytes()


def test_pieces_make_the_file_and_the_server_tells_where_it_stands(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "数据 2025.csv", 10)
    assert piece(asked, at, 0, b"01234").headers["Upload-Offset"] == "5"
    head = asked.head(at, headers=TUS)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"], head.headers["Cache-Control"]) == (
        "5",
        "10",
        "no-store",
    )
    assert piece(asked, at, 5, b"56789").status_code == 204
    assert content(lake, at) == b"0123456789"
    (one,) = asked.get("/api/uploads").json()
    assert (one["name"], one["state"], one["offset"]) == ("数据 2025.csv", "whole", 10)


def test_a_client_learns_what_of_the_protocol_is_spoken(asked: TestClient) -> None:
    answer = asked.options("/api/uploads")
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,checksum,expiration,termination"
    assert "sha256" in answer.headers["Tus-Checksum-Algorithm"].split(",")


def test_another_version_of_the_protocol_is_refused(asked: TestClient) -> None:
    what, remedy = said(asked.post("/api/uploads", headers=begin("a.csv", 1) | {"Tus-Resumable": "0.2.2"}), 400)
    assert "version 1.0.0" in what and "Tus-Resumable: 1.0.0" in remedy


def test_a_wrong_offset_is_refused_and_changes_nothing(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "a.csv", 10)
    piece(asked, at, 0, b"012")
    for offset in (0, 2, 7):
        what, remedy = said(piece(asked, at, offset, b"345"), 409)
        assert what == f"the upload stands at 3 bytes, not at {offset}" and "go on from there" in remedy
    assert content(lake, at) == b"012"


def test_a_piece_whose_checksum_differs_leaves_nothing(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "a.csv", 6)
    right = base64.b64encode(hashlib.sha256(b"012").digest()).decode()
    assert piece(asked, at, 0, b"012", **{"Upload-Checksum": f"sha256 {right}"}).status_code == 204
    what, remedy = said(piece(asked, at, 3, b"3x5", **{"Upload-Checksum": f"sha256 {right}"}), 460)
    assert "differ from those that were sent" in what and remedy == "send them again from 3"
    assert content(lake, at) == b"012"
    what, remedy = said(piece(asked, at, 3, b"345", **{"Upload-Checksum": "crc32 AAAA"}), 400)
    assert "no checksum" in what and "sha256, sha1, md5" in remedy


def test_a_file_whose_announced_sha256_differs_begins_anew(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "a.csv", 3, hashlib.sha256(b"012").hexdigest())
    what, remedy = said(piece(asked, at, 0, b"01x"), 460)
    assert "another SHA-256" in what and "from the beginning" in remedy
    assert content(lake, at) == b""
    assert piece(asked, at, 0, b"012").status_code == 204


def test_more_bytes_than_announced_are_refused(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "a.csv", 3)
    what, remedy = said(piece(asked, at, 0, b"0123"), 413)
    assert "more bytes came than the 3" in what and "right size" in remedy
    assert content(lake, at) == b""


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "a\\b.csv", "..", ".hidden", "", "a\nb.csv", "x" * 256, "字" * 90])
def test_a_name_that_is_no_plain_file_name_is_refused(lake: Lake, asked: TestClient, name: str) -> None:
    what, remedy = said(asked.post("/api/uploads", headers=begin(name, 1)), 400)
    assert "no plain file name" in what and "without folders" in remedy
    assert not list((lake.folder / "_uploads").glob("*"))


@pytest.mark.parametrize("id", ["0" * 32, "..%2F..%2Fetc", "a" * 500])
def test_an_upload_that_is_not_there_is_said_so(asked: TestClient, id: str) -> None:
    answer = asked.patch(f"/api/uploads/{id}", content=b"x", headers=PIECE | {"Upload-Offset": "0"})
    assert answer.status_code == 404


def test_two_uploads_of_one_name_do_not_mix(lake: Lake, asked: TestClient) -> None:
    one, other = begun(asked, "a.csv", 4), begun(asked, "a.csv", 4)
    piece(asked, one, 0, b"11")
    piece(asked, other, 0, b"22")
    piece(asked, one, 2, b"11")
    piece(asked, other, 2, b"22")
    assert (content(lake, one), content(lake, other)) == (b"1111", b"2222")


def test_a_second_sender_of_one_upload_is_refused_while_the_first_is_at_it(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "a.csv", 4)
    with uploads.appending(lake, at.rsplit("/", 1)[-1], 0) as append:
        append(b"11")
        what, remedy = said(piece(asked, at, 2, b"22"), 423)
    assert "another sender" in what and "wait" in remedy
    assert content(lake, at) == b"11"


def test_a_full_disk_is_said_and_what_has_come_is_kept(lake: Lake, asked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    at = begun(asked, "a.csv", 10)
    piece(asked, at, 0, b"0123")

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, block: Any) -> int:
            if self.file.tell() >= 6:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(self.file.write(block[:2]))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    write = uploads._write
    monkeypatch.setattr(uploads, "_write", lambda file, *rest: write(Full(file), *rest))
    what, remedy = said(piece(asked, at, 4, b"456789"), 507)
    assert what == "no space left on device" and "free some space" in remedy
    monkeypatch.undo()
    assert asked.head(at, headers=TUS).headers["Upload-Offset"] == "6"
    assert piece(asked, at, 6, b"6789").status_code == 204
    assert content(lake, at) == b"0123456789"


def test_a_file_that_the_disk_has_no_room_for_is_refused_at_once(asked: TestClient) -> None:
    what, remedy = said(asked.post("/api/uploads", headers=begin("a.nc", 10**17)), 507)
    assert "100,000,000,000,000,000 bytes" in what and "free some space" in remedy


def test_an_upload_can_be_ended(lake: Lake, asked: TestClient) -> None:
    at = begun(asked, "a.csv", 4)
    assert asked.delete(at, headers=TUS).status_code == 204
    assert asked.head(at, headers=TUS).status_code == 404
    assert not list((lake.folder / "_uploads").glob("*"))


def test_what_was_left_alone_for_days_is_forgotten(lake: Lake, asked: TestClient) -> None:
    old, fresh = begun(asked, "old.csv", 4), begun(asked, "fresh.csv", 4)
    for path in (lake.folder / "_uploads" / old.rsplit("/", 1)[-1]).iterdir():
        os.utime(path, (time.time() - (uploads.DAYS + 1) * 86400,) * 2)
    assert [one["name"] for one in asked.get("/api/uploads").json()] == ["fresh.csv"]
    assert asked.head(old, headers=TUS).status_code == 404
    assert asked.head(fresh, headers=TUS).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("Upload-Length", "-1"), ("Upload-Length", "ten"), ("Upload-Metadata", "filename %%")]
)
def test_headers_that_say_nothing_are_refused(asked: TestClient, name: str, value: str) -> None:
    what, remedy = said(asked.post("/api/uploads", headers=begin("a.csv", 1) | {name: value}), 400)
    assert ("number of bytes" in what or "base 64" in what) and remedy


def test_an_upload_goes_on_after_the_server_was_killed_in_the_middle_of_a_piece(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake").init()
    body = os.urandom(3 << 20)
    with server(tmp_path / "lake") as (at, process):
        begun_at = requests.post(f"{at}/api/uploads", headers=begin("big.bin", len(body)), timeout=30).headers["Location"]
        path, here = urlsplit(begun_at).path, urlsplit(at)
        with socket.create_connection((str(here.hostname), here.port or 0)) as line:
            head = [f"PATCH {path} HTTP/1.1", f"Host: {here.netloc}", f"Content-Length: {len(body)}", "Upload-Offset: 0"]
            line.sendall("\r\n".join([*head, *(f"{k}: {v}" for k, v in PIECE.items()), "", ""]).encode() + body[: 2 << 20])
            file = lake.folder / "_uploads" / path.rsplit("/", 1)[-1] / "bytes"
            while not file.stat().st_size:
                time.sleep(0.02)
            process.kill()
            process.wait()
    with server(tmp_path / "lake") as (at, _):
        there = int(requests.head(f"{at}{path}", headers=TUS, timeout=30).headers["Upload-Offset"])
        assert 0 < there < len(body)
        rest = requests.patch(f"{at}{path}", body[there:], headers=PIECE | {"Upload-Offset": str(there)}, timeout=30)
        assert rest.status_code == 204, rest.text
    assert content(lake, path) == body
