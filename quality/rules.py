"""Row rules as columns: predicates for the pass that writes, and the bit mask that remembers which failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from quality import identifiers
from quality.declared import MAX_ROW_RULES, columns_of, row_rules
from quality.literals import Value, column_type, day_bounds, typed
from quality.patterns import portable
from schemas import types
from schemas.codes import codes, periods
from schemas.contract import Contract, Outcome, Rule
from schemas.errors import UserError

FEW = 3  # checks of one kind, which are not worth a step of their own


@dataclass(frozen=True)
class RowCheck:
    """A rule on one row; `says` makes its column when it is asked for, which loads what speaks to an engine.

    `columns` are those that a check of types looks at: one, or several that share a bit.
    """

    label: str
    outcome: Outcome
    says: Callable[[], Column]
    rule: Rule
    columns: tuple[str, ...] = ()

    @cached_property
    def fine(self) -> Column:
        """FALSE where the row breaks the rule, and perhaps NULL where the rule has nothing to say. Needs a session.

        Raise UserError for a bad rule.
        """
        return self.says()

    @property
    def predicate(self) -> Column:
        """TRUE where the row is fine, never NULL."""
        return F.coalesce(self.fine, F.lit(True))


def row_checks(contract: Contract) -> list[RowCheck]:
    """Return the row rules of a contract in the order of their bits.

    NULL passes every rule but not_null.
    """
    return [_check(contract, rule) for rule in row_rules(contract)]


def mask(checks: Sequence[RowCheck]) -> Column:
    """Return the bigint `_rules`: bit i is set where check i fails. Raise UserError beyond 62 checks."""
    if len(checks) > MAX_ROW_RULES:
        raise UserError(f"{len(checks)} checks on one row, {MAX_ROW_RULES} at most",
                        remedy="join some of them in one `expression`")  # fmt: skip
    none = F.lit(0).cast("bigint")
    # Not `when(predicate, none)`: engines make three columns of its coalesce, and of NULL this makes the same.
    bits = [F.when(~check.fine, F.lit(1 << i).cast("bigint")).otherwise(none) for i, check in enumerate(checks)]
    there = [i for i, check in enumerate(checks) if check.rule.rule == "not_null"]
    if len(there) > FEW:
        # Hardly any row lacks a value: whether all are there is told at once, and only else which one is not.
        present = _joined([checks[i].fine for i in there], lambda one, other: one & other)
        gone = _joined([bits[i] for i in there], lambda one, other: one.bitwiseOR(other))
        bits = [F.when(present, none).otherwise(gone), *(bit for i, bit in enumerate(bits) if i not in there)]
    return _joined(bits, lambda one, other: one.bitwiseOR(other)) if bits else none


def verdict(checks: Sequence[RowCheck]) -> Column:
    """Return the boolean 'this row is set aside': TRUE where a check that quarantines fails."""
    fine = [check.predicate for check in checks if check.outcome == "quarantine"]
    return ~_joined(fine, lambda one, other: one & other) if fine else F.lit(False)


def set_aside_bits(checks: Sequence[RowCheck]) -> int:
    """Return the bits of the checks that quarantine, so that `_rules & bits <> 0` says the same as `verdict`."""
    return sum(1 << i for i, check in enumerate(checks) if check.outcome == "quarantine")


def _joined(parts: list[Column], join: Callable[[Column, Column], Column]) -> Column:
    """Join columns as a flat tree: a chain of 62 is deeper than a plan may be."""
    while len(parts) > 1:
        parts = [join(*parts[i : i + 2]) if i + 1 < len(parts) else parts[i] for i in range(0, len(parts), 2)]
    return parts[0]


def _check(contract: Contract, rule: Rule) -> RowCheck:
    return RowCheck(rule.label, rule.outcome, lambda: _PREDICATES[rule.rule](contract, rule), rule)


def _column(contract: Contract, rule: Rule) -> Column:
    column_type(contract, rule)
    return F.col(f"`{rule.column}`")


def _text_column(contract: Contract, rule: Rule) -> Column:
    if (type_ := column_type(contract, rule)) != "string":
        raise UserError(f"rules.{rule.label}: `{rule.rule}` judges texts, {rule.column!r} is {type_}", where=contract.file)
    return F.col(f"`{rule.column}`")


def _limit(contract: Contract, rule: Rule, key: str) -> Column:
    value: Value | None = getattr(rule, key)
    if value is None:
        raise UserError(f"rules.{rule.label}: `{rule.rule}` needs `{key}`", where=contract.file)
    text, type_ = typed(contract, rule, value)
    return F.lit(text) if type_ == "string" else F.lit(text).cast(types.spark(type_))


def _between(contract: Contract, rule: Rule) -> Column:
    column = _column(contract, rule)
    return (column >= _limit(contract, rule, "low")) & (column <= _limit(contract, rule, "high"))


def _one_of(contract: Contract, rule: Rule) -> Column:
    if not rule.values:
        raise UserError(f"rules.{rule.label}: `one_of` needs `values`", where=contract.file)
    column, type_ = _column(contract, rule), column_type(contract, rule)
    texts = [typed(contract, rule, value)[0] for value in rule.values]
    return column.isin([F.lit(text) if type_ == "string" else F.lit(text).cast(types.spark(type_)) for text in texts])


def _code(contract: Contract, rule: Rule) -> Column:
    column = _text_column(contract, rule)
    name = rule.codes or contract.columns[str(rule.column)].codes
    if not name:
        raise UserError(f"rules.{rule.label}: `code` needs `codes`, the name of a code list", where=contract.file)
    known = column.isin(sorted(codes(name)))
    return known & _in_force(contract, rule, name, column) if rule.at else known


def _in_force(contract: Contract, rule: Rule, name: str, column: Column) -> Column:
    """TRUE where a code holds on the day, or in some part of the year, of the row; NULL where the row has no day."""
    at, holds = F.col(f"`{rule.at}`"), []
    for (first, last), some in periods(name).items():
        low, high = day_bounds(contract, rule, first, last)
        inside = [column.isin(sorted(some))]
        inside += [at >= F.lit(low).cast(str(contract.columns[str(rule.at)].type))] if low else []
        inside += [at <= F.lit(high).cast(str(contract.columns[str(rule.at)].type))] if high else []
        holds.append(_joined(inside, lambda one, other: one & other))
    return at.isNull() | _joined(holds, lambda one, other: one | other)


def _length(contract: Contract, rule: Rule) -> Column:
    length = F.length(_text_column(contract, rule))
    bounds = [(rule.limit, length.__eq__), (rule.low, length.__ge__), (rule.high, length.__le__)]
    checks = [compare(F.lit(int(value))) for value, compare in bounds if value is not None]
    if not checks:
        raise UserError(f"rules.{rule.label}: `length` needs `limit` (exactly), `low` or `high`", where=contract.file)
    return reduce(lambda one, other: one & other, checks)


def _pattern(contract: Contract, rule: Rule) -> Column:
    return _text_column(contract, rule).rlike(portable(rule.pattern or "", f"{contract.file}: rules.{rule.label}"))


def _finite(contract: Contract, rule: Rule) -> Column:
    return _joined([F.abs(f"`{name}`") < F.lit(float("inf")) for name in columns_of(rule)], lambda one, other: one & other)


def _expression(contract: Contract, rule: Rule) -> Column:
    if not rule.expression:
        raise UserError(f"rules.{rule.label}: `expression` needs `expression`, SQL that is true for a good row",
                        where=contract.file, remedy="and a `name`")  # fmt: skip
    return F.expr(rule.expression)


_PREDICATES: dict[str, Callable[[Contract, Rule], Column]] = {
    "not_null": lambda contract, rule: _column(contract, rule).isNotNull(),
    "at_least": lambda contract, rule: _column(contract, rule) >= _limit(contract, rule, "limit"),
    "at_most": lambda contract, rule: _column(contract, rule) <= _limit(contract, rule, "limit"),
    "between": _between,
    "one_of": _one_of,
    "code": _code,
    "length": _length,
    "pattern": _pattern,
    "uscc": lambda contract, rule: identifiers.uscc(_text_column(contract, rule)),
    "resident_id": lambda contract, rule: identifiers.resident_id(_text_column(contract, rule)),
    "phone": lambda contract, rule: identifiers.phone(_text_column(contract, rule)),
    "finite": _finite,
    "expression": _expression,
}
