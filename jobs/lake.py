"""One lake: where its tables and files lie, how a table is made from its contract, and its format version."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType

from jobs import patience, s3a, store
from schemas import types
from schemas.contract import Contract
from schemas.errors import UserError

FORMAT = 2
FORMAT_FILE = "_carbonlake.json"
# Statistics of decimals make Trino find nothing, and NaN makes a table unreadable: neither is ever written.
WITH_STATISTICS = ("string", "int", "bigint", "date", "timestamp")
PARTITIONABLE = ("string", "int", "bigint", "date")
STATISTICS_COLUMNS = 32
FOREIGN_DAYS = 7
# delta-rs gives up after ten by itself, which is some seconds.
RETRIES = {"max_retries": "40", "retry_timeout": "120s"}
_SEEN: set[tuple[str, Path | None]] = set()


@dataclass(frozen=True)
class Lake:
    """A lake at a root, a local folder or s3://.

    `work` is the local folder for what need not last: staging, and copies of what an object store holds. Where the root
    is remote and none is given, one in the user's cache is taken.
    """

    root: str | Path
    storage_options: dict[str, str] = field(default_factory=dict, hash=False)
    work: Path | None = None

    @property
    def folder(self) -> Path:
        """The local folder that holds staging and parsed deliveries; of a local lake, all of it."""
        if not self.remote:
            return store.local(self.root)
        return Path(self.work) if self.work else _cache(str(self.root), self.storage_options)

    @property
    def remote(self) -> bool:
        """Whether the lake is in an object store."""
        return store.is_remote(self.root)

    def table_path(self, table: str) -> str:
        """Return the folder or URL of a table, by its name layer.table."""
        return self._place(table)

    def quarantine_path(self, table: str) -> str:
        """Return the folder or URL of the quarantine of a table: outside it, so that no vacuum takes it."""
        return self._place(f"quarantine.{table}")

    def _place(self, table: str) -> str:
        return self.place(*table.split("."))

    def place(self, *parts: str) -> str:
        """Return the path or URL of what lies below the root, by the parts of its name."""
        root = str(self.root) if self.remote else str(store.local(self.root).absolute())
        return "/".join([root.rstrip("/"), *parts])

    def staging(self, run_id: str, table: str = "") -> Path:
        """Return the staging folder of a run, made with a note of whose it is (of which build) when it is not there."""
        folder = self.folder / "_staging" / run_id
        if not (folder / "_run.json").exists():
            self.require()
            with store.explained(folder):
                _noted(folder, table)
        return folder

    def read_folder(self, table: str, delivery: int) -> Path:
        """Return the folder of a parsed delivery of a table."""
        return self.table_read_folder(table) / f"{delivery:08d}"

    def table_read_folder(self, table: str) -> Path:
        """Return the folder of all parsed deliveries of a table."""
        return self.folder / "_read" / Path(*table.split("."))

    def delivery_path(self, sha256: str) -> Path:
        """Return where the bytes of a delivery lie on this machine, if they do."""
        return self.folder.joinpath(*_delivery(sha256))

    def keep(self, sha256: str) -> None:
        """Bring the bytes of a delivery from this machine into the object store, where the lake is in one."""
        if self.remote:
            from jobs import objects

            objects.put(self.delivery_path(sha256), self.place(*_delivery(sha256)), self.storage_options)

    def delivery(self, sha256: str, *, anew: bool = False) -> Path:
        """Return a local file with the bytes of a delivery, fetched where there is none (or `anew`).

        Raise FileNotFoundError where the lake has lost them.
        """
        path = self.delivery_path(sha256)
        if self.remote and (anew or not path.is_file()):
            from jobs import objects

            objects.fetch(self.place(*_delivery(sha256)), path, self.storage_options)
        if not path.is_file():
            raise FileNotFoundError(2, "no such delivery", str(path))
        return path

    def init(self) -> Lake:
        """Make the lake, or bring an older one to this program's format. Raise UserError for a newer one."""
        if not self.remote and (found := re.search(r"%[0-9A-Fa-f]{2}", str(store.local(self.root).absolute()))):
            raise UserError(f"{found[0]} in a folder's name is read as another letter by Delta", where=str(self.root),
                            remedy="choose a folder without it")  # fmt: skip
        with store.explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            there = self.format()
            if there is None:
                self._stamp()
            elif there < FORMAT:
                for migrate in MIGRATIONS[there:]:
                    migrate(self)
                self._stamp()
        return self

    def require(self) -> Lake:
        """Raise UserError unless the lake is there in this program's format."""
        if self._seen:
            return self
        found = self.format()
        if found is None:
            raise UserError("there is no lake here", where=str(self.root), remedy="land a delivery or run `carbonlake demo`")
        if found < FORMAT:
            raise UserError(f"the lake has format {found}, this program writes {FORMAT}", where=str(self.root),
                            remedy="run `carbonlake maintain`, which brings it up to date")  # fmt: skip
        if self.remote:
            _SEEN.add((str(self.root), self.work))
        return self

    @property
    def _seen(self) -> bool:
        """Whether this process has found the lake in an object store, which is not unmounted under it as a disk may be."""
        return (str(self.root), self.work) in _SEEN

    def format(self) -> int | None:
        """Return the lake's format version, None where there is no lake. Raise UserError for a newer one."""
        path = self.place(FORMAT_FILE)
        try:
            found = int(json.loads(store.read(path, self.storage_options))["format"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise UserError("not a format file of a lake", where=path, remedy="restore it from a copy") from None
        if found > FORMAT:
            raise UserError(f"the lake has format {found}, this program knows {FORMAT}", where=path,
                            remedy="use a newer carbonlake")  # fmt: skip
        return found

    def _stamp(self) -> None:
        stamp = self.folder / FORMAT_FILE
        store.write(stamp, json.dumps({"format": FORMAT}).encode())
        if self.remote:
            store.move(stamp, self.place(FORMAT_FILE), self.storage_options)

    def open(self, table: str, version: int | None = None) -> DeltaTable | None:
        """Return a handle on a table by its name, None where it was never made."""
        return self.open_path(self.table_path(table), version)

    def open_path(self, path: str, version: int | None = None) -> DeltaTable | None:
        """Return a handle on the Delta table at a path, None where there is none."""
        try:
            if not store.is_remote(path):
                return DeltaTable(path, version=version, storage_options=self.storage_options or None)
            return patience.waiting(lambda: DeltaTable(path, version=version, storage_options=self.for_delta), path)
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            if store.is_remote(path) and (told := patience.explain(str(error), path)):
                raise told from error
            raise

    @property
    def for_delta(self) -> dict[str, str] | None:
        """The options that delta-rs gets: the lake's, and patience with a store that is away."""
        return {**RETRIES, **self.storage_options} if self.remote else self.storage_options or None

    def forward(self, path: str, known: DeltaTable) -> DeltaTable | None:
        """Bring a handle up to the newest version of its table, and return it; None where the table is gone."""
        # Of a table that is gone delta-rs would say that nothing has changed, and a commit would make its folder anew.
        if store.is_remote(path):
            if not store.exists(f"{path.rstrip('/')}/_delta_log/{known.version():020d}.json", self.storage_options):
                return self.open_path(path)
        elif not (store.local(path) / "_delta_log").is_dir():
            return None
        try:
            patience.waiting(known.update_incremental, path)
        except DeltaError:  # another table lies there now
            return self.open_path(path)
        return known

    def create(self, contract: Contract, at: str | None = None) -> DeltaTable:
        """Return the table of a contract, made with its types, comments, partitions and properties if not there."""
        return self.create_path(at or self.table_path(contract.table), arrow_schema(contract),
                                partition_by=contract.partition_by, description=contract.description)  # fmt: skip

    def create_path(
        self, path: str, schema: pa.Schema, *, partition_by: tuple[str, ...] = (), description: str = ""
    ) -> DeltaTable:
        """Return the table at a path, made with a schema if it is not there; two may do so at once."""
        _check_partitions(schema, partition_by, path)
        for _ in range(5):
            if (found := self.open_path(path)) is not None:
                return found
            if not self._seen and self.format() is None:  # a lake that has gone away is not made anew by what was under way
                self.require()
                raise UserError("the lake has gone away", where=str(self.root), remedy="look where it was moved to")
            try:
                with store.explained(path):
                    return patience.waiting(lambda: self._new(path, schema, partition_by, description), path)
            except DeltaError:  # another process may have made it in this moment
                time.sleep(0.02)
        raise UserError("the table cannot be made", where=path, remedy="look into the folder: is a part of it unreadable?")

    def _new(self, path: str, schema: pa.Schema, partition_by: tuple[str, ...], description: str) -> DeltaTable:
        # Without a retry: delta-rs would make the table a second time, as version 1, where another process was first.
        return DeltaTable.create(path, Schema.from_arrow(schema), mode="error", partition_by=list(partition_by),
                                 description=description, configuration=properties(schema, partition_by),
                                 commit_properties=CommitProperties(max_commit_retries=0),
                                 storage_options=self.for_delta)  # fmt: skip


def _cache(root: str, options: Mapping[str, str]) -> Path:
    """Return the folder of this user and machine for a lake in an object store."""
    service = s3a.service(s3a.environment(options))
    named = hashlib.sha256(f"{service} {root.rstrip('/')}".encode()).hexdigest()[:12]
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "carbonlake" / "work" / named


def _delivery(sha256: str) -> tuple[str, ...]:
    return "_deliveries", sha256[:2], sha256


def arrow_schema(contract: Contract) -> pa.Schema:
    """Return the columns of a table as Arrow: NOT NULL for key and partitions, unit and comment as metadata.

    Cleaned tables carry `_delivery` and `_locator` after their columns.
    """
    fixed = {*contract.key, *contract.partition_by}
    columns = []
    for name, column in contract.columns.items():
        notes = {"comment": comment(column.description or "", column.unit or ""), "unit": column.unit or ""}
        columns.append(pa.field(name, types.arrow(str(column.type)), nullable=name not in fixed,
                                metadata={key: value for key, value in notes.items() if value}))  # fmt: skip
    if contract.source:
        locator = pa.int64() if contract.source.numbered else pa.string()
        columns.append(pa.field("_delivery", pa.int64(), metadata={"comment": "delivery_id of raw.delivery"}))
        columns.append(pa.field("_locator", locator, metadata={"comment": "place in the delivery"}))
    return pa.schema(columns)


def comment(description: str, unit: str) -> str:
    """Return what a table says of a column: comments are all that other programs, such as Trino, show of it."""
    return f"{description} [{unit}]".strip() if unit else description


def properties(schema: pa.Schema, partition_by: tuple[str, ...] = ()) -> dict[str, str | None]:
    """Return the Delta properties of a table: statistics of columns that can bear them, logs kept by us."""
    able = {types.arrow(name) for name in WITH_STATISTICS}
    names = [f.name for f in schema if f.type in able and f.name not in partition_by][:STATISTICS_COLUMNS]
    statistics = {"delta.dataSkippingStatsColumns": ",".join(names)} if names else {"delta.dataSkippingNumIndexedCols": "0"}
    # Old log entries go in `maintain`, which knows what is still needed; never as a side effect of a commit.
    return {**statistics, "delta.enableExpiredLogCleanup": "false"}


def process() -> dict[str, Any]:
    """Return what tells this process from any other, also after its id is used again."""
    return {"host": os.uname().nodename, "pid": os.getpid(), "started": psutil.Process().create_time()}


def _noted(folder: Path, table: str) -> None:
    """Make a staging folder with its note at once: until it is whole, its name tells whose it is."""
    new = _named(folder)
    store.write(new / "_run.json", json.dumps({**process(), "table": table}).encode())
    try:
        new.rename(folder)
    except OSError:
        if not (folder / "_run.json").exists():
            raise
        shutil.rmtree(new)  # another thread was faster


def _named(folder: Path) -> Path:
    """Return a name for a staging folder that comes or goes: its run, and the process at work on it."""
    return folder.with_name("~".join([folder.name.split("~")[0], "of", *map(str, process().values()), uuid4().hex[:8]]))


def unstage(folder: Path) -> None:
    """Remove a staging folder, its note last; a kill in between leaves nothing of which no one knows whose it is."""
    for path in folder.glob("*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # gone already, or in a place where nothing can be removed
        folder = folder.rename(_named(folder))
    shutil.rmtree(folder, ignore_errors=True)


def owner(folder: Path) -> dict[str, Any] | None:
    """Return the note of who made a staging folder; None where there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / "_run.json").read_text())
        return found
    except (FileNotFoundError, NotADirectoryError, ValueError):
        parts = folder.name.split("~")
        named = len(parts) == 6 and parts[1] == "of"
        return {"host": parts[2], "pid": int(parts[3]), "started": float(parts[4])} if named else None


def alive(owner: Mapping[str, Any]) -> bool:
    """Tell whether a process, as `process` noted it, may still be at work; one of another host for some days."""
    if owner["host"] != os.uname().nodename:
        return time.time() - float(owner["started"]) < FOREIGN_DAYS * 86400
    try:
        return bool(abs(psutil.Process(owner["pid"]).create_time() - float(owner["started"])) < 1)
    except psutil.NoSuchProcess:
        return False


def _check_partitions(schema: pa.Schema, partition_by: tuple[str, ...], path: str) -> None:
    able = {types.arrow(name) for name in PARTITIONABLE}
    for name in partition_by:
        if schema.field(name).type not in able:
            raise UserError(f"partition_by: {name!r} is {schema.field(name).type}", where=path,
                            remedy=f"partition by one of {', '.join(PARTITIONABLE)}")  # fmt: skip


def _shard_deliveries(lake: Lake) -> None:
    """Format 0 kept all deliveries in one folder; from 1 on they lie in folders by the first two digits."""
    for path in [p for p in (lake.folder / "_deliveries").glob("*") if p.is_file()]:
        target = lake.delivery_path(path.name)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)


def _know_positions(lake: Lake) -> None:
    """From format 2 on a receipt says where the next fetch goes on, and what its source says it sent."""
    if head := lake.open("raw.delivery"):
        there = {field.name for field in head.schema().fields}
        added = [Field(name, PrimitiveType("string")) for name in ("position", "declared") if name not in there]
        if added:
            head.alter.add_columns(added)


# The migration at place n brings a lake of format n to n + 1.
MIGRATIONS: tuple[Callable[[Lake], None], ...] = (_shard_deliveries, _know_positions)
