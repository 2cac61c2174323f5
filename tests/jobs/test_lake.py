"""A lake has a format, tables come from contracts, and what the disk refuses is said clearly."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.lake import FORMAT, FORMAT_FILE, Lake, arrow_schema
from jobs.session import Engine
from schemas.errors import UserError
from tests.jobs import meters


def test_a_new_lake_carries_its_format_and_making_it_twice_changes_nothing(lake: Lake) -> None:
    before = (lake.folder / FORMAT_FILE).read_bytes()
    assert json.loads(before) == {"format": FORMAT}
    assert lake.init().require() == lake
    assert (lake.folder / FORMAT_FILE).read_bytes() == before


def test_an_older_lake_is_refused_by_work_and_migrated_by_init(lake: Lake) -> None:
    (lake.folder / FORMAT_FILE).write_text('{"format": 0}')
    (lake.folder / "_deliveries").mkdir()
    (lake.folder / "_deliveries" / "ab12").write_bytes(b"old")
    with pytest.raises(UserError, match="format 0"):
        lake.require()
    lake.init()
    assert lake.format() == FORMAT
    assert lake.delivery_path("ab12").read_bytes() == b"old"
    assert lake.delivery_path("ab12").parent.name == "ab"


def test_a_newer_lake_is_refused_by_everything(lake: Lake) -> None:
    (lake.folder / FORMAT_FILE).write_text(json.dumps({"format": FORMAT + 1}))
    for work in (lake.init, lake.require, lambda: lake.staging("r")):
        with pytest.raises(UserError, match="newer carbonlake"):
            work()


def test_a_broken_format_file_is_named(lake: Lake) -> None:
    (lake.folder / FORMAT_FILE).write_text("{")
    with pytest.raises(UserError, match=FORMAT_FILE):
        lake.require()


def test_a_lake_whose_root_vanished_is_an_error_and_not_a_new_lake(lake: Lake) -> None:
    shutil.rmtree(lake.folder)
    with pytest.raises(UserError, match="no lake here"):
        lake.staging("r")
    assert not lake.folder.exists()


def test_a_root_that_cannot_be_written_is_explained() -> None:
    with pytest.raises(UserError) as caught:
        Lake("/proc/carbonlake").init()
    assert caught.value.remedy


def test_a_root_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((UserError, OSError)):
        Lake(tmp_path / "file" / "lake").init()


def test_tables_lie_by_layer_and_their_quarantine_lies_outside_them(lake: Lake) -> None:
    assert lake.table_path("cleaned.meter") == f"{lake.folder}/cleaned/meter"
    assert not lake.quarantine_path("cleaned.meter").startswith(lake.table_path("cleaned.meter"))
    assert str(lake.read_folder("cleaned.meter", 7)).endswith("_read/cleaned/meter/00000007")
    assert Lake("s3://bucket/lake/").table_path("cleaned.meter") == "s3://bucket/lake/cleaned/meter"


def test_a_table_is_made_as_its_contract_says(lake: Lake) -> None:
    table = lake.create(meters.METER)
    fields = {field.name: field for field in table.schema().fields}
    assert list(fields) == [*meters.METER.columns, "_delivery", "_locator"]
    assert [name for name, field in fields.items() if not field.nullable] == ["id", "month"]
    assert fields["id"].metadata == {"comment": "Number of the reading"}
    assert fields["kwh"].metadata == {"comment": "[kWh]", "unit": "kWh"}
    assert table.metadata().partition_columns == ["month"]
    assert lake.open("cleaned.other") is None


def test_statistics_are_kept_of_columns_that_can_bear_them(lake: Lake) -> None:
    found = lake.create(meters.METER).metadata().configuration["delta.dataSkippingStatsColumns"]
    assert found.split(",") == ["id", "name", "at", "day", "_delivery", "_locator"]


def test_a_table_of_decimals_alone_keeps_no_statistics(lake: Lake) -> None:
    made = lake.create_path(lake.table_path("ops.x"), pa.schema([("a", pa.decimal128(28, 9)), ("b", pa.float64())]))
    assert made.metadata().configuration["delta.dataSkippingNumIndexedCols"] == "0"


def test_tables_need_no_feature_that_some_engine_lacks(lake: Lake) -> None:
    protocol = lake.create(meters.METER).protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
    assert not protocol.reader_features and not protocol.writer_features


def test_the_locator_is_a_line_for_csv_and_a_place_otherwise() -> None:
    excel = meters.contract(source={**meters.SOURCE, "format": "excel"})
    assert arrow_schema(meters.METER).field("_locator").type == pa.int64()
    assert arrow_schema(excel).field("_locator").type == pa.string()


def test_a_partition_column_must_have_a_type_that_engines_write_alike(lake: Lake) -> None:
    with pytest.raises(UserError, match="partition_by: 'share'"):
        lake.create(meters.contract(partition_by=("share",)))


def test_who_makes_one_table_at_once_makes_one(lake: Lake) -> None:
    # Twenty tables by four at once: one alone is seldom made in the same moment.
    together = threading.Barrier(4)

    def make(_: int) -> list[int]:
        versions = []
        for n in range(20):
            together.wait()
            versions.append(lake.create(meters.METER, lake.table_path(f"cleaned.t{n}")).version())
        return versions

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))
    assert made == [[0] * 20] * 4


def test_a_folder_that_delta_would_read_as_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="%20 in a folder's name"):
        Lake(tmp_path / "a%20b").init()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["plain", "with blank", "湖", "a+b", "a#b", "a?b", "a%b", "a[b]", "a'b"])
def test_the_engine_reads_a_table_wherever_it_lies(tmp_path: Path, spark: Any, name: str) -> None:
    lake = Lake(tmp_path / name).init()
    meters.put(lake, "2026-01", [1, 2])
    frame = Engine("sail", spark).delta(lake.table_path(meters.TABLE), 1)
    assert sorted(row.id for row in frame.collect()) == [1, 2]
