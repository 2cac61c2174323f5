"""A lake in an object store against the same on a disk, on the embedded engine; the store is MinIO beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks import content, data
from benchmarks.against_others import FULL, fresh
from benchmarks.ours import METER, MONTH
from benchmarks.result import Result, Row, Setting, as_json, said
from benchmarks.side import Run, python
from carbonlake.stack import minio, parts
from jobs import query
from jobs.lake import Lake
from jobs.relation import connect, relation_sql

LEAST = 1.5
AGAINST = "the same lake on a disk"


def meters(setting: Setting) -> Result:
    """Measure CSV to monthly sums, landing included."""
    csv = data.year(setting.cache, setting.rows(FULL))
    work = f"{setting.rows(FULL) / 1e6:g} M meter rows on S3"
    return _compared(setting, "s3_meters", work, (METER, MONTH), lambda lake, **more: python(
        "benchmarks.ours", "build", lake, csv, METER, MONTH, **more))  # fmt: skip


def demo(setting: Setting) -> Result:
    """Measure the deliveries and every table of the demo."""
    return _compared(setting, "s3_demo", "the demo's tables on S3", ("business.emission", "business.emission_year"),
                     lambda lake, **more: python("benchmarks.ours", "demo", lake, project="", **more))  # fmt: skip


def _compared(
    setting: Setting, case: str, work: str, tables: tuple[str, ...], build: Callable[..., Run]
) -> Result:  # fmt: skip
    here, there = [], []
    with _store(setting.cache / "s3") as environment:
        for _ in range(setting.repeats):
            local, root = fresh(setting, "lake"), f"s3://{minio.BUCKET}/{uuid4().hex[:8]}"
            local_work = fresh(setting, "s3_work")
            there.append(build(root, CARBONLAKE_WORK=str(local_work), **environment))
            here.append(build(local))
            options = json.loads(environment["CARBONLAKE_STORAGE_OPTIONS"])
            equal = _equal(Lake(local), Lake(root, options, local_work), tables)
    row = Row(work, AGAINST, said(there, "land", "build") / said(here, "land", "build"), None, LEAST,
              note="MinIO works on the same two cores")  # fmt: skip
    return Result(case, (row,), equal, as_json(s3=there, disk=here))


@contextmanager
def _store(home: Path) -> Iterator[dict[str, str]]:
    """Run MinIO and yield what our settings need to reach it."""
    parts.up(home, ["minio"], lambda part, what: None)
    try:
        yield minio.environment(home)
    finally:
        parts.down(home, None, lambda part, what: None)


def _equal(here: Lake, there: Lake, tables: tuple[str, ...]) -> str:
    """Compare tables row by row and return what was found equal."""
    rows = 0
    with connect(there.root, there.storage_options) as both:
        for table in tables:
            one, two = (relation_sql(query.open_table(lake, table)) for lake in (here, there))
            found = [(both.execute(f"select count(*) from (({a}) except all ({b}))").fetchone() or (0,))[0]
                     for a, b in ((one, two), (two, one))]  # fmt: skip
            content.demand_equal(table, found, [0, 0])
            rows += (both.execute(f"select count(*) from ({one})").fetchone() or (0,))[0]
    return f"{len(tables)} tables with {rows:,} rows"
