"""What a table says of itself and its columns, brought in line with its contract without touching a row."""

from __future__ import annotations

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError

from jobs import patience
from jobs.deltalog import COMMENTS, NOTE
from jobs.lake import Lake, arrow_schema
from schemas.contract import Contract


def align(lake: Lake, contract: Contract, table: DeltaTable) -> bool:
    """Give a table the description and comments of its contract where it has others; tell whether it had.

    A build that replaces a whole table does so by itself; this is for those that grow. delta-rs writes a version for
    each column, marked so that nothing is built anew for it. What another changes meanwhile is left for next time.
    """
    wanted = {column.name: _notes(column) for column in arrow_schema(contract)}
    there = {column.name: _notes(column) for column in pa.schema(table.schema().to_arrow())}
    other = {name: notes for name, notes in wanted.items() if notes and there.get(name, notes) != notes}
    described = contract.description == (table.metadata().description or "")
    if described and not other:
        return False
    note = CommitProperties(max_commit_retries=0, custom_metadata={NOTE: {"maintain": COMMENTS}})
    try:
        if not described:
            table.alter.set_table_description(contract.description, commit_properties=note)
        for name, notes in other.items():
            table.alter.set_column_metadata(name, notes, commit_properties=note)
    except (DeltaError, OSError) as error:
        if isinstance(error, OSError) and not patience.told_to_pass(error):
            raise
        return False
    return True


def _notes(column: pa.Field) -> dict[str, str]:
    """Return what is noted of a column, as text; Arrow's own notes left out."""
    notes = {key.decode(): value.decode() for key, value in (column.metadata or {}).items()}
    return {key: notes[key] for key in ("comment", "unit") if notes.get(key)}
