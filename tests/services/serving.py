"""A server as people start it, in a process of its own, and an app that is asked without one."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests
from starlette.testclient import TestClient

from jobs.lake import Lake
from services.app import app
from services.desk import RUN, Desk

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


def client(lake: Lake) -> TestClient:
    """Return what asks the app over a lake as a program on this machine does."""
    return TestClient(app(Desk(lake, ("--lake", str(lake.root)))), base_url="http://127.0.0.1:8080")


def begin(name: str, size: int, sha256: str = "") -> dict[str, str]:
    """Return the headers that begin an upload."""
    given = {"filename": name} | ({"sha256": sha256} if sha256 else {})
    said = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in given.items())
    return TUS | {"Upload-Length": str(size), "Upload-Metadata": said}


@contextmanager
def server(lake: Path, more: Mapping[str, str] | None = None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a lake from a free port, and give its address and its process; it is ended at the end."""
    command = [sys.executable, "-c", RUN, "--lake", str(lake), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=lake.parent, env={**os.environ, **(more or {})})
    try:
        assert process.stdout
        yield process.stdout.readline().strip().rstrip("/"), process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def upload(at: str, name: str, content: bytes) -> str:
    """Upload a file in one go, and return the address of the upload."""
    answer = requests.post(f"{at}/api/uploads", content, headers=begin(name, len(content)) | PIECE, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]
