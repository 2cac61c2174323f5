"""The fingerprint of a table: contract, the code that reaches it, code lists, methods and the lock file."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Lock

from schemas import rooms
from schemas.contract import Contract

# What every table goes through, whatever its own code is.
EVERY_TABLE = ("jobs/clean.py", "jobs/keep.py", "jobs/staging.py")
# What writes a format as rows of its table at once, where the contract lets it.
AT_ONCE = {"netcdf": ["jobs/readers/direct.py"], "hdf5": ["jobs/readers/direct.py"], "parquet": ["jobs/readers/direct_rows.py"]}
ROOMS_OF_CODE = ("schemas", "conf", "models", "layers", "quality", "jobs")
CODE_CALLS = ("codes", "code_list", "periods", "successors")
CODE_LISTS = re.compile(rf"\b({'|'.join(CODE_CALLS)})\b")
OURS = rf"\b(?:{'|'.join(ROOMS_OF_CODE)})\b"
ONE = Lock()
IMPORT = re.compile(rf"(?:^|[;:])[ \t]*((?:from[ \t]+{OURS}|import[ \t][^\n]*{OURS})(?:[^\n(]*\([^)]*\)|[^\n]*))", re.MULTILINE)


def recipe(contract: Contract) -> str:
    """Return a digest that changes whenever the way the table is made changes."""
    digest = hashlib.sha256(contract.model_dump_json(by_alias=True).encode())
    for path in sorted(_reaching(contract)):
        digest.update(_digest(path, path.stat().st_mtime_ns))
    return digest.hexdigest()[:16]


def transform_file(contract: Contract) -> Path | None:
    """Return the file of the table's transform, None where the contract alone says it all."""
    return next(iter(rooms.files("layers", f"{contract.layer}/{contract.name}.py")), None)


def reader(format_: str) -> str:
    """Return a digest that changes whenever the way a format is read changes."""
    digest = hashlib.sha256()
    for path in sorted(frozenset[Path]().union(*(_imports(rooms.SHIPPED / name) for name in _readers(format_)))):
        digest.update(_digest(path, path.stat().st_mtime_ns))
    return digest.hexdigest()[:16]


def _readers(format_: str) -> tuple[str, ...]:
    """Return the files that may read a format: one that is not there imports nothing."""
    return f"jobs/readers/{format_}.py", f"jobs/readers/{format_}_together.py"


def _reaching(contract: Contract) -> set[Path]:
    own = transform_file(contract)
    formats = [*_readers(contract.source.format), *AT_ONCE.get(contract.source.format, [])] if contract.source else []
    starts = [rooms.SHIPPED / name for name in (*EVERY_TABLE, *formats)]
    mine = _imports(own) if own else frozenset[Path]()
    code = mine.union(*(_imports(start) for start in starts))
    lists = {rule.codes for rule in contract.rules} | {column.codes for column in contract.columns.values()}
    lists |= {name for path in mine for name in _code_lists(path, path.stat().st_mtime_ns)}
    data = [
        p
        for name in lists
        if name
        for pattern in (f"{name}.csv", f"{name}@*.csv")
        for p in rooms.files("schemas", f"codes/{pattern}")
    ]
    if any(path.name == "method.py" and path.parent.name == "models" for path in code):
        data += list(rooms.files("models", "methods/*"))
    lock = rooms.SHIPPED / "requirements.lock"
    return {p for p in [*code, *data, lock] if p.is_file()}


@cache
def _digest(path: Path, changed: int) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


@cache
def _code_lists(path: Path, changed: int) -> frozenset[str]:
    """Return the code lists that a transform or what it imports looks up by name; `*` where the name is computed."""
    if path.parent == rooms.SHIPPED / "schemas" or not path.is_file():
        return frozenset()
    found = set()
    text = path.read_text(encoding="utf-8")
    if not CODE_LISTS.search(text):
        return frozenset()
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CODE_CALLS:
            name = node.args[0] if node.args else None
            found.add(name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else "*")
    return frozenset(found)


@cache
def _imports(start: Path) -> frozenset[Path]:
    """Return the file and every file of our rooms that it imports, directly or through others."""
    seen: set[Path] = set()
    open_ = [start]
    while open_:
        path = open_.pop()
        if path not in seen and path.is_file():
            seen.add(path)
            open_ += _direct(path, path.stat().st_mtime_ns)
    return frozenset(seen)


@cache
def _direct(path: Path, changed: int) -> tuple[Path, ...]:
    """Return the files of our rooms that a file imports; each is parsed once, whoever comes by it."""
    return tuple(_named(path))


def _named(path: Path) -> Iterator[Path]:
    for node in _imports_in(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from _files(node.module, [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name, [])


def _imports_in(text: str) -> Iterator[ast.AST]:
    """Yield the import statements of a module that name our rooms; to parse them alone takes a tenth of the time."""
    try:
        for found in IMPORT.finditer(text):
            yield from _parsed(found[1]).body
    except SyntaxError:  # a line of a text that only begins like one
        yield from ast.walk(_parsed(text))


def _files(module: str, names: list[str]) -> Iterator[Path]:
    parts = module.split(".")
    if parts[0] not in ROOMS_OF_CODE:
        return
    for folder in rooms.rooms():
        place = folder.joinpath(*parts)
        yield from (place.with_suffix(".py"), place / "__init__.py", *(place / f"{name}.py" for name in names))


def _parsed(text: str) -> ast.Module:
    """Parse code, one text at a time: Python 3.11 counts how deep it is for all threads together, and gives up (gh-106905)."""
    with ONE:
        return ast.parse(text)
