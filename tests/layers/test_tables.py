"""What holds between tables: parts are wholes, twins cut alike, and an edition revises what it revises."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from layers.business.edition_change import transform as edition_change
from layers.business.edition_change_column import transform as edition_change_column
from layers.business.emission_year import transform as emission_year
from layers.index.emission_cube import transform as emission_cube
from layers.index.passage import transform as index_passage
from models.terms import terms
from schemas import types
from schemas.contracts import contract
from schemas.rooms import SHIPPED
from tests.frames import frame, rows
from tests.layers.months import month_of


def _line(n: int) -> dict[str, Any]:
    tonnes = random.randint(-(10**9), 10**9) / 1000
    return {
        "line_id": str(n), "book": random.choice("ab"), "subject_id": random.choice(["s0", "s1", "s2", "stranger"]),
        "date": f"202{random.randint(2, 4)}-{random.randint(1, 12):02}-15", "gas": "CO2",
        "scope": random.choice([1, 2]), "category": random.choice(["process", "fuel"]), "mass_t": tonnes,
        "emission_tco2e": tonnes, "fallback": random.choice([True, False]),
    }  # fmt: skip


def test_roll_ups_are_the_sum_of_their_lines_in_every_book(spark: Any) -> None:
    random.seed(7)
    places = [("110105", "4411"), ("130100", "3011"), (None, None)]
    subjects = [
        {
            "subject_id": f"s{n}",
            "subject_type": "enterprise",
            "name": f"S{n}",
            "region_code": region,
            "industry_code": code,
        }
        for n, (region, code) in enumerate(places)
    ]
    lines = [_line(n) for n in range(500)]
    emission, subject = frame(spark, "business.emission", lines), frame(spark, "thematic.subject", subjects)
    month = month_of(emission, subject)
    year = emission_year(month)
    cube = rows(emission_cube(year, frame(spark, "business.unresolved", []), subject), contract("index.emission_cube"))
    for book in "ab":
        whole = sum(Decimal(str(line["emission_tco2e"])) for line in lines if line["book"] == book)
        for made in (month, year):
            assert made.where(f"book = '{book}'").groupBy().sum("emission_tco2e").collect()[0][0] == whole
        for dimension in {row["dimension"] for row in cube}:
            parts = [row for row in cube if (row["book"], row["dimension"]) == (book, dimension)]
            assert sum(row["emission_tco2e"] for row in parts) == whole, dimension
            assert sum(row["lines"] for row in parts) == sum(line["book"] == book for line in lines)


@pytest.mark.parametrize(
    "text",
    ["关于天津市2021年度碳排放配额安排的通知", "CO2-eq，碳 排放", "。", "a", "碳", "", "Tier 3 方法; IPCC 2006"],
)
def test_a_query_is_cut_like_the_passages(spark: Any, text: str) -> None:
    passage = frame(spark, "knowledge.passage", [{"passage_id": "p", "document": "d", "place": "1", "text": text}])
    made = rows(index_passage(passage), contract("index.passage"))
    assert made[0]["terms"] == " ".join(terms(text))


def test_the_second_edition_of_owid_revises_21703_rows(spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = contract("cleaned.owid_co2")
    headers = {name: column.from_ for name, column in one.columns.items() if column.from_ != "_name"}
    values = ", ".join(f"try_cast({h} as {types.duckdb(str(one.columns[n].type))}) as {n}" for n, h in headers.items())
    files = str(SHIPPED / "samples/deliveries/owid/co2/owid-co2-data_*.csv.gz")
    edition = "cast(regexp_extract(filename, '([0-9-]{10})[.]csv', 1) as date) as edition_date"
    query = f"""select {edition}, {values}
                from read_csv('{files}', all_varchar = true, filename = true, union_by_name = true)"""
    duckdb.connect().execute(f"copy ({query}) to '{tmp_path}/owid.parquet'")
    owid = spark.read.parquet(f"{tmp_path}/owid.parquet")
    changes = edition_change(owid).groupBy("change").count().collect()
    columns = {row[0]: row[1] for row in edition_change_column(owid).select("column_name", "revised_rows").collect()}
    with capsys.disabled():
        print(f"\nOWID 2020-08-07 → 2020-11-27: {[tuple(row) for row in changes]}, by column {columns}")
    assert [tuple(row) for row in changes] == [("revised", 21703)]
    assert columns == {
        "trade_co2_share_percent": 3359, "co2_per_capita_t": 20464, "consumption_co2_per_capita_t": 3331,
        "share_global_cumulative_co2_percent": 19824, "co2_per_gdp": 14940, "consumption_co2_per_gdp": 3182,
    }  # fmt: skip
