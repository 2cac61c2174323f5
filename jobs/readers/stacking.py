"""Members of an archive stacked: rows of one shape under one schema, each with its member in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.readers import AROUND, Read, Request
from jobs.readers.parts import REJECTED, Rejects, write_parts
from schemas.errors import UserError

MEMBER = "_member"
# Their records need not have all columns, in one member or in several.
RECORDS = ("json", "xml", "yaml")
ONE_SHAPE = "name members of one shape in the option `members`"
WHOLE = 2**53  # a double tells all whole numbers below apart


@dataclass(frozen=True)
class Part:
    """One member that was read: its name, the folder of its parts and their schema."""

    name: str
    folder: Path
    read: Read

    @property
    def parts(self) -> list[Path]:
        """The files of its rows."""
        return sorted(self.folder.glob("part-*.parquet"))

    @property
    def schema(self) -> pa.Schema:
        """What they hold, `_delivery` and `_locator` last."""
        return pq.read_schema(self.parts[0])


def stacked(format: str, request: Request, parts: list[Part]) -> tuple[int, int, tuple[str, ...]]:
    """Write the rows of all members under one schema; return how many, how many malformed ones, and the columns."""
    filled = [one for one in parts if one.parts]
    schema = _schema(format, filled, request.name) if filled else pa.schema([])
    between = ":" if format == "csv" else "!"
    with Rejects(request.out, request.delivery) as rejects:
        rows = write_parts(request.out, _batches(filled, schema, between))
        for one in parts:
            for row in pq.read_table(one.folder / "rejected.parquet", schema=REJECTED).to_pylist():
                rejects.add(f"{one.name}{between}{row['_locator']}", row["reason"], row["raw"])
    columns = tuple(schema.names[:-2]) if filled else (MEMBER, *parts[0].read.columns)
    return rows, rejects.count, columns


def around(parts: list[Part], where: str) -> dict[str, Any]:
    """Return what stands around the rows of the members, by their names; their units must be the same."""
    units = {one.name: one.read.info.get("units", {}) for one in parts}
    first = next(iter(units.values()))
    if other := next((name for name, some in units.items() if some != first), None):
        raise UserError(f"it names other units than {parts[0].name!r}: {units[other]}, not {first}", where=f"{where}/{other}",
                        remedy="read members of one unit by a contract of their own, named in the option `members`")  # fmt: skip
    found: dict[str, Any] = {"units": first} if first else {}
    if arrays := [{**row, "path": f"{one.name}!{row['path']}"} for one in parts for row in one.read.info.get("variables", [])]:
        found["variables"] = arrays
    if files := [{**row, "file": one.name} for one in parts for row in one.read.info.get("documents", [])]:
        found["documents"] = files
    for key in (key for key in AROUND if key not in ("units", "variables", "documents", "integrity")):
        if told := {one.name: one.read.info[key] for one in parts if key in one.read.info}:
            found[key] = told
    return found


def _schema(format: str, parts: list[Part], where: str) -> pa.Schema:
    """Return the schema that all members have; raise UserError where one has another."""
    first = parts[0]
    fields: dict[str, pa.DataType] = {MEMBER: pa.string()}
    for one in parts:
        names = one.schema.names[:-2]
        if MEMBER in names:
            raise UserError(f"a column is named {MEMBER!r}, which is a name of ours", where=f"{where}/{one.name}",
                            remedy="ask for the file with another name there")  # fmt: skip
        other = ", ".join(map(repr, sorted(set(names) ^ set(first.schema.names[:-2]))))
        if other and format not in RECORDS:
            raise UserError(f"it is of another shape than {first.name!r}: {other} is not in both", where=f"{where}/{one.name}",
                            remedy=ONE_SHAPE)  # fmt: skip
        for name in names:
            fields[name] = _common(fields.get(name), one.schema.field(name).type, name, f"{where}/{one.name}")
    fields |= {"_delivery": pa.int64(), "_locator": pa.string()}
    folded = {name.casefold(): name for name in fields}
    if len(folded) < len(fields):
        twins = sorted(fields.keys() - set(folded.values()))
        raise UserError(f"the columns {', '.join(map(repr, twins))} differ by case alone between members", where=where,
                        remedy=ONE_SHAPE)  # fmt: skip
    return pa.schema(list(fields.items()))


def _common(one: pa.DataType | None, other: pa.DataType, name: str, where: str) -> pa.DataType:
    if one is None or one == other:
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    raise UserError(f"the column {name!r} is {other} here and {one} in another member", where=where,
                    remedy=ONE_SHAPE)  # fmt: skip


def _batches(parts: list[Part], schema: pa.Schema, between: str) -> Iterator[pa.Table]:
    for one in parts:
        for path in one.parts:
            for batch in pq.ParquetFile(path).iter_batches(batch_size=50_000):
                places = pc.binary_join_element_wise(pa.scalar(one.name), batch.column("_locator").cast(pa.string()), between)
                data = {name: _column(batch.column(name), schema.field(name).type, one.name) for name in batch.schema.names[:-1]}
                data |= {MEMBER: pa.repeat(pa.scalar(one.name), batch.num_rows), "_locator": places}
                empty = {name: pa.nulls(batch.num_rows, schema.field(name).type) for name in schema.names if name not in data}
                yield pa.table({name: (data | empty)[name] for name in schema.names}, schema=schema)


def _column(column: pa.Array, wanted: pa.DataType, where: str) -> pa.Array:
    if column.type == pa.int64() and wanted == pa.float64():
        ends = pc.min_max(column).as_py()
        if ends["min"] is not None and max(abs(ends["min"]), abs(ends["max"])) > WHOLE:
            raise UserError("a whole number is too large for a double, which it is in other members", where=where,
                            remedy="read the members by contracts of their own")  # fmt: skip
    return column.cast(wanted)
