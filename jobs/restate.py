"""Restating: the same activity calculated under another GWP set, other factors or older knowledge, beside what is published.

The tables that depend on it are built in a copy that shares all other files of the lake; nothing of the lake changes.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

from jobs import links, maintain, query, variants
from jobs.derived import VARIANT, transform_of
from jobs.fingerprint import transform_file
from jobs.lake import Lake, unstage
from jobs.outcome import Outcome
from jobs.relation import literal
from jobs.release import checked
from jobs.run import Opened, Watch, run
from jobs.session import Engine
from jobs.variants import Copy, Restated
from models.variant import PUBLISHED, Variant
from schemas import graph
from schemas.contracts import contracts
from schemas.errors import UserError

FACTORS, INPUTS = "knowledge.factor", "business.emission_input"
# What is the business of one run, or of this machine alone.
OWN = ("_staging", "_spill", "_lineage", variants.FOLDER)


def restate(
    lake: Lake, engine: Engine, name: str, variant: Variant = PUBLISHED, factors: int | None = None, *,
    inputs: bool = False, opened: Opened | None = None, workers: int = 2, watch: Watch = lambda table, outcome: None,
) -> list[Outcome]:  # fmt: skip
    """Calculate a variant under a name and return how each table's build ended; what is published stays as it is.

    `factors` is a version of knowledge.factor. The parameters of each line (business.emission_input) are the largest
    table and follow from the others, so they are put down only where `inputs` asks for it. Raise UserError where the
    name is taken, nothing is published, the GWP set or version unknown, nothing would differ, or a table failed.
    """
    tables = _asked(lake, checked(name, "restatement"), variant, factors, inputs=inputs)
    stage = lake.staging(f"restate-{uuid4().hex[:12]}")
    try:
        copy = Copy(stage / "lake", of=lake).init()
        versions = _linked(lake, Path(copy.root), set(tables) | {INPUTS})
        if factors is not None and factors != versions[FACTORS]:
            maintain.restore(copy, FACTORS, factors)
        made = Restated(name, variant, factors, datetime.now(UTC), versions)
        variants.note(Path(copy.root), made)
        walk = partial(run, opened=opened) if opened else run
        outcomes = walk(copy, engine, tables, workers=workers, watch=watch)
        for one in outcomes:
            if not one.usable:
                raise UserError(f"it could not be restated: {one.reason}", where=one.table,
                                remedy="nothing was kept; mend it and restate again")  # fmt: skip
        _settle(Path(copy.root), lake, name)
    finally:
        unstage(stage)
    return outcomes


def dependent() -> tuple[str, ...]:
    """Return the tables that a variant changes, in building order: whose transform takes one, and all made from those."""
    known = [one for one in contracts().values() if one.inputs and transform_file(one)]
    takers = {one.table for one in known if VARIANT in inspect.signature(transform_of(one)).parameters}
    below = takers.union(*(graph.closure(table, "down") for table in takers))
    return tuple(table for table in graph.built() if table in below)


def _asked(lake: Lake, name: str, variant: Variant, factors: int | None, *, inputs: bool) -> list[str]:
    """Return the tables to build. Raise UserError for what can't be restated, before anything is done."""
    lake.require()
    if variants.folder(lake, name).exists():
        raise UserError(f"there is a restatement {name!r} already", where=str(variants.folder(lake, name)),
                        remedy=f"take another --name, or `carbonlake variant drop {name}`")  # fmt: skip
    there = [table for table in dependent() if lake.open(table) is not None]
    if not there:
        raise UserError("nothing is published yet", where=str(lake.root), remedy="`carbonlake run` builds the tables first")
    if variant == PUBLISHED and factors is None:
        raise UserError(f"this is what is published: {variant.gwp_set}, all factors known",
                        remedy="name another --gwp, a version of --factors, or a day --known")  # fmt: skip
    sets = _gwp_sets(lake, factors)
    if variant.gwp_set not in sets:
        raise UserError(f"there is no GWP set {variant.gwp_set!r}", where=FACTORS, remedy=f"sets: {', '.join(sets)}")
    return [table for table in there if inputs or table != INPUTS]


def _gwp_sets(lake: Lake, version: int | None) -> list[str]:
    with query.connection(lake, {FACTORS: version}) as duck:
        found = duck.execute(f"select distinct factor_set from {FACTORS} where role = {literal('gwp')} order by 1").fetchall()
    return [row[0] for row in found]


def _linked(lake: Lake, root: Path, without: Collection[str]) -> dict[str, int]:
    """Link every table but some into a copy, and return the versions of those that calculation rests on."""
    needed = {source for table in without for source in graph.upstream(table)} - set(without)
    versions = {table: int(head.version()) for table in sorted(needed) if (head := lake.open(table))}
    for name in query.tables(lake):
        if name.removeprefix(f"{query.QUARANTINE}.") not in without:
            links.table(lake, tuple(name.split(".")), root.joinpath(*name.split(".")))
    links.links(lake.folder / "_read", root / "_read")
    return versions


def _settle(made: Path, lake: Lake, name: str) -> None:
    """Give a finished restatement its name; of two at once the first has it."""
    target = variants.folder(lake, name)
    target.parent.mkdir(exist_ok=True)
    try:
        made.rename(target)
    except OSError:
        raise UserError(f"there is a restatement {name!r} already", where=str(target), remedy="take another --name") from None
