"""Units that stand in the rows: which there are in a delivery, and what a value in each is multiplied by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyspark.sql import Column as Expr
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models import units
from schemas.contract import Column, Contract, UnitOfRow
from schemas.errors import UserError

MOST = 200  # different units in one column; what has more is a column of something else


def unit_column(column: Column) -> UnitOfRow | None:
    """Return where the rows say the unit of a column, None where they do not."""
    return column.unit_from if isinstance(column.unit_from, UnitOfRow) else None


def factors(contract: Contract, name: str, spelled: Iterable[str | None]) -> dict[str, float]:
    """Return the factor of each spelling that converts to the unit of a column; raise UserError for too many."""
    column = contract.columns[name]
    of_row = unit_column(column)
    assert of_row
    texts = sorted({text.strip(" ") for text in spelled if text and text.strip(" ")})
    if len(texts) > MOST:
        raise UserError(f"{len(texts)} different units in {of_row.column!r}, {MOST} at most; e.g. {', '.join(texts[:3])}",
                        where=f"{contract.file}: columns.{name}.unit_from",
                        remedy="name the header that holds the unit")  # fmt: skip
    known: dict[str, float] = {}
    for text in texts:
        try:
            known[text] = units.factor(of_row.names.get(text, text), str(column.unit))
        except UserError:
            continue  # its rows are set aside
    return known


def as_found(header: str) -> Expr:
    """Return the column of a header, whatever signs that has."""
    return F.col(f"`{header.replace('`', '``')}`")


def scales(found: DataFrame, contract: Contract, carried: Iterable[str]) -> dict[str, Expr]:
    """Return for each of the columns what a row's value is multiplied by, NULL where the row's unit is not known."""
    made: dict[str, Expr] = {}
    for name in carried:
        if of_row := unit_column(contract.columns[name]):
            if of_row.column not in found.columns:
                made[name] = F.lit(None).cast("double")
                continue
            given = as_found(of_row.column).cast("string")
            spelled = [row[0] for row in found.select(given.alias("unit")).groupBy("unit").count().limit(MOST + 2).collect()]
            made[name] = _chosen(F.trim(given), factors(contract, name, spelled))
    return made


def _chosen(given: Expr, known: Mapping[str, float]) -> Expr:
    chosen: Expr = F.when(F.lit(False), F.lit(0.0))
    for text, factor in known.items():
        chosen = chosen.when(given == text, F.lit(factor))
    return chosen
