"""Contracts as suites of Great Expectations: the format of others for what our own pass executes.

No import of Great Expectations here (it takes seconds): a suite is its published form, `type` and `kwargs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quality.declared import columns_of, row_rules, set_rules
from quality.identifiers import PHONE_SHAPE
from quality.patterns import for_python, portable
from schemas.ages import age
from schemas.codes import codes, periods
from schemas.contract import Balance, Contract, Rule
from schemas.contracts import contracts

Expectation = tuple[str, dict[str, Any]]
# What needs another version of the table, the time, or another table: judged by our audit, shown as the SQL it means.
JUDGED_HERE_ONLY = ("freshness", "sum_change", "row_count with a limit", "balance")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def suite(contract: Contract) -> list[dict[str, Any]]:
    """Return the expectations of a contract; `meta.rule` is the label of the rule that each stands for."""
    rules = [*row_rules(contract), *set_rules(contract)]
    made = [_expectation(rule.label, rule.outcome, *_MADE[rule.rule](contract, rule)) for rule in rules]
    return made + [_expectation(f"balance_{one.measure}", "fail", *_balance(contract, one)) for one in contract.balance]


def _expectation(label: str, outcome: str, type_: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    severity = "warning" if outcome == "warn" else "critical"
    # SQL is long to read: the page shows what it is called.
    description = f"{label}: no row breaks this rule" if type_ == "unexpected_rows_expectation" else None
    meta = {"rule": label, "outcome": outcome}
    return {"type": type_, "kwargs": kwargs, "meta": meta, "severity": severity, "description": description}


def _bound(contract: Contract, rule: Rule, key: str) -> Any:
    """Return a limit as JSON has it: dates as ISO text, numbers as numbers."""
    value = getattr(rule, key)
    return value if isinstance(value, str) or value is None else float(value) if value % 1 else int(value)


def _between(contract: Contract, rule: Rule, low: str, high: str) -> Expectation:
    bounds = {
        "min_value": _bound(contract, rule, low) if low else None,
        "max_value": _bound(contract, rule, high) if high else None,
    }
    return "expect_column_values_to_be_between", {"column": rule.column} | {k: v for k, v in bounds.items() if v is not None}


def _one_of(contract: Contract, rule: Rule) -> Expectation:
    values = list(rule.values) or sorted(codes(rule.codes or contract.columns[str(rule.column)].codes or ""))
    return "expect_column_values_to_be_in_set", {"column": rule.column, "value_set": values}


def _code(contract: Contract, rule: Rule) -> Expectation:
    """A list as it is, or, with `at`, as it was on the day or in the year of each row."""
    if not rule.at:
        return _one_of(contract, rule)
    name, year = rule.codes or contract.columns[str(rule.column)].codes or "", contract.columns[rule.at].type != "date"
    rows = [f"select '{code}' as c, {_day(low, year, '0001-01-01')} as low, {_day(high, year, '9999-12-31')} as high"
            for (low, high), some in periods(name).items() for code in sorted(some)]  # fmt: skip
    held = f"exists (select 1 from ({' union all '.join(rows)}) where c = b.{rule.column} and "
    dated = f"(b.{rule.at} is null or b.{rule.at} between low and high))"
    return _rows(f"select * from {{batch}} b where b.{rule.column} is not null and not {held}{dated}")


def _day(day: str, year: bool, bound: str) -> str:
    return (day or bound)[:4] if year else f"date'{day or bound}'"


def _length(contract: Contract, rule: Rule) -> Expectation:
    if rule.limit is not None:
        return "expect_column_value_lengths_to_equal", {"column": rule.column, "value": int(rule.limit)}
    bounds = {"min_value": rule.low, "max_value": rule.high}
    return "expect_column_value_lengths_to_be_between", {"column": rule.column} | {
        key: int(value) for key, value in bounds.items() if value is not None
    }


def _regex(rule: Rule, pattern: str) -> Expectation:
    return "expect_column_values_to_match_regex", {"column": rule.column, "regex": for_python(pattern)}


def _rows(sql: str) -> Expectation:
    return "unexpected_rows_expectation", {"unexpected_rows_query": sql}


def _bad(condition: str) -> Expectation:
    """Expect no row for which a condition is false; NULL passes."""
    text = condition.replace("{", "{{").replace("}", "}}")
    return _rows(f"select * from {{batch}} where not coalesce(({text}), true)")


def _expression(contract: Contract, rule: Rule) -> Expectation:
    return _bad(str(rule.expression))


def _uscc(contract: Contract, rule: Rule) -> Expectation:
    """GB 32100-2015, 5.2, character by character: another way to the same answer as ours."""

    def at(i: int) -> str:
        return f"(instr('{_ALPHABET}', substr({rule.column}, {i}, 1)) - 1)"

    known = " and ".join(f"{at(i)} >= 0" for i in range(1, 19))
    digits = " and ".join(f"{at(i)} < 10" for i in range(3, 9))
    total = " + ".join(f"{3 ** (i - 1) % 31} * {at(i)}" for i in range(1, 18))
    return _bad(f"length({rule.column}) = 18 and {known} and {digits} and ({total} + {at(18)}) % 31 = 0")


def _resident(contract: Contract, rule: Rule) -> Expectation:
    """GB 11643-1999: shape of the day and check character; that the day exists is our own rule's finer point."""

    def at(i: int) -> str:
        return f"(instr('0123456789X', substr({rule.column}, {i}, 1)) - 1)"

    digits = " and ".join(f"{at(i)} between 0 and 9" for i in range(1, 18))
    total = " + ".join(f"{2 ** (18 - i) % 11} * {at(i)}" for i in range(1, 19))
    day = f"substr({rule.column}, 11, 2) between '01' and '12' and substr({rule.column}, 13, 2) between '01' and '31'"
    return _bad(f"length({rule.column}) = 18 and {digits} and {at(18)} >= 0 and {day} and ({total}) % 11 = 1")


def _unique(contract: Contract, rule: Rule) -> Expectation:
    columns = columns_of(rule)
    if len(columns) == 1:
        return "expect_column_values_to_be_unique", {"column": columns[0]}
    # Like the audit, a key with a NULL in it equals no other.
    return "expect_compound_columns_to_be_unique", {
        "column_list": list(columns),
        "ignore_row_if": "any_value_is_missing",
    }


def _reference(contract: Contract, rule: Rule) -> Expectation:
    ours = columns_of(rule)
    table = str(rule.table)
    theirs = contracts()[table].key if table in contracts() and not set(ours) <= set(contracts()[table].columns) else ours
    theirs = contract.key if table == contract.table else theirs
    joined = " and ".join(f"b.{b} = a.{a}" for a, b in zip(ours, theirs, strict=True))
    given = " and ".join(f"a.{name} is not null" for name in ours)
    other = "{batch}" if table == contract.table else table.replace(".", "_")
    return _rows(f"select * from {{batch}} a where {given} and not exists (select 1 from {other} b where {joined})")


def _monotone(contract: Contract, rule: Rule) -> Expectation:
    order = ", ".join(rule.columns or (name for name in contract.key if name not in (*rule.by, rule.column)))
    by = f"partition by {', '.join(rule.by)} " if rule.by else ""
    steps = f"select *, lag({rule.column}) over ({by}order by {order}) as before_ from {{batch}}"
    return _rows(f"select * from ({steps} where {rule.column} is not null) where {rule.column} < before_")


def _no_overlap(contract: Contract, rule: Rule) -> Expectation:
    begin = f"coalesce(cast({rule.column} as timestamp), timestamp '0001-01-01')"
    end = f"coalesce(cast({rule.of} as timestamp), timestamp '9999-12-31')"
    window = f"(partition by {', '.join(rule.by)} order by {begin}, {end} rows between unbounded preceding and 1 preceding)"
    steps = f"select *, max({end}) over {window} as before_ from {{batch}} where {rule.expression or 'true'}"
    meets = "<=" if contract.columns[str(rule.of)].type == "date" else "<"
    return _rows(f"select * from ({steps}) where {begin} {meets} before_")


def _rate_of_change(contract: Contract, rule: Rule) -> Expectation:
    order = ", ".join(rule.columns or (name for name in contract.key if name not in (*rule.by, rule.column)))
    by = f"partition by {', '.join(rule.by)} " if rule.by else ""
    steps = f"select *, lag({rule.column}) over ({by}order by {order}) as before_ from {{batch}} where {rule.column} is not null"
    change = f"abs({rule.column} - before_) > {rule.limit} * abs(before_)"
    return _rows(f"select * from ({steps}) where before_ <> 0 and {change}")


def _robust_z(contract: Contract, rule: Rule) -> Expectation:
    """Without windows: a table of medians beside the rows, another way to the same answer as ours."""
    x, by = f"cast({rule.column} as double)", ", ".join(rule.by) or "1"
    names = f"{by} as g" if len(rule.by) == 1 else "1 as g" if not rule.by else f"concat_ws('|', {by}) as g"
    rows = f"select {x} as x, {names} from {{batch}} where {rule.column} is not null"
    middle = f"select g, median(x) as m from ({rows}) group by g having count(*) >= 5"
    apart = f"select r.g, abs(r.x - k.m) as d from ({rows}) r join ({middle}) k on r.g <=> k.g"
    spread = f"select g, median(d) as mad, avg(d) as mean from ({apart}) group by g"
    score = "case when mad > 0 then 0.6745 * d / mad when mean > 0 then d / (1.253314 * mean) else 0 end"
    return _rows(f"select * from ({apart}) a join ({spread}) s on a.g <=> s.g where {score} > {rule.limit}")


def _capacity(contract: Contract, rule: Rule) -> Expectation:
    allowed = rule.limit if rule.limit is not None else 1
    if rule.table is None:
        return _rows(f"select * from {{batch}} where {rule.of} > 0 and {rule.column} > {allowed} * {rule.of}")
    names, other = ", ".join(rule.columns), rule.table.replace(".", "_")
    known = f"select {names}, max({rule.of}) as most from {other} group by {names}"
    return _rows(f"select * from {{batch}} join ({known}) using ({names}) where most > 0 and {rule.column} > {allowed} * most")


def _freshness(contract: Contract, rule: Rule) -> Expectation:
    hours = int(age(str(rule.limit)).total_seconds() // 3600)
    return _rows(f"select 1 from {{batch}} having max({rule.column}) < current_timestamp - interval '{hours}' hour")


def _row_count(contract: Contract, rule: Rule) -> Expectation:
    bounds = {"min_value": rule.low, "max_value": rule.high}
    if rule.limit is None:
        return "expect_table_row_count_to_be_between", {k: int(v) for k, v in bounds.items() if v is not None}
    return _changed("count(*)", rule)


def _changed(what: str, rule: Rule) -> Expectation:
    before = f"(select {what} from {{batch}} version_before)"
    return _rows(f"select 1 from {{batch}} having abs({what} - {before}) > {rule.limit} * abs({before})")


def _balance(contract: Contract, one: Balance) -> Expectation:
    groups = ", ".join(one.by)
    ours = f"select sum({one.measure}) from {{batch}}"
    if groups:
        ours = f"select {groups}, sum({one.measure}) from {{batch}} group by {groups}"
    theirs = (one.equals or f"select sum({one.measure}) from what_came_in").replace("{", "{{").replace("}", "}}")
    return _rows(f"{ours} except {theirs}")


_MADE: dict[str, Callable[[Contract, Rule], Expectation]] = {
    "not_null": lambda contract, rule: ("expect_column_values_to_not_be_null", {"column": rule.column}),
    "at_least": lambda contract, rule: _between(contract, rule, "limit", ""),
    "at_most": lambda contract, rule: _between(contract, rule, "", "limit"),
    "between": lambda contract, rule: _between(contract, rule, "low", "high"),
    "one_of": _one_of,
    "code": _code,
    "length": _length,
    "pattern": lambda contract, rule: _regex(rule, portable(rule.pattern or "", contract.file)),
    "phone": lambda contract, rule: _regex(rule, PHONE_SHAPE),
    "uscc": _uscc,
    "resident_id": _resident,
    "finite": lambda contract, rule: _bad(" and ".join(f"abs({name}) < cast('infinity' as double)" for name in columns_of(rule))),
    "expression": _expression,
    "unique": _unique,
    "reference": _reference,
    "monotone": _monotone,
    "no_overlap": _no_overlap,
    "freshness": _freshness,
    "row_count": _row_count,
    "rate_of_change": _rate_of_change,
    "robust_z": _robust_z,
    "capacity": _capacity,
    "sum_change": lambda contract, rule: _changed(f"sum({rule.column})", rule),
}
