"""What a scheduler is to do, read from the contracts: which tables run together, when, and after what. Knows no Airflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter

from schemas import graph
from schemas.ages import age
from schemas.cadences import CADENCES, cron
from schemas.contract import Contract
from schemas.contracts import contract, contracts
from schemas.errors import UserError

USUAL = "Asia/Shanghai"
SPELLED = {" ": "_", "*": "x", ",": ".", "/": ".per.", "+": "plus"}


@dataclass(frozen=True)
class Task:
    """One command: tables of one layer, built in one process; `after` are tasks of the same DAG."""

    name: str
    layer: str
    tables: tuple[str, ...]
    after: tuple[str, ...]
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """One DAG: sources of a zone with one cadence, or tables made from others, built when one of `waits_for` is new.

    `cron` is empty where only a person, or a new table, starts it. `lands` are tables whose drop folders are looked
    into when they are built. Runs of a `keyed` one are months; it `starts` the DAGs that know no months and wait for its tables.
    """

    name: str
    cron: str
    timezone: str
    tasks: tuple[Task, ...]
    lands: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    keyed: bool = False
    starts: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table that the DAG builds."""
        return tuple(table for task in self.tasks for table in task.tables)

    @property
    def within(self) -> timedelta | None:
        """How long a run may take: the shortest age after which a contract calls one of its tables stale."""
        return min((age(wanted) for table in self.tables if (wanted := contracts()[table].freshness)), default=None)


def plans(paused: Collection[str] = ()) -> list[Plan]:
    """Return every DAG; each table that is built belongs to exactly one, or is a source that is paused.

    Raise UserError for a cadence nobody knows, and where what is paused is no source.
    """
    known, order = contracts(), graph.built()
    for table in paused:
        if not contract(table).source:
            raise UserError(f"{table} is no source", where="conf: paused", remedy="name cleaned tables; pause the DAG of others")
    running = [table for table in order if table not in paused]
    sources = [_sources(name, tables) for name, tables in _by_source(running, known).items()]
    derived = [table for table in order if not known[table].source]
    found = sources + [_derived(tables, set(order)) for tables in _connected(derived)]
    name, times = Counter(one.name for one in found).most_common(1)[0]
    if times > 1:
        files = ", ".join(known[table].file for one in found if one.name == name for table in one.tables)
        raise UserError(f"two DAGs would be named {name}", where=files, remedy="give one zone or schedule another spelling")
    return found


def _by_source(order: Iterable[str], known: Mapping[str, Contract]) -> dict[tuple[str, str, str], list[str]]:
    """Group cleaned tables by zone, cadence and, where a clock starts them, time zone."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for table in order:
        if source := known[table].source:
            timezone = source.timezone if source.schedule != "manual" else USUAL
            groups.setdefault((source.zone, source.schedule, timezone), []).append(table)
    return groups


def _sources(group: tuple[str, str, str], tables: list[str]) -> Plan:
    zone, schedule, timezone = group
    name = "_".join(part for part in ("carbonlake", zone, _word(schedule), _place(timezone)) if part)
    # A table to a task: one that waits for its first delivery must not hide that another one is new.
    tasks = _ordered([[table] for table in tables])
    landed = tuple(table for table in tables if contract(table).reads == table)
    return Plan(name, cron(schedule, contracts()[tables[0]].file), timezone, tasks, lands=landed)


def _word(schedule: str) -> str:
    return schedule if schedule in CADENCES else f"cron_{_spelled(schedule)}"


def _place(timezone: str) -> str:
    """Name the time zone where it is not the usual one, so that two DAGs of a zone have two names."""
    return "" if timezone == USUAL else _spelled(timezone)


def _spelled(text: str) -> str:
    """Return a text in signs that a DAG's name may have."""
    return "".join(SPELLED.get(sign, sign) for sign in text)


def _derived(tables: list[str], built: set[str]) -> Plan:
    """Name the DAG after the table that rests on most of the others, which is what the rest is for.

    One that serves questions (index) comes first, so that a new table of another layer leaves the name, and with it the
    history of the DAG, as it is.
    """
    served = [table for table in tables if table.startswith("index.")] or tables
    product = max(served, key=lambda table: (len(graph.closure(table, "up") & set(tables)), table))
    outside = {source for table in tables for source in graph.upstream(table)} - set(tables)
    waits_for = tuple(sorted(outside & built))
    # Records of what happened tell nobody that they have grown: a table of them alone is started by the clock.
    cron = "" if waits_for else CADENCES["daily"]
    return Plan(f"carbonlake_{product.replace('.', '_')}", cron, USUAL, _tasks(tables), waits_for=waits_for)


def _connected(tables: Collection[str]) -> list[list[str]]:
    """Group tables that are made from each other, directly or over others of them, in the order given."""
    group = {table: {table} for table in tables}
    for table in tables:
        for source in graph.upstream(table):
            if source in group and group[source] is not group[table]:
                joined = group[source] | group[table]
                group.update(dict.fromkeys(joined, joined))
    found = {id(members): members for members in group.values()}
    return [[table for table in tables if table in members] for members in found.values()]


def _tasks(tables: list[str]) -> tuple[Task, ...]:
    """Make a task of each layer and engine, for tables of a DAG hang together; of single tables where tasks would wait
    for each other.

    A process costs more than most tables do, and one that is tried again skips what it has built.
    """
    groups: dict[tuple[str, str | None], list[str]] = {}
    for table in tables:
        groups.setdefault((table.split(".")[0], _engine(table)), []).append(table)
    try:
        return _ordered(list(groups.values()))
    except CycleError:
        return _ordered([[table] for table in tables])


def _engine(table: str) -> str | None:
    known = contracts().get(table)
    return known.engine if known else None


def _ordered(groups: list[list[str]]) -> tuple[Task, ...]:
    known, names = contracts(), {table: _name(group) for group in groups for table in group}
    reads = {_name(group): {source for table in group for source in graph.upstream(table)} - set(group) for group in groups}
    landed = {_name(group): {known[table].reads for table in group if table in known} - set(group) for group in groups}
    after = {name: {names[one] for one in sources | landed[name] if one in names} for name, sources in reads.items()}
    tables = {_name(group): group for group in groups}
    return tuple(
        Task(name, tables[name][0].split(".")[0], tuple(tables[name]), tuple(sorted(after[name])), tuple(sorted(reads[name])))
        for name in TopologicalSorter(after).static_order()
    )


def _name(group: list[str]) -> str:
    """Name a task after its last table; the last in building order rests on no other of the group that comes later."""
    return group[-1]
