"""HDF5 files that point outside themselves are refused: a stranger's file must not read other files of this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py

from schemas.errors import UserError


def check_own(path: Path, names: Iterable[str], where: str) -> None:
    """Raise UserError if a dataset lies in another file: by link, external storage or virtual layout."""
    if not h5py.is_hdf5(path):
        return
    with h5py.File(path, "r") as file:
        for name in names:
            own(file, name, where)


def own(file: Any, name: str, where: str) -> Any:
    """Return a dataset that lies in this file, None if there is none of that name."""
    node = file
    for part in name.split("/"):
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise UserError(f"{name} is a link to another file, {link.filename!r}", where=where,
                            remedy="ask for one file that holds its data")  # fmt: skip
        if isinstance(link, h5py.SoftLink):
            return own(file, link.path.strip("/"), where) if link.path.strip("/") != name else None
        node = node[part]
    if isinstance(node, h5py.Dataset) and (node.external or node.is_virtual):
        raise UserError(f"{name} keeps its data in another file", where=where,
                        remedy="ask for one file that holds its data")  # fmt: skip
    return node if isinstance(node, h5py.Dataset) else None
