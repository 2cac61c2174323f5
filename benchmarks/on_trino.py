"""Forty questions of analysts to Trino: our tables after maintenance against the same rows sorted and laid out by hand."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

from deltalake import write_deltalake

from benchmarks import content, data
from benchmarks.against_others import fresh
from benchmarks.ours import METER, MONTH, Clock
from benchmarks.result import Result, Row, Setting
from benchmarks.side import python
from carbonlake.stack import minio, parts
from carbonlake.stack import trino as stack_trino
from conf.settings import load
from jobs import query, trino
from jobs.lake import Lake
from jobs.maintain import maintain
from jobs.publish import analyze, publish
from jobs.relation import arrow_table, connect, relation_sql

FULL = 5_000_000
FILE = 128 * 2**20
HAND = "by_hand"
# What the questions filter by, in the order in which a person would sort.
SORTED = {METER: ("area_code", "month", "meter_id", "time"), MONTH: ("area_code", "month", "meter_id")}
AREAS, MONTHS = ("110000", "310000", "330000", "440000", "510000"), (202501, 202503, 202506, 202509, 202511)
SHAPES = (
    "select area_code, sum(electricity_kwh) as kwh, count(*) as n from {meter} where month = {month} group by area_code"
    " order by 1",
    "select time, electricity_kwh, status from {meter} where meter_id = '{one}' and month = {month} order by time limit 100",
    "select meter_id, sum(electricity_kwh) as kwh from {meter} where area_code = '{area}' and month = {month}"
    " group by meter_id order by kwh desc, meter_id limit 10",
    "select date(time) as day, sum(electricity_kwh) as kwh, max(electricity_kwh) as highest from {meter}"
    " where area_code = '{area}' and month between {month} and {month} + 1 group by date(time) order by 1",
    "select area_code, count(*) filter (where status = '估算') as estimated, count(*) as n from {meter}"
    " where month <= {month} group by area_code order by 1",
    "select month, electricity_kwh, sum(electricity_kwh) over (order by month) as since_january from {monthly}"
    " where meter_id = '{one}' order by month",
    "select * from (select meter_id, month, electricity_kwh,"
    " rank() over (partition by month order by electricity_kwh desc, meter_id) as place"
    " from {monthly} where area_code = '{area}') where place <= 3 order by month, place",
    "select m.area_code, count(*) as n, max(cast(m.electricity_kwh as double) / cast(t.electricity_kwh as double)) as share"
    " from {meter} m join {monthly} t on t.meter_id = m.meter_id and t.month = m.month"
    " where m.area_code = '{area}' and m.month = {month} group by m.area_code",
)


def questions(meters: int) -> list[str]:
    """Return the questions, with {meter} and {monthly} for the tables: eight shapes, each of five areas, months and meters."""
    return [shape.replace("{area}", area).replace("{month}", str(month)).replace("{one}", str(data.FIRST_METER + i * meters // 5))
            for shape in SHAPES for i, (area, month) in enumerate(zip(AREAS, MONTHS, strict=True))]  # fmt: skip


def mart(setting: Setting) -> Result:
    """Measure the questions, both sides in turn, warm; the sum of the medians, and the slow end of ours."""
    rows = setting.rows(FULL)
    csv, root = data.year(setting.cache, rows), f"s3://{minio.BUCKET}/{uuid4().hex[:8]}"
    with _stack(setting.cache / "trino") as environment:
        environment = {**environment, "CARBONLAKE_WORK": str(fresh(setting, "trino_work"))}
        python("benchmarks.ours", "build", root, csv, METER, MONTH, **environment)
        shown = python("benchmarks.on_trino", root, **environment)
        at = trino.server(*(environment[f"CARBONLAKE_TRINO{name}"] for name in ("", "_PASSWORD", "_CA")))
        _by_hand(at, Lake(root, json.loads(environment["CARBONLAKE_STORAGE_OPTIONS"]), setting.cache / "trino_work"))
        took, equal = _asked(at, questions(max(1, rows // data.HOURS)), setting.repeats)
    ours, theirs = (sum(median(seconds) for seconds in took[side]) for side in ("ours", "theirs"))
    slow = quantiles([second for seconds in took["ours"] for second in seconds], n=20)[-1]
    work = f"{len(took['ours'])} questions to Trino, {rows / 1e6:g} M rows after `maintain`"
    ratio = Row(work, "the same rows sorted, 128 MB files, analysed", ours / theirs, None, 1.3)
    return Result("trino_mart", (ratio, Row(f"{work}: 95 % within", "–", slow, None, 1.5, "s")), equal,
                  {"seconds": took, "shown": shown.as_json()})  # fmt: skip


@contextmanager
def _stack(home: Path) -> Iterator[dict[str, str]]:
    """Run MinIO and Trino, and yield what our settings need to reach them."""
    parts.up(home, ["minio", "trino"], lambda part, what: None)
    try:
        yield {**minio.environment(home), **stack_trino.environment(home)}
    finally:
        parts.down(home, None, lambda part, what: None)


def _by_hand(at: trino.Server, lake: Lake) -> None:
    """Write the rows of both tables sorted, in files of 128 MB, register and analyse them."""
    trino.ask(at, f"create schema if not exists {HAND}")
    with connect(lake.root, lake.storage_options) as duck:
        for table, order in SORTED.items():
            place, name = lake.place(HAND, table.split(".")[1]), table.split(".")[1]
            rows = arrow_table(duck.sql(f"{relation_sql(query.open_table(lake, table))} order by {', '.join(order)}"))
            write_deltalake(place, rows, storage_options=lake.storage_options, target_file_size=FILE)
            trino.ask(at, f"drop table if exists {HAND}.{name}")
            trino.ask(at, f"call system.register_table('{HAND}', '{name}', '{place}')")
            trino.ask(at, f"analyze {HAND}.{name}")


def _asked(at: trino.Server, texts: list[str], repeats: int) -> tuple[dict[str, list[list[float]]], str]:
    """Ask each question of both sides in turn; return the seconds of each, the first time left out, and what was equal."""
    sides = {"ours": {"meter": METER, "monthly": MONTH},
             "theirs": {"meter": f"{HAND}.{METER.split('.')[1]}", "monthly": f"{HAND}.{MONTH.split('.')[1]}"}}  # fmt: skip
    took: dict[str, list[list[float]]] = {side: [[] for _ in texts] for side in sides}
    rows = 0
    with trino.opened(at) as connection:
        for turn in range(repeats + 1):
            for number, text in enumerate(texts):
                answers = {}
                for side, names in sides.items():
                    began = time.perf_counter()
                    answers[side] = trino.asked(connection, at, text.format(**names)).rows
                    if turn:
                        took[side][number].append(time.perf_counter() - began)
                content.demand_equal(text, answers["ours"], answers["theirs"])
                rows += len(answers["ours"])
    return took, f"{len(texts)} questions, {rows:,} rows of answers"


def show(root: str) -> dict[str, Any]:
    """Maintain a lake and show it as the commands do; return the seconds of each."""
    settings, clock = load(), Clock()
    lake = Lake(root, settings.storage_options, Path(settings.work))
    at = trino.server(settings.trino, settings.trino_password, settings.trino_ca)
    clock.laps["merged"] = sum(one.merged for one in maintain(lake))
    clock.lap("maintain")
    if problems := publish(at, lake, replace=True).problems:
        raise SystemExit(str(problems))
    clock.lap("publish")
    analyze(at, [METER, MONTH])
    clock.lap("analyze")
    return clock.laps


if __name__ == "__main__":
    print(json.dumps(show(sys.argv[1])))
