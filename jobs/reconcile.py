"""What sources declare of their deliveries against what was read of them, as a table is built."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import duckdb
import pyarrow.parquet as pq

from jobs import differences
from jobs.clean import found_header
from jobs.deliveries import Parsed, as_found, files
from jobs.differences import TABLE as TABLE
from jobs.differences import Row, told
from jobs.inflow import counted
from jobs.land import Receipt
from jobs.outcome import Job
from jobs.relation import literal, quote
from jobs.written import plain_sql
from quality.verdict import Verdict
from schemas.contract import Column
from schemas.fetch import STREAMS

RULE = "reconciled"
NO_NUMBERS = "'nan', 'infinity', '-infinity', 'inf', '-inf'"


def compared(job: Job, receipts: Sequence[Receipt], parsed: Sequence[Parsed], connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Compare what deliveries hold with what their source declared of them; a figure that is recorded as it is gives no row.

    Rows that are set aside count: they came. Of a stream, whose batches we count ourselves, only differences are told.
    """
    source, found = job.contract.source, []
    said = {one.delivery_id: _figures(one) for one in receipts if one.declared}
    if not source or source.of or not any(said.values()):
        return []
    streams = bool(source.fetch and source.fetch.by in STREAMS)
    known = {} if streams else differences.newest(job.lake, job.contract.table)
    for one in parsed:
        for what, declared in said.get(one.delivery, {}).items() if not one.refused else ():
            row = _row(job, one, what, declared, connection)
            before = known.get((job.contract.table, one.delivery, what), {})
            same = (before.get("declared"), before.get("found")) == (row["declared"], row["found"])
            if not same and not (streams and row["agrees"]):
                found.append(row)
    return found


def verdict(rows: Sequence[Row]) -> list[Verdict]:
    """Return the check that stands in the records of the build: a warning, for what came is in the table all the same."""
    wrong = [row for row in rows if not row["agrees"]]
    detail = "; ".join(told(row) for row in wrong)
    return [Verdict(RULE, "set", "warn", len(wrong), len(rows), not wrong, detail)] if rows else []


def _figures(receipt: Receipt) -> dict[str, str]:
    """Return what a source declares that can be counted in what is read."""
    said = json.loads(receipt.declared)
    rows = {"rows": str(said["rows"])} if "rows" in said else {}
    return rows | {f"sum.{name}": str(value) for name, value in (said.get("sums") or {}).items()}


def _row(job: Job, one: Parsed, what: str, declared: str, connection: duckdb.DuckDBPyConnection) -> Row:
    found, detail = str(one.rows + one.rejected), ""
    if what != "rows":
        found, detail = _sum(job, one, what.removeprefix("sum."), connection)
    left, right = _number(found), _number(declared)
    # A sum with NaN or infinity in it says no more than that; those values are set aside one by one.
    agrees = left == right if left is not None and right is not None else left is None and right is None and found == "nan"
    return {"table_name": job.contract.table, "delivery_id": one.delivery, "name": one.name, "what": what, "declared": declared,
            "found": found, "difference": float(left - right) if left is not None and right is not None else None,
            "agrees": agrees, "detail": detail, "run_id": job.run_id, "compared_at": datetime.now(UTC)}  # fmt: skip


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _sum(job: Job, one: Parsed, name: str, connection: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """Return the sum of a header in the source's own unit or, where no header is so called, of a column in ours."""
    parts = files([one])
    kinds = {field.name: str(field.type) for field in pq.read_schema(parts[0])} if parts else {}
    if not parts and one.rejected == 0:
        return "0", ""
    header, value = _value(job.contract.columns, name, one.columns, kinds)
    if header not in kinds:
        return "", f"there is no column {name!r} in it"
    row = connection.execute(f"""
        select cast(coalesce(sum({value}), 0) as varchar), count(*) filter (raw is not null and {value} is null),
          bool_or(lower(cast(raw as varchar)) in ({NO_NUMBERS}))
        from (select {quote(header)} as raw from ({as_found([one])}))""").fetchone() or ("0", 0, False)  # fmt: skip
    total, unread, none = str(row[0]), int(row[1]), bool(row[2])
    lacking = [f"{unread} values are no numbers"] if unread else []
    lacking += [f"{one.rejected} rows could not be taken apart"] if one.rejected else []
    return "nan" if none else _short(total), "; ".join(lacking)


def _value(columns: Mapping[str, Column], name: str, headers: Sequence[str], kinds: Mapping[str, str]) -> tuple[str, str]:
    """Return the header that is added up, and SQL for a value of `raw`."""
    if name not in headers and name in columns:
        header = found_header(columns[name], name, headers) or ""
        return header, counted("raw", columns[name], "string" in kinds.get(header, ""))
    column = next((column for own, column in columns.items() if found_header(column, own, headers) == name), Column())
    raw = "trim(cast(raw as varchar), ' ')"
    for nothing in ("", *column.null_values):
        raw = f"nullif({raw}, {literal(nothing)})"
    raw = plain_sql(raw, column) if column.written else raw
    return name, f"try_cast({raw} as decimal(38,10))"


def _short(total: str) -> str:
    """Return a number without the zeros that a fixed scale leaves behind it."""
    return total.rstrip("0").rstrip(".") if "." in total else total
