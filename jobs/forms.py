"""Forms: what people fill in by hand for a contract that says so, and the delivery that it becomes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Literal
from uuid import uuid4

from jobs import query
from jobs.lake import Lake
from models import units
from schemas import types
from schemas.codes import code_list
from schemas.contract import Column, Contract, Rule
from schemas.contracts import contract, contracts
from schemas.errors import UserError
from schemas.numbers import INTEGER, NUMBER

# Columns of every delivery that a form makes; a contract may take them over by these names.
STAMPS = ("entered_by", "entered_at", "form_version")
UNIT = "unit"  # the column that says the unit of a row
DAYS = {"yyyy-MM": r"\d{4}-(0[1-9]|1[0-2])", "yyyy-MM-dd": r"\d{4}-\d{2}-\d{2}"}
MOST = 2000  # rows of one entry
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
Kind = Literal["text", "number", "integer", "month", "day", "choice"]


@dataclass(frozen=True)
class Choice:
    """A value that may be chosen, its names, and the unit it is measured in, if it says one."""

    value: str
    name: str = ""
    name_en: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Field:
    """One field: what it takes, and what helps to fill it in. `known` says which table its values are known from."""

    name: str
    header: str
    kind: Kind
    help: str
    help_zh: str
    unit: str = ""
    required: bool = False
    key: bool = False
    low: str = ""
    high: str = ""
    known: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def values(self) -> frozenset[str]:
        """The values that may be chosen."""
        return frozenset(choice.value for choice in self.choices)


@dataclass(frozen=True)
class Form:
    """The form of a table; `version` changes with its fields."""

    table: str
    title: str
    title_zh: str
    version: str
    fields: tuple[Field, ...]

    def units(self, row: Mapping[str, str]) -> tuple[str, ...]:
        """Return the units that a row may have: those which measure what is chosen in it."""
        field = next((one for one in self.fields if one.name == UNIT), None)
        if field is None:
            return ()
        chosen = [
            choice.unit for one in self.fields for choice in one.choices if choice.unit and row.get(one.name) == choice.value
        ]
        return tuple(choice.value for choice in field.choices if all(_measures(choice.value, unit) for unit in chosen))


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field of a row, rows counted from 1, and the known values that are near to what was meant."""

    row: int
    field: str
    what: str
    near: tuple[str, ...] = ()


def tables() -> list[Contract]:
    """Return the contracts that people fill in by hand."""
    return [one for one in contracts().values() if one.source and one.source.form]


def form(lake: Lake, table: str) -> Form:
    """Return the form of a table, with what the lake knows of subjects now. Raise UserError where a contract makes none."""
    one = contract(table)
    if not one.source or not one.source.form:
        known = ", ".join(other.table for other in tables()) or "none"
        raise UserError(f"{table} is not filled in by hand", where=one.file, remedy=f"`form: true` in its source; forms: {known}")
    fields = tuple(_field(lake, one, name, column) for name, column in one.columns.items()
                   if _header(name, column) not in ("", *STAMPS))  # fmt: skip
    # What the lake knows of subjects changes from day to day, and is not what the form asks.
    asked = [asdict(field) | ({"choices": ()} if field.known else {}) for field in fields]
    version = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
    return Form(table, one.description, one.description_zh, version, fields)


def _header(name: str, column: Column) -> str:
    """Return the header under which a column is filled in; empty where it is derived."""
    given = column.from_ or name
    return "" if column.derive else given if isinstance(given, str) else given[0]


def _field(lake: Lake, one: Contract, name: str, column: Column) -> Field:
    rules = [rule for rule in one.rules if name in (rule.column, *rule.columns)]
    known = next((rule for rule in rules if rule.rule == "reference" and (rule.columns or (rule.column,)) == (name,)), None)
    choices = _subjects(lake, str(known.table), name) if known else _choices(column, rules)
    low = next((str(value) for rule in rules for value in (rule.low, rule.limit if rule.rule == "at_least" else None)
                if value is not None), "")  # fmt: skip
    high = next((str(value) for rule in rules for value in (rule.high, rule.limit if rule.rule == "at_most" else None)
                 if value is not None), "")  # fmt: skip
    required = column.required or name in one.key or any(rule.rule == "not_null" for rule in rules)
    return Field(name, _header(name, column), "choice" if choices or known else _kind(one, name, column),
                 column.description or name, column.description_zh or column.description or name, column.unit or "",
                 required, name in one.key, low, high, str(known.table) if known else "", choices)  # fmt: skip


def _kind(one: Contract, name: str, column: Column) -> Kind:
    type_ = str(column.type)
    if type_ in types.INTEGERS:
        return "integer"
    if types.decimal_parts(type_) or type_ == "double":
        return "number"
    if type_ == "string":
        return "text"
    if type_ == "date" and column.format in (None, *DAYS):
        return "month" if column.format == "yyyy-MM" else "day"
    raise UserError(f"a form has no field for {type_} as {column.format or 'it is'}", where=f"{one.file}: columns.{name}",
                    remedy="use a string, a number, or a date as yyyy-MM or yyyy-MM-dd")  # fmt: skip


def _choices(column: Column, rules: Sequence[Rule]) -> tuple[Choice, ...]:
    """Return the values that a code list or `one_of` allow, both where there are both."""
    allowed = next(([str(value) for value in rule.values] for rule in rules if rule.rule == "one_of"), None)
    name = column.codes or next((rule.codes for rule in rules if rule.codes), None)
    if name is None:
        return tuple(Choice(value, value, value) for value in allowed or ())
    return tuple(Choice(row["code"], row.get("name", ""), row.get("name_en", ""), row.get("unit", ""))
                 for row in code_list(name) if allowed is None or row["code"] in allowed)  # fmt: skip


def _subjects(lake: Lake, table: str, name: str) -> tuple[Choice, ...]:
    """Return what a table of the lake knows by a column, with the names it has for it."""
    if lake.open(table) is None:
        return ()
    known = contract(table).columns
    label = '"name"' if "name" in known else f'"{name}"'
    newest = f"arg_max({label}, valid_from)" if "valid_from" in known else f"max({label})"
    rows = query.sql(
        lake, f'select "{name}" as value, {newest} as name from {table} where "{name}" is not null group by "{name}" order by all'
    )
    return tuple(Choice(str(row["value"]), str(row["name"] or "")) for row in rows.to_pylist())


def faults(form: Form, rows: Sequence[Mapping[str, str]]) -> list[Fault]:
    """Return what is wrong with rows as far as each can be judged alone; the contract's own rules judge the rest."""
    if not rows or len(rows) > MOST:
        raise UserError(f"an entry has 1 to {MOST:,} rows, this one {len(rows):,}", where=form.table,
                        remedy="fill in a row" if not rows else "bring a file by an upload instead")  # fmt: skip
    return [fault for number, row in enumerate(rows, 1) for fault in _faults(form, number, row)]


def _faults(form: Form, number: int, row: Mapping[str, str]) -> list[Fault]:
    names = [field.name for field in form.fields]
    found = [Fault(number, name, "there is no such field", tuple(nearest(name, names))) for name in row if name not in names]
    for field in form.fields:
        value = (row.get(field.name) or "").strip()
        what = wrong(field, value)
        near = nearest(value, field.choices) if what and value else []
        if not what and field.name == UNIT and value and value not in form.units(row):
            what, near = f"{value} does not measure what this row is about", list(form.units(row))
        found += [Fault(number, field.name, what, tuple(near))] if what else []
    return found


def wrong(field: Field, value: str) -> str:
    """Say what is wrong with a value, empty where nothing is."""
    if not value:
        return "a value is needed" if field.required else ""
    if CONTROL.search(value):
        return "a value has one line"
    if field.kind == "choice":
        if field.known and not field.choices:
            return f"{field.known} has no rows yet, so nobody is known"
        return "" if value in field.values else f"{value} is not known" + (f" in {field.known}" if field.known else "")
    return _misfit(field, value)


def _misfit(field: Field, value: str) -> str:
    if field.kind in ("number", "integer"):
        if not re.fullmatch(NUMBER if field.kind == "number" else INTEGER, value):
            return (
                f"{value} is no {'number' if field.kind == 'number' else 'whole number'}; write digits, and a point before parts"
            )
        if field.low and float(value) < float(field.low):
            return f"{value} is below {field.low}"
        return f"{value} is above {field.high}" if field.high and float(value) > float(field.high) else ""
    if field.kind in ("day", "month"):
        try:
            first = date.fromisoformat(f"{value}-01" if field.kind == "month" else value).isoformat()
        except ValueError:
            return f"{value} is no {field.kind}; write {'2026-01' if field.kind == 'month' else '2026-01-31'}"
        if not re.fullmatch(DAYS["yyyy-MM" if field.kind == "month" else "yyyy-MM-dd"], value):
            return f"{value} is no {field.kind}; write {'2026-01' if field.kind == 'month' else '2026-01-31'}"
        if (field.low and first < field.low) or (field.high and first > field.high):
            return f"{value} is not between {field.low or 'the beginning'} and {field.high or 'the end'}"
    return ""


def nearest(value: str, known: Sequence[Choice] | Sequence[str], most: int = 3) -> list[str]:
    """Return the known values that are nearest to what was written, by value or by name."""
    from rapidfuzz import fuzz, process

    texts: dict[str, str] = {}
    for one in known:
        for text in (one.value, one.name, one.name_en) if isinstance(one, Choice) else (one,):
            if text:
                texts.setdefault(text, one.value if isinstance(one, Choice) else one)
    found = process.extract(value, list(texts), scorer=fuzz.WRatio, processor=str.lower, limit=4 * most, score_cutoff=45)
    return list(dict.fromkeys(texts[text] for text, _, _ in found))[:most]


def _measures(unit: str, other: str) -> bool:
    try:
        units.factor(unit, other)
    except UserError:
        return False
    return True


def entry(form: Form, rows: Sequence[Mapping[str, str]], person: str) -> tuple[str, bytes]:
    """Return the name and the bytes of the delivery that rows become: CSV, each with who, when and which form.

    Raise UserError where nobody is named.
    """
    person = person.strip()
    if not person or CONTROL.search(person):
        raise UserError("an entry says who made it", where="person", remedy="give a name")
    now = datetime.now(UTC)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(field.header for field in form.fields), *STAMPS])
    stamps = [person, now.isoformat(timespec="seconds").replace("+00:00", "Z"), form.version]
    for row in rows:
        writer.writerow([*((row.get(field.name) or "").strip() for field in form.fields), *stamps])
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}.csv", text.getvalue().encode()
