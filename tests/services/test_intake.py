"""What becomes of an upload, on a real server: look inside, dry run, landing, build; and what is refused on the way."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from jobs import query
from jobs.lake import Lake
from schemas.rooms import SHIPPED, VARIABLE
from tests.jobs.building import csv, flows, lay
from tests.services.serving import PIECE, TUS, begin, server, upload

TABLE = "cleaned.flow_merge"
PDF = SHIPPED.parent / "shared" / "data" / "documents_pdf_en" / "empty.pdf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served")
    lay(made / "mine", flows(["merge"]))
    Lake(made / "lake").init()
    return made


@pytest.fixture(scope="module")
def at(folder: Path) -> Iterator[str]:
    with server(folder / "lake", {VARIABLE: str(folder / "mine")}) as (address, _):
        yield address


def post(at: str, what: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = requests.post(f"{at}/{what}", json=body, timeout=120)
    assert answer.status_code == status, answer.text
    return answer.json()


def versions(lake: Path) -> dict[str, list[str]]:
    return {str(log.parent.relative_to(lake)): sorted(p.name for p in log.iterdir()) for log in lake.rglob("_delta_log")}


def test_an_upload_goes_the_whole_way_and_nothing_changes_before_it_is_landed(at: str, folder: Path) -> None:
    one = upload(
        at, "meters.csv", csv([("a", "2025-01-01", 1, "x"), ("b", "2025-01-01", -2, "<script>alert(1)</script>")]).encode()
    )
    looked = requests.get(f"{one}/probe", params={"table": "cleaned.tried"}, timeout=60).json()
    assert looked["format"] == "csv" and "schemas/cleaned/tried.yaml" in looked["files"]
    before = versions(folder / "lake")
    (told,) = post(one, "preview", {"table": TABLE})["tables"]
    assert (told["written"], told["set_aside"], told["rules"][0]["rules"]) == (1, 1, "at_least_mass_t")
    assert "<script>alert(1)</script>" in told["rules"][0]["first"][0]["raw"]
    assert versions(folder / "lake") == before
    done = post(one, "land", {"table": TABLE, "build": "downstream"})
    assert done["fresh"] and {row["table"]: row["status"] for row in done["built"]}[TABLE] == "built"
    lake = Lake(folder / "lake")
    assert query.sql(lake, f"select meter, mass_t::int t from {TABLE}").to_pylist() == [{"meter": "a", "t": 1}]
    assert requests.get(one, timeout=30).json()["state"] == "landed"
    (listed,) = [row for row in requests.get(f"{at}/api/deliveries", timeout=30).json() if row["delivery"] == done["delivery"]]
    assert (listed["state"], listed["readings"][0]["rows"]) == ("read", 2)


def test_the_same_bytes_twice_are_said_to_be_so(at: str) -> None:
    content = csv([("same", "2025-01-02", 1, "x")]).encode()
    first = post(upload(at, "same.csv", content), "land", {"table": TABLE})
    again = upload(at, "same.csv", content)
    second = post(again, "land", {"table": TABLE})
    assert (first["fresh"], second["fresh"], second["delivery"]) == (True, False, first["delivery"])
    told = post(again, "land", {"table": TABLE}, 409)
    assert "was landed as delivery" in told["error"] and "upload it again" in told["remedy"]


def test_an_unknown_table_is_refused_with_the_near_ones(at: str) -> None:
    one = upload(at, "meters.csv", b"a,b\n1,2\n")
    for what in ("preview", "land"):
        told = post(one, what, {"table": "cleaned.flow_merg"}, 400)
        assert "no table 'cleaned.flow_merg'" in told["error"] and TABLE in told["remedy"]
        assert post(one, what, {"table": "thematic.flow_merge_month"}, 400)["remedy"] == "name a cleaned table"


def test_an_unfinished_upload_is_not_looked_at(at: str) -> None:
    one = requests.post(f"{at}/api/uploads", headers=begin("half.csv", 10), timeout=30).headers["Location"]
    answer = requests.get(f"{one}/probe", timeout=30)
    assert answer.status_code == 409
    assert "0 of 10 bytes" in answer.json()["error"] and answer.json()["remedy"] == "send the rest first"


def test_a_file_that_can_not_be_read_is_refused_with_reason_and_remedy(at: str) -> None:
    one = upload(at, "empty.pdf", PDF.read_bytes())
    answer = requests.get(f"{one}/probe", timeout=60)
    assert answer.status_code == 400 and answer.json()["error"] and answer.json()["remedy"]
    (told,) = post(upload(at, "empty.csv", b""), "preview", {"table": TABLE})["tables"]
    assert told["would"] == "refuse" and "→" in told["reason"]


def test_fifty_megabytes_in_pieces_with_a_cut_are_resumed_landed_built_and_asked(at: str, folder: Path) -> None:
    lines = 1_300_000
    body = csv(
        (f"m{number}", "2025-03-01", 1, "forty characters of a label and nothing else") for number in range(lines)
    ).encode()
    assert len(body) > 50 << 20
    heads = begin("large.csv", len(body), hashlib.sha256(body).hexdigest())
    one = requests.post(f"{at}/api/uploads", headers=heads, timeout=30).headers["Location"]
    size, offset, cut = 8 << 20, 0, False
    while offset < len(body):
        if offset and not cut:
            cut = True
            _cut_off(one, body, offset)
        answer = requests.patch(one, body[offset : offset + size], headers=PIECE | {"Upload-Offset": str(offset)}, timeout=60)
        if answer.status_code in (409, 423):  # the server learns later than we that the line is dead
            time.sleep(0.05)
        offset = int(requests.head(one, headers=TUS, timeout=30).headers["Upload-Offset"])
    done = post(one, "land", {"table": TABLE, "build": "table"})
    assert done["sha256"] == hashlib.sha256(body).hexdigest()
    assert [(row["status"], row["rows_written"] >= lines, row["rows_set_aside"]) for row in done["built"]] == [("built", True, 0)]
    where = f"from {TABLE} where month = '2025-03-01'"
    asked = query.sql(Lake(folder / "lake"), f"select count(*)::int n, sum(mass_t)::int t {where}")
    assert asked.to_pylist() == [{"n": lines, "t": lines}]


def _cut_off(one: str, body: bytes, offset: int) -> None:
    """Begin a piece and cut the line in the middle of it."""
    here = urlsplit(one)
    with socket.create_connection((str(here.hostname), here.port or 0)) as line:
        heads = PIECE | {"Host": here.netloc, "Content-Length": str(8 << 20), "Upload-Offset": str(offset)}
        text = "\r\n".join([f"PATCH {here.path} HTTP/1.1", *(f"{k}: {v}" for k, v in heads.items()), "", ""])
        line.sendall(text.encode() + body[offset : offset + (3 << 20)])


def test_memory_stays_bounded_however_large_a_piece_is(folder: Path, tmp_path: Path) -> None:
    import psutil

    with server(tmp_path / "lake") as (at, process):
        one = requests.post(f"{at}/api/uploads", headers=begin("a.bin", 200 << 20), timeout=30).headers["Location"]
        before = psutil.Process(process.pid).memory_info().rss
        blocks = (os.urandom(1 << 20) for _ in range(200))
        answer = requests.patch(one, blocks, headers=PIECE | {"Upload-Offset": "0"}, timeout=120)
        assert answer.status_code == 204, answer.text
        assert psutil.Process(process.pid).memory_info().rss - before < 60 << 20
