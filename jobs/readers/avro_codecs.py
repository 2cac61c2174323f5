"""Blocks of Avro unpacked: the codecs of the library, and snappy with its checksum and Zstandard by Arrow."""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import BinaryIO

import pyarrow as pa
from fastavro.read import BLOCK_READERS


def _long(stream: BinaryIO) -> int:
    """Read a zigzag number of variable length (Avro specification, binary encoding)."""
    found = shift = 0
    while True:
        byte = stream.read(1)[0]
        found |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (found >> 1) ^ -(found & 1)


def _snappy(stream: BinaryIO) -> BytesIO:
    """Unpack a block of snappy, and compare its checksum."""
    data = stream.read(max(0, _long(stream)))
    size = shift = place = 0
    while True:
        byte = data[place]
        size |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            break
    if size > 64 * len(data):  # what a copy of 64 bytes can make of one
        raise ValueError("a block says that it is longer than it can be")
    found = pa.Codec("snappy").decompress(data[:-4], size, asbytes=True)
    if zlib.crc32(found) != int.from_bytes(data[-4:], "big"):
        raise ValueError("the checksum of a block is wrong")
    return BytesIO(found)


def _zstd(stream: BinaryIO) -> BytesIO:
    return BytesIO(pa.CompressedInputStream(pa.BufferReader(stream.read(max(0, _long(stream)))), "zstd").read())


# The library wants packages of their own for these two; Arrow has them.
CODECS = {**BLOCK_READERS, "snappy": _snappy, "zstandard": _zstd}
BLOCK_READERS.update(CODECS)
