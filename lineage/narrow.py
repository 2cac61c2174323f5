"""Narrowing of inputs for a trace: which equalities on the output may be pushed down to which input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage.edges import Lineage


def pushdown(lineage: Lineage, key: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return table → column → value by which inputs may be filtered when only rows with this key are wanted.

    Only columns that pass through unchanged, in every use of their table, are pushed; the transform over the
    narrowed inputs gives the same rows of that key as over the whole ones. NULL is never pushed.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, value in key.items():
        if value is not None:
            for table, column in sorted(lineage.passes_through(name)):
                found.setdefault(table, {})[column] = value
    return found
