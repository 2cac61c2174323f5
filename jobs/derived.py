"""Building a derived table: its transform over pinned versions of its inputs, whole or by the partitions that changed."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import staging
from jobs.clean import judged, key_checks
from jobs.cleaned import Made
from jobs.commit import changed_partitions
from jobs.fingerprint import recipe, transform_file
from jobs.lake import Lake
from jobs.outcome import Counts, Job, Mode
from jobs.session import Engine
from jobs.variants import variant_of
from lineage.columns import column_lineage
from lineage.fences import refuse
from models.variant import PUBLISHED
from quality.rules import row_checks, set_aside_bits
from schemas import graph, types
from schemas.contract import Contract
from schemas.contracts import contract as contract_of
from schemas.errors import UserError

Transform = Callable[..., DataFrame]
MONTH = "month"
VARIANT = "variant"  # the parameter of a transform that a restatement gives


class NeverBuilt(UserError):  # noqa: N818 - it is for others to come first, no error
    """An input of a table is not there yet."""


@dataclass(frozen=True)
class Plan:
    """Which versions a build reads, and whether the table is made whole or by partitions.

    `through` names, of inputs that a rebuild by partitions narrows, the column that passes into the table's partition.
    """

    versions: Mapping[str, int]
    mode: Mode
    reason: str
    partitions: tuple[str, ...] = ()
    through: Mapping[str, str] = field(default_factory=dict)


def transform_of(contract: Contract) -> Transform:
    """Return the transform of a derived table; raise UserError where there is none."""
    path = transform_file(contract)
    if path is None:
        raise UserError("this table has inputs but no transform", where=contract.file,
                        remedy=f"write layers/{contract.layer}/{contract.name}.py with a function `transform`")  # fmt: skip
    function = getattr(_module(path, path.stat().st_mtime_ns), "transform", None)
    if not callable(function):
        raise UserError("there is no function `transform`", where=str(path))
    return function  # type: ignore[no-any-return]


def bound(lake: Lake, contract: Contract) -> Transform:
    """Return the transform of a derived table as a lake calculates it: a restatement's with its variant."""
    transform = transform_of(contract)
    return partial(transform, variant=variant_of(lake)) if _varies(transform) else transform


def recipe_of(lake: Lake, contract: Contract) -> str:
    """Return the fingerprint of a table in a lake; in a restatement it tells the variant, where the table depends on it."""
    variant = variant_of(lake)
    if variant == PUBLISHED or contract.source or transform_file(contract) is None or not _varies(transform_of(contract)):
        return recipe(contract)
    return f"{recipe(contract)} {variant.gwp_set} {variant.known_on or ''}".strip()


def _varies(transform: Transform) -> bool:
    return VARIANT in inspect.signature(transform).parameters


@cache
def _module(path: Path, changed: int) -> Any:
    spec = importlib.util.spec_from_file_location(f"layers.{path.parent.name}.{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def input_tables(contract: Contract) -> tuple[str, ...]:
    """Return every table whose rows go into a table, each once."""
    return tuple(dict.fromkeys(t for tables in graph.inputs(contract).values() for t in tables))


def versions(lake: Lake, contract: Contract, heads: dict[str, DeltaTable] | None = None) -> dict[str, int]:
    """Return the version of each input as it is now; raise NeverBuilt for one that is not there.

    `heads` gets the handles.
    """
    found = {}
    for table in input_tables(contract):
        head = lake.open(table)
        if head is None:
            raise NeverBuilt(f"its input {table} was never built", where=contract.table,
                             remedy=f"carbonlake build +{contract.table}")  # fmt: skip
        found[table] = int(head.version())
        if heads is not None:
            heads[table] = head
    return found


def frames(
    engine: Engine, lake: Lake, contract: Contract, pinned: Mapping[str, int],
    narrow: Callable[[str, DataFrame], DataFrame] = lambda table, frame: frame,
) -> dict[str, Any]:  # fmt: skip
    """Return the transform's arguments: its inputs at their pinned versions, each as `narrow` leaves it."""
    wide = {name for name, table in contract.inputs.items() if graph.several(table)}
    read = {table: narrow(table, engine.delta(lake.table_path(table), version)) for table, version in pinned.items()}
    return {
        name: {table: read[table] for table in tables} if name in wide else read[tables[0]]
        for name, tables in graph.inputs(contract).items()
    }


def plan(job: Job) -> Plan | None:
    """Decide what to build; None where neither the recipe nor the rows of any input changed."""
    pinned = versions(job.lake, job.contract, job.inputs)
    before: Mapping[str, int] = job.note.get("inputs") or {}
    changed = _changes(job, before, pinned) if job.same_recipe and set(before) == set(pinned) else None
    again = _month(job)
    if changed is not None and not again and not any(values is None or values for values in changed.values()):
        return None
    if changed is None:
        return Plan(pinned, "whole", "first build" if not job.note else "contract or code changed")
    moved = sorted(table for table, values in changed.items() if values is None or values)
    reason = f"{', '.join(moved)} changed" if moved else f"{job.month} again"
    through = _partition_inputs(job, pinned)
    parts = _partitions(through, changed, again)
    return Plan(pinned, "partitions", reason, parts, through) if parts else Plan(pinned, "whole", reason)


def _changes(job: Job, before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, set[str] | None]:
    """Return for each input the partitions whose rows changed: none, some, or None for all."""
    found: dict[str, set[str] | None] = {}
    for table, version in now.items():
        same = version == before[table]
        found[table] = set() if same else changed_partitions(job.inputs[table], before[table], version)
    return found


def _month(job: Job) -> set[str]:
    """Return the partition of the month that is to be made anew, as the log writes it; none where the table has none such."""
    if not job.month or job.contract.partition_by != (MONTH,):
        return set()
    return {f"{job.month}-01" if job.contract.columns[MONTH].type == "date" else job.month}


def _partitions(through: Mapping[str, str], changed: Mapping[str, set[str] | None], again: set[str]) -> tuple[str, ...]:
    """Return the partitions to rebuild; empty where the plan does not show that the others can't change."""
    touched = set(again)
    for table, values in changed.items():
        if values is None or (values and table not in through):
            return ()
        touched |= values
    return tuple(sorted(touched))


def _partition_inputs(job: Job, pinned: Mapping[str, int]) -> dict[str, str]:
    """Return inputs → their partition column, where it passes unchanged into the partition column of the table."""
    if not job.contract.partition_by:
        return {}
    given = frames(job.engine, job.lake, job.contract, pinned)
    leaves = leaves_of(job.contract, given)
    lineage = column_lineage(bound(job.lake, job.contract)(**given), leaves)
    through = lineage.passes_through(job.contract.partition_by[0])
    columns = {table: job.inputs[table].metadata().partition_columns for table in leaves}
    type_ = job.contract.columns[job.contract.partition_by[0]].type
    found = {table: names[0] for table, names in columns.items() if names and (table, names[0]) in through
             and contract_of(table).columns[names[0]].type == type_}  # fmt: skip
    made_from = {edge.place for edge in lineage.columns[job.contract.partition_by[0]] if edge.kind == "DIRECT"}
    # A branch of a union that nothing narrows would give the rows of every partition again.
    return found if made_from <= set(found.items()) else {}


def leaves_of(contract: Contract, given: Mapping[str, Any]) -> dict[str, DataFrame]:
    """Return table → frame for everything that a transform was given."""
    found: dict[str, DataFrame] = {}
    for name, tables in graph.inputs(contract).items():
        value = given[name]
        found |= value if isinstance(value, dict) else {tables[0]: value}
    return found


def make(job: Job, plan: Plan) -> Made:
    """Run the transform, fenced, and stage its rows in the contract's types with their verdicts."""
    through = plan.through

    def narrow(table: str, frame: DataFrame) -> DataFrame:
        if table not in through:
            return frame
        type_ = frame.schema[through[table]].dataType
        return frame.filter(F.col(through[table]).isin([F.lit(value).cast(type_) for value in plan.partitions]))

    given = frames(job.engine, job.lake, job.contract, plan.versions, narrow)
    result = bound(job.lake, job.contract)(**given)
    lineage = column_lineage(result, leaves_of(job.contract, given))
    refuse(result, job.engine.name, tolerance=job.contract.tolerance)
    every = row_checks(job.contract) + key_checks(job.contract)
    # The walk has found the columns; the engine would analyse the whole plan again for each time it is asked for them.
    frame = judged(as_contract(result, job.contract, lineage.columns), job.contract, every, job.contract.columns)
    files = staging.write_fine(frame, job.staging / "made", job.contract, set_aside_bits(every), job.engine.parquet)
    ok = tuple(file for file in files if file.verdict == "ok")
    aside = tuple(file for file in files if file.verdict != "ok")
    written, away = sum(file.rows for file in ok), sum(file.rows for file in aside)
    counts = Counts(came_in=written + away, written=written, set_aside=away)
    return Made(ok, aside, (), tuple(every), counts, plan.partitions, 0, lineage)


def made_for(job: Job, plan: Plan) -> tuple[Plan, Made]:
    """Make the table as planned; whole where rows came out for partitions that were not to be made again."""
    made = make(job, plan)
    if plan.mode != "partitions" or {file.partition for file in (*made.files, *made.aside)} <= set(plan.partitions):
        return plan, made
    # A branch of a union may set its partition itself, which no column of an input tells.
    plan = Plan(plan.versions, "whole", plan.reason)
    return plan, make(job, plan)


def as_contract(frame: DataFrame, contract: Contract, present: Iterable[str] | None = None) -> DataFrame:
    """Return exactly the contract's columns in its types; raise UserError for one that is missing.

    `present` names the columns of the frame, where they are known; else its engine is asked.
    """
    names = list(frame.columns if present is None else present)
    missing = [name for name in contract.columns if name not in names]
    if missing:
        raise UserError(f"the transform does not make {', '.join(missing)}; it makes {', '.join(names)}",
                        where=f"layers/{contract.layer}/{contract.name}.py")  # fmt: skip
    return frame.select(*(F.col(f"`{n}`").cast(types.spark(str(c.type))).alias(n) for n, c in contract.columns.items()))
