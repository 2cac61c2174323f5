"""Contracts and rows for tests of checks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb

from quality.audit import Verdict, judge
from schemas.contract import Contract

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def contract(columns: dict[str, Any], rules: list[dict[str, Any]] | None = None, **parts: Any) -> Contract:
    """Return a thematic contract of these columns (name → type, or all its keys)."""
    full = {name: {"type": spec} if isinstance(spec, str) else spec for name, spec in columns.items()}
    parts = {"layer": "thematic", "description": "A table of a test.", "owner": "tests"} | parts
    return Contract(name="meter", file="schemas/thematic/meter.yaml", columns=full, rules=rules or [], **parts)


def judged(one: Contract, new: str, old: str = "", views: dict[str, str] | None = None, **given: Any) -> dict[str, Verdict]:
    """Judge the rows that SQL gives, and return the verdicts by rule."""
    connection = duckdb.connect()
    connection.execute(f"create view new as {new}")
    if old:
        connection.execute(f"create view old as {old}")
    for name, sql in (views or {}).items():
        layer, table = name.split(".")
        connection.execute(f'create schema if not exists "{layer}"')
        connection.execute(f'create view "{layer}"."{table}" as {sql}')
    usual: dict[str, Any] = {"quarantined": {}, "rows_in": None, "superseded": 0, "now": NOW}
    verdicts = judge(one, connection, has_old=bool(old), **(usual | given))
    by_rule = {verdict.rule: verdict for verdict in verdicts}
    assert len(by_rule) == len(verdicts), "each check has one verdict"
    return by_rule


def rows(header: str, *values: str) -> str:
    """Return SQL of literal rows, `_rules` included in the header where wanted."""
    return f"select * from (values {', '.join(f'({row})' for row in values)}) as t({header})"


def decimal(value: str) -> Decimal:
    """Return an exact number."""
    return Decimal(value)
