"""Quality pages: our verdicts in the form of Great Expectations, as Data Docs that open offline.

Importing this module imports Great Expectations, which takes seconds: only the report step does.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import great_expectations as gx
from great_expectations.core import ExpectationSuite
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.id_dict import IDDict
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from quality.pages import index, listing, make_offline
from quality.suites import suite
from quality.verdict import Verdict
from schemas.contract import Contract

OUTLIERS = "outliers.html"
_SITE = ("gx", "uncommitted", "data_docs", "local_site")


@dataclass(frozen=True)
class Judged:
    """One table as judged in one run, and the grade of integrity of what it was made from."""

    contract: Contract
    verdicts: Sequence[Verdict]
    run_id: str
    at: datetime
    integrity: str = ""


def gx_suite(contract: Contract) -> ExpectationSuite:
    """Return the suite of a contract as an object of Great Expectations."""
    made = [ExpectationConfiguration(**expectation).to_domain_obj() for expectation in suite(contract)]
    return ExpectationSuite(name=contract.table, expectations=made)


def result(judged: Judged) -> ExpectationSuiteValidationResult:
    """Return our verdicts as the result of validating the suite; a check without a verdict is a failure."""
    verdicts = {verdict.rule: verdict for verdict in judged.verdicts}
    results = [_one(expectation, verdicts.get(expectation["meta"]["rule"])) for expectation in suite(judged.contract)]
    good = sum(bool(one.success) for one in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": good,
        "unsuccessful_expectations": len(results) - good,
        "success_percent": 100 * good / len(results) if results else None,
    }
    meta = {"run_id": _run(judged), "great_expectations_version": gx.__version__, "batch_spec": {}, "batch_markers": {},
            "active_batch_definition": {"datasource_name": "carbonlake",
                                        "data_asset_name": judged.contract.table}}  # fmt: skip
    return ExpectationSuiteValidationResult(
        success=good == len(results),
        results=results,
        suite_name=judged.contract.table,
        statistics=statistics,
        meta=meta,
    )


def write(tables: Sequence[Judged], out: Path, outliers: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Write the pages of these tables into `out`, whose content they replace; return the page to open.

    `outliers` are values for people to look at, on a page of their own.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = gx.get_context(mode="file", project_root_dir=folder)
        names = [_store(context, judged) for judged in tables]
        context.build_data_docs()
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(Path(folder, *_SITE), out)
    make_offline(out)
    if outliers:
        rows = [[str(value) for value in row.values()] for row in outliers]
        (out / OUTLIERS).write_text(listing("Values that stand out", tuple(outliers[0]), rows), encoding="utf-8")
    first = out / "index.html"
    header = ("table", "state", "checks", "rows", "what fails", "integrity", "run", "at (UTC)")
    first.write_text(
        index(
            "Data quality",
            header,
            [_row(one) for one in tables],
            [_page(out, name) for name in names],
            {"Values that stand out": OUTLIERS} if outliers else {},
        ),
        encoding="utf-8",
    )
    return first


def _one(expectation: dict[str, Any], verdict: Verdict | None) -> ExpectationValidationResult:
    configuration = ExpectationConfiguration(**expectation)
    if verdict is None:
        return ExpectationValidationResult(
            success=False, expectation_config=configuration, result={"observed_value": "did not run"}
        )
    percent = 100 * verdict.failed / verdict.rows if verdict.rows else 0.0
    counts = {
        "element_count": verdict.rows,
        "unexpected_count": verdict.failed,
        "unexpected_percent": min(percent, 100.0),
    }
    told = {"observed_value": verdict.detail or f"{verdict.failed} of {verdict.rows}"}
    # Examples stay empty: values belong to the quarantine, which knows who may see them.
    return ExpectationValidationResult(
        success=verdict.passed, expectation_config=configuration,
        result=counts | told | {"partial_unexpected_list": []},
        meta={"kind": verdict.kind},
    )  # fmt: skip


def _run(judged: Judged) -> RunIdentifier:
    return RunIdentifier(run_name=judged.run_id, run_time=judged.at)


def _store(context: Any, judged: Judged) -> str:
    context.suites.add(gx_suite(judged.contract))
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=judged.contract.table),
        run_id=_run(judged),
        batch_identifier=IDDict({"table": judged.contract.table}).to_id(),
    )
    context.validation_results_store.set(key, result(judged))
    return judged.contract.table


def _page(out: Path, table: str) -> str:
    """Return the path of a table's page: Great Expectations makes folders of the dots in its name."""
    page = max(out.joinpath("validations", *table.split(".")).rglob("*.html"))
    return quote(page.relative_to(out).as_posix())


def _row(judged: Judged) -> tuple[str, ...]:
    bad = [verdict for verdict in judged.verdicts if not verdict.passed]
    outcomes = {verdict.outcome for verdict in bad}
    state = "failed" if "fail" in outcomes else "rows set aside" if "quarantine" in outcomes else "warnings" if bad else "passed"
    checks = len(judged.verdicts)
    rows = max((verdict.rows for verdict in judged.verdicts if verdict.kind == "row"), default=0)
    told = "; ".join(f"{verdict.rule}: {verdict.detail or verdict.failed}" for verdict in bad)
    return (
        judged.contract.table,
        state,
        f"{checks - len(bad)} of {checks}",
        f"{rows:,}",
        told,
        judged.integrity,
        judged.run_id,
        f"{judged.at:%Y-%m-%d %H:%M}",
    )
