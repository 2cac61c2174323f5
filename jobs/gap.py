"""Where a measure of a cleaned table does not close: which delivery or which earlier rows, of which period, by how much."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import duckdb

from jobs import inflow, keep, staging
from jobs.clean import DELIVERY, LOCATOR, found_header
from jobs.cleaned import Made
from jobs.deliveries import Parsed, as_found
from jobs.outcome import Job, Mode
from jobs.relation import quote
from quality.balance import period_column

SHOWN = 3


def located(job: Job, mode: Mode, made: Made, connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the worst places where a measure differs from what came in, one a line; the audit's views must be there."""
    here = _by_delivery(job, made, connection, name)
    fixes = job.decided
    found: list[tuple[str, Decimal, Decimal]] = []
    for one in made.parsed:
        if one.refused or not one.rows:
            continue
        came, went = inflow.measure_sums(connection, job.contract, [one], fixes)[name], here.get(one.delivery, Decimal(0))
        if came != went:
            found.append((f"delivery {one.delivery} ({one.name}){_period(job, connection, one)}", went, came))
    if mode == "partitions":
        found += _carried(job, connection, [one.delivery for one in made.parsed], name)
    worst = sorted(found, key=lambda item: -abs(item[1] - item[2]))[:SHOWN]
    return "".join(f"\n      {place}: {went} here, {came} came in" for place, went, came in worst)


def _by_delivery(job: Job, made: Made, connection: duckdb.DuckDBPyConnection, name: str) -> dict[int, Decimal]:
    """Return what became of a measure by delivery: written, set aside or superseded."""
    parts = [
        f'select {DELIVERY} as d, {quote(name)} as v from "new"',
        f"select {DELIVERY}, {quote(name)} from ({staging.relation(made.aside, job.contract, (DELIVERY,))})",
        f"select s.{DELIVERY}, s.{quote(name)} from staged s "
        f"semi join drops d on s.{DELIVERY} = d.{DELIVERY} and s.{LOCATOR} = d.{LOCATOR}",
    ]
    rows = connection.execute(f"select d, coalesce(sum(v), 0) from ({' union all '.join(parts)}) group by d").fetchall()
    return {delivery: Decimal(value) for delivery, value in rows}


def _period(job: Job, connection: duckdb.DuckDBPyConnection, one: Parsed) -> str:
    """Return the first and last period of a delivery, as found."""
    headed = ((name, found_header(column, name, one.columns)) for name, column in job.contract.columns.items())
    known = {name: header for name, header in headed if header in one.columns}
    name = period_column(job.contract, known)
    if name is None:
        return ""
    header = quote(str(known[name]))
    first, last = connection.execute(f"select min({header}), max({header}) from ({as_found([one])})").fetchall()[0]
    return f", {name} {first}" + (f" to {last}" if last != first else "")


def _carried(
    job: Job, connection: duckdb.DuckDBPyConnection, fresh: Sequence[int], name: str
) -> list[tuple[str, Decimal, Decimal]]:
    """Return by period how rows of earlier versions that nothing replaces differ from those before."""
    period = period_column(job.contract, job.contract.columns)
    place = f"cast({quote(period)} as varchar)" if period else "''"
    listed = ", ".join(map(str, fresh)) or "-1"
    same = " and ".join(f"o.{quote(by)} = n.{quote(by)}" for by in keep.group(job.contract))
    rows = connection.execute(f"""
        with a as (select {place} as p, sum({quote(name)}) as v from "new" where {DELIVERY} not in ({listed}) group by all),
             o as (select o.* from "old" o anti join (select * from "new" where {DELIVERY} in ({listed})) n on {same}),
             b as (select {place} as p, sum({quote(name)}) as v from o group by all)
        select coalesce(a.p, b.p), coalesce(a.v, 0), coalesce(b.v, 0) from a full join b on a.p = b.p
        where coalesce(a.v, 0) <> coalesce(b.v, 0)""").fetchall()
    return [(f"rows that stood before, {period or 'all'} {at}", Decimal(here), Decimal(there)) for at, here, there in rows]
