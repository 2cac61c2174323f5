"""How a contract differs from the published table: an added column is free, any other change is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from schemas import types
from schemas.contract import Contract
from schemas.errors import UserError

CARRIED = ("_delivery", "_locator")  # on every cleaned table, and no business of its contract


@dataclass(frozen=True)
class Changes:
    """What becomes of the published columns: added names, renamed old → new, retyped names, dropped names."""

    added: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    retyped: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def rebuild(self) -> bool:
        """Whether the rows that are there must be written anew; an added column is NULL in them."""
        return bool(self.renamed or self.retyped or self.dropped)


def changes(one: Contract, published: pa.Schema) -> Changes:
    """Compare a contract with the Arrow schema of the published table.

    Raise UserError that shows the difference where a rename, retype or drop is not under `migrations`. Entries that
    have been carried out already are passed over.
    """
    before = {field.name: _name(field.type) for field in published if field.name not in CARRIED}
    after = {name: str(column.type) for name, column in one.columns.items()}
    gone, come = [n for n in before if n not in after], [n for n in after if n not in before]
    retyped = [name for name in after if name in before and before[name] != after[name]]
    renamed = [(m.column, str(m.to)) for m in one.migrations if m.change == "rename" and m.column in gone and m.to in come]
    dropped = [m.column for m in one.migrations if m.change == "drop" and m.column in gone]
    undeclared = _undeclared(one, before, after, gone, retyped, dict(renamed), dropped)
    if undeclared:
        raise _refused(one, before, after, undeclared, [name for name in come if name not in dict(renamed).values()])
    new = {new for _, new in renamed}
    return Changes(tuple(n for n in come if n not in new), tuple(renamed), tuple(retyped), tuple(dropped))


def _undeclared(
    one: Contract, before: Mapping[str, str], after: Mapping[str, str], gone: list[str], retyped: list[str],
    renamed: Mapping[str, str], dropped: list[str],
) -> list[str]:  # fmt: skip
    may = {m.column for m in one.migrations if m.change == "retype"}
    lost = [name for name in gone if name not in renamed and name not in dropped]
    other = [new for old, new in renamed.items() if before[old] != after[new] and new not in may]
    return lost + [name for name in retyped if name not in may] + other


def _refused(
    one: Contract, before: Mapping[str, str], after: Mapping[str, str], undeclared: list[str], come: list[str]
) -> UserError:
    lines = [_difference(name, before, after) for name in undeclared]
    lines += [f"+ {name} {after[name]}" for name in come]
    proposed = [_proposal(name, before, after, come) for name in undeclared]
    return UserError(
        f"{one.table} is published with other columns\n    " + "\n    ".join(lines),
        where=one.file, remedy=f"declare it, e.g. migrations: [{', '.join(proposed)}]",
    )  # fmt: skip


def _difference(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    if name not in after:
        return f"- {name} {before[name]}"
    return f"~ {name} {before.get(name, 'of another type')} → {after[name]}"


def _proposal(name: str, before: Mapping[str, str], after: Mapping[str, str], come: list[str]) -> str:
    if name in after:
        return str({"change": "retype", "column": name}).replace("'", "")
    same = [new for new in come if after[new] == before[name]]
    body = {"change": "rename", "column": name, "to": same[0]} if same else {"change": "drop", "column": name}
    return str(body).replace("'", "")


def _name(type_: pa.DataType) -> str:
    """Return what a contract calls an Arrow type; one it has no word for keeps Arrow's name."""
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return "string"
    return next((name for name in types.PLAIN if types.arrow(name) == type_), str(type_))
