"""What a table or query of a database holds, as Parquet: whole, or what changed since the last time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.fetch import Asked
from jobs.fetch.gone import tombstones
from jobs.intake import digest
from jobs.land import Arrival
from schemas import types
from schemas.contract import Contract
from schemas.errors import UserError

DELETED = "_deleted"
AHEAD = timedelta(days=1)  # clocks and zones differ


def arrivals(asked: Asked) -> Iterator[Arrival]:
    """Yield what the database gives, each delivery from one snapshot."""
    how = asked.how
    if how.changes:
        from jobs.fetch.changes import changed

        return changed(asked)
    if not how.cursor:
        return _whole(asked)
    _demand(asked)
    first = how.batch and "cursor" not in asked.position
    return _first(asked) if first else _increment(asked)


def test(asked: Asked) -> str:
    """Open the connection and the table or query, and say what is there, without taking it."""
    with snapshot(asked) as found:
        return f"{len(found.columns)} columns: {', '.join(found.columns)}"


@contextmanager
def snapshot(asked: Asked) -> Iterator[Any]:
    """Open a snapshot of what the contract names."""
    from jobs.fetch import postgres, relational

    url = asked.connection(asked.how.connection)
    kind = postgres if postgres.is_ours(url) else relational
    found = kind.Snapshot(url, asked.how, _where(asked))
    try:
        _check_columns(asked, found.columns)
        yield found
    finally:
        found.close()


def _check_columns(asked: Asked, columns: Sequence[str]) -> None:
    how = asked.how
    wanted = [how.cursor] if how.cursor not in ("", "xmin") else []
    if how.batch or how.deletes == "compared":
        wanted += headers(asked.contract, asked.contract.key)
    for name in wanted:
        if name not in columns:
            raise UserError(f"there is no column {name!r}", where=_where(asked), remedy=f"it has {', '.join(columns)}")


def _where(asked: Asked) -> str:
    return f"{asked.contract.table}, connection {asked.how.connection}"


def _demand(asked: Asked) -> None:
    """Raise UserError where increments could lose rows, or deletions would go unseen."""
    from jobs.fetch import postgres

    how, one = asked.how, asked.contract
    exact = postgres.is_ours(asked.connection(how.connection)) and how.table
    if how.overlap == "" and not exact:
        raise UserError("rows that a slow transaction brings behind the cursor would be lost", where=f"{one.file}: source.fetch",
                        remedy="say in `overlap` how late they can be, e.g. 1h; only PostgreSQL tells it by itself, "
                               "for a `table`")  # fmt: skip
    if one.write != "merge":
        raise UserError("rows at the border of an increment come twice", where=f"{one.file}: write",
                        remedy="declare `write: merge`, by which the latest wins")  # fmt: skip
    if how.deletes == "compared":
        demand_flag(one, "deletes: compared")


def demand_flag(one: Contract, what: str) -> None:
    """Raise UserError where no column of a contract takes in which rows were deleted."""
    if not any(column.from_ == DELETED for column in one.columns.values()):
        raise UserError(f"{what}: no column says which rows were deleted", where=f"{one.file}: columns",
                        remedy=f"add one, e.g. deleted: {{from: {DELETED}, type: boolean, description: Gone}}")  # fmt: skip


def headers(one: Contract, names: Sequence[str]) -> list[str]:
    """Return the column of the source for each column of a contract."""
    given = [one.columns[name].from_ or name for name in names]
    return [header if isinstance(header, str) else header[0] for header in given]


def _whole(asked: Asked) -> Iterator[Arrival]:
    file = asked.folder / "whole.parquet"
    with snapshot(asked) as found:
        declared, _ = _saved(asked, found, file, "")
    # The position is always the same, so that the same rows as last time are no new delivery.
    yield Arrival(file, f"{_name(asked)}.parquet", {}, declared)


def _increment(asked: Asked) -> Iterator[Arrival]:
    """Yield what is new since the position, and the rows that have gone since."""
    file, gone, first = asked.folder / "new.parquet", asked.folder / "gone.parquet", "cursor" not in asked.position
    with snapshot(asked) as found:
        declared, highest = _saved(asked, found, file, found.newer(asked.position), _flag(asked))
        compared = 0 if first or asked.how.deletes == "ignored" else _compare(asked, found, gone)
        after = {"cursor": _reached(highest, asked.position.get("cursor", ""), found), **found.marks()}
    name = f"{_name(asked)}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    after |= {"sha256": digest(file)}
    if declared["rows"] and (after["sha256"] != asked.position.get("sha256") or first):
        yield Arrival(file, f"{name}.parquet", after, declared)
    if compared:
        yield Arrival(gone, f"{name}-deleted.parquet", after, {"rows": compared})


def _reached(highest: Any, before: Any, found: Any) -> Any:
    """Return the cursor to go on from: not one ahead of the clock, behind which all that changes until then would be lost."""
    text = highest.get("instant") if isinstance(highest, dict) else highest
    if found.exact or not isinstance(text, str):
        return highest or before
    try:
        instant = datetime.max if text == "infinity" else datetime.fromisoformat(text if "-" in text[4:5] else "")
    except ValueError:
        return highest or before
    return before if instant.replace(tzinfo=instant.tzinfo or UTC) > datetime.now(UTC) + AHEAD else highest


def _first(asked: Asked) -> Iterator[Arrival]:
    """Yield all rows in lots by key; what changes meanwhile is new to the first increment, which starts from the beginning."""
    key, position = headers(asked.contract, asked.contract.key), dict(asked.position)
    done = False
    while not done:
        number = int(position.get("lot", 0)) + 1
        file = asked.folder / f"lot-{number}.parquet"
        with snapshot(asked) as found:
            if number == 1:
                position["then"] = {"cursor": _reached(found.counted(found.newer({}), 0, (), ())[2], "", found), **found.marks()}
            where = found.behind(key, position["key"]) if "key" in position else found.newer({})
            declared, _, last = _lot(asked, found, file, where, key)
            done = not last or not found.counted(found.behind(key, last), 1, key, ())[0]
        position |= {"lot": number, "key": list(last)}
        if declared["rows"]:
            yield Arrival(file, f"{_name(asked)}-{number:06d}.parquet", position["then"] if done else position, declared)


def _compare(asked: Asked, found: Any, gone: Path) -> int:
    key = headers(asked.contract, asked.contract.key)
    keys = asked.folder / "keys.parquet"
    found.save(keys, only=key)
    return tombstones(asked.earlier(), keys, key, gone, asked.folder)


def _flag(asked: Asked) -> dict[str, str]:
    return {DELETED: "false"} if asked.how.deletes == "compared" else {}


def _saved(asked: Asked, found: Any, file: Path, where: Any, more: dict[str, str] | None = None) -> tuple[dict[str, Any], Any]:
    declared, highest, _ = _lot(asked, found, file, where, (), more)
    return declared, highest


def _lot(
    asked: Asked, found: Any, file: Path, where: Any, order: Sequence[str], more: dict[str, str] | None = None
) -> tuple[dict[str, Any], Any, tuple[Any, ...]]:  # fmt: skip
    """Save rows while the database counts them in the same snapshot, and compare both."""
    limit = asked.how.batch if order else 0
    sums = _measures(asked.contract, found.columns)
    with ThreadPoolExecutor(1) as beside:
        counting = beside.submit(found.counted, where, limit, order, sums) if found.shared else None
        try:
            rows, last = found.save(file, where, order=order, limit=limit, more=more if more is not None else _flag(asked))
        except UserError:
            if counting:
                counting.result()  # where that failed, the snapshot was gone, and this is only what followed
            raise
        count, totals, highest = counting.result() if counting else found.counted(where, limit, order, sums)
    if rows != count:
        raise UserError(f"{rows} of {count} rows came", where=_where(asked), remedy="fetch again")
    return {"rows": count, "sums": totals}, highest, last


def _measures(one: Contract, columns: Sequence[str]) -> list[str]:
    """Return the headers of exact numbers that add up."""
    wanted = {name: str(column.type) for name, column in one.columns.items() if not column.derive and name not in one.key}
    exact = [name for name, type_ in wanted.items() if types.decimal_parts(type_)]
    return [header for header in dict.fromkeys(headers(one, exact)) if header in columns]


def _name(asked: Asked) -> str:
    return str(asked.how.table or asked.contract.name)
