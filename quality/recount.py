"""Cheap row rules as DuckDB text, so that the audit counts again what the engine says it counted."""

from __future__ import annotations

from collections.abc import Callable

from quality.declared import columns_of
from quality.literals import Value, day_bounds, typed
from schemas import types
from schemas.codes import codes, periods
from schemas.contract import Contract, Rule

LARGE_LIST = 1000  # values; longer code lists are left to the engine


def quoted(name: str) -> str:
    """Return a column name as DuckDB quotes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str, type_: str = "string") -> str:
    """Return a typed literal of DuckDB."""
    plain = "'" + text.replace("'", "''") + "'"
    return plain if type_ == "string" else f"cast({plain} as {types.duckdb(type_)})"


def recount(contract: Contract, rule: Rule) -> str | None:
    """Return a condition that is FALSE where the rule fails (NULL passes), None where counting again is dear.

    Patterns, check characters and expressions are None: the first two cost more than they tell, and
    expressions are the engine's own SQL.
    """
    make = _CONDITIONS.get(rule.rule)
    return make(contract, rule, quoted(str(rule.column))) if make else None


def _compared(sign: str, key: str) -> Callable[[Contract, Rule, str], str]:
    def condition(contract: Contract, rule: Rule, column: str) -> str:
        return f"{column} {sign} {literal(*typed(contract, rule, _given(rule, key)))}"

    return condition


def _given(rule: Rule, key: str) -> Value:
    value: Value = getattr(rule, key)
    return value


def _between(contract: Contract, rule: Rule, column: str) -> str:
    return f"{_compared('>=', 'low')(contract, rule, column)} and {_compared('<=', 'high')(contract, rule, column)}"


def _one_of(contract: Contract, rule: Rule, column: str) -> str:
    return f"{column} in ({', '.join(literal(*typed(contract, rule, value)) for value in rule.values)})"


def _code(contract: Contract, rule: Rule, column: str) -> str | None:
    name = rule.codes or contract.columns[str(rule.column)].codes or ""
    values = sorted(codes(name))
    if len(values) > LARGE_LIST:
        return None
    known = f"{column} in ({', '.join(literal(value) for value in values)})"
    return f"{known} and {in_force(contract, rule, name, column)}" if rule.at else known


def in_force(contract: Contract, rule: Rule, name: str, column: str) -> str:
    """Return SQL that is true where a code holds on the day or in the year of the row, or the row has none."""
    at, type_ = quoted(str(rule.at)), str(contract.columns[str(rule.at)].type)
    holds = []
    for (first, last), some in periods(name).items():
        low, high = day_bounds(contract, rule, first, last)
        inside = [f"{column} in ({', '.join(literal(value) for value in sorted(some))})"]
        inside += [f"{at} >= {literal(low, type_)}"] if low else []
        inside += [f"{at} <= {literal(high, type_)}"] if high else []
        holds.append(" and ".join(inside))
    return f"({at} is null or {' or '.join(holds)})"


def _length(contract: Contract, rule: Rule, column: str) -> str:
    bounds = (("=", rule.limit), (">=", rule.low), ("<=", rule.high))
    return " and ".join(f"length({column}) {sign} {int(value)}" for sign, value in bounds if value is not None)


_CONDITIONS: dict[str, Callable[[Contract, Rule, str], str | None]] = {
    "not_null": lambda contract, rule, column: f"{column} is not null",
    "at_least": _compared(">=", "limit"),
    "at_most": _compared("<=", "limit"),
    "between": _between,
    "one_of": _one_of,
    "code": _code,
    "length": _length,
    "finite": lambda contract, rule, column: " and ".join(f"isfinite({quoted(name)})" for name in columns_of(rule)),
}
