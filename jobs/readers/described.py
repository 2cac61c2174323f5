"""What arrays of a file are: dimensions, types, storage, attributes with their types, and whether checksums guard them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from jobs.readers import cf
from jobs.readers.guards import CHECKED, UNCHECKED
from jobs.readers.shapes import json_text
from schemas.errors import UserError

# Filters that carry a checksum, which reading verifies: zlib's Adler-32 (RFC 1950) and HDF5's own.
SUMS = {h5py.h5z.FILTER_DEFLATE: "deflate", h5py.h5z.FILTER_FLETCHER32: "fletcher32"}
NAMES = {**SUMS, h5py.h5z.FILTER_SHUFFLE: "shuffle", h5py.h5z.FILTER_SZIP: "szip", h5py.h5z.FILTER_NBIT: "nbit",
         h5py.h5z.FILTER_SCALEOFFSET: "scaleoffset", h5py.h5z.FILTER_LZF: "lzf"}  # fmt: skip
MANY = 5000  # variables of a file that are described
LONG = 1 << 20  # signs of an attribute that are kept


def netcdf(file: Any, path: Path, used: Collection[str]) -> list[dict[str, Any]]:
    """Describe the variables of a NetCDF file, its own attributes first, under the path `/`."""
    found = [_row("/", {}, "group", _netcdf_attributes(file), used, kind=file.data_model)]
    stored = dict(_stored(path))
    for one in list(cf.every(file))[:MANY]:
        name = cf.path(one)
        sizes = dict(zip(one.dimensions, map(int, one.shape), strict=True))
        kind = "string" if one.dtype is str else str(one.dtype)
        found.append(_row(name, sizes, kind, _netcdf_attributes(one), used, **stored.get(name, {"integrity": UNCHECKED})))
    return found


def hdf5(file: Any, path: Path, used: Collection[str]) -> list[dict[str, Any]]:
    """Describe the datasets of an HDF5 file, its own attributes first, under the path `/`."""
    found = [_row("/", {}, "group", _hdf5_attributes(file), used, kind="HDF5")]
    for name, stored in list(_stored(path))[:MANY]:
        one = file[name]
        sizes = {one.dims[at].label or f"dim_{at}": int(size) for at, size in enumerate(one.shape or ())}
        found.append(_row(name, sizes, str(one.dtype), _hdf5_attributes(one), used, **stored))
    return found


def _row(path: str, sizes: Mapping[str, int], kind_: str, attributes: Mapping[str, Any], used: Collection[str],
         **more: Any) -> dict[str, Any]:  # fmt: skip
    def text(name: str) -> str | None:
        value = attributes.get(name, {}).get("value")
        return None if value is None else str(value)

    return {"path": path, "dimensions": json.dumps(list(sizes), ensure_ascii=False), "shape": json.dumps(list(sizes.values())),
            "type": kind_, "units": text("units"), "calendar": text("calendar"), "fill_value": text("_FillValue"),
            "attributes": json.dumps(attributes, ensure_ascii=False), "used": path in used,
            "integrity": None, "chunks": None, "filters": None, "kind": None} | more  # fmt: skip


def _netcdf_attributes(one: Any) -> dict[str, Any]:
    found = {}
    for name in one.ncattrs():
        try:
            found[name] = _attribute(one.getncattr(name), name)
        except (KeyError, RuntimeError, OSError) as error:  # types that the library does not know
            found[name] = {"type": "unknown", "value": None, "why": str(error)[:200]}
    return found


def _hdf5_attributes(one: Any) -> dict[str, Any]:
    found = {}
    for name in one.attrs:
        try:
            found[name] = _attribute(one.attrs[name], name)
        except (TypeError, KeyError, RuntimeError, OSError) as error:
            found[name] = {"type": "unknown", "value": None, "why": str(error)[:200]}
    return found


def _attribute(value: Any, name: str) -> dict[str, Any]:
    """Return an attribute with its type, for 1 of 16 bits is not 1 of 64."""
    kind = "string" if isinstance(value, str | bytes) else str(np.asarray(value).dtype)
    if isinstance(value, h5py.Empty):
        return {"type": f"empty {value.dtype}", "value": None}
    try:
        text = json_text(value, name)
    except (UserError, TypeError):  # bytes of no encoding, references into the file
        return {"type": kind, "value": None, "why": "not to be written as text"}
    return {"type": kind, "value": json.loads(text)} if len(text) <= LONG else {"type": kind, "value": None, "why": "too long"}


def _stored(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path of each dataset of an HDF5 file with its chunks, filters and whether all it stores has checksums."""
    if not h5py.is_hdf5(path):
        return
    nodes: list[tuple[str, Any]] = []
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, node: nodes.append((name, node)) if isinstance(node, h5py.Dataset) else None)
        for name, node in nodes[:MANY]:
            how = node.id.get_create_plist()
            filters = [how.get_filter(at)[0] for at in range(how.get_nfilters())]
            yield name, {"chunks": json.dumps(node.chunks) if node.chunks else None, "integrity": _integrity(node, filters),
                         "filters": ", ".join(NAMES.get(one, f"filter {one}") for one in filters) or None}  # fmt: skip


def _integrity(node: Any, filters: list[int]) -> str:
    """Tell whether each stored chunk went through a filter with a checksum; a chunk may have been stored without."""
    guards = [at for at, one in enumerate(filters) if one in SUMS]
    if not guards or node.shape is None or not node.id.get_num_chunks():
        return UNCHECKED
    bare: list[bool] = []

    def look(chunk: Any) -> None:
        bare.append(all(chunk.filter_mask >> at & 1 for at in guards))

    node.id.chunk_iter(look)
    # What is longer than a pointer, such as text of any length, lies beside the chunks, where no filter sees it.
    beside = h5py.check_vlen_dtype(node.dtype) or (h5py.check_string_dtype(node.dtype) and node.dtype.kind == "O")
    return UNCHECKED if any(bare) or beside else CHECKED
