"""Packed numbers of NetCDF and HDF5: what is missing, and scale and offset (CF conventions 1.11, 2.5.1 and 8.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cftime
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.readers.grid import arrow, arrow_type
from schemas.errors import UserError

# NetCDF-3 has no unsigned numbers, some libraries no signed ones; the attribute says what is meant.
SIGNS = {("true", "i"): str.maketrans("i", "u"), ("false", "u"): str.maketrans("u", "i")}
LIMITS = ("valid_range", "valid_min", "valid_max")


@dataclass(frozen=True)
class Packing:
    """How the numbers of one variable are to be understood. Fill values are packed numbers, and limits if not `wide`."""

    dtype: np.dtype[Any]
    turned: dict[int, int] | None  # how to read the bytes as of the other sign
    scale: float | None
    offset: float | None
    missing: tuple[Any, ...]
    low: Any
    high: Any
    wide: bool  # the limits are those of unpacked numbers
    time: tuple[str, str] | None

    @property
    def type(self) -> pa.DataType:
        """The type of the column."""
        if self.time:
            return pa.string()
        return pa.float64() if self.scale is not None or self.offset is not None else arrow_type(self.dtype)


def packing(dtype: np.dtype[Any], attributes: Mapping[str, Any], default_fill: Any = None) -> Packing:
    """Read the attributes of a variable; `default_fill` holds where it names no fill value of its own."""
    numbers = dtype.kind in "iuf"
    fill = _values(attributes, "_FillValue") or (() if default_fill is None else (default_fill,))
    low, high = (_values(attributes, "valid_range") or (None, None))[:2] if numbers else (None, None)
    units = str(attributes.get("units", ""))
    scaled = numbers and any(_values(attributes, name) for name in ("scale_factor", "add_offset"))
    return Packing(
        dtype=dtype,
        turned=SIGNS.get((str(attributes.get("_Unsigned", "")).lower(), dtype.kind)),
        scale=_number(attributes, "scale_factor") if numbers else None,
        offset=_number(attributes, "add_offset") if numbers else None,
        missing=fill + _values(attributes, "missing_value") if numbers else (),
        low=_number(attributes, "valid_min", low) if numbers else None,
        high=_number(attributes, "valid_max", high) if numbers else None,
        wide=scaled and dtype.kind in "iu" and _is_float(attributes, *LIMITS),
        time=(units, str(attributes.get("calendar", "standard"))) if " since " in units and numbers else None,
    )


def unpack(raw: npt.NDArray[Any], how: Packing, where: str) -> pa.Array:
    """Return the values in a flat column: missing and invalid ones NULL, scaled in double, instants in ISO, UTC."""
    if raw.dtype.kind not in "iuf":
        return arrow(raw, None, where)
    values = raw.view(raw.dtype.str.translate(how.turned)) if how.turned else raw
    gone = np.zeros(values.shape, dtype=bool)
    for one in how.missing:
        gone |= np.isnan(values) if np.isnan(one) else values == _same(one, values.dtype)
    if not how.wide:
        gone |= _beyond(values, how)
    if how.scale is not None or how.offset is not None:
        values = values.astype(np.float64) * (1.0 if how.scale is None else how.scale) + (how.offset or 0.0)
    if how.wide:
        gone |= _beyond(values, how)
    return _instants(values, gone, how.time, where) if how.time else arrow(values, gone, where)


def _beyond(values: npt.NDArray[Any], how: Packing) -> npt.NDArray[np.bool_]:
    """Tell which values are outside of the valid range, whose limits belong to it."""
    gone = np.zeros(values.shape, dtype=bool)
    if how.low is not None:
        gone |= values < _same(how.low, values.dtype)
    if how.high is not None:
        gone |= values > _same(how.high, values.dtype)
    return gone


def _is_float(attributes: Mapping[str, Any], *names: str) -> bool:
    """Tell whether limits have the type of unpacked numbers, and so are such (NetCDF Users Guide, valid_range)."""
    return any(np.asarray(attributes[name]).dtype.kind == "f" for name in names if name in attributes)


def _same(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a limit in the type of the values: -1 is 255 of an unsigned byte; fractions stay as they are."""
    if dtype.kind == "f":
        return dtype.type(value)
    return int(value) % (1 << 8 * dtype.itemsize) if dtype.kind == "u" and value == int(value) else value


def _values(attributes: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """Return an attribute as numbers; one that holds text is as good as none."""
    found = np.atleast_1d(np.asarray(attributes[name])).ravel() if name in attributes else np.array([])
    return tuple(found.tolist()) if found.dtype.kind in "iuf" else ()


def _number(attributes: Mapping[str, Any], name: str, default: Any = None) -> Any:
    found = _values(attributes, name)
    return found[0] if found else default


def _instants(values: npt.NDArray[Any], gone: npt.NDArray[np.bool_], time: tuple[str, str], where: str) -> pa.Array:
    """Decode numbers since an epoch, by calendar; days that only exist in a model's calendar stay as text."""
    flat, mask = values.ravel(), gone.ravel() | ~np.isfinite(values.ravel())
    try:
        dates = cftime.num2date(np.where(mask, 0, flat), time[0], time[1], only_use_cftime_datetimes=True)
    except (ValueError, OverflowError, TypeError) as error:
        raise UserError(f"instants can't be decoded: {error}", where=where,
                        remedy="its `units` or `calendar` is wrong; ask for the delivery again") from None  # fmt: skip
    texts = [None if skip else _iso(date) for date, skip in zip(np.atleast_1d(dates).tolist(), mask, strict=True)]
    return pa.array(texts, pa.string())


def _iso(date: Any) -> str:
    micro = f".{date.microsecond:06d}" if date.microsecond else ""
    return f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{date.hour:02d}:{date.minute:02d}:{date.second:02d}{micro}Z"
