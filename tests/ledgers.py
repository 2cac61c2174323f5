"""A small lake of accounting: inputs put down as rows, line items and roll-ups built from them by the embedded engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pyarrow as pa

from jobs.commit import replace_rows
from jobs.lake import Lake
from jobs.run import run
from jobs.session import Engine
from schemas import graph, types
from schemas.contracts import contract
from tests.frames import Row, value

TABLES = (
    "business.emission",
    "business.emission_input",
    "business.unresolved",
    "business.emission_day",
    "business.emission_month",
    "business.emission_year",
)
POTENTIALS = (("CO2", "AR5", 1), ("CO2", "AR6", 1), ("CH4", "AR5", 28), ("CH4", "AR6", 27))
GWP = [{"factor_id": f"{gas}-{set_}", "factor_set": set_, "role": "gwp", "gas": gas, "value": value, "unit": "1"}
       for gas, set_, value in POTENTIALS]  # fmt: skip
GRID = {"factor_id": "grid", "factor_set": "grid_average", "role": "ef", "region_code": "CHN", "gas": "CO2", "value": 0.5,
        "unit": "tCO2/MWh", "valid_from": "2024-01-01", "valid_to": "2024-12-31"}  # fmt: skip
POWER = {"activity_id": "a1", "subject_id": "s", "period_start": "2023-12-31T16:00:00Z", "date": "2024-01-01", "grain": "month",
         "activity_code": "electricity_purchased", "quantity": 1000, "unit": "kWh", "data_grade": "measured"}  # fmt: skip
SUBJECT = {"subject_id": "s", "subject_type": "enterprise", "name": "S", "region_code": "110000", "industry_code": "4411",
           "synthetic": True, "valid_from": "1900-01-01", "latest": True}  # fmt: skip


def put(lake: Lake, table: str, rows: Sequence[Row]) -> int:
    """Let rows take the place of a table's, and return its version; columns not given are NULL."""
    shape = {name: str(contract(table).columns[name].type) for name in dict.fromkeys(name for row in rows for name in row)}
    values = [{name: value(row.get(name), type_) for name, type_ in shape.items()} for row in rows]
    schema = pa.schema([(name, types.arrow(type_)) for name, type_ in shape.items()])
    return replace_rows(lake, contract(table), pa.Table.from_pylist(values, schema=schema), uuid4().hex)


def ledger(
    lake: Lake, spark: Any, activity: Sequence[Row] = (POWER,), factor: Sequence[Row] = (GRID,), also: Sequence[str] = ()
) -> Lake:  # fmt: skip
    """Put a lake's activity and factors down and build line items, roll-ups and what is `also` asked; all must end well."""
    tables = (*TABLES, *also)
    put(lake, "thematic.activity", [{**POWER, **row} for row in activity])
    put(lake, "thematic.subject", [SUBJECT])
    put(lake, "knowledge.factor", [*GWP, *factor])
    for source in {one for table in tables for one in graph.upstream(table)} - set(tables):
        lake.create(contract(source))
    ended = run(lake, Engine("sail", spark), tables)
    assert all(one.usable for one in ended), [one.reason for one in ended]
    return lake
