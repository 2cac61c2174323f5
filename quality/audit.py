"""The judge of what an engine wrote, by another engine: rules, set rules and balance over DuckDB views."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import duckdb

from quality.balance import measure_balance, row_balance
from quality.counts import Counts, count, row_verdicts
from quality.declared import row_rules, set_rules
from quality.scene import Scene
from quality.sets import set_verdict
from quality.verdict import Verdict, not_run, raise_if_failed
from schemas.contract import Contract

__all__ = ["Verdict", "judge", "raise_if_failed"]
_NO_DECIMALS: Mapping[str, Decimal] = {}


def judge(
    contract: Contract,
    connection: duckdb.DuckDBPyConnection,
    *,
    has_old: bool,
    quarantined: Mapping[str, int],
    rows_in: int | None,
    superseded: int,
    now: datetime,
    carried: int = 0,
    inflow: Mapping[str, Decimal] | None = None,
    aside: Mapping[str, Decimal] = _NO_DECIMALS,
    distinct: bool = False,
) -> list[Verdict]:
    """Judge the view `new` (accepted rows with `_rules`), against `old` and inputs as views "layer"."table".

    `quarantined` counts rows set aside by rule label, and under `*` the rows themselves; `rows_in` is None where
    rows need not balance; `now` is an instant with a time zone. `carried` rows of `new` come unchanged from
    earlier versions and may lack `_rules`. In cleaned tables `inflow` is the sum of each balanced measure as
    delivered, `aside` that of the rows set aside or superseded. `distinct` says that in the files of `new`, all of
    them and as they were written, no key was found twice. Every declared check has a verdict.
    """
    try:
        new = count(connection, contract, "new")
        old = count(connection, contract, "old") if has_old else None
    except duckdb.Error as error:
        return _nothing_ran(contract, str(error).splitlines()[0])
    scene = Scene(contract, connection, new, old, now, distinct)
    found = row_verdicts(contract, new, quarantined, carried)
    found += [set_verdict(scene, rule) for rule in set_rules(contract)]
    if rows_in is not None:
        found.append(row_balance(new.rows, quarantined, rows_in, superseded))
    found += [measure_balance(scene, one, inflow, aside) for one in contract.balance]
    return found + _missing_columns(contract, new) + _silent(contract, found)


def _nothing_ran(contract: Contract, why: str) -> list[Verdict]:
    rows = [not_run(rule.label, "row", why) for rule in row_rules(contract)]
    sets = [not_run(rule.label, "set", why) for rule in set_rules(contract)]
    measures = [not_run(f"balance_{one.measure}", "balance", why) for one in contract.balance]
    return [*rows, *sets, *measures] or [not_run("audit", "set", why)]


def _missing_columns(contract: Contract, new: Counts) -> list[Verdict]:
    """A column that the files lack takes every check on it along, so its absence is a failure of its own."""
    missing = [name for name in contract.columns if name not in new.columns]
    return [not_run("columns", "set", f"the files lack {', '.join(missing)}")] if missing else []


def _silent(contract: Contract, found: list[Verdict]) -> list[Verdict]:
    """Return a failure for each declared check of which no verdict speaks."""
    spoken = {verdict.rule for verdict in found}
    declared = [("row", rule.label) for rule in row_rules(contract)] + [("set", rule.label) for rule in set_rules(contract)]
    silent = [label for _, label in declared if label not in spoken]
    return [not_run(label, "set", "no verdict was given") for label in silent]
