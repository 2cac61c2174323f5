"""The pages' upload script itself, run by Node instead of a browser, against a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobs.lake import Lake
from schemas.rooms import SHIPPED
from tests.services.serving import server

NODE = shutil.which("node")
PIECE = 8 << 20


def _page(at: str, folder: Path, pieces: int) -> dict[str, Any]:
    """Open the page, have it send the file, and close it before a further piece is sent."""
    words = [
        Path(__file__).with_name("page.mjs"),
        at,
        SHIPPED / "web" / "upload.js",
        folder / "memory.json",
        folder / "file",
        pieces,
    ]
    done = subprocess.run([str(NODE), *map(str, words)], capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(NODE is None, reason="needs Node.js")
def test_an_upload_goes_on_where_it_stood_after_the_page_is_loaded_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake").init()
    body = os.urandom(2 * PIECE + 1000)
    (tmp_path / "file").write_bytes(body)
    with server(tmp_path / "lake") as (at, _):
        first = _page(at, tmp_path, 1)
        assert (first["told"], first["asked"]) == ("closed", [["POST", None], ["HEAD", None], ["PATCH", "0"]])
        assert len(first["kept"]) == 1
        again = _page(at, tmp_path, 9)
        assert again["asked"] == [["HEAD", None], ["HEAD", None], ["PATCH", str(PIECE)], ["PATCH", str(2 * PIECE)]]
        name, upload = again["told"].split()
        assert (name, again["kept"]) == ("uploaded", [])
        assert (lake.folder / "_uploads" / upload / "bytes").read_bytes() == body
