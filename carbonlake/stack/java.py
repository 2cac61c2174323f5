"""Java on this machine: the homes where one may be, and the first that is new enough."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

USUAL = ("/usr/lib/jvm/*", "/opt/java/*", "/opt/jdk*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")


def find(at_least: int, variable: str) -> Path | None:
    """Return the home of a Java of some version or newer: of `variable`, JAVA_HOME, the path, or the usual places."""
    return next((home for home in _homes(variable) if version(home) >= at_least), None)


def version(home: Path) -> int:
    """Return the version of a Java, e.g. 25, from the file that says what it is; 0 if it says nothing."""
    try:
        told = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', (home / "release").read_text(encoding="utf-8"))
    except OSError:
        return 0
    return int(told[1]) if told and (home / "bin" / "java").exists() else 0


def _homes(variable: str) -> Iterator[Path]:
    for name in (variable, "JAVA_HOME"):
        if named := os.environ.get(name):
            yield Path(named)
    if program := shutil.which("java"):
        yield Path(program).resolve().parent.parent
    for places in USUAL:
        yield from sorted(Path("/").glob(places.lstrip("/")), reverse=True)
