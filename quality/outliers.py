"""Values that stand out: against the period before, against the subject's own, against what its plant can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quality.recount import quoted
from quality.scene import Scene
from quality.verdict import Example
from schemas.contract import Rule
from schemas.errors import UserError

KEPT = 100  # rows kept for people to look at, the furthest first
SHOWN = 3
ENOUGH = 5  # values of a subject, below which nobody can say what is usual


@dataclass(frozen=True)
class Found:
    """How many rows stand out, what to say of them, and the furthest of them."""

    failed: int
    detail: str
    examples: tuple[Example, ...]


def _rate_of_change(scene: Scene, rule: Rule) -> Found:
    """Compare each value with the one before it, within `by`, in the order of `columns` (or the rest of the key).

    A step from zero has no rate and is left to `robust_z`.
    """
    order = rule.columns or tuple(name for name in scene.contract.key if name not in (*rule.by, rule.column))
    if not order:
        raise UserError("`rate_of_change` needs `columns` that give the order")
    window = f"({_by(rule)}order by {', '.join(map(quoted, order))})"
    steps = f"select *, v as _v, lag(v) over {window} as _usual from ({_values(rule)})"
    return _told(scene, rule, f"select *, abs(_v - _usual) / abs(_usual) as _score from ({steps}) where _usual <> 0",
                 "after {usual:g}", order)  # fmt: skip


def _robust_z(scene: Scene, rule: Rule) -> Found:
    """Compare each value with the median of its subject in units of the median absolute deviation.

    The modified z-score of Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, ASQC: 0.6745 |x - median| /
    MAD, usually with the limit 3.5; where more than half of the values are equal, the mean deviation stands for MAD.
    """
    over = f"({f'partition by {_names(rule)}' if rule.by else ''})"
    middle = f"select *, v as _v, median(v) over {over} as _usual, count(v) over {over} as _n from ({_values(rule)})"
    apart = f"select *, abs(_v - _usual) as _apart from ({middle}) where _n >= {ENOUGH}"
    spread = f"select *, median(_apart) over {over} as _mad, avg(_apart) over {over} as _mean from ({apart})"
    score = "case when _mad > 0 then 0.6745 * _apart / _mad when _mean > 0 then _apart / (1.253314 * _mean) else 0 end"
    return _told(scene, rule, f"select *, {score} as _score from ({spread})", "usually {usual:g}", scene.contract.key)


def _capacity(scene: Scene, rule: Rule) -> Found:
    """Compare each value with the capacity beside it, or in another table by `columns`; `limit` is the share allowed."""
    allowed = rule.limit if rule.limit is not None else 1
    if rule.table is None:
        rows = f"select *, v as _v, cast({quoted(str(rule.of))} as double) as _usual from ({_values(rule)})"
    else:
        if not rule.columns:
            raise UserError("`capacity` needs `columns` by which a row finds its capacity in the other table")
        names = ", ".join(map(quoted, rule.columns))
        view = ".".join(quoted(part) for part in rule.table.split("."))
        # One capacity for each: of several rows the largest, so that nothing is called impossible that is not.
        known = f"select {names}, max(cast({quoted(str(rule.of))} as double)) as _usual from {view} group by {names}"
        rows = f"select *, v as _v from ({_values(rule)}) join ({known}) using ({names})"
    scored = f"select *, _v / _usual as _score from ({rows}) where _usual > 0"
    return _told(scene, rule, scored, "of {usual:g}", scene.contract.key, float(allowed))


def _values(rule: Rule) -> str:
    column = quoted(str(rule.column))
    return f'select *, cast({column} as double) as v from "new" where {column} is not null'


def _names(rule: Rule) -> str:
    return ", ".join(map(quoted, rule.by))


def _by(rule: Rule) -> str:
    return f"partition by {_names(rule)} " if rule.by else ""


def _told(scene: Scene, rule: Rule, sql: str, usual: str, places: tuple[str, ...], limit: float | None = None) -> Found:
    """Return the rows of `sql` whose score is above the limit."""
    limit = float(rule.limit or 0) if limit is None else limit
    names = tuple(dict.fromkeys((*rule.by, *places))) or tuple(scene.contract.columns)[:3]
    key = " || ', ' || ".join(f"'{name}=' || coalesce(cast({quoted(name)} as varchar), 'null')" for name in names)
    rows = scene.connection.execute(
        f"select count(*) over (), {key}, _v, _usual, _score from ({sql}) where _score > {limit!r} "
        f"order by _score desc, 2 limit {KEPT}"
    ).fetchall()
    if not rows:
        return Found(0, "", ())
    examples = tuple(Example(*row[1:]) for row in rows)
    shown = "; ".join(f"{one.value:g} {usual.format(usual=one.usual)} at {one.key}" for one in examples[:SHOWN])
    return Found(int(rows[0][0]), f"{rows[0][0]} values of {rule.column} stand out, e.g. {shown}", examples)


OUTLIERS: dict[str, Callable[[Scene, Rule], Found]] = {
    "rate_of_change": _rate_of_change,
    "robust_z": _robust_z,
    "capacity": _capacity,
}
