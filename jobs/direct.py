"""Grids and Parquet that their table takes as they stand: worker processes write its rows, and no engine is asked.

Most of what science and databases deliver has types already. Where a contract only names, types and limits it, the rows that
an engine would make of it are known; what it derives, converts or matches is an engine's work.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from jobs import deliveries, inflow, staging
from jobs.clean import checks, headers
from jobs.deliveries import Parsed
from jobs.land import Receipt
from jobs.outcome import Job
from jobs.readers import Read, Request
from jobs.readers.cage import sums_caged, write_caged
from jobs.staging import Staged
from lineage.edges import Edge, Lineage
from quality.literals import typed
from quality.rules import RowCheck, set_aside_bits
from schemas import types
from schemas.contract import Column, Contract, Source
from schemas.errors import UserError

FORMATS = ("netcdf", "hdf5")  # grids
ROWS = "parquet"
NUMBERS = ("double", "bigint", "int")
TYPES = (*NUMBERS, "timestamp")
LIMITS = {"not_null": (None, None), "at_least": ("limit", None), "at_most": (None, "limit"), "between": ("low", "high")}
# What a contract may say without a bearing on how rows come to be, and what is looked at here.
COLUMN = frozenset({"type", "unit", "description", "description_zh", "grade", "required", "from_", "mask"})
SOURCE = frozenset({"of", "zone", "path", "fetch", "format", "options", "publisher", "licence", "citation", "schedule",
                    "timezone", "synthetic"})  # fmt: skip
CONTRACT = frozenset({"layer", "name", "file", "description", "description_zh", "owner", "source", "key", "cluster_by", "write",
                      "columns", "rules", "freshness", "serve", "grade", "retention", "tolerance", "engine", "migrations",
                      "examples", "activity"})  # fmt: skip
WORKERS = min(2, os.cpu_count() or 1)
MANY = 100  # deliveries, beyond which an engine puts their rows into fewer files
MARK = "rows set aside"  # of a reading that keeps only those


@dataclass(frozen=True)
class Typed:
    """Rows of a cleaned table in staging, typed and judged; `distinct` where their keys are known to be so."""

    labels: list[RowCheck]
    staged: list[Staged]
    lineage: Lineage | None
    distinct: bool = False


def likely(contract: Contract) -> bool:
    """Tell whether no engine need be started for a table yet; its rules are looked at when it is built."""
    source = contract.source
    if (
        source is None
        or source.format not in (*FORMATS, ROWS)
        or "members" in source.options
        or contract.write not in ("replace", "append")
    ):
        return False
    if _beyond(contract, CONTRACT | {"balance"} if source.format == ROWS else CONTRACT) | _beyond(source, SOURCE):
        return False
    return all(_as_it_stands(contract, *item) for item in contract.columns.items())


def plain(contract: Contract) -> bool:
    """Tell whether a contract takes the arrays or columns of its source as they stand."""
    return likely(contract) and all(_known(contract, check) for check in checks(contract, _headers(contract).values()))


def _as_it_stands(contract: Contract, name: str, column: Column) -> bool:
    given = headers(column, name)
    source = contract.source
    if source is None or len(given) != 1 or given[0].startswith("_") or (source.format != ROWS and column.type not in TYPES):
        return False
    utc = source.timezone == "UTC"
    return not _beyond(column, COLUMN) and (column.type != "timestamp" or utc)


def _beyond(given: Column | Contract | Source, known: frozenset[str]) -> set[str]:
    """Return what a contract says beyond what is known here, so that a new word of it is never passed over."""
    return {name for name in given.model_fields_set if getattr(given, name)} - known


def _headers(contract: Contract) -> dict[str, str]:
    return {name: headers(column, name)[0] for name, column in contract.columns.items()}


def _known(contract: Contract, check: RowCheck) -> bool:
    rule = check.rule
    if rule.rule in ("not_null", "finite"):  # what is not finite fits no double, and so is missing before it is judged
        return True
    type_ = str(contract.columns[rule.column].type) if rule.column in contract.columns else ""
    return rule.rule in LIMITS and (type_ in NUMBERS or bool(types.decimal_parts(type_)))


def read(job: Job, receipts: Sequence[Receipt]) -> tuple[list[Parsed], Typed] | None:
    """Write the rows of deliveries into staging. None where contract, decisions or a delivery ask for an engine."""
    contract = job.contract
    assert contract.source
    if job.decided or not receipts or not plain(contract) or (contract.source.format == ROWS and len(receipts) > MANY):
        return None
    folder = job.staging / "direct"
    labels = checks(contract, _headers(contract).values())
    requests = [deliveries.request(job.lake, contract, job.staging, receipt) for receipt in receipts]
    with ThreadPoolExecutor(WORKERS + 1) as pool:
        counting = pool.submit(_sums, contract, requests)
        shares = list(pool.map(lambda share: _share(contract, requests, labels, str(folder), share), range(WORKERS)))
    answers, sums = [list(of_one) for of_one in zip(*shares, strict=True)], counting.result()
    if not all(map(_taken, answers, sums)):
        for request in requests:
            shutil.rmtree(request.out)
        shutil.rmtree(folder, ignore_errors=True)
        return None
    parsed = [
        replace(_settled(job, receipt, request, answer), sums=None if isinstance(total, UserError) else total)
        for receipt, request, answer, total in zip(receipts, requests, answers, sums, strict=True)
    ]
    refused = {one.delivery for one in parsed if one.refused}
    staged = [file for file in staging.listing(folder) if _delivery(file) not in refused]
    distinct = len(parsed) == 1 and not refused and all(one["distinct"] for one in answers[0])
    return parsed, Typed(labels, staged, _lineage(contract), distinct)


def _sums(contract: Contract, requests: Sequence[Request]) -> list[dict[str, Any] | UserError | None]:
    """Return for each delivery the sums of what balances, as another engine counts them in the bytes as delivered."""
    wanted = inflow.sums_of_found(contract)
    assert contract.source
    return list(sums_caged(contract.source.format, requests, wanted)) if wanted else [None] * len(requests)


def _taken(answer: Sequence[dict[str, Any] | UserError], sums: dict[str, Any] | UserError | None) -> bool:
    """Tell whether a delivery was written, or is refused; what was written and can't be counted again is left to an engine."""
    if any(isinstance(one, UserError) for one in answer):
        return True
    return not isinstance(sums, UserError) and all(one["plain"] for one in answer if not isinstance(one, UserError))


def _share(
    contract: Contract, requests: Sequence[Request], labels: Sequence[RowCheck], folder: str, share: int
) -> list[dict[str, Any] | UserError]:  # fmt: skip
    found = _headers(contract)
    target: Mapping[str, Any] = {
        "columns": [(name, found[name], str(column.type)) for name, column in contract.columns.items()],
        "checks": [one for bit, label in enumerate(labels) if label.rule.rule in LIMITS for one in _checks(contract, bit, label)],
        "aside": set_aside_bits(list(labels)), "key": contract.key, "folder": folder, "share": share, "of": WORKERS,
    }  # fmt: skip
    assert contract.source
    return write_caged(contract.source.format, requests, [target] * len(requests))


def _checks(
    contract: Contract, bit: int, check: RowCheck
) -> list[tuple[int, str, str, float | str | None, float | str | None]]:  # fmt: skip
    if check.columns:
        return [(bit, "type", name, None, None) for name in check.columns]
    rule = check.rule
    if any(key and getattr(rule, key) is None for key in LIMITS[rule.rule]):
        check.fine  # noqa: B018 - says which limit the rule lacks
    texts = (None if key is None else typed(contract, rule, getattr(rule, key))[0] for key in LIMITS[rule.rule])
    exact = types.decimal_parts(str(contract.columns[str(rule.column)].type))
    low, high = (text if text is None or exact else float(text) for text in texts)
    return [(bit, rule.rule, str(rule.column), low, high)]


def _settled(job: Job, receipt: Receipt, request: Request, answer: Sequence[dict[str, Any] | UserError]) -> Parsed:
    """Keep what a delivery was found to be: of its values, those of rows that were set aside."""
    refused = next((one for one in answer if isinstance(one, UserError)), None)
    good = [one for one in answer if not isinstance(one, UserError)]
    result: Read | UserError = refused or Read(
        sum(one["rows"] for one in good), 0, tuple(good[0]["columns"]), good[0]["info"], 0.0)  # fmt: skip
    return deliveries.settled(job.lake, job.contract, receipt, request, result, MARK)


def _delivery(file: Staged) -> int:
    return int(file.path.rpartition("part-")[2].split("-")[0])


def _lineage(contract: Contract) -> Lineage:
    table = f"deliveries.{contract.name}"
    edges = {
        name: (Edge(table, header, "DIRECT", "IDENTITY" if contract.columns[name].type in NUMBERS else "TRANSFORMATION"),)
        for name, header in _headers(contract).items()
    }
    return Lineage(edges, {name: frozenset() for name in edges}, {name: str(contract.columns[name].type) for name in edges})
