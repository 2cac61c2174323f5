"""What the audit says of one check, and the error that stops a publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from schemas.contract import Contract, Outcome
from schemas.errors import UserError

DID_NOT_RUN = "did not run"
_SHOWN = 5


@dataclass(frozen=True)
class Example:
    """A row that stands out: its key as text, the value, what would be usual, and by how much it differs."""

    key: str
    value: float
    usual: float | None
    score: float


@dataclass(frozen=True)
class Verdict:
    """The result of one check: `failed` of `rows` (1 of 1 for checks on the whole table).

    `found` and `expected` are the numbers compared where a check compares two, `unit` theirs. `examples` are the rows
    that stand out most, for those who may see the table.
    """

    rule: str
    kind: Literal["row", "set", "balance"]
    outcome: Outcome
    failed: int
    rows: int
    passed: bool
    detail: str = ""
    found: Decimal | None = None
    expected: Decimal | None = None
    unit: str = ""
    examples: tuple[Example, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether the table may not be published."""
        return self.outcome == "fail" and not self.passed


def not_run(rule: str, kind: Literal["row", "set", "balance"], why: str) -> Verdict:
    """Return the verdict on a declared check that could not be made: a failure, whatever its `else` says."""
    return Verdict(rule, kind, "fail", 1, 0, False, f"{DID_NOT_RUN}: {why}")


def raise_if_failed(verdicts: Sequence[Verdict], contract: Contract) -> None:
    """Raise UserError that names every check that stops the publication, the first five in full."""
    stops = [verdict for verdict in verdicts if verdict.stops]
    if not stops:
        return
    lines = [f"{one.rule}: {one.detail or f'{one.failed} of {one.rows} rows fail'}" for one in stops[:_SHOWN]]
    if len(stops) > _SHOWN:
        lines.append(f"and {len(stops) - _SHOWN} more: {', '.join(one.rule for one in stops[_SHOWN:])}")
    raise UserError(
        f"{contract.table} is not published, {len(stops)} of {len(verdicts)} checks fail\n    " + "\n    ".join(lines),
        where=contract.file, remedy="mend the delivery or the transform; nothing has changed in the lake",
    )  # fmt: skip
