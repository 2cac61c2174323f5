"""Damaged files of every format become the table of the clean one or are refused with a reason; the reader goes on.

Where a checksum guards every value, no other value passes. Other formats have nothing to tell a changed digit by: such
mutants are counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import UserError
from tests.hostile.clean import KINDS
from tests.jobs.readers.reading import read_file

MUTANTS = 60  # of each kind
EQUAL, REFUSED, ASIDE, OTHER = "equal", "refused", "rows set aside", "other values"


def _mutants(content: bytes, seed: str) -> Iterator[tuple[str, bytes]]:
    """Yield mutants of a file, each with what was done to it; the same ones every time."""
    dice = random.Random(seed)
    size = len(content)
    for number in range(MUTANTS):
        at = dice.randrange(size)
        match number % 6:
            case 0:
                yield f"cut at {at}", content[:at]
            case 1 | 2:
                bit = dice.randrange(8)
                yield f"bit {bit} of {at} flipped", content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]
            case 3:
                length = min(dice.choice((1, 4, 8, 64, 512)), size - at)
                yield f"{length} bytes at {at} are 255", content[:at] + b"\xff" * length + content[at + length :]
            case 4:
                length = dice.choice((1, 16, 256))
                yield f"{length} bytes of noise put in at {at}", content[:at] + dice.randbytes(length) + content[at:]
            case _:
                length = dice.choice((1, 4, 32))
                yield f"{length} bytes at the head are zero", b"\0" * length + content[length:] + content[:at]


def _read(folder: Path, name: str, path: Path) -> tuple[str, Any]:
    format_, options, _, _ = KINDS[name]
    try:
        found = read_file(folder, format_, path, **options)
    except UserError as error:
        assert error.what and error.remedy, str(error)
        return REFUSED, str(error)
    values = [{key: value for key, value in row.items() if not key.startswith("_")} for row in found.rows]
    return (ASIDE if found.read.rejected else OTHER), values


@pytest.mark.parametrize("name", KINDS)
def test_a_mutant_is_the_clean_table_or_refused(tmp_path: Path, name: str) -> None:
    _, _, guarded, write = KINDS[name]
    clean = tmp_path / "clean" / name
    clean.parent.mkdir()
    write(clean)
    (tmp_path / "out").mkdir()
    _, expected = _read(tmp_path / "out", name, clean)
    assert len(expected) in (1, 20, 200)
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    before = {path for path in tmp_path.rglob("*") if "out" not in path.relative_to(tmp_path).parts}
    for what, content in _mutants(clean.read_bytes(), name):
        mutant = tmp_path / "mutant" / name
        mutant.parent.mkdir(exist_ok=True)
        mutant.write_bytes(content)
        end, found = _read(tmp_path / "out", name, mutant)
        end = EQUAL if found == expected else end
        ends[end] += 1
        if end == OTHER and guarded:
            wrong.append(what)
        mutant.unlink()
    print(f"{name}: {sum(ends.values())} mutants: {dict(ends)}")
    assert wrong == [], "values passed as right that a checksum guards"
    assert {path for path in tmp_path.rglob("*") if "out" not in path.relative_to(tmp_path).parts} - before == {
        tmp_path / "mutant"}, "a file outside its folder"  # fmt: skip
    assert _read(tmp_path / "out", name, clean)[1] == expected, "the reader goes on"
