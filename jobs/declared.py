"""What the sender of a file says of it: rows, sums, size and SHA-256, beside the file or on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from schemas.errors import UserError

MANIFEST, SUM = ".declared.json", ".sha256"
KNOWN = "rows, sum.<column>, size_bytes, sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COUNTS = ("rows", "size_bytes")


def beside(path: Path) -> dict[str, Any]:
    """Return what is declared beside a file: by `<file>.declared.json`, `<file>.sha256`, or both."""
    found: dict[str, Any] = {}
    manifest, sums = path.with_name(path.name + MANIFEST), path.with_name(path.name + SUM)
    if manifest.is_file():
        try:
            content = json.loads(manifest.read_text(encoding="utf-8-sig"), parse_float=str, parse_int=str)
        except ValueError as error:
            raise UserError(f"this is no JSON: {error}", where=str(manifest),
                            remedy='write {"rows": 10, "sums": {"kwh": "12.5"}, "sha256": "…"}') from None  # fmt: skip
        found = checked(content, str(manifest))
    if sums.is_file():
        said = sums.read_text(encoding="utf-8-sig").split()[:1]
        found |= checked({"sha256": said[0] if said else ""}, str(sums))
    return found


def stands_by(path: Path) -> Path | None:
    """Return the file that another one says something of; None where it is a file of its own."""
    for ending in (MANIFEST, SUM):
        if path.name.endswith(ending) and (other := path.with_name(path.name.removesuffix(ending))).is_file():
            return other
    return None


def given(words: Sequence[str]) -> dict[str, Any]:
    """Return what words of a command line declare, e.g. rows=10,sum.kwh=12.5."""
    content: dict[str, Any] = {}
    for word in (part for one in words for part in one.split(",")):
        name, equals, value = word.partition("=")
        if not equals:
            raise UserError(f"{word!r} declares nothing", where="--declares", remedy="write rows=10,sum.kwh=12.5")
        first, dot, header = name.partition(".")
        if first == "sum" and dot:
            content.setdefault("sums", {})[header] = value
        else:
            content[name] = value
    return checked(content, "--declares")


def checked(content: Any, where: str) -> dict[str, Any]:
    """Return a declaration in the one form that it is kept in. Raise UserError for what is not understood."""
    if not isinstance(content, dict):
        raise UserError("a declaration is a mapping", where=where, remedy=f"known: {KNOWN}")
    if unknown := sorted(content.keys() - {*_COUNTS, "sums", "sha256"}):
        raise UserError(f"{unknown[0]!r} is nothing that can be declared", where=where, remedy=f"known: {KNOWN}")
    found: dict[str, Any] = {}
    for name in _COUNTS:
        if name in content:
            number = _number(content[name], f"{where}: {name}")
            if number != number.to_integral_value() or number < 0:
                raise UserError(f"{content[name]!r} is no count", where=f"{where}: {name}", remedy="write a whole number")
            found[name] = int(number)
    if "sums" in content:
        if not isinstance(content["sums"], Mapping):
            raise UserError("sums are a mapping", where=f"{where}: sums", remedy='write {"kwh": "12.5"}')
        found["sums"] = {str(name): str(_number(value, f"{where}: sums: {name}")) for name, value in content["sums"].items()}
    if "sha256" in content:
        found["sha256"] = str(content["sha256"]).lower()
        if not _SHA256.fullmatch(found["sha256"]):
            raise UserError(f"{content['sha256']!r} is no SHA-256", where=where, remedy="write its 64 hexadecimal digits")
    return found


def demand_bytes(said: Mapping[str, Any], sha256: str, size: int, where: str) -> None:
    """Raise UserError where bytes are not those that were declared: they broke on their way, so nothing of them is believed."""
    for name, found in (("size_bytes", size), ("sha256", sha256)):
        if name in said and said[name] != found:
            raise UserError(f"these are not the bytes that were sent: {name} is {found}, declared is {said[name]}", where=where,
                            remedy="nothing was landed; have it sent again, or correct what is declared")  # fmt: skip


def _number(value: Any, where: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise UserError(f"{value!r} is no number", where=where, remedy="write digits with a point, e.g. 1234.5")
    return number
