"""Every file of the reference data is looked into: it is read, or refused with a reason and with what to do about it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from carbonlake.probing import found_in
from schemas.errors import UserError

# What can't be read, and what the refusal says; all else is.
REFUSED = {
    "country_emissions/carbon-monitor-cities-China-v0325.csv": "a pointer of Git LFS",
    "documents_pdf_en/empty.pdf": "empty",
    "documents_pdf_en/password-example.pdf": "under a password",
    "electricity_timeseries/RTBM-LMP-SL-202503310845.csv": "empty",
    "netcdf_quirks/cf__umfile.pp": "no reader takes",
    "netcdf_quirks/derived_badmagic__nctest_classic.nc": "no reader takes",
    "netcdf_quirks/derived_truncated__nctest_64bit.nc": "cut off",
    "netcdf_quirks/derived_truncated__v6.0_CH4_2015.nc": "damaged or cut off",
    "power_plants/datapackage.json": "no JSON",
}


@pytest.fixture(scope="module")
def names(shared: Path) -> list[str]:
    """Return the files of the reference data."""
    with (shared / "data" / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return [row["path"] for row in csv.DictReader(file)]


def test_every_file_is_looked_into_or_refused_with_a_remedy(shared: Path, names: list[str]) -> None:
    told, read = {}, Counter[str]()
    for name in names:
        try:
            inside, read_as, _ = found_in(shared / "data" / name, "", {})
            read[read_as] += bool(inside)
        except UserError as error:
            told[name] = str(error)
    print(f"{read.total()} of {len(names)} files read ({dict(read)}), {len(told)} refused")
    assert set(told) == set(REFUSED) and read.total() == len(names) - len(REFUSED) == 277
    assert {name for name in told if REFUSED[name] not in told[name] or "\n  → " not in told[name]} == set()


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("codes/derived_gb18030__cities.csv", "encoding", "gb18030"), ("documents_office/csv-pipe.csv", "delimiter", "|"),
        ("documents_office/csv-semicolon.csv", "delimiter", ";"),
        ("emission_factors/2018-RES_proxies_EEA.csv", "encoding", "cp1252"),
    ],
)  # fmt: skip
def test_encoding_and_delimiter_are_found(shared: Path, name: str, option: str, value: str) -> None:
    inside, read_as, given = found_in(shared / "data" / name, "", {})
    assert read_as == "csv" and given == {option: value} and len(inside["columns"]) > 1
