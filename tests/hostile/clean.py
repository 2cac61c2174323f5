"""Clean files of every format, small and made anew each time, with what must come out of them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 200
VALUES = np.round(np.random.default_rng(7).gamma(2.0, 1.5, ROWS), 3)
METERS = [f"meter-{number % 10}" for number in range(ROWS)]


def _csv(path: Path) -> None:
    path.write_text(_text(), encoding="utf-8")


def _text() -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["meter", "day", "kwh"])
    writer.writerows((meter, number, value) for number, (meter, value) in enumerate(zip(METERS, VALUES, strict=True)))
    return target.getvalue()


def _json(path: Path) -> None:
    rows = [{"meter": m, "day": n, "kwh": v} for n, (m, v) in enumerate(zip(METERS, VALUES.tolist(), strict=True))]
    path.write_text(json.dumps({"unit": "kWh", "records": rows}), encoding="utf-8")


def _xml(path: Path) -> None:
    rows = "".join(
        f'<p meter="{m}"><day>{n}</day><kwh>{v}</kwh></p>' for n, (m, v) in enumerate(zip(METERS, VALUES, strict=True))
    )
    path.write_text(f'<?xml version="1.0"?><r unit="kWh">{rows}</r>', encoding="utf-8")


def _excel(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["meter", "day", "kwh"])
    for number, (meter, value) in enumerate(zip(METERS, VALUES.tolist(), strict=True)):
        sheet.append([meter, number, value])
    book.save(path)


def _parquet(path: Path) -> None:
    table = pa.table({"meter": METERS, "day": list(range(ROWS)), "kwh": VALUES})
    pq.write_table(table, path, write_page_checksum=True, row_group_size=64)


def _netcdf3(path: Path) -> None:
    _netcdf(path, "NETCDF3_CLASSIC", {})


def _netcdf4(path: Path) -> None:
    _netcdf(path, "NETCDF4", {"zlib": True, "fletcher32": True, "chunksizes": (32,)})


def _netcdf(path: Path, kind: str, filters: dict[str, Any]) -> None:
    with netCDF4.Dataset(path, "w", format=kind) as file:
        file.createDimension("day", ROWS)
        day = file.createVariable("day", "i4", ("day",), **filters)
        day[:] = np.arange(ROWS)
        kwh = file.createVariable("kwh", "f8", ("day",), **filters)
        kwh.units = "kWh"
        kwh[:] = VALUES


def _hdf5(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("kwh", data=VALUES, chunks=(32,), compression="gzip", fletcher32=True)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readings.csv", _text())


def _pdf(path: Path) -> None:
    """Write a page with a line of text for each tenth reading, by hand: no library of ours writes PDF."""
    lines = "".join(f"BT /F1 9 Tf 50 {760 - 20 * n} Td ({METERS[n]} {VALUES[n]}) Tj ET\n" for n in range(20))
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(lines), lines.encode()),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    body += (
        b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(body)
    )
    path.write_bytes(body)


# name → format, options, whether a checksum guards every value, how it is written
KINDS: dict[str, tuple[str, dict[str, Any], bool, Callable[[Path], None]]] = {
    "a.csv": ("csv", {}, False, _csv),
    "a.json": ("json", {"records": "records", "keep": ["unit"]}, False, _json),
    "a.xml": ("xml", {"records": "p", "keep": {"unit": "@unit"}}, False, _xml),
    "a.xlsx": ("excel", {}, True, _excel),
    "a.parquet": ("parquet", {}, False, _parquet),
    "three.nc": ("netcdf", {}, False, _netcdf3),
    "four.nc": ("netcdf", {}, True, _netcdf4),
    "a.h5": ("hdf5", {"datasets": ["kwh"]}, True, _hdf5),
    "a.zip": ("csv", {"members": "*.csv"}, True, _zip),
    "a.pdf": ("pdf", {}, False, _pdf),
}
