"""The documents that people read, taken apart: commands with their output, new files, and pieces of Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.rooms import SHIPPED

ENGLISH = sorted([SHIPPED / "README.md", *(p for p in (SHIPPED / "docs").glob("*.md") if not p.name.endswith(".zh.md"))])
CHINESE = {path: path.with_suffix(".zh.md") for path in ENGLISH}
BLOCK = re.compile(r"(?:^\*\*`(?P<file>[^`]+)`\*\*\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
# `make` installs and calls what other tests run: the demo is the fixture `demo_lake`, the suite is this one.
BY_MAKE = {"make demo": "carbonlake demo", "make test": "pytest"}


@dataclass(frozen=True)
class Block:
    """One fenced block: its kind, its text, and the file that it is said to be."""

    kind: str
    text: str
    file: str | None

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each command of a console block with the lines of output shown below it."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            yield command, shown


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a document, in order."""
    return [Block(m["kind"], m["text"], m["file"]) for m in BLOCK.finditer(path.read_text(encoding="utf-8"))]


def commands(path: Path) -> list[str]:
    """Return the commands of a document, in order."""
    return [command for block in blocks(path) if block.kind == "console" for command, _ in block.commands()]


def links(path: Path) -> list[Path]:
    """Return the files that a document links to."""
    return [path.parent / target for target in LINK.findall(path.read_text(encoding="utf-8"))]


def play(document: Path, folder: Path) -> Iterator[tuple[str, list[str], subprocess.CompletedProcess[str]]]:
    """Do in a folder what a document says, in order: write its files, run its Python and its commands."""
    for block in blocks(document):
        if block.file:
            target = folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.kind == "python":
            yield block.text, [], run([sys.executable, "-c", block.text], folder)
        elif block.kind == "console":
            for command, shown in block.commands():
                if command not in BY_MAKE:
                    yield command, shown, run(["sh", "-c", command], folder)


def run(words: list[str], folder: Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder as a newcomer would, with the environment's programs on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARBONLAKE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return subprocess.run(
        words, cwd=folder, env=kept | {"PATH": path}, text=True, capture_output=True, check=False, timeout=timeout
    )


def squeezed(text: str) -> str:
    """Return a text without what differs between runs and widths of a terminal: seconds, rules of trees, blanks."""
    return re.sub(r"\s+", " ", re.sub(r"[│├└─]|(?<= )\d+\.\d\d(?=  )", " ", text))
