"""Streams against nothing but the clock: messages a second into Delta, audited, and how long until one can be seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import content
from benchmarks.against_others import fresh
from benchmarks.result import Result, Row, Setting
from benchmarks.side import PROJECT, ROOT
from carbonlake.stack import parts
from jobs import land
from jobs.deltalog import actions
from jobs.lake import Lake
from jobs.relation import connect, relation_sql

SECONDS = 60.0
PATIENCE = 240.0
VISIBLE = 10.0
GOAL = {"kafka": 50_000, "mqtt": 10_000}
LEAST = {"kafka": 20_000, "mqtt": 5_000}
TABLES = {"kafka": "cleaned.bench_log", "mqtt": "cleaned.bench_plant"}
PARTS = {"kafka": "kafka", "mqtt": "mosquitto"}


def kafka(setting: Setting) -> Result:
    """Measure Kafka."""
    return _measured(setting, "kafka", "Kafka")


def mqtt(setting: Setting) -> Result:
    """Measure MQTT, each message at least once."""
    return _measured(setting, "mqtt", "MQTT")


def _measured(setting: Setting, kind: str, name: str) -> Result:
    seconds = max(10.0, SECONDS * setting.scale)
    # A little faster than the goal: until the last can be seen, some seconds pass in which nothing is sent.
    fast, calm = (_run(setting, kind, pace, seconds) for pace in (GOAL[kind] * 11 // 10, LEAST[kind]))
    note = f"sent at {GOAL[kind] * 11 // 10:,}/s for {seconds:g} s; sender and broker work on the same two cores"
    rows = (
        Row(f"{name}, sustained, into Delta", "–", fast["pace"], GOAL[kind], LEAST[kind], "messages/s", more=True, note=note),
        Row(f"{name}, until visible, 99 of 100", "–", calm["p99"], None, VISIBLE, "s",
            note=f"at {LEAST[kind]:,}/s, half of them {calm['p50']:.1f} s; at {GOAL[kind] * 11 // 10:,}/s {fast['p99']:.1f} s"),
    )  # fmt: skip
    return Result(kind, rows, f"{fast['sent'] + calm['sent']:,} messages, each once", {"fast": fast, "calm": calm})


def _run(setting: Setting, kind: str, pace: int, seconds: float) -> dict[str, Any]:
    """Send and follow at once; demand that each message is there once."""
    home, root = fresh(setting, "streams"), fresh(setting, "lake")
    os.environ["CARBONLAKE_PROJECT"] = str(PROJECT)
    parts.up(home, [PARTS[kind]], lambda part, what: None)
    try:
        url = _url(kind, home)
        sending = _started("benchmarks.sending", kind, url, str(pace), str(seconds))
        assert sending.stdin and sending.stdout
        sending.stdout.readline()
        follower = _started("carbonlake", "--lake", str(root), "follow", TABLES[kind],
                            CARBONLAKE_CONNECTIONS=json.dumps({"bench": url}))  # fmt: skip
        lake = Lake(root)
        _wait(lambda: lake.open(TABLES[kind]) is not None, "the follower does not begin", follower)
        sending.stdin.write("go\n")
        sending.stdin.flush()
        sent = int(json.loads(sending.communicate(timeout=PATIENCE)[0].splitlines()[-1])["sent"])
        _wait(lambda: _rows(lake, kind) >= sent, f"fewer than {sent} messages came", follower)
        follower.send_signal(signal.SIGTERM)
        follower.communicate(timeout=PATIENCE)
    finally:
        parts.down(home, None, lambda part, what: None)
    return {"sent": sent, **_seen(lake, kind, sent)}


def _url(kind: str, home: Path) -> str:
    found = parts.part(PARTS[kind]).environment(home)
    if kind == "kafka":
        return f"kafka://{found['CARBONLAKE_KAFKA_USER']}:{found['CARBONLAKE_KAFKA_PASSWORD']}@{found['CARBONLAKE_KAFKA']}"
    return found["CARBONLAKE_MQTT"].replace("@", f":{found['CARBONLAKE_MQTT_PASSWORD']}@")


def _started(module: str, *words: str, **environment: str) -> subprocess.Popen[str]:
    program = "from carbonlake.cli import main; main()" if module == "carbonlake" else ""
    command = [sys.executable, "-c", program] if program else [sys.executable, "-m", module]
    return subprocess.Popen([*command, *words], cwd=ROOT, env=os.environ | environment, text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)  # fmt: skip


def _wait(until: Callable[[], bool], wrong: str, follower: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > end or follower.poll() is not None:
            raise RuntimeError(wrong)
        time.sleep(0.5)


def _rows(lake: Lake, kind: str) -> int:
    """Return how many rows the table has, as its log says."""
    head = lake.open(TABLES[kind])
    return sum(n or 0 for n in head.get_add_actions().column("num_records").to_pylist()) if head else 0


def _seen(lake: Lake, kind: str, sent: int) -> dict[str, float]:
    """Return messages a second, from the first that was sent to the last that could be seen, and seconds until then."""
    head = lake.open(TABLES[kind])
    assert head is not None
    seen = {}
    for version in range(head.version() + 1):
        for action in actions(head, version) or []:
            if info := action.get("commitInfo"):
                for delivery in (info.get("carbonlake") or {}).get("delivery_ids", []):
                    seen.setdefault(int(delivery), int(info["timestamp"]))
    assert set(seen) >= {one.delivery_id for one in land.receipts(lake, TABLES[kind])}
    with connect(lake.root, lake.storage_options) as duck:
        pairs = ", ".join(f"({delivery}, {at})" for delivery, at in seen.items())
        found = duck.execute(f"""
            select count(*), count(distinct sequence), min(sent_at), max(visible), quantile_cont(visible - sent_at, [0.5, 0.99])
            from ({relation_sql(head)}) join (values {pairs}) as v(d, visible) on _delivery = d""").fetchone()
    rows, distinct, first, last, waits = found or (0, 0, 0, 0, [])
    content.demand_equal(TABLES[kind], [rows, distinct], [sent, sent])
    return {"pace": sent / ((last - first) / 1000), "p50": waits[0] / 1000, "p99": waits[1] / 1000}
