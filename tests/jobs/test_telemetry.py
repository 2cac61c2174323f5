"""Traces reach an OTLP receiver where one is named, one run above its tables above their steps; else nothing is imported."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs import telemetry
from jobs.apache import free_port
from jobs.lake import Lake
from jobs.run import run
from jobs.session import Engine
from schemas.errors import UserError
from tests.jobs import building
from tests.jobs.building import csv, deliver

FLOW, MONTH, PEAK = "cleaned.flow_merge", "thematic.flow_merge_month", "thematic.flow_merge_peak"


class _Receiver(ThreadingHTTPServer):
    """An OTLP/HTTP receiver that keeps the spans that it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []
        self.service = ""
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1/traces"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        import gzip

        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest()
        request.ParseFromString(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        for resource in request.resource_spans:
            self.server.service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
            self.server.spans += [span for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    found = _Receiver()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path / "mine", building.flows(["merge"]))))


def of(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}


def test_a_run_is_one_trace_of_its_tables_and_their_steps(lake: Lake, spark: Any, flows: None, receiver: _Receiver) -> None:
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x"), ("b", "2026-01-01", "ten", "x")]))
    with telemetry.sent_to(receiver.url):
        outcomes = {one.table: one for one in run(lake, Engine("sail", spark), [f"{FLOW}+"])}
    assert receiver.service == "carbonlake"
    assert len({span.trace_id for span in receiver.spans}) == 1
    (top,) = [span for span in receiver.spans if not span.parent_span_id]
    tables = {span.name: span for span in receiver.spans if span.parent_span_id == top.span_id}
    assert (top.name, set(tables)) == ("run", {FLOW, MONTH, PEAK})
    steps = {name: [s.name for s in receiver.spans if s.parent_span_id == one.span_id] for name, one in tables.items()}
    assert steps == {FLOW: ["parse", "write", "audit", "commit"], MONTH: ["write", "audit", "commit"],
                     PEAK: ["write", "audit", "commit"]}  # fmt: skip
    flow = of(tables[FLOW])
    assert (flow["carbonlake.run"], flow["carbonlake.status"]) == (outcomes[FLOW].run_id, "built")
    assert (flow["carbonlake.rows_in"], flow["carbonlake.rows_written"], flow["carbonlake.rows_set_aside"]) == (2, 1, 1)
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in receiver.spans)


def test_a_table_that_fails_is_a_span_in_error_with_the_reason(
    lake: Lake, spark: Any, flows: None, receiver: _Receiver, tmp_path: Path
) -> None:
    deliver(lake, FLOW, "a.csv", "meter,day\na,2026-01-01\n")
    with telemetry.sent_to(receiver.url):
        run(lake, Engine("sail", spark), [FLOW])
    failed = {span.name: span for span in receiver.spans}[FLOW]
    assert (failed.status.code, of(failed)["carbonlake.status"]) == (2, "failed")
    assert "drifted" in failed.status.message
    # A step that raised says so itself.
    assert {span.name for span in receiver.spans if span.status.code == 2} == {FLOW, "write"}


def test_a_receiver_that_is_away_fails_no_run(lake: Lake, spark: Any, flows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "PATIENCE", 1)
    deliver(lake, FLOW, "a.csv", csv([("a", "2026-01-01", 1, "x")]))
    with telemetry.sent_to(f"http://127.0.0.1:{free_port()}/v1/traces"):
        (outcome,) = run(lake, Engine("sail", spark), [FLOW])
    assert outcome.status == "built"


def test_nothing_of_opentelemetry_is_imported_where_no_receiver_is_named() -> None:
    code = """
import sys
from jobs import telemetry
import jobs.run
with telemetry.sent_to(""), telemetry.span("run", a=1) as note:
    note("wrong", b=2)
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UserError, match=r"pip install 'carbonlake\[traces\]'"), telemetry.sent_to("http://127.0.0.1:1"):
        raise AssertionError("nothing runs")


def test_an_error_that_tells_a_secret_is_sent_without_it(receiver: _Receiver) -> None:
    told = "AWS_SECRET_ACCESS_KEY=a-key-that-nobody-may-see"
    with pytest.raises(RuntimeError), telemetry.sent_to(receiver.url), telemetry.span("outer"), telemetry.span("inner"):
        raise RuntimeError(told)
    assert [span.name for span in receiver.spans] == ["inner", "outer"]
    for span in receiver.spans:
        assert "RuntimeError" in span.status.message and "a-key-that-nobody" not in str(span)
