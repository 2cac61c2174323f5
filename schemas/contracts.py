"""Reads all contracts: placing the file is the registration."""

from __future__ import annotations

import difflib
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from schemas import rooms, types
from schemas.codes import code_list
from schemas.contract import INSTANTS, LAYERS, PLACED, TAKEN, Column, Contract
from schemas.errors import UserError

try:  # every command reads all contracts, and libyaml does it six times faster
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

DERIVED_KEYS = ("layer", "name", "file")


def contracts() -> dict[str, Contract]:
    """Return every contract by table name, fields resolved. Raise UserError for the first that is wrong."""
    return _load(rooms.rooms())


def contract(table: str) -> Contract:
    """Return one contract; raise UserError with the nearest names if there is none."""
    known = contracts()
    if table in known:
        return known[table]
    near = difflib.get_close_matches(table, known, n=3) or sorted(known)[:5]
    raise UserError(f"there is no table {table!r}", remedy=f"did you mean {', '.join(near)}? `carbonlake show` lists all")


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; raise UserError that names file and line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error)
        raise UserError(f"not valid YAML: {what}", where=f"{rooms.place(path)}{line}") from None


def explain(error: ValidationError, file: str, known: type[Any] | None = None) -> UserError:
    """Turn a validation error into one that names file, key and what was expected."""
    # A misspelt key is two errors, one unknown and one missing; the first says what to do.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    what = {
        "extra_forbidden": "unknown key",
        "missing": "this key is missing",
    }.get(first["type"], first["msg"].removeprefix("Value error, "))
    remedy = ""
    if first["type"] == "extra_forbidden" and known:
        names = _keys_at(known, first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(n for n in names if n not in DERIVED_KEYS)}"
    return UserError(f"{key}: {what}" if key else what, where=file, remedy=remedy)


def _keys_at(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys that may stand at a place of a model, e.g. those of a column under ('columns', 'kwh')."""
    for part in loc:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        model = (_model_in(field.annotation) if field else None) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """Return the model that a type speaks of, e.g. Rule for tuple[Rule, ...]; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


class _Strict(Loader):
    """A YAML loader that refuses a key given twice."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(None, None, "a key is no plain value", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_mapping(node, deep=True))


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@cache
def fields(folders: tuple[Path, ...]) -> dict[str, Column]:
    """Return the shared columns of schemas/fields/, each defined once."""
    found: dict[str, Column] = {}
    for path in rooms.files("schemas", "fields/*.yaml"):
        for name, spec in (read_yaml(path) or {}).items():
            if name in found:
                raise UserError(f"{name}: this field is already defined in another file", where=rooms.place(path))
            try:
                found[name] = Column(**spec)
            except ValidationError as error:
                raise explain(error, f"{rooms.place(path)}: {name}", Column) from None
    return found


@cache
def _load(folders: tuple[Path, ...]) -> dict[str, Contract]:
    known = {}
    for layer in LAYERS:
        for path in rooms.files("schemas", f"{layer}/*.yaml"):
            one = _read(path, layer, fields(folders))
            known[one.table] = one
    known |= {table: _taken(one, known) for table, one in known.items() if one.source and one.source.of}
    for one in known.values():
        _check_references(one, known)
        _check_activity(one)
    return known


def _taken(one: Contract, known: dict[str, Contract]) -> Contract:
    """Fill what a source that reads the deliveries of another one takes over from there."""
    assert one.source
    other = known.get(str(one.source.of))
    if other is None or other.source is None or other.source.of:
        raise UserError(f"source.of: {one.source.of!r} is no cleaned table that deliveries are landed for", where=one.file,
                        remedy="name the table whose source has `zone` and `path`")  # fmt: skip
    values = {name: getattr(other.source, name) for name in (*PLACED, *TAKEN)}
    return one.model_copy(update={"source": one.source.model_copy(update=values)})


def _read(path: Path, layer: str, shared: dict[str, Column]) -> Contract:
    body = read_yaml(path)
    if not isinstance(body, dict):
        raise UserError("a contract is a mapping of keys", where=rooms.place(path))
    for key in DERIVED_KEYS:
        if key in body:
            raise UserError(f"{key}: comes from the place of the file, take it out", where=rooms.place(path))
    try:
        one = Contract(layer=layer, name=path.stem, file=rooms.place(path), **body)
        columns = {n: _resolve(n, c, shared, path) for n, c in one.columns.items()}
    except ValidationError as error:
        raise explain(error, rooms.place(path), Contract) from None
    _check_units(one, columns)
    _check_written(one, columns)
    return one.model_copy(update={"columns": _with_qualifiers(one, columns)})


def _check_written(one: Contract, columns: dict[str, Column]) -> None:
    """Refuse styles of numbers for what is no number, and of instants for what is a day."""
    for name, column in columns.items():
        type_, where = str(column.type), f"{one.file}: columns.{name}"
        exact = types.decimal_parts(type_) is not None or type_ == "double"
        how = column.written
        if how and (column.derive or not (exact or type_ in types.INTEGERS)):
            raise UserError(f"`written` is for numbers from the source; this is {'derived' if column.derive else type_}",
                            where=where, remedy="take it out")  # fmt: skip
        if how and (how.counts or how.percent) and not exact:
            raise UserError(f"`counts` and `percent` make parts of a whole; this is {type_}", where=where,
                            remedy="make it decimal(28,6)")  # fmt: skip
        if how and (how.counts or how.percent) and column.unit_from and not isinstance(column.unit_from, str):
            raise UserError("`counts` and `percent` are a part of the unit, which stands in each row by itself here",
                            where=where, remedy="take them out: a value with its own sign then waits")  # fmt: skip
        formats = (column.format,) if isinstance(column.format, str) else column.format or ()
        if type_ != "timestamp" and (moments := sorted({*formats} & {*INSTANTS})):
            raise UserError(f"`format: {moments[0]}` says a moment; this is {type_}", where=where,
                            remedy="make it a timestamp, and derive the day in the zone that is meant")  # fmt: skip


def _with_qualifiers(one: Contract, columns: dict[str, Column]) -> dict[str, Column]:
    """Give columns of qualifiers the header of their number, which is where they come from."""
    found = dict(columns)
    for name, column in columns.items():
        kept = column.written.qualifier if column.written else None
        if not kept:
            continue
        where = f"{one.file}: columns.{name}.written.qualifier"
        if kept not in columns:
            raise UserError(f"there is no column {kept!r}", where=where,
                            remedy=f"add it, e.g. {kept}: {{type: string, description: Qualifier of {name}}}")  # fmt: skip
        own = columns[kept]
        if own.type != "string" or own.from_ is not None or own.derive or own.pattern or found[kept] is not own:
            raise UserError(f"{kept!r} keeps the qualifier of {name} and nothing else", where=where,
                            remedy="make it a string without `from`, `derive` and `pattern`, one for each number")  # fmt: skip
        found[kept] = own.model_copy(update={"from_": column.from_ if column.from_ is not None else name,
                                             "null_values": column.null_values})  # fmt: skip
    return found


def _check_units(one: Contract, columns: dict[str, Column]) -> None:
    """Refuse what would be passed over without a word: conversions of what is no decimal or double, inexact measures."""
    for name, column in columns.items():
        type_ = str(column.type)
        if column.unit_from and (column.derive or not column.unit or not (types.decimal_parts(type_) or type_ == "double")):
            raise UserError(f"columns.{name}: `unit_from` converts a decimal or double with a `unit`, from the source; this is "
                            + ("derived" if column.derive else f"{type_}, unit {column.unit or 'none'}"), where=one.file,
                            remedy="make it decimal(28,6)" if not column.derive else "convert in `derive`")  # fmt: skip
    for name in one.measures:
        if name in columns and not types.is_measure(str(columns[name].type)):
            raise UserError(f"balance: {name!r} is {columns[name].type}; only decimals and integers add up exactly",
                            where=one.file)  # fmt: skip


def _resolve(name: str, column: Column, shared: dict[str, Column], path: Path) -> Column:
    """Fill what the contract leaves open from the shared field of the same name."""
    base = shared.get(name, Column())
    given = {key: getattr(column, key) for key in column.model_fields_set}
    merged = base.model_copy(update=given)
    if merged.type is None:
        raise UserError(f"columns.{name}: no type here and no such field in schemas/fields/", where=rooms.place(path),
                        remedy=f"give it one, e.g. {name}: {{type: string, description: …}}")  # fmt: skip
    return merged


def _check_activity(one: Contract) -> None:
    """Refuse activity that the code list does not know: no method would take it, and no total would miss it."""
    known = {row["code"] for row in code_list("activity")} if one.activity else set()
    for code in one.activity:
        if code not in known:
            near = difflib.get_close_matches(code, known, n=3)
            raise UserError(f"there is no activity {code!r}", where=f"{one.file}: activity.{code}",
                            remedy=(f"did you mean {', '.join(near)}? " if near else "")
                            + "Codes of your own are rows of schemas/codes/activity.csv in the project")  # fmt: skip


def _check_references(one: Contract, known: dict[str, Contract]) -> None:
    for table in [t for t in one.inputs.values() if not t.startswith("having:")]:
        if table not in known:
            near = difflib.get_close_matches(table, known, n=1)
            raise UserError(f"inputs: there is no table {table!r}", where=one.file,
                            remedy=f"did you mean {near[0]!r}?" if near else "")  # fmt: skip
    for rule in one.rules:
        if rule.table and rule.table not in known:
            raise UserError(f"rules.{rule.label}: there is no table {rule.table!r}", where=one.file)
        if rule.table and rule.of and rule.of not in known[rule.table].columns:
            raise UserError(f"rules.{rule.label}: {rule.table} has no column {rule.of!r}", where=one.file,
                            remedy=f"its columns: {', '.join(known[rule.table].columns)}")  # fmt: skip
