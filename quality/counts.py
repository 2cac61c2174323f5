"""All simple counts of an audit from one scan of what was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from quality.declared import row_rules
from quality.recount import quoted, recount
from quality.verdict import Verdict, not_run
from schemas.contract import Contract, Rule

WHOLE = "*"  # in the counts of what was set aside: the rows, of which one may fail several rules


@dataclass(frozen=True)
class Counts:
    """Numbers by name over a view: `rows`, `rule 0`, `sum kwh`, `latest date` (microseconds since 1970) and so on."""

    numbers: Mapping[str, Decimal | None]
    columns: frozenset[str]

    @property
    def rows(self) -> int:
        """Rows of the view."""
        return self.whole("rows")

    def whole(self, name: str) -> int:
        """Return a count."""
        return int(self.numbers[name] or 0)


def count(connection: duckdb.DuckDBPyConnection, contract: Contract, view: str) -> Counts:
    """Count a view (`new` or `old`) in one scan, or two where rows break rules. Columns that it lacks are left out."""
    columns = frozenset(row[0] for row in connection.execute(f'describe "{view}"').fetchall())
    wanted = {"rows": "count(*)"} | _sums(contract, columns)
    if view == "old":
        return Counts(_selected(connection, view, wanted), columns)
    wanted |= _nulls(contract, columns)
    bits = _bits(contract, columns)
    if not bits:
        return Counts(_selected(connection, view, wanted), columns)
    # Most often no accepted row breaks a rule; to see that takes a third of the time of counting each bit anew.
    conditions = _conditions(contract)
    broken = {name: f"count_if(not {quoted(name)})" for name in conditions}
    marked = {"marked": "count_if(_rules is null or _rules <> 0)"}
    found = _selected(connection, view, wanted | marked | broken, conditions)
    marks = [found.pop(name) for name in (*marked, *broken)]
    clean = not any(marks)
    return Counts(found | (dict.fromkeys(bits, Decimal(0)) if clean else _selected(connection, view, bits)), columns)


def _selected(
    connection: duckdb.DuckDBPyConnection, view: str, wanted: Mapping[str, str], named: Mapping[str, str] | None = None
) -> dict[str, Decimal | None]:
    """Return what is `wanted` of a view, which may speak of the `named` conditions as of columns.

    A long list of codes is looked up in a step of its own, and once for each value of a dictionary; within a count each
    row would be compared with every code.
    """
    more = "".join(f", {condition} as {quoted(name)}" for name, condition in (named or {}).items())
    of = f'(select *{more} from "{view}")' if more else f'"{view}"'
    values = connection.execute(f"select {', '.join(wanted.values())} from {of}").fetchone() or ()
    return {name: None if value is None else Decimal(value) for name, value in zip(wanted, values, strict=True)}


def _conditions(contract: Contract) -> dict[str, str]:
    """Return the conditions that are counted again; where all hold and no mask has a bit, every row is as it should be."""
    found = (recount(contract, rule) for rule in row_rules(contract))
    return {f"holds {i}": condition for i, condition in enumerate(filter(None, found))}


def row_verdicts(contract: Contract, counts: Counts, aside: Mapping[str, int], carried: int) -> list[Verdict]:
    """Return the verdicts on row rules, and on whether the engine judged every row as this one would."""
    if "_rules" not in counts.columns:
        return [not_run(rule.label, "row", "the files carry no `_rules`") for rule in row_rules(contract)]
    rows = counts.rows + aside.get(WHOLE, sum(aside.values()))
    found = [_row(i, rule, counts, aside, rows) for i, rule in enumerate(row_rules(contract))]
    return [*found, _key_verdict(contract, counts), *_disagreements(counts, carried)]


def _row(i: int, rule: Rule, counts: Counts, aside: Mapping[str, int], rows: int) -> Verdict:
    differs = counts.whole(f"recount {i}") if f"recount {i}" in counts.numbers else 0
    if differs:
        detail = f"{differs} rows are judged otherwise when counted again; the engine's `_rules` cannot be believed"
        return Verdict(rule.label, "row", "fail", differs, rows, False, detail)
    failed = counts.whole(f"rule {i}") + aside.get(rule.label, 0)
    return Verdict(rule.label, "row", rule.outcome, failed, rows, failed == 0, f"{failed} of {rows} rows fail" if failed else "")


def _key_verdict(contract: Contract, counts: Counts) -> Verdict:
    nulls = {name: counts.whole(f"nulls {name}") for name in _never_null(contract) if f"nulls {name}" in counts.numbers}
    failed = sum(nulls.values())
    detail = ", ".join(f"{name} is NULL in {n} rows" for name, n in nulls.items() if n)
    return Verdict("key_not_null", "row", "fail", failed, counts.rows, failed == 0, detail)


def _disagreements(counts: Counts, carried: int) -> list[Verdict]:
    """Every accepted row was judged, and none that a rule sets aside is among them."""
    unjudged, stray = counts.whole("unjudged"), counts.whole("stray")
    late = max(unjudged - carried, 0)
    return [
        Verdict("every_row_judged", "row", "fail", late, counts.rows, late == 0,
                f"{unjudged} rows carry no `_rules`, {carried} come from earlier versions" if late else ""),
        Verdict("none_set_aside", "row", "fail", stray, counts.rows, stray == 0,
                f"{stray} accepted rows fail a rule that quarantines" if stray else ""),
    ]  # fmt: skip


def _sums(contract: Contract, columns: frozenset[str]) -> dict[str, str]:
    summed = [*contract.measures, *(rule.column for rule in contract.rules if rule.rule == "sum_change")]
    latest = [rule.column for rule in contract.rules if rule.rule == "freshness"]
    wanted = {f"sum {name}": f"sum({quoted(name)})" for name in summed if name in columns}
    return wanted | {f"latest {name}": f"epoch_us(max({quoted(name)}))" for name in latest if name in columns}


def _never_null(contract: Contract) -> tuple[str, ...]:
    return tuple(dict.fromkeys(contract.key + contract.partition_by))


def _nulls(contract: Contract, columns: frozenset[str]) -> dict[str, str]:
    return {f"nulls {name}": f"count(*) filter ({quoted(name)} is null)" for name in _never_null(contract) if name in columns}


def _bits(contract: Contract, columns: frozenset[str]) -> dict[str, str]:
    if "_rules" not in columns:
        return {}
    rules = row_rules(contract)
    aside = sum(1 << i for i, rule in enumerate(rules) if rule.outcome == "quarantine")
    # Bits above the contract's own rules belong to typing and keys, which always set aside.
    stray = f"(_rules & {aside}) <> 0 or _rules >= {1 << len(rules)}"
    wanted = {"unjudged": "count(*) filter (_rules is null)", "stray": f"count(*) filter ({stray})"}
    for i, rule in enumerate(rules):
        wanted[f"rule {i}"] = f"count(*) filter ((_rules & {1 << i}) <> 0)"
        if condition := recount(contract, rule):
            bit, fails = f"(coalesce(_rules, 0) & {1 << i}) <> 0", f"not coalesce({condition}, true)"
            # Rows without a mask were judged before, or by a person.
            wanted[f"recount {i}"] = f"count(*) filter (({bit}) <> ({fails}) and _rules is not null)"
    return wanted
