"""Cleaning: values as found become typed columns, and every row learns which checks it fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial, reduce

from pyspark.sql import Column as Expr
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import dates, written
from jobs.date_shapes import check as check_formats
from jobs.row_units import as_found, scales, unit_column
from jobs.zones import quick, to_utc
from layers.numbers import fix
from models import units
from quality.declared import MAX_ROW_RULES, in_groups
from quality.rules import RowCheck, mask, row_checks, set_aside_bits
from schemas import types
from schemas.contract import Column, Contract, Rule
from schemas.errors import UserError
from schemas.numbers import EXACT, LIMIT, NUMBER, WRITTEN

DELIVERY, LOCATOR, NAME, RULES, VERDICT = "_delivery", "_locator", "_name", "_rules", "_verdict"
WAIVED, DISCARDED = "_waived", "_discarded"
# Why a reader doubts what it read of a row; NULL where it does not (PDF and Word).
DOUBT, DOUBTED = "_doubt", "low_confidence"
# A day or a month, and after a day perhaps a local time.
IN_UTC = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$"  # of readers, whose files hold instants
DAY = r"^[0-9]{4}-[0-9]{1,2}(-[0-9]{1,2}([ T]([01]?[0-9]|2[0-3])(:[0-5]?[0-9]){0,2}([.][0-9]*)?)?)?$"
WHOLE = ("integer", "long")
FLOATS = ("double", "float")
TRUTH = r"^(?i:true|t|yes|y|1|false|f|no|n|0)$"


def headers(column: Column, name: str) -> tuple[str, ...]:
    """Return the headers that may carry a column in the source, the preferred one first."""
    if column.derive:
        return ()
    given = column.from_ if column.from_ is not None else name
    return (given,) if isinstance(given, str) else tuple(given)


def found_header(column: Column, name: str, present: Iterable[str]) -> str | None:
    """Return the header that carries the column among those present, None if there is none."""
    known = set(present) | {LOCATOR, NAME}
    return next((header for header in headers(column, name) if header in known), None)


def checks(contract: Contract, present: Iterable[str]) -> list[RowCheck]:
    """Return every row check of a table in the order of its bits: the declared rules, then types, then keys."""
    typed_ = [n for n, column in contract.columns.items() if _can_fail(column) and found_header(column, n, present)]
    units_known = [
        RowCheck(f"unit_{name}", "quarantine", partial(F.col, f"_unit_{name}"), Rule(rule="not_null", column=name))
        for name in _with_units(contract, present)
    ]
    before, after = soft_checks(contract, present), units_known + key_checks(contract)
    room = max(MAX_ROW_RULES - len(before) - len(after), 1)
    return before + [_types(some) for some in in_groups(typed_, room)] + after


def _types(names: Sequence[str]) -> RowCheck:
    """Return the check that values fit their types: of one column, or of several where a table has more than bits."""

    def fine() -> Expr:
        return reduce(lambda one, other: one & other, [~F.col(f"_bad_{name}") for name in names])

    return RowCheck(f"type_{'|'.join(names)}", "quarantine", fine, Rule(rule="not_null", column=names[0]), tuple(names))


def _with_units(contract: Contract, present: Iterable[str]) -> list[str]:
    known = list(present)
    return [n for n, c in contract.columns.items() if unit_column(c) and found_header(c, n, known)]


def soft_checks(contract: Contract, present: Iterable[str]) -> list[RowCheck]:
    """Return the checks that a person may waive: the declared rules, and the doubt of the reader where it tells of any."""
    doubted = RowCheck(DOUBTED, "quarantine", lambda: F.col(DOUBT).isNull(), Rule(rule="not_null", column=DOUBT))
    return row_checks(contract) + ([doubted] if DOUBT in present else [])


def key_checks(contract: Contract) -> list[RowCheck]:
    """Return the checks that what identifies or places a row is never NULL."""
    names = dict.fromkeys(contract.key + contract.period + contract.partition_by)
    return [RowCheck(f"key_not_null_{name}", "quarantine", partial(_there, name),
                     Rule(rule="not_null", column=name)) for name in names]  # fmt: skip


def _there(name: str) -> Expr:
    return F.col(name).isNotNull()


def clean(found: DataFrame, contract: Contract, names: Mapping[int, str]) -> DataFrame:
    """Return the typed rows of a cleaned table with `_delivery`, `_locator`, `_rules` and `_verdict`.

    `found` holds values as found, `names` the delivery names by id. Bit i of `_rules` is set where check i of
    `checks` fails; `_verdict` is `ok` or `set_aside`.
    """
    every = checks(contract, found.columns)
    return judged(_typed(found, contract, names), contract, every)


def judged(frame: DataFrame, contract: Contract, every: list[RowCheck], present: Iterable[str] | None = None) -> DataFrame:
    """Return the contract's columns, the locators if there are any, the bit mask and the verdict.

    `present` names the columns of the frame, where they are known; else its engine is asked.
    """
    names = list(frame.columns if present is None else present)
    wanted = [*contract.columns, *(name for name in (DELIVERY, LOCATOR) if name in names and name not in contract.columns)]
    with_mask = frame.withColumn(RULES, mask(every))
    fails, rules = _any(set_aside_bits(every)), F.col(RULES)
    if WAIVED in names:
        # A person may let a row pass these; a value that fits no type or a key that is missing never passes.
        soft = set_aside_bits(soft_checks(contract, names))
        fails = _any(set_aside_bits(every) & ~soft) | (_any(soft) & ~F.col(WAIVED)) | F.col(DISCARDED)
        # The audit knows a row that a person judged by the mask it lacks.
        rules = F.when(~F.col(WAIVED) | fails, rules)
    return with_mask.select(*wanted, rules.alias(RULES), _verdict(fails).alias(VERDICT))


def verdict(aside: int) -> Expr:
    """Return the verdict on a row by its mask: `set_aside` where it has one of the bits, else `ok`."""
    return _verdict(_any(aside))


def _verdict(fails: Expr) -> Expr:
    return F.when(fails, F.lit("set_aside")).otherwise(F.lit("ok"))


def _any(bits: int) -> Expr:
    return F.col(RULES).bitwiseAND(F.lit(bits).cast("bigint")) != 0


def _typed(found: DataFrame, contract: Contract, names: Mapping[int, str]) -> DataFrame:
    zone = contract.source.timezone if contract.source else "UTC"
    present = found.columns
    if any(NAME in headers(c, n) or NAME in (c.derive or "") for n, c in contract.columns.items()):
        found = found.withColumn(NAME, _name(names))
    native = {field.name: field.dataType.typeName() for field in found.schema.fields}
    scaled = scales(found, contract, _with_units(contract, present))
    found, ready = _readied(found, contract, present, native, zone)
    qualified = {c.written.qualifier: c for c in contract.columns.values() if c.written and c.written.qualifier}
    values, bad = {}, {}
    for name, column in contract.columns.items():
        header = found_header(column, name, present)
        if header is None:
            continue
        found_, is_text = as_found(header), native[header] == "string"
        raw = text(found_, column) if is_text else _as_it_is(found_, column, native[header], f"{contract.file}: columns.{name}")
        if name in qualified and is_text:
            raw = written.qualifier(text(found_, qualified[name]), qualified[name])
        digits = native[header] not in FLOATS
        values[name] = typed(raw, column, zone, is_text, ready.get(name), scaled.get(name), digits).alias(name)
        if _can_fail(column):
            bad[name] = _unmatched(found_, column) if is_text and column.pattern else raw
    extras = [F.col(name) for name in (LOCATOR, DELIVERY, NAME, DOUBT, WAIVED, DISCARDED) if name in found.columns]
    # The raw texts ride along under a name of their own, so that a failed cast can be told from an empty value.
    frame = found.select(*values.values(), *extras, *(raw.alias(f"_raw_{name}") for name, raw in bad.items()),
                         *(scale.isNotNull().alias(f"_scaled_{name}") for name, scale in scaled.items()))  # fmt: skip
    flags = {f"_bad_{n}": F.col(f"_raw_{n}").isNotNull() & F.col(n).isNull() for n in bad}
    # A value whose unit is not known says so, and not that it is no number.
    units_known = {f"_unit_{n}": F.col(f"_scaled_{n}") | F.col(f"_raw_{n}").isNull() for n in scaled}
    flags |= units_known | {f"_bad_{n}": flags[f"_bad_{n}"] & F.col(f"_scaled_{n}") for n in scaled}
    missing = {n: F.lit(None).cast(types.spark(str(c.type))) for n, c in contract.columns.items()
               if n not in values and not c.derive}  # fmt: skip
    frame = frame.withColumns({**flags, **missing}) if flags or missing else frame
    return reduce(_derive, [(n, c) for n, c in contract.columns.items() if c.derive], frame)


def _readied(
    found: DataFrame, contract: Contract, present: Iterable[str], native: Mapping[str, str], zone: str
) -> tuple[DataFrame, dict[str, Expr]]:
    """Read texts of instants, of dates and of numbers in a style of their own in a step before all others.

    Within a CASE an engine would parse each as often as it is named.
    """
    parsed: dict[str, Expr] = {}
    for name, column in contract.columns.items():
        header = found_header(column, name, present)
        # A day may come as a number, such as 20260131.
        if header and (native[header] == "string" or (column.format and native[header] in WHOLE)):
            ready = _ready(text(as_found(header).cast("string"), column), column, zone, f"{contract.file}: columns.{name}.format")
            parsed |= {} if ready is None else {name: ready}
    prefix = "_ready_"
    while any(header.startswith(prefix) for header in present):  # else another column would read this one for its text
        prefix = f"_{prefix}"
    frame = found.withColumns({f"{prefix}{name}": value for name, value in parsed.items()}) if parsed else found
    return frame, {name: F.col(f"`{prefix}{name}`") for name in parsed}


def _ready(raw: Expr, column: Column, zone: str, where: str) -> Expr | None:
    if column.written:
        return written.plain(raw, column)
    formats = _formats(column)
    check_formats(formats, where)
    if column.type == "timestamp":
        return dates.instant(raw, formats, zone) if formats else raw.try_cast("timestamp")
    return dates.day(raw, formats) if formats and column.type == "date" else None


def _formats(column: Column) -> tuple[str, ...]:
    return (column.format,) if isinstance(column.format, str) else column.format or ()


def _derive(frame: DataFrame, item: tuple[str, Column]) -> DataFrame:
    name, column = item
    value = F.expr(quick(str(column.derive)))
    exact = types.decimal_parts(str(column.type)) is not None
    return frame.withColumn(name, fix(value, str(column.type)) if exact else value.cast(types.spark(str(column.type))))


def _can_fail(column: Column) -> bool:
    return column.type != "string" and not column.derive


def _name(names: Mapping[int, str]) -> Expr:
    """The delivery's name as a column: a map literal, small because names are few beside rows."""
    if len(set(names.values())) == 1:
        return F.lit(next(iter(names.values())))
    pairs = [F.lit(x) for item in names.items() for x in item]
    return F.create_map(*pairs)[F.col(DELIVERY)]


def text(raw: Expr, column: Column) -> Expr:
    """Return the trimmed text of a value as found; empty text and declared null values become NULL."""
    value = F.trim(raw)
    return _given(F.regexp_extract(value, column.pattern, 1) if column.pattern else value, column)


def _given(value: Expr, column: Column) -> Expr:
    for nothing in ("", *column.null_values):
        value = F.nullif(value, F.lit(nothing))
    return value


def _as_it_is(raw: Expr, column: Column, native: str, where: str) -> Expr:
    """Return a value that is no text; raise UserError where the contract asks for what is done to texts alone."""
    asked = [key for key, given in (("pattern", column.pattern), ("null_values", column.null_values)) if given]
    if asked:
        raise UserError(f"`{'`, `'.join(asked)}` is for texts, {column.from_ or 'it'} comes as {native}", where=where,
                        remedy="take it out; a grid is masked where the file itself says so")  # fmt: skip
    return raw


def _unmatched(raw: Expr, column: Column) -> Expr:
    """Return the text of a value, the whole of it where the pattern is not found: that is no empty value."""
    return F.when(F.regexp_extract(F.trim(raw), str(column.pattern), 1) == "", _given(F.trim(raw), column)).otherwise(
        text(raw, column)
    )


def typed(
    raw: Expr, column: Column, zone: str, is_text: bool, ready: Expr | None = None, scale: Expr | None = None,
    digits: bool = True,
) -> Expr:  # fmt: skip
    """Return the value in the column's type and unit, NULL where it does not fit.

    `ready` is its text read already, `scale` the factor of the row's own unit; `digits` tells that it is no double, so
    that all of its digits are there.
    """
    type_ = str(column.type)
    if is_text and ready is None:
        ready = _ready(raw, column, zone, "format")
    if is_text and column.written and ready is not None:
        raw = ready
    if types.decimal_parts(type_):
        return _decimal(raw, column, type_, is_text, scale, digits and scale is None and not column.unit_from)
    if type_ == "double":
        number = _number(raw, column, scale)
        finite = F.abs(number) < F.lit(float("inf"))
        return F.when(finite & _readable(raw) if is_text else finite, number)
    if type_ == "date":
        return _day(raw, is_text) if ready is None else ready
    if type_ == "timestamp":
        return _instant(raw, raw.try_cast("timestamp") if ready is None else ready, column, zone, is_text)
    if type_ == "boolean" and is_text:
        return F.when(raw.rlike(TRUTH), raw.try_cast("boolean"))
    return raw.try_cast(types.spark(type_))


def _number(raw: Expr, column: Column, scale: Expr | None = None) -> Expr:
    number = raw.try_cast("double")
    if scale is not None:
        return number * scale
    return number * F.lit(units.factor(column.unit_from, str(column.unit))) if isinstance(column.unit_from, str) else number


def _readable(raw: Expr) -> Expr:
    """Tell whether a text is a number to every engine: Spark takes `12f` and `0x1p3`; only what has letters is matched."""
    return (F.lower(raw) == F.upper(raw)) | raw.rlike(f"^{NUMBER}$")


def _decimal(raw: Expr, column: Column, type_: str, is_text: bool, scale: Expr | None, exact: bool) -> Expr:
    """Fix the number; NaN, infinity and what the type can't hold become NULL, and so a failed type check.

    With `exact`, a number of more digits than a double tells apart is taken by its digits.
    """
    precision, digits = types.decimal_parts(type_) or (28, 6)
    number = _number(raw, column, scale)
    fits = F.abs(number) < F.lit(min(LIMIT, 10.0 ** (precision - digits)))
    value = fix(number, type_)
    if exact:
        large = F.abs(number) >= F.lit(EXACT)
        written_ = large & raw.rlike(f"^{WRITTEN}$") if is_text else large
        value = F.when(written_, raw.try_cast("decimal(28,6)").cast(type_)).otherwise(value)
    return F.when(fits & _readable(raw) if is_text else fits, value)


def _day(raw: Expr, is_text: bool) -> Expr:
    """Read a day; a local time after it is left out, an offset is refused. Engines differ on a `T` and on blanks inside."""
    if not is_text:
        return raw.try_cast("date")
    return F.when(raw.rlike(DAY) & _dated(raw), F.substring_index(raw, "T", 1).try_cast("date"))


def _instant(raw: Expr, found: Expr, column: Column, zone: str, is_text: bool) -> Expr:
    """Return an instant to the millisecond: naive text is in the source's time zone, an offset needs a declared format.

    What a file holds as an instant (Parquet, Avro, ORC) comes as text of UTC, `2026-01-31 10:00:00Z`, and is one in any zone.
    """
    if is_text and not column.format:
        if zone == "UTC":
            found = F.when(_dated(raw), found)
        else:
            local = F.when(_naive(raw), to_utc(found, zone))
            found = F.when(_dated(raw), F.when(raw.rlike(IN_UTC), found).otherwise(local))
    return F.date_trunc("MILLISECOND", found)


def _dated(raw: Expr) -> Expr:
    """Tell whether a text begins with a year of the calendar: engines read `10:00` as today, `45678-01-01` as a year."""
    return (F.substring(raw, 5, 1) == "-") & (raw >= F.lit("0002"))


def _naive(raw: Expr) -> Expr:
    """Tell whether a text says nothing of an offset; what follows the seconds may be a fraction and nothing else."""
    fraction = (F.substring(raw, 20, 1) == ".") & ~F.substring(raw, 21, 20).rlike("[^0-9]")
    return ((F.length(raw) <= 19) | fraction) & ~F.contains(raw, F.lit("Z")) & ~F.contains(raw, F.lit("+"))
