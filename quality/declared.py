"""The rules of a contract: those it declares, and those that follow from its keys and columns. No engine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TypeVar

from schemas.contract import Contract, Rule
from schemas.errors import UserError

T = TypeVar("T")

MAX_ROW_RULES = 62  # bits of a signed bigint that stay positive
MANY = 40  # beyond it doubles share the bits of `finite`, so that types and keys have some left


def row_rules(contract: Contract) -> tuple[Rule, ...]:
    """Return the rules on single rows; rule i owns bit i of `_rules`. Raise UserError beyond 62.

    A declared rule stands before the implicit one of the same label, so `else` can be changed.
    """
    declared = [rule for rule in contract.rules if not rule.is_set]
    taken = {rule.label for rule in declared}
    implicit = [rule for rule in _implicit_row_rules(contract) if rule.label not in taken]
    rules = (*declared, *_shared(implicit, MANY - len(declared)))
    if len(rules) > MAX_ROW_RULES:
        raise UserError(
            f"rules: {len(rules)} row rules, {MAX_ROW_RULES} at most", where=contract.file,
            remedy="join some of them in one `expression`",
        )  # fmt: skip
    return rules


def set_rules(contract: Contract) -> tuple[Rule, ...]:
    """Return the rules on the whole table; the key is unique even where nobody says so."""
    declared = tuple(rule for rule in contract.rules if rule.is_set)
    if not contract.key or any(rule.rule == "unique" and columns_of(rule) == contract.key for rule in declared):
        return declared
    return (*declared, Rule(rule="unique", columns=contract.key, name="key_unique"))


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a `unique` or `finite` rule takes together."""
    return (rule.column,) if rule.column else rule.columns


def _implicit_row_rules(contract: Contract) -> list[Rule]:
    """Columns with `codes`, with `required` and doubles, which must be finite to have statistics at all."""
    rules = []
    for name, column in contract.columns.items():
        if column.required:
            rules.append(Rule(rule="not_null", column=name))
        if column.codes:
            rules.append(Rule(rule="code", column=name, codes=column.codes))
        if column.type == "double":
            rules.append(finite(name))
    return rules


def _shared(rules: list[Rule], room: int) -> list[Rule]:
    """Return the rules, those on finite doubles joined where there is no room for one of each."""
    doubles = [rule.columns for rule in rules if rule.rule == "finite"]
    others = [rule for rule in rules if rule.rule != "finite"]
    if len(rules) <= room or not doubles:
        return rules
    return [*others, *(finite(*chain(*some)) for some in in_groups(doubles, max(room - len(others), 1)))]


def in_groups(items: Sequence[T], most: int) -> list[Sequence[T]]:
    """Return neighbours together, so that there are no more groups than `most`."""
    size = max(-(-len(items) // most), 1)
    return [items[i : i + size] for i in range(0, len(items), size)]


def finite(*names: str) -> Rule:
    """Return the rule that doubles are neither NaN nor infinite."""
    return Rule(rule="finite", columns=names)
