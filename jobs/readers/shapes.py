"""Values of arrays that are no plain numbers: members of compounds as columns, lists as JSON, enumerated ones by name.

Both libraries give them as NumPy arrays: compounds as structured ones, lists of varying length as objects.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jobs.readers.grid import arrow, arrow_type
from schemas.errors import UserError

Take = Callable[[npt.NDArray[Any]], pa.Array]
Part = tuple[str, pa.DataType, Take]
Names = Mapping[str, int]  # names of enumerated values


def parts(
    name: str, dtype: np.dtype[Any], names: Callable[[np.dtype[Any]], Names | None], where: str, fill: Any = None
) -> Iterator[Part]:
    """Yield the columns that values of a type make, each with what takes it from an array, in the order of the type.

    `fill` is the value that stands for none, of a compound one for each member. `names` tells the names of an enumerated
    type, None for any other. Raise UserError for what is neither number nor text: references point into the file, and mean
    nothing outside of it.
    """
    labels = names(dtype)
    if labels is not None:
        by_number = {number: label for label, number in labels.items()}
        yield name, pa.string(), lambda raw: pa.array([by_number.get(one, str(one)) for one in raw.ravel().tolist()], pa.string())
    elif dtype.subdtype is not None:
        yield name, pa.string(), lambda raw: _lists(raw, raw.ndim - len(dtype.shape), where)
    elif dtype.names:
        for member in dtype.names:
            none = _member(fill, member)
            for inner, kind, take in parts(f"{name}.{member}", dtype[member], names, where, none):
                yield inner, kind, _of(member, take)
    elif dtype.kind == "O" and h5py.check_ref_dtype(dtype) is None:
        yield name, pa.string(), lambda raw: _objects(raw, where)
    elif dtype.kind == "V":
        yield name, pa.string(), lambda raw: pa.array([one.tobytes().hex() for one in raw.ravel()], pa.string())
    elif dtype.kind == "M":
        yield name, pa.string(), lambda raw: pa.array([_moment(one) for one in raw.ravel()], pa.string())
    elif dtype.kind in "SU":
        yield name, pa.string(), lambda raw: texts(raw, where)
    elif dtype.kind in "iufb":
        yield name, arrow_type(dtype), lambda raw: arrow(raw, _filled(raw, fill), where)
    else:
        held = "references" if dtype.kind == "O" else str(dtype)
        raise UserError(f"it holds {held}, which are neither numbers nor text", where=where, remedy="leave it out")


def _member(fill: Any, member: str) -> Any:
    whole = np.asarray(fill).ravel()
    return whole[0][member] if whole.size == 1 and member in (whole.dtype.names or ()) else None


def _filled(raw: npt.NDArray[Any], fill: Any) -> npt.NDArray[np.bool_] | None:
    if fill is None or np.asarray(fill).dtype.kind not in "iufb":
        return None
    gone: npt.NDArray[np.bool_] = np.isnan(raw) if np.isnan(fill) else raw == fill
    return gone


def _of(member: str, take: Take) -> Take:
    return lambda raw: take(raw[member])


def _objects(raw: npt.NDArray[Any], where: str) -> pa.Array:
    """Return texts of any length as they are, lists as JSON."""
    texts = [_text(one, where) if isinstance(one, str | bytes) else json_text(one, where) for one in raw.ravel().tolist()]
    return pa.array([text or None for text in texts], pa.string())


def _lists(raw: npt.NDArray[Any], outer: int, where: str) -> pa.Array:
    flat = raw.reshape(math.prod(raw.shape[:outer]), *raw.shape[outer:])
    return pa.array([json_text(one, where) for one in flat], pa.string())


def json_text(value: Any, where: str) -> str:
    """Return a list as JSON, every digit of its numbers kept; NaN and infinities, which JSON has not, as texts."""
    return json.dumps(_plain(value, where), ensure_ascii=False, allow_nan=False)


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "V" and value.dtype.names:
        return [{name: _plain(one[name], where) for name in value.dtype.names} for one in value.ravel()]
    if isinstance(value, np.void):
        return {name: _plain(value[name], where) for name in value.dtype.names} if value.dtype.names else value.tobytes().hex()
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), where)
    if isinstance(value, list | tuple):
        return [_plain(one, where) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return _text(value, where) if isinstance(value, bytes) else value


def texts(values: npt.NDArray[Any], where: str, encoding: str = "utf-8") -> pa.Array:
    """Return texts of one length, blanks and zeros at their ends taken off, as a column; empty ones are NULL."""
    flat = np.asarray(values).ravel().tolist()
    return pa.array([_text(one, where, encoding).rstrip("\0 ") or None for one in flat], pa.string())


def without(texts: pa.Array, gone: Collection[str]) -> pa.Array:
    """Return texts with those that stand for none, such as `NA`, as NULL."""
    return pc.if_else(pc.is_in(texts, pa.array(sorted(gone), pa.string())), None, texts) if gone else texts


def _text(value: str | bytes, where: str, encoding: str = "utf-8") -> str:
    """Return text without the zeros that fill it up; bytes of another encoding are refused, not replaced."""
    try:
        # What h5py can't decode comes with lone surrogates.
        text = value.decode(encoding) if isinstance(value, bytes) else value.encode().decode()
    except (UnicodeError, LookupError) as error:
        why = getattr(error, "reason", str(error))
        raise UserError(f"bytes that are no text in {encoding}: {why}", where=where,
                        remedy="name the encoding in the option `encoding`, e.g. gbk or latin-1; where they are no text, "
                               "leave the variable out") from None  # fmt: skip
    return text.rstrip("\0")


def _moment(value: Any) -> str | None:
    return None if np.isnat(value) else f"{np.datetime_as_string(value)}Z"
