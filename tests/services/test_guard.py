"""Who may ask: this machine by its own names, and no page of another site in its name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from carbonlake.serve import listen
from jobs.lake import Lake
from schemas.errors import UserError
from services.guard import Guard
from tests.services.serving import begin, client


@pytest.fixture
def asked(tmp_path: Path) -> TestClient:
    return client(Lake(tmp_path / "lake").init())


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9000", "LOCALHOST:1"])
def test_this_machine_is_answered_by_its_own_names(asked: TestClient, host: str) -> None:
    assert asked.get("/api/uploads", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1", "", "[", "localhost@evil.example"]
)
def test_a_name_that_only_points_here_is_refused(asked: TestClient, host: str) -> None:
    answer = asked.get("/api/uploads", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["error"] == "this server answers for 127.0.0.1 and localhost alone"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080"])
def test_a_page_of_another_site_may_not_ask(asked: TestClient, origin: str) -> None:
    for method in ("GET", "POST"):
        answer = asked.request(method, "/api/uploads", headers=begin("a.csv", 1) | {"Origin": origin})
        assert answer.status_code == 403
        assert "another site" in answer.json()["error"] and answer.json()["remedy"]


def test_a_post_that_a_browser_calls_cross_site_is_refused_without_an_origin(asked: TestClient) -> None:
    assert asked.post("/api/uploads", headers=begin("a.csv", 1) | {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    same = begin("a.csv", 1) | {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"}
    assert asked.post("/api/uploads", headers=same).status_code == 201


def test_a_large_body_that_is_no_upload_is_refused(asked: TestClient) -> None:
    answer = asked.post("/api/forms/cleaned.x", content=b"x", headers={"Content-Length": str(1 << 30)})
    assert answer.status_code == 413 and "by an upload" in answer.json()["remedy"]


def test_a_websocket_of_another_site_is_refused() -> None:
    async def echo(scope: object, receive: object, send: object) -> None:
        raise AssertionError("it was let through")

    asked = TestClient(Guard(echo), base_url="http://127.0.0.1:8080")
    with pytest.raises(WebSocketDisconnect), asked.websocket_connect("/ws", headers={"Origin": "http://evil.example"}):
        pass


def test_no_page_of_another_site_frames_ours(asked: TestClient) -> None:
    headers = asked.get("/api/uploads").headers
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.org"])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(UserError, match=r"accounts .* do not exist yet") as told:
        listen(host, 0)
    assert "leave it at 127.0.0.1" in told.value.remedy


def test_a_port_in_use_is_said_so() -> None:
    with listen("127.0.0.1", 0) as one, pytest.raises(UserError, match="address already in use") as told:
        listen("127.0.0.1", one.getsockname()[1])
    assert "name another" in told.value.remedy


def test_services_and_pages_start_without_an_engine() -> None:
    code = "import sys, services.app, web.pages; assert not {'pyspark', 'pysail', 'layers'} & set(sys.modules), 'loaded'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
