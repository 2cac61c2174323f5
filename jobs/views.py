"""What the audit sees, as DuckDB views: the table as it would be, as it was, and what the build read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from jobs import keep, relation, staging
from jobs.clean import RULES
from jobs.cleaned import Made
from jobs.outcome import Job, Mode
from jobs.query import relation_sql
from quality.declared import columns_of, set_rules
from schemas.contract import Contract, Rule


def whole(contract: Contract, mode: Mode) -> bool:
    """Tell whether the whole table must be judged: where a rule looks beyond the rows or partitions that are new."""
    if mode == "partitions":
        return not all(_inside(contract, rule) for rule in set_rules(contract))
    return mode == "whole" or bool(set_rules(contract))


def _inside(contract: Contract, rule: Rule) -> bool:
    """Tell whether a set rule holds for the table when it holds for each partition."""
    place, follows = contract.partition_by[0], keep.partition_follows(contract)
    if rule.rule == "unique":
        return place in columns_of(rule) or (follows and columns_of(rule) == contract.key)
    return (rule.rule == "monotone" and place in rule.by) or (rule.rule == "reference" and rule.table != contract.table)


def tables(job: Job, mode: Mode, made: Made, connection: duckdb.DuckDBPyConnection, extra: Sequence[str]) -> None:
    """Make the views `new` and, if there was one, `old`; of a rebuild by partitions only these, if that is enough."""
    new = staging.relation(made.files, job.contract, extra)
    if not job.note:
        connection.execute(f'create or replace view "new" as {new}')
        return
    old = relation_sql(job.lake, job.contract.table, job.version)
    inside = within(job.contract.partition_by[0], made.replaced) if mode == "partitions" else ""
    if mode != "whole" and whole(job.contract, mode):
        columns = ", ".join(f'"{name}"' for name in (*job.contract.columns, *(n for n in extra if n != RULES)))
        stays = f"select {columns}, cast(null as bigint) as {RULES} from ({old})" + (f" where not {inside}" if inside else "")
        new = f"select {columns}, {RULES} from ({new}) union all {stays}"
    elif inside:
        old = f"select * from ({old}) where {inside}"
    connection.execute(f'create or replace view "new" as {new}')
    connection.execute(f'create or replace view "old" as {old}')


def within(column: str, values: Iterable[str]) -> str:
    """Return SQL that is true in the named partitions."""
    listed = ", ".join(staging.quoted(value) for value in values) or "''"
    return f'(cast("{column}" as varchar) in ({listed}))'


def inputs(
    job: Job, connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int], through: Mapping[str, str],
    partitions: Sequence[str],
) -> None:  # fmt: skip
    """Make the view "layer"."table" of each input at its version; of those in `through` the rebuilt partitions alone."""
    for table, version in versions.items():
        layer, name = table.split(".")
        head = job.inputs.get(table)
        sql = relation.relation_sql(head) if head and head.version() == version else relation_sql(job.lake, table, version)
        if table in through:
            sql = f"select * from ({sql}) where {within(through[table], partitions)}"
        connection.execute(f'create schema if not exists "{layer}"')
        connection.execute(f'create or replace view "{layer}"."{name}" as {sql}')


def referred(job: Job, connection: duckdb.DuckDBPyConnection, pinned: Mapping[str, int]) -> None:
    """Make the views of tables that rules refer to, as they are now, unless the build read them itself."""
    named = {rule.table for rule in job.contract.rules if rule.table} - {job.contract.table, *pinned}
    heads = {table: job.lake.open(table) for table in sorted(filter(None, named))}
    inputs(job, connection, {table: int(head.version()) for table, head in heads.items() if head}, {}, ())
