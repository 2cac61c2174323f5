"""The rules of a contract: those it declares, and those that follow from its keys and columns. No engine."""

from __future__ import annotations

from schemas.contract import Contract, Rule
from schemas.errors import UserError

MAX_ROW_RULES = 62  # bits of a signed bigint that stay positive


def row_rules(contract: Contract) -> tuple[Rule, ...]:
    """Return the rules on single rows; rule i owns bit i of `_rules`. Raise UserError beyond 62.

    A declared rule stands before the implicit one of the same label, so `else` can be changed.
    """
    declared = [rule for rule in contract.rules if not rule.is_set]
    taken = {rule.label for rule in declared}
    rules = (*declared, *(rule for rule in _implicit_row_rules(contract) if rule.label not in taken))
    if len(rules) > MAX_ROW_RULES:
        raise UserError(
            f"rules: {len(rules)} row rules, {MAX_ROW_RULES} at most", where=contract.file,
            remedy="join some of them in one `expression`",
        )  # fmt: skip
    return rules


def set_rules(contract: Contract) -> tuple[Rule, ...]:
    """Return the rules on the whole table; the key is unique even where nobody says so."""
    declared = tuple(rule for rule in contract.rules if rule.is_set)
    if not contract.key or any(rule.rule == "unique" and unique_columns(rule) == contract.key for rule in declared):
        return declared
    return (*declared, Rule(rule="unique", columns=contract.key, name="key_unique"))


def unique_columns(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a `unique` rule takes together."""
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


def finite(name: str) -> Rule:
    """Return the rule that a double is neither NaN nor infinite."""
    return Rule(rule="expression", expression=f"abs(`{name}`) < cast('infinity' as double)", name=f"finite_{name}")
