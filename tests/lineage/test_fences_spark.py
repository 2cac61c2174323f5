"""The answers that the cases give as Apache Spark's are Apache Spark's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.errors import PySparkException

from jobs.session import Engine
from tests.lineage.cases import CASES, FAILS, ROWS, SCHEMA


@pytest.mark.spark
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.spark is not None])
def test_apache_spark_answers_so(reference: Engine, name: str) -> None:
    case = CASES[name]
    rows = [tuple(v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for v in row) for row in ROWS]
    frame = reference.session.createDataFrame(rows, SCHEMA)
    if case.spark == FAILS:
        with pytest.raises(PySparkException):
            case.make(frame).collect()
        return
    made = case.make(frame)
    types = isinstance(case.spark[0][-1], str) and case.operation in ("union", "when")
    assert repr(made.dtypes if types else [tuple(row) for row in made.collect()]) == repr(case.spark)
