"""A look into one file: what its reader says is inside, with the options that it finds lacking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from jobs.readers import sniff
from schemas.errors import UserError

# How a reader tells which option a file needs.
LACKING = re.compile(r"set the options? (`.+`)")
WANTED = re.compile(r"`(\w+): ([^`]+)`")

Found = tuple[dict[str, Any], str, dict[str, Any]]


def look_at(path: Path, format: str, given: Mapping[str, Any]) -> Found:
    """Return what is inside a file that is no archive, its format, and the options that its reader wants."""
    read_as, chosen = format or sniff.format_of(path), dict(given)
    while True:
        try:
            inside = sniff.probe(read_as, path, chosen)
            if "options" not in inside:
                return inside, read_as, chosen
            chosen |= inside["options"]
        except UserError as error:
            lacking = LACKING.search(error.remedy or "")
            wanted = {name: yaml.safe_load(value) for name, value in WANTED.findall(lacking[1])} if lacking else {}
            if wanted.items() <= chosen.items() or given.keys() & wanted.keys():
                raise
            chosen |= wanted
