"""CDL: the values of the NetCDF file that it describes; one that is missing, or beyond its type, is refused."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from jobs.readers.look import look
from jobs.readers.sniff import CDL, media_type
from tests.jobs.readers.reading import read_file, refusal

TEXT = """netcdf a { // a comment with "quotes" and {braces}
dimensions: time = UNLIMITED ; x = 2 ; width = 3 ;
variables:
  int time(time) ; time:units = "days since 2000-01-01" ; time:calendar = "noleap" ;
  short t(time, x) ; t:_FillValue = -99s ; t:scale_factor = 0.5 ; t:add_offset = 10. ; t:units = "K" ;
  float f(time, x) ; f:valid_range = 0.f, 100.f ;
  char name(x, width) ;
  byte u(x) ; u:_Unsigned = "true" ;
  // global attributes:
  :title = "a \\"title\\"" ; :_Format = "netCDF-4" ;
data:
  time = 59, 60 ;
  t = 1, _, -3,
      4 ;
  f = 1.5, NaN, -1, 1e2f ;
  name = "ab", "北" ;
  u = -1b, 0x7f ;
}
"""


def _file(folder: Path, text: str, name: str = "a.cdl") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_values_are_those_that_netcdf_gives(tmp_path: Path) -> None:
    found = read_file(tmp_path, "cdl", _file(tmp_path, TEXT), variables=["t", "f"])
    assert [(row["time"], row["t"], str(row["f"]), row["_locator"]) for row in found.rows] == [
        ("2000-03-01T00:00:00Z", 10.5, "1.5", "t[0,0]"), ("2000-03-01T00:00:00Z", None, "nan", "t[0,1]"),
        ("2000-03-02T00:00:00Z", 8.5, "None", "t[1,0]"), ("2000-03-02T00:00:00Z", 12.0, "100.0", "t[1,1]"),
    ]  # fmt: skip
    rows = read_file(tmp_path, "cdl", _file(tmp_path, TEXT), variables=["name", "u"]).rows
    assert [(row["name"], row["u"]) for row in rows] == [("ab", 255), ("北", 127)]


def test_the_same_rows_as_the_file_that_is_described(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("time", None)
        file.createDimension("x", 2)
        time = file.createVariable("time", "i4", ("time",))
        time.units, time.calendar = "days since 2000-01-01", "noleap"
        packed = file.createVariable("t", "i2", ("time", "x"), fill_value=-99)
        packed.scale_factor, packed.add_offset = 0.5, 10.0
        packed.set_auto_maskandscale(False)
        time[:], packed[:] = [59, 60], np.array([[1, -99], [-3, 4]])
    plain = read_file(tmp_path, "netcdf", tmp_path / "a.nc", variables=["t"])
    assert read_file(tmp_path, "cdl", _file(tmp_path, TEXT), variables=["t"]).rows == plain.rows


def test_the_calendars_of_the_reference_data(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "netcdf_quirks" / "nc_c__tst_calendars.cdl"
    inside, read_as, _ = look(path, "", {})
    assert read_as == "cdl" and inside["without_values"] == ["t4"] and media_type(path, "a") == CDL
    of_time = next(one["variables"] for one in inside["tables"].values() if "t1_days" in one["variables"])
    (row,) = read_file(tmp_path, "cdl", path, variables=of_time).rows
    first = {name: value for name, value in row.items() if name.startswith("t1_")}
    assert len(first) == 11 and {value[:10] for name, value in first.items() if name != "t1_jl_days"} == {"2009-01-01"}
    assert "t4: the text has no values of these\n  → it is a header alone" in refusal(tmp_path, "cdl", path)


def test_groups_enums_and_lists_of_the_reference_data(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "netcdf_quirks" / "nc_c__ref_tst_vlen_data2.cdl"
    inside, _, _ = look(path, "", {})
    assert set(inside["of_types_not_read"]) >= {"pfSystem/vlenVlenInt", "pfSystem/vlenCompound", "pfSystem/vlenString"}
    both = ["pfSystem/fixedLengthVectorAtomicInt", "pfSystem/fixedLengthVectorString"]
    rows = read_file(tmp_path, "cdl", path, variables=both).rows
    assert [list(row.values())[-4:-2] for row in rows][:2] == [[-1, "data1"], [2, "data22"]] and len(rows) == 10
    days = read_file(tmp_path, "cdl", path, variables=["pfSystem/daysOfWeek"])
    assert "Monday" in days.rows[0].values() or 3 in days.rows[0].values()
    said = refusal(tmp_path, "cdl", path, variables=["pfSystem/vlenVlenInt"])
    assert "lists of lists and opaque types are not read from CDL\n  → ask for the NetCDF file itself" in said


def test_a_header_alone_is_told(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "netcdf_quirks" / "cf__broken_bounds2.cdl"
    assert look(path, "", {})[0]["without_values"] == ["lat", "lat_bnds", "lon", "lon_bnds", "pr", "time", "time_bnds"]
    said = refusal(tmp_path, "cdl", path, variables=["pr"])
    assert "pr: the text has no values of these\n  → it is a header alone, or in part: ask for a dump with the values" in said


def _of(type_: str, values: str, shape: str = "(x)", more: str = "") -> str:
    return f"netcdf a {{ dimensions: x = 2 ; variables: {type_} v{shape} ; {more} data: v = {values} ; }}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_of("byte", "1, 128"), "'128' is beyond int8, which ends at -128 and 127"),
        (_of("ubyte", "1, -1"), "'-1' is beyond uint8"),
        (_of("short", "1, 1e9"), "'1e9' is beyond int16"),
        (_of("int64", "1, 9223372036854775808"), "is beyond int64"),
        (_of("float", "1, 1e39"), "'1e39' is beyond float32"),
        (_of("int", "1, 1.5"), "'1.5' is no whole number"),
        (_of("int", "1, NaN"), "no whole number"),
        (_of("int", "1, 010"), "may be octal or decimal"),
        (_of("int", "1"), "1 values are there, of 2\n  → it is a header alone, or in part"),
        (_of("int", "1, 2, 3"), "3 values are there, of 2"),
        (_of("double", '1, "2009-01-01"'), "is no number\n  → dates want to be numbers: ask for a dump without -t"),
        (_of("char", '"abc"'), "1 texts of 3 bytes are no 1 of 2"),
        (_of("string", "1, 2"), "is no text"),
        (_of("what", "1, 2"), "there is no type"),
        (_of("int", "1, 2", "(y)"), "the dimension 'y' is not declared"),
        (_of("int", "1, 2", more="w:a = 1 ;"), "'w', which is not declared"),
        (_of("int", "1, 2 ; v = 1, 2"), "which has values already"),
        (_of("int", "1, 2 ; w = 1"), "values of 'w', which is not declared"),
        (_of("int", "1, 2", more="int v(x) ;"), "is declared twice"),
        (_of("int", "1, 2") + "}", "more stands behind the end"),
        (_of("int", "1, {2}"), "is no number"),
        (_of("int", "1, 2")[:-4], "the text is cut off at line 1"),
        (_of("int", '1, "2')[:-4], "cut off"),
        (_of("int", "1, 2 3"), "no CDL: '3' at line 1"),
        (_of("int", "1, 2").replace("x = 2", "x = two"), "no CDL: 'two'"),
        ("netcdf a { " + "group: g { " * 60, "groups in groups, more than 50 deep"),
        (_of("int", "{" * 60), "lists in lists, more than 50"),
        (
            "netcdf a { dimensions: t = UNLIMITED ; x = 2 ; variables: int v(t, x) ; data: v = 1, 2, 3 ; }",
            "no whole number of records of 2",
        ),
        (
            "netcdf a { dimensions: t = UNLIMITED ; variables: int v(t) ; int w(t) ; data: v = 1, 2 ; w = 1 ; }",
            "of 2 as others have",
        ),
        ("netcdf a { dimensions: x = 4000000000 ; variables: int v(x) ; data: v = 1 ; }", "1 values are there, of 4000000000"),
        ("a,b\n1,2\n", "cdl was expected"),
    ],
)
def test_what_is_no_whole_cdl_is_refused_with_a_reason(tmp_path: Path, text: str, told: str) -> None:
    said = refusal(tmp_path, "cdl", _file(tmp_path, text), variables=["v"])
    assert told in said and "\n  → " in said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_of("int", "1, 2."), [1, 2]),
        (_of("double", "1, -Infinity"), [1.0, -np.inf]),
        (_of("int", "1, _"), [1, None]),
        (_of("char", "'a', 'b'"), ["ab"]),
        (_of("uint64", "18446744073709551615ULL, 0", more='v:a = "x" ;'), "beyond bigint"),
        (_of("string", '"a;b", _'), ["a;b", None]),
        (_of("int64", "9223372036854775807LL, -9223372036854775807"), [2**63 - 1, -(2**63) + 1]),
        (_of("float", "0.1f, 1e-3"), [0.10000000149011612, 0.0010000000474974513]),
        (_of("byte", "'a', '\\n'"), [97, 10]),
        ("netcdf 2m { variables: int v ; data: v = 7 ; }", [7]),
    ],
)
def test_values_are_read_as_they_are_written(tmp_path: Path, text: str, found: list[object] | str) -> None:
    path = _file(tmp_path, text)
    if isinstance(found, str):
        assert found in refusal(tmp_path, "cdl", path, variables=["v"])
    else:
        assert read_file(tmp_path, "cdl", path, variables=["v"]).column("v") == found
