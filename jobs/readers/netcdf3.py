"""The header of a classic NetCDF file, read to tell whether the file holds all that it announces.

The library opens a truncated file without a word and gives fill values or an error only later.
Layout: NetCDF Classic Format Specification (Unidata), "File Format Specifications".
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from schemas.errors import UserError

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
STREAMING = {0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF}


def check_whole(path: Path, where: str) -> None:
    """Raise UserError if a classic file is shorter than its header says; pass over any other kind of file."""
    with path.open("rb") as file:
        magic = file.read(4)
        if magic[:3] != b"CDF" or magic[3] not in (1, 2, 5):
            return
        try:
            needed = _needed(file, magic[3])
        except (struct.error, KeyError):
            raise UserError("the file is cut off within its header", where=where, remedy="ask for the delivery again") from None
    size = path.stat().st_size
    if size < needed:
        raise UserError(f"the file is cut off: {size:,} bytes of {needed:,}", where=where,
                        remedy="ask for the delivery again")  # fmt: skip


def _needed(file: BinaryIO, version: int) -> int:
    """Return the size the file must have, in bytes, without padding at its end."""
    count = ">Q" if version == 5 else ">I"
    records = _int(file, count)
    _int(file, ">I")
    sizes = [_dimension(file, count) for _ in range(_int(file, count))]
    _attributes(file, count)
    _int(file, ">I")
    variables = [_variable(file, version, count, sizes) for _ in range(_int(file, count))]
    end = max((begin + size for begin, size, record in variables if not record), default=0)
    record = [(begin, size) for begin, size, is_record in variables if is_record]
    if record and records and records not in STREAMING:
        # A single record variable is stored without padding between records.
        step = record[0][1] if len(record) == 1 else sum(-(-size // 4) * 4 for _, size in record)
        end = max(end, *(begin + (records - 1) * step + size for begin, size in record))
    return end


def _variable(file: BinaryIO, version: int, count: str, sizes: list[int]) -> tuple[int, int, bool]:
    """Return begin, bytes (of one record) and whether the variable grows by records."""
    _name(file, count)
    dims = [sizes[_int(file, count)] for _ in range(_int(file, count))]
    _attributes(file, count)
    width = SIZES[_int(file, ">I")]
    _int(file, count)
    begin = _int(file, ">I" if version == 1 else ">Q")
    record = bool(dims) and dims[0] == 0
    for size in dims[1:] if record else dims:
        width *= size
    return begin, width, record


def _dimension(file: BinaryIO, count: str) -> int:
    _name(file, count)
    return _int(file, count)


def _attributes(file: BinaryIO, count: str) -> None:
    _int(file, ">I")
    for _ in range(_int(file, count)):
        _name(file, count)
        width = SIZES[_int(file, ">I")]
        _pass(file, width * _int(file, count))


def _name(file: BinaryIO, count: str) -> None:
    _pass(file, _int(file, count))


def _pass(file: BinaryIO, size: int) -> None:
    file.seek(-(-size // 4) * 4, 1)


def _int(file: BinaryIO, form: str) -> int:
    value: int = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return value
