"""Archives: members of one shape read one by one and stacked into one delivery, with the member in each row's place."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.readers import Read, Request, guards, read_many
from jobs.readers.cage import unpack_caged
from jobs.readers.stacking import Part, around, stacked
from schemas.errors import UserError

OPTION = "members"


def patterns(options: Mapping[str, Any], where: str) -> list[str]:
    """Return the patterns of the members that are read; raise UserError where the option is none."""
    given = options[OPTION]
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise UserError(f"option {OPTION!r}: {given!r} is no pattern of names", where=where,
                        remedy='write one, or a list of them, e.g. "data/*.csv"')  # fmt: skip
    return found


def read_archive(format: str, request: Request) -> Read | UserError:
    """Read the members of one delivery that the option names; `_locator` is `member.csv:12`, `member.xlsx!Sheet!7`.

    `_member` is their name. One that can't be read, or is of another shape, refuses the delivery.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="members-", dir=request.out.parent) as folder:
        try:
            parts = _parts(format, request, Path(folder))
            rows, rejected, columns = stacked(format, request, parts)
            grade = guards.of_members(request.path, [one.read.info["integrity"] for one in parts])
            info = {"members": len(parts), **around(parts, request.name), "integrity": grade}
        except UserError as error:
            return error
    return Read(rows, rejected, columns, info, time.perf_counter() - began)


def _parts(format: str, request: Request, folder: Path) -> list[Part]:
    wanted = patterns(request.options, request.name)
    (folder / "files").mkdir()
    found = unpack_caged(request.path, folder / "files", wanted, request.name, format)
    rest = {name: value for name, value in request.options.items() if name != OPTION}
    requests = []
    for number, (name, file) in enumerate(found.items()):
        out = folder / f"{number:06}"
        out.mkdir()
        requests.append(replace(request, path=folder / "files" / file, out=out, name=f"{request.name}/{name}", options=rest))
    parts = []
    for name, one, result in zip(found, requests, read_many(format, requests), strict=True):
        if isinstance(result, UserError):
            raise result
        parts.append(Part(name, one.out, result))
    return parts
