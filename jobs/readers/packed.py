"""Packed numbers of NetCDF and HDF5: what is missing, and scale and offset (CF conventions 1.11, 2.5.1 and 8.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping
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
SINCE = re.compile(r"(?P<unit>\s*\w+\s+since\s+)(?P<day>[+-]?\d+-\d{1,2}-\d{1,2})"
                   r"(?:(?:T|\s+)(?P<time>\d{1,2}(?::\d{1,2}(?::\d{1,2}(?:\.\d*)?)?)?))?"
                   r"\s*(?P<zone>[+-]\d{1,2}(?::?\d{2})?|Z|UTC|GMT)?\s*")  # fmt: skip


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


def packing(dtype: np.dtype[Any], attributes: Mapping[str, Any], default_fill: Any = None, where: str = "") -> Packing:
    """Read the attributes of a variable; `default_fill` holds where it names no fill value of its own."""
    numbers = dtype.kind in "iuf"
    fill = _values(attributes, "_FillValue") or (() if default_fill is None else (default_fill,))
    units = str(attributes.get("units", ""))
    scale, offset = (_factor(attributes, name, where) if numbers else None for name in ("scale_factor", "add_offset"))
    low, high = _limits(attributes, scale is not None or offset is not None, where) if numbers else (None, None)
    return Packing(
        dtype=dtype,
        turned=SIGNS.get((str(attributes.get("_Unsigned", "")).lower(), dtype.kind)),
        scale=scale,
        offset=offset,
        missing=fill + _values(attributes, "missing_value") if numbers else (),
        low=low,
        high=high,
        wide=(scale is not None or offset is not None) and _is_wide(dtype, attributes),
        time=(units, str(attributes.get("calendar", "standard"))) if " since " in units and numbers else None,
    )


def check_unpacked(dtype: Any, attributes: Container[str], where: str) -> None:
    """Raise UserError for scale and offset of what is no number, such as a list or a compound: nothing says what they mean."""
    names = [name for name in ("scale_factor", "add_offset") if name in attributes]
    if names and not (isinstance(dtype, np.dtype) and dtype.kind in "iuf"):
        raise UserError(f"{' and '.join(names)} of an array of no plain numbers", where=where,
                        remedy="leave it out, or ask for a file with plain numbers")  # fmt: skip


def unpack(raw: npt.NDArray[Any], how: Packing, where: str) -> pa.Array:
    """Return the values in a flat column: missing and invalid ones NULL, scaled in double, instants in ISO, UTC."""
    if raw.dtype.kind not in "iuf":
        return arrow(raw, None, where)
    values = raw.view(raw.dtype.str.translate(how.turned)) if how.turned else raw
    gone = np.zeros(values.shape, dtype=bool)
    for one in how.missing:
        gone |= (
            np.isnan(values)
            if np.isnan(one)
            else values == _same(one, values.dtype, how.turned is not None or values.dtype.kind == "u")
        )
    if not how.wide:
        gone |= _beyond(values, how)
    if how.scale is not None or how.offset is not None:
        values = values.astype(np.float64)
        values *= 1.0 if how.scale is None else how.scale
        values += how.offset or 0.0
    if how.wide:
        gone |= _beyond(values, how)
    return _instants(values, gone, how.time, where) if how.time else arrow(values, gone, where)


def _beyond(values: npt.NDArray[Any], how: Packing) -> npt.NDArray[np.bool_]:
    """Tell which values are outside of the valid range, whose limits belong to it."""
    gone = np.zeros(values.shape, dtype=bool)
    if how.low is not None:
        gone |= values < _same(how.low, values.dtype, how.turned is not None)
    if how.high is not None:
        gone |= values > _same(how.high, values.dtype, how.turned is not None)
    return gone


def _is_wide(dtype: np.dtype[Any], attributes: Mapping[str, Any]) -> bool:
    """Tell whether limits have the type of unpacked numbers, and so are such (NetCDF Users Guide, valid_range)."""
    kinds = [np.asarray(attributes[name]).dtype for name in LIMITS if name in attributes]
    return any(kind.kind == "f" and (dtype.kind in "iu" or kind.itemsize > dtype.itemsize) for kind in kinds)


def _same(value: Any, dtype: np.dtype[Any], turned: bool) -> Any:
    """Return a number of an attribute in the type of the values: with the sign turned -1 is 255 of a byte, and 255 is -1."""
    if dtype.kind == "f":
        return dtype.type(value)
    if not turned or not math.isfinite(value) or value != int(value):
        return value
    size = 1 << 8 * dtype.itemsize
    low = 0 if dtype.kind == "u" else -size // 2
    return (int(value) - low) % size + low


def _values(attributes: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    """Return an attribute as numbers, also where they are written as text; other texts are as good as none."""
    found = np.atleast_1d(np.asarray(attributes[name])).ravel() if name in attributes else np.array([])
    if found.dtype.kind in "iuf":
        return tuple(found.tolist())
    try:
        return tuple(float(one) for text in found.astype(str).tolist() for one in text.replace(",", " ").split())
    except (ValueError, TypeError):
        return ()


def _factor(attributes: Mapping[str, Any], name: str, where: str) -> float | None:
    """Return scale or offset, None where there is none; raise UserError for one that is no number: all values hang on it."""
    found = _values(attributes, name)
    if name in attributes and len(found) != 1:
        raise UserError(f"its {name} is {str(attributes[name])[:40]!r}, which is not one number", where=where,
                        remedy="ask for a file with a number there; without it the values mean nothing")  # fmt: skip
    return found[0] if found else None


def _limits(attributes: Mapping[str, Any], scaled: bool, where: str) -> tuple[Any, Any]:
    """Return the smallest and largest valid number, None for none. Raise UserError for limits that say neither.

    As text they have no type, which alone says whether limits of packed numbers are those of packed or unpacked ones.
    """
    for name in (one for one in LIMITS if one in attributes):
        said, text = str(attributes[name])[:40], np.asarray(attributes[name]).dtype.kind not in "iuf"
        if len(_values(attributes, name)) != (2 if name == "valid_range" else 1):
            raise UserError(f"its {name} is {said!r}, which is no limit", where=where,
                            remedy="ask for a file with a number there, or without it")  # fmt: skip
        if scaled and text:
            raise UserError(f"its {name} is the text {said!r}: a limit of packed or of unpacked numbers?", where=where,
                            remedy="ask for a file with a number there, whose type says which")  # fmt: skip
    low, high = _values(attributes, "valid_range") or (None, None)
    return next(iter(_values(attributes, "valid_min")), low), next(iter(_values(attributes, "valid_max")), high)


def _reference(units: str, where: str) -> str:
    """Return units of time with the zone of their reference as ±hh:mm, for cftime passes over `-6:00`, `+8` and names.

    CF conventions 1.11, 4.4: seconds since 1992-10-8 15:15:42.5 -6:00.
    """
    found = SINCE.fullmatch(units)
    if not found:
        raise UserError(f"{units!r} names no instant to count from that is understood", where=where,
                        remedy="ask for a reference such as 2000-01-01 00:00:00 +08:00")  # fmt: skip
    zone, time = found["zone"] or "", found["time"] or "0"
    if zone[:1] in ("+", "-"):
        hours, minutes = zone[1:].split(":") if ":" in zone else (zone[1:][:-2], zone[-2:]) if len(zone) > 3 else (zone[1:], "0")
        zone = f" {zone[0]}{int(hours):02d}:{int(minutes):02d}"
    else:
        zone = ""
    return f"{found['unit']}{found['day']} {time if ':' in time else f'{time}:00'}{zone}"


def _instants(values: npt.NDArray[Any], gone: npt.NDArray[np.bool_], time: tuple[str, str], where: str) -> pa.Array:
    """Decode numbers since an epoch, by calendar; days that only exist in a model's calendar stay as text."""
    flat, mask = values.ravel(), gone.ravel() | ~np.isfinite(values.ravel())
    try:
        dates = cftime.num2date(np.where(mask, 0, flat), _reference(time[0], where), time[1], only_use_cftime_datetimes=True)
    except (ValueError, OverflowError, TypeError) as error:
        raise UserError(f"instants can't be decoded: {error}", where=where,
                        remedy="its `units` or `calendar` is wrong; ask for the delivery again") from None  # fmt: skip
    texts = [None if skip else _iso(date) for date, skip in zip(np.atleast_1d(dates).tolist(), mask, strict=True)]
    return pa.array(texts, pa.string())


def _iso(date: Any) -> str:
    micro = f".{date.microsecond:06d}" if date.microsecond else ""
    return f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{date.hour:02d}:{date.minute:02d}:{date.second:02d}{micro}Z"
