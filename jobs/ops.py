"""What the lake remembers of its own work: runs, checks, balances, events and readings, gathered and written in one go."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.commit import append_rows
from jobs.lake import Lake, arrow_schema
from jobs.outcome import Counts, Outcome, new_run
from jobs.relation import connect, relation_sql
from quality.audit import Verdict
from schemas.contracts import contract


@dataclass
class Ops:
    """Rows that wait for their table; `flush` writes each table in one commit.

    A kill before the flush loses none that matters: the note in a table's own commit carries the run, and the next
    run writes the row that is missing (`repaired`).
    """

    lake: Lake
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)
    known: frozenset[str] = frozenset()
    judged: dict[str, Sequence[Verdict]] = field(default_factory=dict)
    tell: Callable[[Mapping[str, Any]], None] = lambda event: None

    def add(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Keep rows for an ops table."""
        with self.lock:
            self.rows[table] += rows

    def knows(self, run_id: str) -> bool:
        """Tell whether ops.run has a build or is about to; the table is read again where it was not known before."""
        with self.lock:
            if run_id not in self.known:
                head = self.lake.open("ops.run")
                with connect(self.lake.root, self.lake.storage_options) as connection:
                    rows = connection.execute(f"select run_id from ({relation_sql(head)})").fetchall() if head else []
                self.known = frozenset(row[0] for row in rows)
            return run_id in self.known or any(row["run_id"] == run_id for row in self.rows["ops.run"])

    def flush(self) -> None:
        """Write what waits."""
        with self.lock:
            waiting, self.rows = self.rows, defaultdict(list)
        run = new_run()
        for table, rows in waiting.items():
            if rows:
                one = contract(table)
                append_rows(self.lake, one, pa.Table.from_pylist(rows, schema=arrow_schema(one)), run)

    def outcome(self, outcome: Outcome, engine: str) -> None:
        """Keep the row of ops.run for a build."""
        counts = outcome.counts
        self.add("ops.run", [{
            "run_id": outcome.run_id, "table_name": outcome.table, "status": outcome.status, "mode": outcome.mode,
            "reason": outcome.reason, "started_at": outcome.started_at, "seconds": outcome.seconds, "engine": engine,
            "rows_in": counts.came_in, "rows_written": counts.written, "rows_set_aside": counts.set_aside,
            "rows_superseded": counts.superseded, "version": outcome.version, "recipe": outcome.note.get("recipe"),
            "inputs": json.dumps(outcome.note.get("inputs") or {}),
            "deliveries": json.dumps(outcome.note.get("delivery_ids") or []), **_used(outcome),
        }])  # fmt: skip

    def price(self, kgco2_per_kwh: float | None) -> None:
        """Put the CO2 of their energy to the builds that wait."""
        with self.lock:
            for row in self.rows["ops.run"]:
                if row.get("energy_kwh") is not None and kgco2_per_kwh is not None:
                    row["emission_kgco2"] = row["energy_kwh"] * kgco2_per_kwh

    def verdicts(self, run_id: str, table: str, verdicts: Sequence[Verdict]) -> None:
        """Keep the rows of ops.check for a build."""
        self.judged[run_id] = verdicts
        self.add("ops.check", [
            {"run_id": run_id, "table_name": table, "rule": v.rule, "kind": v.kind, "outcome": v.outcome,
             "failed": v.failed, "rows": v.rows, "passed": v.passed, "detail": v.detail} for v in verdicts
        ])  # fmt: skip
        self.add("ops.outlier", [
            {"run_id": run_id, "table_name": table, "rule": v.rule, "row": one.key, "value": one.value, "usual": one.usual,
             "score": one.score} for v in verdicts for one in v.examples
        ])  # fmt: skip

    def balances(self, run_id: str, table: str, verdicts: Sequence[Verdict], counts: Counts) -> None:
        """Keep the rows of ops.balance for a build."""
        self.add("ops.balance", [
            {"run_id": run_id, "table_name": table, "measure": v.rule.removeprefix("balance_"), "unit": v.unit,
             "came_in": v.expected, "went_on": v.found, "closed": v.passed, "detail": v.detail,
             "set_aside": counts.set_aside + counts.superseded if v.rule == "balance_rows" else None}
            for v in verdicts if v.kind == "balance" and v.found is not None
        ])  # fmt: skip


def _used(outcome: Outcome) -> dict[str, Any]:
    """What a build took; nothing of one whose process is gone."""
    if outcome.use is None:
        return {}
    used = outcome.use
    memory = used.gb_seconds / outcome.seconds if outcome.seconds else None
    return {"cpu_seconds": used.cpu_seconds, "memory_gb": memory, "energy_kwh": used.kwh, "energy_scope": used.scope}
