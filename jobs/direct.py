"""Grids that their table takes as they stand: worker processes write its rows, and no engine is asked.

Most of what science delivers is numbers on a grid. Where a contract only names, types and limits them, the rows that an
engine would make of them are known; what it derives, converts or matches is an engine's work.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from jobs import deliveries, staging
from jobs.clean import checks, headers
from jobs.deliveries import Parsed
from jobs.land import Receipt
from jobs.outcome import Job
from jobs.readers import Read, Request
from jobs.readers.cage import write_caged
from jobs.staging import Staged
from lineage.edges import Edge, Lineage
from quality.literals import typed
from quality.rules import RowCheck, set_aside_bits
from schemas.contract import Column, Contract, Source
from schemas.errors import UserError

FORMATS = ("netcdf", "hdf5")
TYPES = ("double", "bigint", "int", "timestamp")
LIMITS = {"not_null": (None, None), "at_least": ("limit", None), "at_most": (None, "limit"), "between": ("low", "high")}
# What a contract may say without a bearing on how rows come to be, and what is looked at here.
COLUMN = frozenset({"type", "unit", "description", "description_zh", "grade", "required", "from_", "mask"})
SOURCE = frozenset({"of", "zone", "path", "fetch", "format", "options", "publisher", "licence", "citation", "schedule",
                    "timezone", "synthetic"})  # fmt: skip
CONTRACT = frozenset({"layer", "name", "file", "description", "description_zh", "owner", "source", "key", "cluster_by", "write",
                      "columns", "rules", "freshness", "serve", "grade", "retention", "tolerance", "engine", "migrations",
                      "examples", "activity"})  # fmt: skip
WORKERS = min(2, os.cpu_count() or 1)
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
        or source.format not in FORMATS
        or "members" in source.options
        or contract.write not in ("replace", "append")
    ):
        return False
    if _beyond(contract, CONTRACT) | _beyond(source, SOURCE):
        return False
    return all(_as_it_stands(contract, *item) for item in contract.columns.items())


def plain(contract: Contract) -> bool:
    """Tell whether a contract takes the arrays of its source as they stand."""
    return likely(contract) and all(_known(contract, check) for check in checks(contract, _headers(contract).values()))


def _as_it_stands(contract: Contract, name: str, column: Column) -> bool:
    given = headers(column, name)
    if len(given) != 1 or given[0].startswith("_") or column.type not in TYPES:
        return False
    utc = contract.source is not None and contract.source.timezone == "UTC"
    return not _beyond(column, COLUMN) and (column.type != "timestamp" or utc)


def _beyond(given: Column | Contract | Source, known: frozenset[str]) -> set[str]:
    """Return what a contract says beyond what is known here, so that a new word of it is never passed over."""
    return {name for name in given.model_fields_set if getattr(given, name)} - known


def _headers(contract: Contract) -> dict[str, str]:
    return {name: headers(column, name)[0] for name, column in contract.columns.items()}


def _known(contract: Contract, check: RowCheck) -> bool:
    rule = check.rule
    # What is not finite fits no double, and so is missing before it is judged.
    return rule.rule in ("not_null", "finite") or (rule.rule in LIMITS and contract.columns[str(rule.column)].type != "timestamp")


def read(job: Job, receipts: Sequence[Receipt]) -> tuple[list[Parsed], Typed] | None:
    """Write the rows of deliveries into staging. None where contract, decisions or a delivery ask for an engine."""
    contract = job.contract
    if job.decided or not receipts or not plain(contract):
        return None
    folder = job.staging / "direct"
    labels = checks(contract, _headers(contract).values())
    requests = [deliveries.request(job.lake, contract, job.staging, receipt) for receipt in receipts]
    with ThreadPoolExecutor(WORKERS) as pool:
        shares = list(pool.map(lambda share: _share(contract, requests, labels, str(folder), share), range(WORKERS)))
    answers = [list(of_one) for of_one in zip(*shares, strict=True)]
    if any(not isinstance(one, UserError) and not one["plain"] for answer in answers for one in answer):
        for request in requests:
            shutil.rmtree(request.out)
        shutil.rmtree(folder, ignore_errors=True)
        return None
    parsed = [
        _settled(job, receipt, request, answer) for receipt, request, answer in zip(receipts, requests, answers, strict=True)
    ]
    refused = {one.delivery for one in parsed if one.refused}
    staged = [file for file in staging.listing(folder) if _delivery(file) not in refused]
    distinct = len(parsed) == 1 and not refused and all(one["distinct"] for one in answers[0])
    return parsed, Typed(labels, staged, _lineage(contract), distinct)


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


def _checks(contract: Contract, bit: int, check: RowCheck) -> list[tuple[int, str, str, float | None, float | None]]:
    if check.columns:
        return [(bit, "type", name, None, None) for name in check.columns]
    rule = check.rule
    low, high = (None if key is None else float(typed(contract, rule, getattr(rule, key))[0]) for key in LIMITS[rule.rule])
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
        name: (Edge(table, header, "DIRECT", "TRANSFORMATION" if contract.columns[name].type == "timestamp" else "IDENTITY"),)
        for name, header in _headers(contract).items()
    }
    return Lineage(edges, {name: frozenset() for name in edges}, {name: str(contract.columns[name].type) for name in edges})
