"""A lake in a bucket of a real MinIO: the same tables as on a disk, from any machine, moved there and back."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from minio.sseconfig import Rule, SSEConfig
from minio.versioningconfig import ENABLED, VersioningConfig

from jobs import land, maintain, moving, objects, query, trace
from jobs.lake import Lake
from jobs.relation import connect, read_rows, relation_sql
from jobs.run import run
from jobs.session import Engine, engine
from schemas.contracts import contracts
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests import documents
from tests.stack import s3
from tests.stack.shown import played

BUILT = sorted(table for table, one in contracts().items() if one.source or one.inputs)
Options = dict[str, str]


@pytest.fixture(scope="module")
def given(minio: dict[str, str]) -> Options:
    """Return the storage options of the stack's MinIO."""
    return s3.options(minio)


@pytest.fixture(scope="module")
def sail(given: Options) -> Iterator[Engine]:
    """Return the embedded engine with a way to the store."""
    with engine("sail", "1g", None, given) as opened:
        yield opened


@pytest.fixture(scope="module")
def remote(given: Options, sail: Engine, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return the demo's lake in a bucket, not to be changed."""
    made = s3.lake(given, tmp_path_factory.mktemp("work"))
    land.land(made, [str(SHIPPED / "samples" / "deliveries")])
    assert {one.status for one in run(made, sail)} == {"built"}
    return made


def rows(lake: Lake, table: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table in the order of all columns."""
    found = read_rows(query.open_table(lake, table))
    return sorted((tuple(row.values()) for row in found.to_pylist()), key=repr)


def test_every_table_is_what_it_is_on_a_disk(remote: Lake, demo_lake: Path) -> None:
    here = Lake(demo_lake)
    with connect(remote.root, remote.storage_options) as both:
        for table in BUILT:
            left, right = (relation_sql(query.open_table(lake, table)) for lake in (here, remote))
            assert (both.execute(f"select count(*) from ({left})").fetchone() or (0,))[0] > 0, table
            for one, other in ((left, right), (right, left)):
                assert both.execute(f"({one}) except all ({other}) limit 1").fetchall() == [], table
    assert query.tables(remote) == query.tables(here)
    print(f"{len(BUILT)} tables on S3 equal to those on a disk")


def test_another_machine_traces_a_number_to_its_line(remote: Lake, sail: Engine, tmp_path: Path) -> None:
    other = s3.lake(remote.storage_options, tmp_path, str(remote.root))
    found = trace.trace(
        other, sail, "cleaned.building_meter_hour", {"building_id": "1", "period_start": "2017-01-01 08:00:00+00"}
    )
    (delivery,) = [step for step in found.made_from if step.table == "delivery"]
    assert delivery.shown["place"] == "line 3675" and delivery.shown["non_shiftable_load"] == "0.74703336"


def test_another_machine_finds_nothing_left_to_build(remote: Lake, sail: Engine, tmp_path: Path) -> None:
    other = s3.lake(remote.storage_options, tmp_path, str(remote.root))
    assert {one.status for one in run(other, sail)} == {"skipped"}


def test_a_large_delivery_goes_up_in_parts_and_damage_is_found(given: Options, tmp_path: Path) -> None:
    lake = s3.lake(given, tmp_path / "work")
    big, small = tmp_path / "big.bin", tmp_path / "small.csv"
    big.write_bytes(bytes(range(256)) * 80_000)  # 20 MB: four parts
    small.write_text("a,b\n1,2\n")
    receipts = land.land(lake, [big, small])
    place = lake.place("_deliveries", receipts[0].sha256[:2], receipts[0].sha256)
    bucket, key = objects.split(place)
    assert str(objects.client(given).stat_object(bucket, key).etag).endswith("-4"), "it went up in one piece"
    assert land.verify(lake) == []
    (tmp_path / "wrong").write_bytes(bytes(20_480_000))
    objects.put(tmp_path / "wrong", place, given)
    objects.delete(lake.place("_deliveries", receipts[1].sha256[:2], receipts[1].sha256), given)
    assert [(receipt.name, why) for receipt, why in land.verify(lake)] == [("big.bin", "damaged"), ("small.csv", "missing")]


def test_a_query_of_people_reads_its_tables_alone(remote: Lake) -> None:
    other = f"{str(remote.root).rsplit('/', 1)[0]}/other.parquet"
    for place in (other, "/etc/passwd"):
        with pytest.raises(UserError):
            query.sql(remote, f"select * from read_csv('{place}')")
    with query.connection(remote, {"cleaned.gwp": None}, locked=True) as duck:
        for place in (other, "/etc/passwd"):
            with pytest.raises(Exception, match="disabled by configuration"):
                duck.execute(f"select * from read_csv('{place}')")
        assert (duck.execute("select count(*) from cleaned.gwp").fetchone() or (0,))[0] > 0


def test_maintenance_and_restore_keep_what_is_needed(given: Options, sail: Engine, tmp_path: Path) -> None:
    lake = s3.lake(given, tmp_path / "work")
    samples = SHIPPED / "samples" / "deliveries"
    for part in ("cleaned.gwp",):
        land.land(lake, [str(next(samples.rglob("gwp.csv")))], source=part)
    run(lake, sail, ["cleaned.gwp"])
    before = rows(lake, "cleaned.gwp")
    for _ in range(3):
        run(lake, sail, ["cleaned.gwp"], force=True)
    done = maintain.maintain(lake)
    assert {one.table for one in done} == set(query.tables(lake))
    newest = query.open_table(lake, "cleaned.gwp").version()
    assert maintain.restore(lake, "cleaned.gwp", 1) == newest + 1
    assert rows(lake, "cleaned.gwp") == before
    maintain.vacuum(lake, "cleaned.gwp", set())
    assert rows(lake, "cleaned.gwp") == before, "a vacuum took what the newest version needs"
    with pytest.raises(UserError, match=r"vacuumed|no version"):
        query.sql(lake, "select * from cleaned.gwp", as_of=2)


def test_a_lake_goes_to_a_bucket_and_back_with_every_version(
    given: Options, demo_lake: Path, sail: Engine, tmp_path: Path
) -> None:
    shutil.copytree(demo_lake, tmp_path / "here")
    here, there, back = Lake(tmp_path / "here"), s3.lake_to_be(given, tmp_path / "work"), Lake(tmp_path / "back")
    run(here, sail, ["cleaned.gwp"], force=True)
    run(here, sail)
    told: list[int] = []
    done = moving.copy(here, there, lambda copied, of: told.append(copied))
    assert done.tables == len(query.tables(here)) and told == sorted(told) and told[-1] == done.size
    back.folder.mkdir()
    moving.copy(there, back)
    for table in query.tables(here):
        newest = query.open_table(here, table).version()
        for lake in (there, back):
            assert maintain.history(lake, table) == maintain.history(here, table), table
        for version in range(newest + 1):
            assert _at(back, table, version) == _at(here, table, version) == _at(there, table, version), (table, version)
    assert {one.status for one in run(there, sail)} == {one.status for one in run(back, sail)} == {"skipped"}
    with pytest.raises(UserError, match="a lake already"):
        moving.copy(here, there)
    moving.remove(there, back)
    assert there.format() is None and list(objects.listed(str(there.root), given)) == []


def _at(lake: Lake, table: str, version: int) -> list[tuple[Any, ...]]:
    found = read_rows(query.open_table(lake, table, version))
    return sorted((tuple(row.values()) for row in found.to_pylist()), key=repr)


def test_a_move_that_was_broken_off_goes_on(
    given: Options, demo_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, copy_one, left = s3.lake_to_be(given, tmp_path / "work"), moving._copy_one, [40]

    def breaking(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionError("broken off")
        copy_one(*arguments)

    monkeypatch.setattr(moving, "_copy_one", breaking)
    with pytest.raises(ConnectionError):
        moving.copy(Lake(demo_lake), there)
    assert there.format() is None, "half a lake passes for one"
    monkeypatch.undo()
    done = moving.copy(Lake(demo_lake), there)
    assert done.kept > 20 and query.tables(there) == query.tables(Lake(demo_lake))


def test_two_lakes_with_one_work_folder_keep_their_deliveries_apart(given: Options, sail: Engine, tmp_path: Path) -> None:
    text = next((SHIPPED / "samples").rglob("gwp.csv")).read_text(encoding="utf-8")
    one, other = (s3.lake(given, tmp_path / "work") for _ in range(2))
    (tmp_path / "gwp.csv").write_text(text, encoding="utf-8")
    land.land(one, [tmp_path / "gwp.csv"], source="cleaned.gwp")
    run(one, sail, ["cleaned.gwp"])
    (tmp_path / "gwp.csv").write_text("".join(text.splitlines(keepends=True)[:3]), encoding="utf-8")
    land.land(other, [tmp_path / "gwp.csv"], source="cleaned.gwp")
    run(other, sail, ["cleaned.gwp"])
    assert len(rows(other, "cleaned.gwp")) == 2 < len(rows(one, "cleaned.gwp"))


def test_a_bucket_may_be_part_of_the_hosts_name(remote: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = remote.storage_options["AWS_ENDPOINT_URL"].rsplit(":", 1)[1]
    bucket, _ = objects.split(str(remote.root))
    found = socket.getaddrinfo
    asked: set[str] = set()

    def on_loopback(host: str, *rest: Any, **more: Any) -> Any:
        asked.add(host)
        return found("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)

    # Names below localhost are not known everywhere; delta-rs comes over a proxy, which knows where to ask.
    monkeypatch.setattr(socket, "getaddrinfo", on_loopback)
    with s3.disturbed(remote.storage_options) as (way, over):
        virtual = {"AWS_ENDPOINT_URL": f"http://{bucket}.localhost:{port}", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true"}
        lake = Lake(remote.root, {**remote.storage_options, **virtual, "proxy_url": over["AWS_ENDPOINT_URL"]}, tmp_path)
        assert lake.format() == remote.format()
        assert rows(lake, "cleaned.gwp") == rows(remote, "cleaned.gwp")
        assert way.counts["fine"] > 0 and f"{bucket}.localhost" in asked


def test_all_that_is_written_is_encrypted_where_it_is_asked_for(given: Options, sail: Engine, tmp_path: Path) -> None:
    asked = s3.lake({**given, "AWS_SERVER_SIDE_ENCRYPTION": "AES256"}, tmp_path / "asked")
    by_bucket = s3.lake_to_be(given, tmp_path / "bucket")
    objects.client(given).set_bucket_encryption(objects.split(str(by_bucket.root))[0], SSEConfig(Rule.new_sse_s3_rule()))
    for lake in (asked, by_bucket.init()):
        land.land(lake, [str(next((SHIPPED / "samples").rglob("gwp.csv")))], source="cleaned.gwp")
        assert [one.status for one in run(lake, sail, ["cleaned.gwp"])] == ["built"]
        names = [name for name, _ in objects.listed(str(lake.root), given)]
        plain = [name for name in names if not _encrypted(lake, name)]
        assert len(names) > 10 and plain == []


def _encrypted(lake: Lake, name: str) -> bool:
    found = objects.client(lake.storage_options).stat_object(*objects.split(lake.place(name)))
    return "x-amz-server-side-encryption" in {key.lower() for key in found.metadata or {}}


def test_a_bucket_with_versions_keeps_what_maintenance_deleted(given: Options, sail: Engine, tmp_path: Path) -> None:
    lake = s3.lake_to_be(given, tmp_path)
    bucket, prefix = objects.split(str(lake.root))
    objects.client(given).set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    land.land(lake.init(), [str(next((SHIPPED / "samples").rglob("gwp.csv")))], source="cleaned.gwp")
    for _ in range(3):
        run(lake, sail, ["cleaned.gwp"], force=True)
    assert maintain.vacuum(lake, "cleaned.gwp", set()) > 0
    deleted = [one.object_name for one in objects.client(given).list_objects(bucket, prefix, recursive=True, include_version=True)
               if one.is_delete_marker]  # fmt: skip
    assert any(str(name).endswith(".parquet") for name in deleted)
    assert {one.status for one in run(lake, sail, ["cleaned.gwp"])} == {"skipped"} and rows(lake, "cleaned.gwp")


def test_copies_of_deliveries_that_nobody_used_are_removed_and_fetched_again(given: Options, tmp_path: Path) -> None:
    lake = s3.lake(given, tmp_path / "work")
    (receipt,) = land.land(lake, [str(next((SHIPPED / "samples").rglob("gwp.csv")))], source="cleaned.gwp")
    copy = lake.delivery_path(receipt.sha256)
    maintain.maintain(lake)
    assert copy.is_file(), "a copy that was just used"
    os.utime(copy, (0, 0))
    maintain.maintain(lake)
    assert not copy.exists() and lake.delivery(receipt.sha256) == copy and copy.is_file()


def test_the_commands_of_the_document_run(minio: dict[str, str], tmp_path: Path) -> None:
    (shown,) = [block.text for block in documents.blocks(SHIPPED / "docs" / "s3.md") if block.kind == "sh"]
    root = f"s3://{s3.bucket(s3.options(minio))}"
    own = {**minio, "CARBONLAKE_LAKE": f"{root}/lake", "CARBONLAKE_WORK": str(tmp_path / "work")}
    for command in shown.replace("s3://carbonlake", root).splitlines():
        done = played(["sh", "-c", command], tmp_path, own)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert Lake(tmp_path / "back").format() == Lake(f"{root}/lake", s3.options(minio), tmp_path / "work").format() == 1


@pytest.mark.parametrize(("wrong", "told"), [
    ({"AWS_SECRET_ACCESS_KEY": "a-wrong-secret-key"}, "SignatureDoesNotMatch"),
    ({"AWS_ACCESS_KEY_ID": "nobody-we-know"}, "InvalidAccessKeyId"),
    ({"AWS_SESSION_TOKEN": "a-token-that-has-expired"}, "InvalidTokenId|InvalidAccessKeyId|ExpiredToken|AccessDenied"),
])  # fmt: skip
def test_wrong_credentials_are_named_without_a_secret(
    remote: Lake, tmp_path: Path, wrong: Options, told: str
) -> None:  # fmt: skip
    lake = Lake(remote.root, {**remote.storage_options, **wrong}, tmp_path)
    for ask in (lake.require, lambda: lake.open("cleaned.gwp")):
        with pytest.raises(UserError, match=told) as error:
            ask()
        assert "→" in str(error.value) and not any(secret in str(error.value) for secret in wrong.values())
        assert remote.storage_options["AWS_SECRET_ACCESS_KEY"] not in str(error.value)


def test_a_bucket_that_is_not_there_is_named(given: Options, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NoSuchBucket"):
        Lake("s3://no-such-bucket-here/lake", given, tmp_path).init()


def test_credentials_of_the_environment_and_of_a_profile_will_do(
    remote: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {name: remote.storage_options[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    rest = {name: value for name, value in remote.storage_options.items() if name not in keys}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        assert len(rows(Lake(remote.root, {**rest, "AWS_EC2_METADATA_DISABLED": "true"}, tmp_path), "cleaned.gwp")) > 0
    (tmp_path / "credentials").write_text("[default]\n" + "".join(f"{k.lower()} = {v}\n" for k, v in keys.items()))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert Lake(remote.root, rest, tmp_path).format() == remote.format()


def test_the_options_of_the_stack_are_json(minio: dict[str, str]) -> None:
    assert json.loads(minio["CARBONLAKE_STORAGE_OPTIONS"])["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
