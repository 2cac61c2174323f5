"""HDF5 files that point outside themselves are refused: a stranger's file must not read other files of this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py

from schemas.errors import UserError

# zlib packs 1,032 bytes into one at most (zlib Technical Details); other filters are no use to carbon data beyond that.
LARGE, MOST_PACKED = 4 << 30, 2000
LINKS = 16  # as many as HDF5 itself follows


def check_own(path: Path, names: Iterable[str], where: str) -> None:
    """Raise UserError if a dataset lies in another file: by link, external storage or virtual layout."""
    if not h5py.is_hdf5(path):
        return
    with h5py.File(path, "r") as file:
        for name in names:
            own(file, name, where)
            *groups, last = name.split("/")
            own(file, "/".join([*groups, f"_nc4_non_coord_{last}"]), where)


def datasets(path: Path) -> list[str]:
    """Return the paths of the datasets of an HDF5 file, none of any other kind of file."""
    found: list[str] = []
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Dataset) else None)
    return found


def own(file: Any, name: str, where: str) -> Any:
    """Return a dataset that lies in this file, None if there is none of that name."""
    node, ahead, followed = file, name.split("/"), 0
    while ahead:
        part = ahead.pop(0)
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise UserError(f"{name} is a link to another file, {link.filename!r}", where=where,
                            remedy="ask for one file that holds its data")  # fmt: skip
        if isinstance(link, h5py.SoftLink):  # counted from its own group where no slash is before it
            followed += 1
            if followed > LINKS:
                return None
            node = file if link.path.startswith("/") else node
            ahead = [one for one in link.path.split("/") if one not in ("", ".")] + ahead
            continue
        node = node[part]
    if isinstance(node, h5py.Dataset) and (node.external or node.is_virtual):
        raise UserError(f"{name} keeps its data in another file", where=where,
                        remedy="ask for one file that holds its data")  # fmt: skip
    if isinstance(node, h5py.Dataset):
        _check_stored(node, name, where)
    return node if isinstance(node, h5py.Dataset) else None


def _check_stored(one: Any, name: str, where: str) -> None:
    """Raise UserError for a dataset that declares far more than it stores: rows of fill values would never end."""
    declared, stored = (one.size or 0) * one.dtype.itemsize, one.id.get_storage_size()
    if declared > LARGE and declared > MOST_PACKED * stored:
        raise UserError(f"{name} declares {declared:,} bytes, of which {stored:,} are stored", where=where,
                        remedy="ask for a file that holds its data, or one of the part that is filled")  # fmt: skip
