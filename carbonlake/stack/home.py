"""The home of a stack: a folder outside the repository with its data, logs, credentials and ports."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

VARIABLE = "CARBONLAKE_STACK_HOME"
# Locks that this process holds, by the folder they are for: what it starts inherits them until it is on record.
HELD: dict[Path, int] = {}


def home(given: str | None = None) -> Path:
    """Return the folder of a stack: as given, or CARBONLAKE_STACK_HOME, or in the user's data folder."""
    named = given or os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else _users("XDG_DATA_HOME", ".local/share")


def cache() -> Path:
    """Return the folder of the programs that are built or unpacked here, shared by all stacks of a user."""
    return _users("XDG_CACHE_HOME", ".cache")


def _users(variable: str, usual: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / usual).absolute() / "carbonlake" / "stack"


def folder(home: Path, *names: str) -> Path:
    """Return a folder in a home, made if need be; other users may pass through the home, but look at nothing in it."""
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711)
    made = home
    for name in names:
        made /= name
        made.mkdir(mode=0o700, exist_ok=True)
    return made


@contextmanager
def locked(place: Path, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a folder for this process alone; `wait` is called when another one holds it. A lock ends with its holder."""
    file = os.open(folder(place) / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        HELD[place] = file
        yield
    finally:
        HELD.pop(place, None)
        os.close(file)


def write(path: Path, content: str | bytes, mode: int = 0o600) -> Path:
    """Write a file whole or not at all, readable by its owner alone if `mode` does not say more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "wb") as out:
        out.write(content.encode() if isinstance(content, str) else content)
    new.replace(path)
    return path


def _token() -> str:
    # Digits and letters alone: every server takes them, in every kind of file and address.
    return secrets.token_hex(16)


def secret_file(home: Path, name: str, make: Callable[[], str] = _token) -> Path:
    """Return the file of a credential, made up at the first call."""
    path = home / "secrets" / name
    if not path.exists():
        folder(home, "secrets")
        write(path, make())
    return path


def secret(home: Path, name: str) -> str:
    """Return a credential of this home."""
    return secret_file(home, name).read_text(encoding="utf-8")


def port(home: Path, name: str) -> int:
    """Return the port of a server, as it was chosen at its first start; 0 if it never was."""
    return _ports(home).get(name, 0)


def keep_port(home: Path, name: str, port: int) -> int:
    """Keep the port of a server for its next starts."""
    write(home / "ports.json", json.dumps({**_ports(home), name: port}, indent=1))
    return port


def address(home: Path, name: str) -> str:
    """Return host:port of a server: on loopback, or where the addresses of this home say, as those of containers do."""
    try:
        told: dict[str, str] = json.loads((home / "addresses.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        told = {}
    return told.get(name) or f"127.0.0.1:{port(home, name)}"


def _ports(home: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads((home / "ports.json").read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        return {}


@contextmanager
def being_made(target: Path) -> Iterator[Path | None]:
    """Yield an empty folder that becomes `target` when the block ends well, or None if `target` is there already.

    Two who make the same at once wait for each other; what a killed one left is swept by the next.
    """
    with locked(target.parent / f".{target.name}.lock.d"):
        if target.exists():
            yield None
            return
        for left in target.parent.glob(f".{target.name}.new.*"):
            _remove(left)
        new = Path(mkdtemp(prefix=f".{target.name}.new.", dir=target.parent))
        yield new
        new.chmod(0o755)
        new.rename(target)


def _remove(path: Path) -> None:
    from shutil import rmtree

    rmtree(path, ignore_errors=True)
