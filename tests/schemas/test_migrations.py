"""A published column is only renamed, retyped or dropped where the contract says so."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from schemas import types
from schemas.contract import Contract
from schemas.errors import UserError
from schemas.migrations import Changes, changes

PUBLISHED = pa.schema([("id", pa.string()), ("kwh", pa.decimal128(28, 6)), ("day", pa.date32()), ("_delivery", pa.int64())])


def table(columns: dict[str, str], *migrations: dict[str, Any]) -> Contract:
    """Return a contract of these columns."""
    return Contract(layer="thematic", name="meter", file="schemas/thematic/meter.yaml", description="d", owner="o",
                    columns={name: {"type": type_} for name, type_ in columns.items()}, migrations=migrations)  # fmt: skip


SAME = {"id": "string", "kwh": "decimal(28,6)", "day": "date"}


def test_nothing_changed() -> None:
    found = changes(table(SAME), PUBLISHED)
    assert found == Changes()
    assert not found.rebuild


def test_every_type_is_recognised_from_arrow() -> None:
    names = [*types.PLAIN, "decimal(18,6)"]
    schema = pa.schema([(f"c{i}", types.arrow(name)) for i, name in enumerate(names)])
    assert changes(table({f"c{i}": name for i, name in enumerate(names)}), schema) == Changes()


def test_an_added_column_is_free() -> None:
    found = changes(table({**SAME, "note": "string"}), PUBLISHED)
    assert (found.added, found.rebuild) == (("note",), False)


def test_declared_changes_are_told_apart() -> None:
    one = table({"id": "bigint", "electricity_kwh": "decimal(28,6)", "note": "string"},
                {"change": "rename", "column": "kwh", "to": "electricity_kwh"}, {"change": "drop", "column": "day"},
                {"change": "retype", "column": "id"})  # fmt: skip
    found = changes(one, PUBLISHED)
    assert found == Changes(("note",), (("kwh", "electricity_kwh"),), ("id",), ("day",))
    assert found.rebuild


def test_a_migration_that_was_carried_out_is_passed_over() -> None:
    one = table(SAME, {"change": "rename", "column": "power", "to": "kwh"}, {"change": "drop", "column": "gone"},
                {"change": "retype", "column": "day"})  # fmt: skip
    assert changes(one, PUBLISHED) == Changes()


@pytest.mark.parametrize(
    ("columns", "difference", "proposal"),
    [
        ({"id": "string", "electricity_kwh": "decimal(28,6)", "day": "date"},
         "- kwh decimal(28,6)\n    + electricity_kwh decimal(28,6)",
         "{change: rename, column: kwh, to: electricity_kwh}"),
        ({"id": "string", "kwh": "decimal(28,6)"}, "- day date", "{change: drop, column: day}"),
        ({**SAME, "day": "timestamp"}, "~ day date → timestamp", "{change: retype, column: day}"),
        ({**SAME, "kwh": "decimal(18,6)"}, "~ kwh decimal(28,6) → decimal(18,6)", "{change: retype, column: kwh}"),
    ],
)  # fmt: skip
def test_an_undeclared_change_shows_the_difference_and_what_to_write(
    columns: dict[str, str], difference: str, proposal: str
) -> None:
    with pytest.raises(UserError) as caught:
        changes(table(columns), PUBLISHED)
    text = str(caught.value)
    assert text.startswith("schemas/thematic/meter.yaml: thematic.meter is published with other columns")
    assert difference in text
    assert f"migrations: [{proposal}]" in text


def test_a_rename_does_not_hide_a_retype() -> None:
    one = table({"id": "string", "electricity_kwh": "double", "day": "date"},
                {"change": "rename", "column": "kwh", "to": "electricity_kwh"})  # fmt: skip
    with pytest.raises(UserError, match="electricity_kwh"):
        changes(one, PUBLISHED)
