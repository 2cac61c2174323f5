"""Twelve rules executed by Great Expectations, on pandas, where it is fastest; imports and loading do not count."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig

AREAS = ["110000", "310000", "320000", "330000", "370000", "440000", "510000"]


BETWEEN, MATCH = "expect_column_values_to_be_between", "expect_column_values_to_match_regex"
NOT_NULL, IN_SET = "expect_column_values_to_not_be_null", "expect_column_values_to_be_in_set"
LENGTH = "expect_column_value_lengths_to_equal"
# The rules of the contract bench_ruled by their labels.
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "not_null_electricity_kwh": (NOT_NULL, {"column": "electricity_kwh"}),
    "at_least_electricity_kwh": (BETWEEN, {"column": "electricity_kwh", "min_value": 0}),
    "at_most_electricity_kwh": (BETWEEN, {"column": "electricity_kwh", "max_value": 100000}),
    "pattern_meter_id": (MATCH, {"column": "meter_id", "regex": "^[0-9]{12}$"}),
    "pattern_area_code": (MATCH, {"column": "area_code", "regex": "^[1-9][0-9]{5}$"}),
    "one_of_status": (IN_SET, {"column": "status", "value_set": ["实测", "估算"]}),
    "length_meter_id": (LENGTH, {"column": "meter_id", "value": 12}),
    "length_area_code": (LENGTH, {"column": "area_code", "value": 6}),
    "not_null_area_code": (NOT_NULL, {"column": "area_code"}),
    "not_null_status": (NOT_NULL, {"column": "status"}),
    "between_month": (BETWEEN, {"column": "month", "min_value": 202501, "max_value": 202512}),
    "one_of_area_code": (IN_SET, {"column": "area_code", "value_set": AREAS}),
}


def load(rows: Path) -> pd.DataFrame:
    """Return typed rows as pandas judges them fastest: numbers as floats, texts of few values as categories."""
    columns = 'meter_id, "time", cast(electricity_kwh as double) as electricity_kwh, area_code, status, "month"'
    frame = duckdb.connect().execute(f"select {columns} from read_parquet(?)", [str(rows)]).df()
    return frame.astype({"area_code": "category", "status": "category"})


def main(rows: Path) -> dict[str, Any]:
    """Return the seconds of the validation and how many rows failed each rule."""
    frame = load(rows)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    meant = [{"type": type_, "kwargs": kwargs, "meta": {"rule": label}} for label, (type_, kwargs) in RULES.items()]
    suite = gx.ExpectationSuite(name="twelve", expectations=meant)
    began = time.perf_counter()
    result = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0})
    seconds = time.perf_counter() - began
    failed = {}
    for one in result.results:
        assert one.expectation_config and one.expectation_config.meta
        failed[one.expectation_config.meta["rule"]] = one.result["unexpected_count"]
    return {"seconds": seconds, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
