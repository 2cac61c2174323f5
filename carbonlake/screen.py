"""The screen of `carbonlake status`: a lake in as many lines as a person takes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from rich.table import Table as Grid

from carbonlake.tables import text
from carbonlake.world import World
from jobs.state import EMPTY, FAILED, FRESH, RECENT, RECORD, STALE, STATES, State, Table, look
from jobs.store import is_remote

PACKAGES = ("carbonlake", "deltalake", "duckdb", "pysail", "pyspark")
COLOURS = {FRESH: "green", FAILED: "red", STALE: "red", EMPTY: "dim"}
LINES = 8
MANY_SMALL = 8
UNITS = ("B", "kB", "MB", "GB", "TB")


def show(world: World) -> None:
    """Print how the lake stands, or give it as JSON."""
    state = look(world.lake, now := datetime.now(UTC))
    if world.as_json:
        world.say(as_dict(world, state, now))
        return
    grid = Grid(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, lines in _parts(world, state, now):
        for number, line in enumerate(lines):
            grid.add_row(label if number == 0 else "", line)
    world.console.print(grid)


def as_dict(world: World, state: State, now: datetime) -> dict[str, Any]:
    """Return everything that the screen tells, and each table, as plain values."""
    return {
        "at": now.isoformat(), "lake": str(world.lake.root), "format": world.lake.format(), "engine": world.settings.engine,
        "versions": {name: version(name) for name in PACKAGES}, "states": _states(state.tables),
        "tables": [vars(one) for one in state.tables], "deliveries": state.deliveries, "unclaimed": state.unclaimed,
        "bytes": {"tables": _bytes(state), "deliveries": state.delivered_bytes, "free": state.free_bytes},
        "quarantined": sum(one.quarantined for one in state.tables), "broken_checks": _broken(state),
        "recent": {"days": RECENT.days, **state.past.recent}, "maintenance": state.past.maintenance,
    }  # fmt: skip


def _parts(world: World, state: State, now: datetime) -> Iterable[tuple[str, Sequence[str]]]:
    yield "Lake 湖仓", [f"[bold]{world.lake.root}[/bold]  format {world.lake.format()}, engine {world.settings.engine}"]
    yield "Last build 最近构建", [_last_build(state, now)]
    yield (
        "Tables 表",
        [_counted(state.tables), *_listed(_noted(one) for one in state.tables if one.state not in (RECORD, FRESH, EMPTY))],
    )
    yield "Freshness 时效", [*_listed(_fresh(one) for one in state.tables if one.limit is not None)] or ["no contract asks"]
    aside = sorted((one for one in state.tables if one.quarantined), key=lambda one: -one.quarantined)
    total = sum(one.quarantined for one in aside)
    yield "Quarantine 隔离区", [f"{total:,} rows" + "".join(f"  {one.name} {one.quarantined:,}" for one in aside[:LINES])]
    yield "Checks 检查", _checks(state)
    yield "Deliveries 交付物", [f"{state.deliveries:,} in force, {state.unclaimed:,} unclaimed, {_size(state.delivered_bytes)}"]
    yield "Integrity 完整性", [*_guarded(state)]
    free = "" if state.free_bytes is None else f", {_size(state.free_bytes)} free"
    yield "Room 空间", [f"tables {_size(_bytes(state))}{free}" + ("" if is_remote(world.lake.root) else " on this disk")]
    yield "Maintenance 维护", [_kept(state, now)]
    yield "Energy 能耗", [_energy(state)]
    yield "Versions 版本", ["  ".join(f"{name} {version(name)}" for name in PACKAGES)]


def _last_build(state: State, now: datetime) -> str:
    newest = max(state.past.newest.values(), key=lambda row: row["started_at"], default=None)
    if newest is None:
        return "nothing was built yet: `carbonlake run`"
    recent = state.past.recent
    return (f"{newest['table_name']} {newest['status']}, {_ago(now - newest['started_at'])} ago;"
            f" {recent['built']:,} built and {recent['failed']:,} failed in {RECENT.days} days")  # fmt: skip


def _states(tables: Sequence[Table]) -> dict[str, int]:
    return {name: sum(one.state == name for one in tables) for name in STATES}


def _counted(tables: Sequence[Table]) -> str:
    shown = [f"[{COLOURS.get(name, 'yellow')}]{n} {name}[/]" for name, n in reversed(_states(tables).items()) if n]
    return f"{sum(_states(tables).values())}: {', '.join(shown)}"


def _noted(one: Table) -> str:
    return f"[{COLOURS.get(one.state, 'yellow')}]{one.state}[/] {one.name}  {text(one.why.splitlines()[0] if one.why else '')}"


def _fresh(one: Table) -> str:
    assert one.limit is not None
    colour = "red" if one.stale else "green"
    return f"[{colour}]{'stale' if one.stale else 'fresh'}[/] {one.name}  {_age(one.age)} of {_age(one.limit)}"


def _listed(lines: Iterable[str]) -> list[str]:
    every = list(lines)
    more = [f"[dim]and {len(every) - LINES} more: --json[/dim]"] if len(every) > LINES else []
    return every[:LINES] + more


def _broken(state: State) -> list[Mapping[str, Any]]:
    return [row for row in state.past.checks if not row["passed"]]


def _checks(state: State) -> list[str]:
    """Count the checks of the newest builds, and name those that warned or failed; what quarantine holds is told above."""
    broken = _broken(state)
    told = {"failed": [r for r in broken if r["outcome"] == "fail"], "warned": [r for r in broken if r["outcome"] == "warn"]}
    passed = len(state.past.checks) - len(broken)
    counts = [f"{passed:,} passed", f"{len(broken) - sum(map(len, told.values())):,} set rows aside",
              *(f"{len(rows):,} {how}" for how, rows in told.items())]  # fmt: skip
    return [", ".join(counts), *_listed(f"[{'red' if how == 'failed' else 'yellow'}]{how}[/] {row['table_name']} {row['rule']}:"
            f" {text(row['detail'])}" for how, rows in told.items() for row in rows)]  # fmt: skip


def _guarded(state: State) -> Iterable[str]:
    """Say how many readings no checksum guards, in which tables, and how many tables are made from these."""
    bare = [one for one in state.tables if one.unchecked]
    graded, number = sum(one.graded for one in state.tables), sum(one.unchecked for one in bare)
    yield f"{graded - number:,} deliveries as read are checked, {number:,} unchecked: no checksum guards them"
    if bare:
        more = f" and {len(bare) - LINES} more" if len(bare) > LINES else ""
        yield f"unchecked in {', '.join(one.name for one in bare[:LINES])}{more}"
        yield f"{sum(bool(one.rests_on) for one in state.tables):,} tables are made from these"


def _kept(state: State, now: datetime) -> str:
    then, small = state.past.maintenance["tended_at"], [one for one in state.tables if one.small_files >= MANY_SMALL]
    last = f"{_ago(now - then)} ago" if then else "never: `carbonlake maintain`, daily"
    return f"{last}; {len(small)} tables with {MANY_SMALL} small files or more"


def _energy(state: State) -> str:
    recent = state.past.recent
    if recent["energy_kwh"] is None:
        return "not known yet"
    co2 = f", {1000 * recent['emission_kgco2']:.2g} g CO2" if recent["emission_kgco2"] is not None else ""
    client = "; of builds on remote engines our own part alone" if recent["client"] else ""
    return f"about {1000 * recent['energy_kwh']:.2g} Wh{co2} for builds in {RECENT.days} days: an estimate{client}"


def _bytes(state: State) -> int:
    return sum(one.size_bytes for one in state.tables)


def _size(value: float) -> str:
    for unit in UNITS:
        if value < 1000 or unit == UNITS[-1]:
            break
        value /= 1000
    return f"{value:.3g} {unit}"


def _age(seconds: float | None) -> str:
    """Return a time in the two largest of days, hours and minutes."""
    if seconds is None:
        return "nothing has come"
    days, rest = divmod(int(seconds), 86400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _ago(past: Any) -> str:
    return _age(past.total_seconds())
