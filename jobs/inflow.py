"""What a delivery brought in, counted from the values as found: the other side of the balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow.parquet as pq

from jobs.clean import DELIVERY, LOCATOR, found_header, headers
from jobs.decisions import Decisions
from jobs.deliveries import Parsed, as_found, files
from jobs.row_units import factors, unit_column
from jobs.staging import quoted
from jobs.written import plain_sql
from models import units
from schemas import types
from schemas.contract import Column, Contract
from schemas.numbers import LIMIT, exact_sql, fix_sql, integer_sql, number_sql


def measure_sums(
    connection: duckdb.DuckDBPyConnection, contract: Contract, parsed: Sequence[Parsed], decisions: Decisions
) -> dict[str, Decimal]:
    """Return the sum of each balanced measure over deliveries, typed here anew and not by the engine that wrote."""
    totals = {name: Decimal(0) for name in contract.measures if name in contract.columns}
    shapes: dict[tuple[str, ...], list[Parsed]] = {}
    for one in parsed if totals else ():
        if one.sums is None:
            shapes.setdefault(one.columns, []).append(one)
        for name, text in (one.sums or {}).items():
            totals[name] += Decimal(text)
    for shape in shapes.values():
        for name, value in _shape_sums(connection, contract, shape, list(totals), decisions).items():
            totals[name] += value
    return totals


def _shape_sums(
    connection: duckdb.DuckDBPyConnection, contract: Contract, shape: Sequence[Parsed], names: Sequence[str],
    decisions: Decisions,
) -> dict[str, Decimal]:  # fmt: skip
    text = {field.name for field in pq.read_schema(files(shape[:1])[0]) if "string" in str(field.type)}
    headers = {name: found_header(contract.columns[name], name, shape[0].columns) for name in names}
    wanted = {name: header for name, header in headers.items() if header}
    if not wanted:
        return {}
    sums = []
    for name, header in wanted.items():
        value = _corrected(header, shape, decisions)
        column = contract.columns[name]
        scale = _scale(connection, contract, name, shape, decisions)
        sums.append(f"coalesce(sum({counted(value, column, header in text, scale)}), 0)")
    row = connection.execute(f"select {', '.join(sums)} from ({as_found(shape)})").fetchone() or ()
    return {name: Decimal(value) for name, value in zip(wanted, row, strict=True)}


def sums_of_found(contract: Contract) -> dict[str, dict[str, str]]:
    """Return for each measure its header and the SQL of its sum, where that comes as text and where as a number."""
    found = {name: headers(contract.columns[name], name)[0] for name in contract.measures if name in contract.columns}
    column = {name: '"' + header.replace('"', '""') + '"' for name, header in found.items()}
    return {name: {"header": header, "text": _total(f"cast({column[name]} as varchar)", contract.columns[name], True),
                   "number": _total(column[name], contract.columns[name], False)}
            for name, header in found.items()}  # fmt: skip


def _total(raw: str, column: Column, is_text: bool) -> str:
    return f"coalesce(sum({counted(raw, column, is_text)}), 0)"


def _corrected(header: str, shape: Sequence[Parsed], decisions: Decisions) -> str:
    """The value as found, or as a person corrected it."""
    here = {one.delivery for one in shape}
    cases = [
        f"when {DELIVERY} = {delivery} and cast({LOCATOR} as varchar) = {quoted(locator)} then {quoted(row['values'][header])}"
        for (delivery, locator), row in decisions.items()
        if delivery in here and header in row["values"]
    ]
    column = '"' + header.replace('"', '""') + '"'
    return f"case {' '.join(cases)} else {column} end" if cases else column


def _scale(
    connection: duckdb.DuckDBPyConnection, contract: Contract, name: str, shape: Sequence[Parsed], decisions: Decisions
) -> str:
    """Return SQL for what a row's own unit multiplies by, empty where rows have none of their own."""
    of_row = unit_column(contract.columns[name])
    if not of_row:
        return ""
    if of_row.column not in shape[0].columns:
        return "cast(null as double)"
    unit = f"trim(cast({_corrected(of_row.column, shape, decisions)} as varchar), ' ')"
    spelled = connection.execute(f"select distinct {unit} from ({as_found(shape)})").fetchall()
    known = factors(contract, name, (row[0] for row in spelled))
    cases = " ".join(f"when {quoted(text)} then cast('{factor!r}' as double)" for text, factor in known.items())
    return f"(case {unit} {cases} end)" if cases else "cast(null as double)"


def counted(raw: str, column: Column, is_text: bool, scale: str = "") -> str:
    """Return SQL for the value in the column's unit as an exact number; the same steps as jobs/clean, in DuckDB."""
    if is_text:
        # Engines trim blanks alone; DuckDB's short form would take those of Unicode too, and its long form is slower.
        raw = f"case when strlen({raw}) = length({raw}) then trim({raw}) else trim({raw}, ' ') end"
        if column.pattern:
            raw = f"regexp_extract({raw}, {quoted(column.pattern)}, 1)"
        for nothing in ("", *column.null_values):
            raw = f"nullif({raw}, {quoted(nothing)})"
        raw = plain_sql(raw, column) if column.written else raw
    type_ = str(column.type)
    parts = types.decimal_parts(type_)
    if not parts and type_ != "double":
        return f"case when {integer_sql(raw) if is_text else 'true'} then try_cast({raw} as {types.duckdb(type_)}) end"
    number, readable = f"try_cast({raw} as double)", number_sql(raw) if is_text else "true"
    if scale:
        number = f"({number} * {scale})"
    elif isinstance(column.unit_from, str):
        number = f"({number} * cast('{units.factor(column.unit_from, str(column.unit))!r}' as double))"
    if not parts:
        return f"case when isfinite({number}) and {readable} then {number} end"
    limit = min(LIMIT, 10.0 ** (parts[0] - parts[1]))
    converted = scale or isinstance(column.unit_from, str)
    fixed = fix_sql(number, type_) if converted else exact_sql(raw, number, is_text, type_)
    return f"case when abs({number}) < {limit!r} and {readable} then {fixed} end"


@dataclass(frozen=True)
class Stays:
    """What an earlier version leaves standing beside the new rows: rows, and the sum of each measure."""

    rows: int
    sums: Mapping[str, Decimal]


def stays(connection: duckdb.DuckDBPyConnection, by: Sequence[str], fresh: Sequence[int], names: Sequence[str]) -> Stays:
    """Count the view `old` less the rows that rows of fresh deliveries in `new` replace, being equal in `by`.

    This does not look at what the engine carried over, so that a row it lost is missed.
    """
    columns = ", ".join(["count(*)", *(f'coalesce(sum(o."{name}"), 0)' for name in names)])
    counted = [f'select {columns} from "old" o']
    if by:
        listed = ", ".join(map(str, fresh)) or "-1"
        same = " and ".join(f'o."{name}" = n."{name}"' for name in by)
        counted.append(f'{counted[0]} semi join (select * from "new" where {DELIVERY} in ({listed})) n on {same}')
    there, *gone = [connection.execute(sql).fetchone() or () for sql in counted]
    left = [value - sum(row[place] for row in gone) for place, value in enumerate(there)]
    return Stays(int(left[0]), {name: Decimal(value) for name, value in zip(names, left[1:], strict=True)})


def dropped_sums(connection: duckdb.DuckDBPyConnection, contract: Contract, names: Sequence[str]) -> dict[str, Decimal]:
    """Return the sums of the accepted rows of a run that do not stand."""
    row = connection.execute("select count(*) from drops").fetchone()
    if not names or not row or not row[0]:
        return dict.fromkeys(names, Decimal(0))
    sums = ", ".join(f'coalesce(sum(s."{name}"), 0)' for name in names)
    found = connection.execute(
        f"select {sums} from staged s semi join drops d on s.{DELIVERY} = d.{DELIVERY} and s.{LOCATOR} = d.{LOCATOR}"
    ).fetchone()
    return {name: Decimal(value) for name, value in zip(names, found or (), strict=True)}
