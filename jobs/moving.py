"""A lake on its way to another place, a disk or an object store, with every version of every table."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jobs import land, objects, query, store
from jobs.lake import FORMAT_FILE, Lake, alive, owner
from schemas.errors import UserError

# What is this machine's alone, or made again where it is missing.
PASSING = ("_staging", "_read", "_spill", "_lineage", "_uploads", "_variants")
LOG = "/_delta_log/"
AT_ONCE = 8
ROUNDS = 3


@dataclass(frozen=True)
class Moved:
    """What was copied: files and bytes, and how many of the files were there from an earlier attempt."""

    files: int
    size: int
    kept: int
    tables: int


def copy(source: Lake, target: Lake, tell: Callable[[int, int], None] = lambda done, of: None) -> Moved:
    """Copy a lake to a place where there is none; what an earlier attempt copied is not copied again.

    Versions, times and numbers of deliveries stay as they are, for a Delta log names its files by their way from the
    table. The target becomes a lake with its last file, after all else was compared. `tell` hears of bytes done, of how
    many. Raise UserError where a run of this machine is under way, where there is a lake at the target, or where files
    differ.
    """
    source.require()
    if target.format() is not None:
        raise UserError("there is a lake already", where=str(target.root), remedy="choose another place, or remove that one")
    if busy := _busy(source):
        raise UserError(f"runs are under way: {', '.join(busy)}", where=str(source.root), remedy="move when they have ended")
    there = _files(target)
    kept = sum(there.get(name) == size for name, size in _files(source).items() if LOG not in name)
    for _ in range(ROUNDS):
        files = _files(source)
        _copied(source, target, files, _files(target), tell)
        if _files(source) == files:
            break
    else:
        raise UserError("the lake keeps changing while it is copied", where=str(source.root), remedy="stop what writes to it")
    _compare(files, _files(target))
    tables = _opened(source, target)
    if wrong := land.verify(target):
        first, why = wrong[0]
        raise UserError(f"{len(wrong)} deliveries are {why} there, the first is {first.name}", where=str(target.root),
                        remedy=f"`carbonlake deliveries --verify` tells whether they are at {source.root}")  # fmt: skip
    _take_along(source, target)
    _copy_one(source, target, FORMAT_FILE)
    return Moved(len(files) + 1, sum(files.values()), kept, tables)


def remove(lake: Lake, copied: Lake) -> None:
    """Remove a lake that was copied, its format file first: what is half gone is no lake, and nobody begins on it.

    Raise UserError, with the lake as it was, where something has come since it was copied.
    """
    stamp = store.read(lake.place(FORMAT_FILE), lake.storage_options)
    store.delete(lake.place(FORMAT_FILE), lake.storage_options)
    try:
        if busy := _busy(lake):
            raise UserError(
                f"runs are under way: {', '.join(busy)}", where=str(lake.root), remedy="remove it when they have ended"
            )
        _compare(_files(lake), _files(copied))
    except UserError:
        put_back = lake.folder / f".{FORMAT_FILE}"
        store.write(put_back, stamp)
        store.move(put_back, lake.place(FORMAT_FILE), lake.storage_options)
        raise
    if not lake.remote:
        shutil.rmtree(lake.folder)
        return
    names = [name for name, _ in objects.listed(str(lake.root), lake.storage_options)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: objects.delete(lake.place(name), lake.storage_options), names))
    if lake.folder != copied.folder:
        shutil.rmtree(lake.folder, ignore_errors=True)


def _busy(lake: Lake) -> list[str]:
    notes = [(folder.name, owner(folder)) for folder in (lake.folder / "_staging").glob("*")]
    return [name for name, note in notes if note and alive(note)]


def _files(lake: Lake) -> dict[str, int]:
    """Return every file of a lake that lasts, by its name below the root, with its bytes; the format file left out."""
    return {name: size for name, size in _every(lake)
            if name.split("/")[0] not in PASSING and name != FORMAT_FILE and "/.tmp/" not in name}  # fmt: skip


def _every(lake: Lake) -> Iterator[tuple[str, int]]:
    if lake.remote:
        yield from objects.listed(str(lake.root), lake.storage_options)
        return
    root = store.local(lake.root)
    for path in root.rglob("*"):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.stat().st_size


def _copied(source: Lake, target: Lake, files: dict[str, int], there: dict[str, int], tell: Callable[[int, int], None]) -> None:
    """Copy what is not there yet: first what logs name, then the logs, so that no log names what is missing."""
    data = [name for name, size in files.items() if LOG not in name and there.get(name) != size]
    logs = sorted(name for name in files if LOG in name)
    total, done = sum(files[name] for name in (*data, *logs)), 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for names in (data, logs):
            for name, _ in zip(names, pool.map(lambda name: _copy_one(source, target, name), names), strict=True):
                done += files[name]
                tell(done, total)


def _copy_one(source: Lake, target: Lake, name: str) -> None:
    old, new = source.place(name), target.place(name)
    if source.remote and target.remote:
        objects.copy(old, new, source.storage_options)
    elif source.remote:
        objects.fetch(old, Path(new), source.storage_options)
    elif target.remote:
        objects.put(Path(old), new, target.storage_options)
    else:
        Path(new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(old, new)


def _compare(files: dict[str, int], there: dict[str, int]) -> None:
    if files == there:
        return
    wrong = sorted({*files, *there} - {name for name, size in files.items() if there.get(name) == size})
    raise UserError(f"{len(wrong)} files differ, the first is {wrong[0]}", remedy="empty the target and move again")


def _take_along(source: Lake, target: Lake) -> None:
    """Copy lineage events that no receiver has taken yet; they lie with the work, not in the object store."""
    if source.folder != target.folder and (source.folder / "_lineage").is_dir():
        shutil.copytree(source.folder / "_lineage", target.folder / "_lineage", dirs_exist_ok=True)


def _opened(source: Lake, target: Lake) -> int:
    """Open every table at both places and compare their versions; return how many there are."""
    old, new = query.open_tables(source), query.open_tables(target)
    for name, table in old.items():
        if name not in new or new[name].version() != table.version():
            raise UserError(f"{name} is at version {table.version()} here and not there", where=str(target.root),
                            remedy="empty the target and move again")  # fmt: skip
    return len(old)
