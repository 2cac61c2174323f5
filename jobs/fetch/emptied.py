"""Rows that a TRUNCATE ended: it names none, so they are all that is known of the table at its place in the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from jobs.fetch.gone import MEMORY, columns_of
from jobs.relation import literal, quote

CHUNK = 20_000


def known(earlier: Sequence[Path], columns: Sequence[str], key: Sequence[str], folder: Path) -> Iterator[pa.RecordBatch]:
    """Yield the last state of each row that deliveries brought, in their sequence, and that was not deleted: texts."""
    # Columns that some deliveries lack; and as texts, since the type of a column may have changed between them.
    nothing = ", ".join(f"null::varchar as {quote(name)}" for name in columns)
    parts = [f"select {nothing}, null::boolean as _deleted, null::bigint as _order, null::integer as _place where false"]
    parts += [f"select {columns_of(file)}, {place} as _place from read_parquet({literal(str(file))})"
              for place, file in enumerate(earlier)]  # fmt: skip
    by, wanted = ", ".join(map(quote, key)), ", ".join(map(quote, columns))
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder), "threads": 2}) as duck:
        found = duck.sql(f"""
            select {wanted} from (
                select * from ({" union all by name ".join(parts)})
                qualify row_number() over (partition by {by} order by _place desc, _order desc nulls last) = 1)
            where not coalesce(_deleted, false) order by {by}""")  # fmt: skip
        assert found is not None
        yield from found.to_arrow_reader(CHUNK)
