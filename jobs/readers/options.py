"""Options of a reader: a frozen dataclass per format, filled from the contract; a key it does not know is refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, TypeVar, get_type_hints

from schemas.errors import UserError

T = TypeVar("T")


def options(kind: type[T], given: Mapping[str, Any], where: str) -> T:
    """Return the options as an instance of `kind`; raise UserError for unknown keys and values of another type."""
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise UserError(f"unknown option {key!r}", where=where,
                            remedy=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")  # fmt: skip
    for name, field in known.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise UserError(f"the option {name!r} is missing", where=where, remedy="`carbonlake probe` shows what it can be")
    hints = _hints(kind)  # type: ignore[arg-type]
    for key, value in given.items():
        if not _fits(value, hints[key]):
            raise UserError(f"option {key!r}: {value!r} is not a value it can have", where=where,
                            remedy="docs/formats.md says what it takes")  # fmt: skip
    return kind(**given)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    """Return the types of the options of a kind; to look them up takes longer than to read a small file."""
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Check the outermost type: str, bool, int, list, dict and unions of them."""
    parts = getattr(hint, "__args__", (hint,)) if type(hint).__name__ == "UnionType" else (hint,)
    plain = {getattr(part, "__origin__", part) for part in parts}
    if isinstance(value, bool):
        return bool in plain
    return type(value) in plain
