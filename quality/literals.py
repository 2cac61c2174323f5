"""Limits of rules in the type of their column, so that no engine has to guess how to compare them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from schemas import types
from schemas.contract import Contract, Rule
from schemas.errors import UserError

Value = str | int | float


def typed(contract: Contract, rule: Rule, value: Value) -> tuple[str, str]:
    """Return (text, type) of a limit as the column's type has it, e.g. ('0.5', 'decimal(28,6)').

    Raise UserError for a limit that the type cannot hold: cast, it would become NULL and pass everything.
    """
    type_ = column_type(contract, rule)
    try:
        text = _decimal(value, type_) if types.decimal_parts(type_) else _PLAIN[type_](value)
    except (ValueError, TypeError, InvalidOperation):
        raise UserError(
            f"rules.{rule.label}: {value!r} is no value of {rule.column!r}, which is {type_}", where=contract.file,
            remedy="give the limit in the type of the column",
        ) from None  # fmt: skip
    return text, type_


def column_type(contract: Contract, rule: Rule) -> str:
    """Return the type of the column that a rule judges. Raise UserError where it names none."""
    if rule.column is None:
        raise UserError(f"rules.{rule.label}: `{rule.rule}` judges one column", where=contract.file,
                        remedy="add `column:`")  # fmt: skip
    type_ = contract.columns[rule.column].type
    assert type_, "contracts resolve every type"
    return type_


def day_bounds(contract: Contract, rule: Rule, first: str, last: str) -> tuple[str, str]:
    """Return the days between which a code holds as the column `at` has them: days, or the years that they are in.

    Raise UserError for a column that is neither: of an instant the zone would have to be known.
    """
    type_ = contract.columns[str(rule.at)].type
    if type_ == "date":
        return first, last
    if type_ in ("int", "bigint"):
        return first[:4], last[:4]
    raise UserError(f"rules.{rule.label}: `at` is a date or a year, {rule.at!r} is {type_}", where=contract.file,
                    remedy="derive the day first")  # fmt: skip


def _decimal(value: Value, type_: str) -> str:
    precision, scale = types.decimal_parts(type_) or (0, 0)
    number = Decimal(str(value))
    if not number.is_finite() or number != round(number, scale) or abs(number) >= Decimal(10) ** (precision - scale):
        raise ValueError(value)
    return format(number, "f")


def _whole(bits: int) -> Callable[[Value], str]:
    def text(value: Value) -> str:
        number = Decimal(str(value))
        if number != int(number) or abs(number) >= 2 ** (bits - 1):
            raise ValueError(value)
        return str(int(number))

    return text


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _boolean(value: Value) -> str:
    if str(value).lower() not in ("true", "false"):
        raise ValueError(value)
    return str(value).lower()


_PLAIN: dict[str, Callable[[Value], str]] = {
    "string": _text,
    "int": _whole(32),
    "bigint": _whole(64),
    "double": lambda value: repr(float(value)),
    "boolean": _boolean,
    "date": lambda value: date.fromisoformat(_text(value)).isoformat(),
    "timestamp": lambda value: datetime.fromisoformat(_text(value)).isoformat(sep=" "),
}
