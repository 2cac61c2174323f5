"""Landing keeps every byte once and every receipt in sequence, whatever breaks on the way."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs import intake, land
from jobs.lake import Lake
from schemas.contracts import contract
from schemas.errors import UserError

SOURCE = "cleaned.tube"
pytestmark = pytest.mark.usefixtures("project")


def put(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def stored(lake: Lake) -> list[str]:
    return sorted(path.name for path in (lake.folder / "_deliveries").rglob("*") if path.is_file())


def test_a_delivery_is_stored_under_its_hash_and_recorded(lake: Lake, tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "n,m\n1,2\n")
    (receipt,) = land.land(lake, path, SOURCE, note="first")
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    assert lake.delivery_path(sha).read_bytes() == path.read_bytes()
    assert (receipt.delivery_id, receipt.source, receipt.name) == (1, SOURCE, "a.csv")
    assert (receipt.sha256, receipt.size_bytes) == (sha, 8)
    assert (receipt.media_type, receipt.publisher, receipt.licence) == ("text/csv", "Tube office", "CC-BY-4.0")
    assert land.receipts(lake, SOURCE) == [receipt]
    assert land.receipts(lake, "cleaned.pump") == []


def test_the_same_bytes_again_change_nothing_and_a_return_to_earlier_bytes_counts(lake: Lake, tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "one\n")
    land.land(lake, path, SOURCE)
    (again,) = land.land(lake, path, SOURCE)
    assert (again.delivery_id, again.fresh) == (1, False)
    put(tmp_path, "a.csv", "two\n")
    land.land(lake, path, SOURCE)
    put(tmp_path, "a.csv", "one\n")
    (back,) = land.land(lake, path, SOURCE)
    assert (back.delivery_id, back.fresh) == (3, True)
    assert [r.delivery_id for r in land.receipts(lake, SOURCE)] == [1, 2, 3]
    assert len(stored(lake)) == 2


def test_the_same_bytes_under_another_name_are_another_delivery_stored_once(lake: Lake, tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "x\n")
    put(tmp_path, "b.csv", "x\n")
    found = land.land(lake, tmp_path / "in", SOURCE)
    assert [(r.name, r.delivery_id) for r in found] == [("a.csv", 1), ("b.csv", 2)]
    assert len(stored(lake)) == 1


def test_a_folder_is_landed_in_order_and_hidden_files_are_passed_over(lake: Lake, tmp_path: Path) -> None:
    for name in ("b/x.csv", "a/x.csv", ".hidden/x.csv", "a/.part"):
        put(tmp_path, name, name)
    assert [r.name for r in land.land(lake, tmp_path / "in", SOURCE)] == ["a/x.csv", "b/x.csv"]


def test_the_one_source_whose_pattern_fits_claims_a_delivery(lake: Lake, tmp_path: Path) -> None:
    put(tmp_path, "tubes/flow/jan.csv", "1")
    put(tmp_path, "pumps/jan.csv", "2")
    put(tmp_path, "pumps/deep/jan.csv", "3")
    found = {r.name: (r.source, r.status) for r in land.land(lake, tmp_path / "in")}
    assert found == {
        "flow/jan.csv": ("cleaned.tube", "received"),
        "jan.csv": ("cleaned.pump", "received"),
        "pumps/deep/jan.csv": ("", "unclaimed"),
    }


def test_a_drop_folder_named_after_its_table_claims_what_lies_in_it(lake: Lake, tmp_path: Path) -> None:
    put(tmp_path, "drop/cleaned.pump/2026/jan.txt", "1")
    (receipt,) = land.land(lake, tmp_path / "in")
    assert (receipt.source, receipt.name) == ("cleaned.pump", "2026/jan.txt")


def test_one_name_is_one_delivery_however_it_is_landed(lake: Lake, tmp_path: Path) -> None:
    path = put(tmp_path, "tubes/flow/jan.csv", "1")
    for what, source in ((path, None), (path, SOURCE), (path.parent, SOURCE), (tmp_path / "in", None)):
        (receipt,) = land.land(lake, what, source)
        assert (receipt.name, receipt.delivery_id) == ("flow/jan.csv", 1)


def test_an_unclaimed_delivery_is_kept_and_listed_until_someone_claims_it(lake: Lake, tmp_path: Path) -> None:
    (receipt,) = land.land(lake, put(tmp_path, "odd.bin", b"\x00\x01"))
    assert (receipt.source, receipt.status) == ("", "unclaimed")
    assert land.receipts(lake) == [] and land.unclaimed(lake) == [receipt]
    land.claim(lake, 1, SOURCE)
    assert [(r.delivery_id, r.source, r.publisher) for r in land.receipts(lake)] == [(1, SOURCE, "Tube office")]
    assert land.unclaimed(lake) == []
    with pytest.raises(UserError, match="is received"):
        land.claim(lake, 1, SOURCE)


def test_a_withdrawn_delivery_is_out_of_force_and_on_record(lake: Lake, tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "1")
    land.land(lake, path, SOURCE)
    land.withdraw(lake, 1, "wrong meter")
    assert land.receipts(lake, SOURCE) == []
    with pytest.raises(UserError, match="is withdrawn"):
        land.withdraw(lake, 1, "again")
    with pytest.raises(UserError, match="no delivery 7"):
        land.withdraw(lake, 7, "unknown")
    (back,) = land.land(lake, path, SOURCE)
    assert (back.delivery_id, back.fresh) == (2, True)
    assert contract("raw.delivery").key == ("delivery_id", "status")


def test_damaged_and_missing_bytes_are_found_and_mended_by_landing_again(lake: Lake, tmp_path: Path) -> None:
    paths = [put(tmp_path, name, name) for name in ("a.csv", "b.csv", "c.csv")]
    first, second, _ = land.land(lake, paths, SOURCE)
    assert land.verify(lake) == []
    lake.delivery_path(first.sha256).write_bytes(b"A.csv")
    lake.delivery_path(second.sha256).unlink()
    assert [(r.name, why) for r, why in land.verify(lake)] == [("a.csv", "damaged"), ("b.csv", "missing")]
    land.land(lake, paths, SOURCE)
    assert land.verify(lake) == []


def test_mistakes_are_named(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        land.land(lake, tmp_path / "none.csv", SOURCE)
    with pytest.raises(UserError, match=r"did you mean cleaned\.tube"):
        land.land(lake, put(tmp_path, "a.csv", "1"), "cleaned.tub")
    with pytest.raises(UserError, match="reads no deliveries"):
        land.land(lake, put(tmp_path, "a.csv", "1"), "raw.delivery")
    with pytest.raises(UserError, match="no lake here"):
        land.land(Lake(tmp_path / "nowhere"), put(tmp_path, "a.csv", "1"), SOURCE)
    assert stored(lake) == []


@pytest.mark.parametrize("many", [1, 64])
def test_a_file_that_grows_while_it_is_read_is_not_believed(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    path = put(tmp_path, "a.csv", "1\n")
    copy = intake._short
    monkeypatch.setattr(intake, "MANY", many)

    def slow(*args: Any, **more: Any) -> str:
        found = copy(*args, **more)
        put(tmp_path, "a.csv", "1\n2\n")
        return found

    monkeypatch.setattr(intake, "_short", slow)
    with pytest.raises(UserError, match="changed while"):
        land.land(lake, path, SOURCE)
    assert stored(lake) == []


def test_the_disk_has_many_files_before_any_of_them_has_its_place(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MANY", 3)
    for number in range(3):
        put(tmp_path / "many", f"{number}.csv", f"{number}\n")
    put(tmp_path / "many", "again.csv", "0\n")
    seen: list[tuple[int, int]] = []
    wait = intake._sync_of_all()
    assert wait is not None

    def sync(folder: Path) -> None:
        wait(folder)
        parts = len(list(folder.iterdir()))
        seen.append((parts, len(stored(lake)) - parts))

    monkeypatch.setattr(intake, "_sync_of_all", lambda: sync)
    found = land.land(lake, tmp_path / "many" / "in", SOURCE)
    assert [one.name for one in found] == ["0.csv", "1.csv", "2.csv", "again.csv"]
    assert seen == [(4, 0), (0, 3)] and len(stored(lake)) == 3
    assert land.verify(lake) == []


def _land(root: str, project: str, paths: list[str]) -> list[int]:
    os.environ["CARBONLAKE_PROJECT"] = project
    return [land.land(Lake(root), path, SOURCE)[0].delivery_id for path in paths]


def _land_with_little_room(root: str, project: str, path: str) -> str:
    """Land a file where no file may grow beyond 64 KiB, which is how a full disk looks to a program."""
    os.environ["CARBONLAKE_PROJECT"] = project
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    try:
        land.land(Lake(root), path, SOURCE)
    except UserError as error:
        return str(error)
    return ""


def pool(size: int) -> Any:
    """Return processes that are forked before this one has used a table."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["jobs.land", "pandas"])
    return context.Pool(size)


def test_a_file_for_which_there_is_no_room_is_explained_and_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", b"x" * 1_000_000)
    with pool(1) as processes:
        said = processes.apply(_land_with_little_room, (str(lake.root), str(tmp_path / "project"), str(path)))
    assert "file too large" in said and "ulimit" in said
    assert stored(lake) == [] and land.receipts(lake) == []


def test_processes_that_land_at_once_share_one_sequence_without_gaps(lake: Lake, tmp_path: Path) -> None:
    paths = [[str(put(tmp_path, f"{one}-{n}.csv", f"{one} {n}")) for n in range(4)] for one in range(3)]
    work = [(str(lake.root), str(tmp_path / "project"), some) for some in paths]
    with pool(3) as processes:
        ids = [n for some in processes.starmap(_land, work) for n in some]
    assert sorted(ids) == list(range(1, 13))
    assert [r.delivery_id for r in land.receipts(lake)] == list(range(1, 13))
    print("3 processes, 12 deliveries, ids 1 to 12")


BODY = bytes(range(256)) * 4096


class Site(BaseHTTPRequestHandler):
    """A site that breaks the connection in the middle until told otherwise, and continues where asked."""

    broken = True
    tag = '"v1"'
    asked: list[str | None] = []

    def do_GET(self) -> None:
        """Send the body, or the rest of it, and half of that if broken."""
        if self.path.endswith("none.csv"):
            self.send_error(404)
            return
        start, asked = 0, self.headers.get("Range")
        type(self).asked.append(asked)
        if asked and self.headers.get("If-Range") == self.tag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", self.tag)
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        rest = BODY[start:]
        self.wfile.write(rest[: len(rest) // 2] if self.broken else rest)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Site.broken, Site.tag, Site.asked = True, '"v1"', []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_broken_download_is_continued_where_it_broke(lake: Lake, site: str) -> None:
    for _ in range(2):
        with pytest.raises(UserError, match="land it again"):
            land.land(lake, f"{site}/tubes/flow/jan.csv")
    assert land.receipts(lake) == []
    Site.broken = False
    (receipt,) = land.land(lake, f"{site}/tubes/flow/jan.csv")
    assert receipt.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (receipt.source, receipt.name) == ("cleaned.tube", "flow/jan.csv")
    half = len(BODY) // 2
    assert Site.asked == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]
    assert stored(lake) == [receipt.sha256]


def test_a_download_that_changed_on_the_site_begins_again(lake: Lake, site: str) -> None:
    with pytest.raises(UserError):
        land.land(lake, f"{site}/a.csv", SOURCE)
    Site.broken, Site.tag = False, '"v2"'
    (receipt,) = land.land(lake, f"{site}/a.csv", SOURCE)
    assert receipt.sha256 == hashlib.sha256(BODY).hexdigest()


def test_a_url_that_answers_nothing_is_explained(lake: Lake, site: str) -> None:
    with pytest.raises(UserError, match="404"):
        land.land(lake, f"{site}/none.csv", SOURCE)
    with pytest.raises(UserError, match="cannot be reached"):
        land.land(lake, "http://127.0.0.1:1/a.csv", SOURCE)


def test_a_file_url_is_a_file(lake: Lake, tmp_path: Path) -> None:
    path = put(tmp_path, "表 1.csv", "1")
    assert land.land(lake, path.as_uri(), SOURCE)[0].name == "表 1.csv"
