"""Archives: members of one shape are one delivery, each row with its member; nothing leaves its folder or its limits."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.readers import Read, Request, read_many
from jobs.readers.look import look
from jobs.readers.unpack import unpack
from schemas.errors import UserError
from tests.jobs.readers.reading import read_file, refusal

TWO = {"data/one.csv": b"a,b\n1,x\n", "data/two.csv": b"a,b\n2,y\n3\n4,z\n", "notes/readme.txt": b"words"}


def _zip(folder: Path, members: dict[str, bytes], name: str = "a.zip", **more: Any) -> Path:
    with zipfile.ZipFile(folder / name, "w", more.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def _tar(folder: Path, members: dict[str, bytes], name: str = "a.tar", mode: str = "w") -> Path:
    with tarfile.open(folder / name, mode) as archive:  # type: ignore[call-overload]
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return folder / name


def _unpacked(path: Path, *patterns: str) -> dict[str, bytes]:
    out = path.parent / f"unpacked{sum(1 for _ in path.parent.iterdir())}"
    out.mkdir()
    found = {name: (out / file).read_bytes() for name, file in unpack(path, out, patterns or ["*"], path.name).items()}
    assert len(list(out.iterdir())) == len(found)  # nothing is left of archives in it
    return found


def _no(path: Path, *patterns: str) -> str:
    with pytest.raises(UserError) as caught:
        _unpacked(path, *patterns)
    assert caught.value.remedy and path.name in caught.value.where
    return str(caught.value)


@pytest.mark.parametrize("make", [_zip, _tar, lambda folder, members: _tar(folder, members, "a.tar.gz", "w:gz")])
def test_members_are_stacked_with_their_names_in_each_place(tmp_path: Path, make: Any) -> None:
    found = read_file(tmp_path, "csv", make(tmp_path, TWO), members="data/*.csv")
    assert [tuple(row.values()) for row in found.rows] == [
        ("data/one.csv", "1", "x", 7, "data/one.csv:2"), ("data/two.csv", "2", "y", 7, "data/two.csv:2"),
        ("data/two.csv", "4", "z", 7, "data/two.csv:4"),
    ]  # fmt: skip
    assert [(row["_locator"], row["raw"]) for row in found.rejected] == [("data/two.csv:3", "3")]
    assert found.read.columns == ("_member", "a", "b") and found.read.rejected == 1 and found.read.info["members"] == 2


def test_workbooks_keep_their_sheets_in_the_place(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active
    book.active.append(["a"])
    book.active.append([1])
    book.save(tmp_path / "m.xlsx")
    path = _zip(tmp_path, {"2026/m.xlsx": (tmp_path / "m.xlsx").read_bytes()})
    assert read_file(tmp_path, "excel", path, members="*.xlsx").rows[0]["_locator"] == "2026/m.xlsx!Sheet!2"
    assert look(tmp_path / "m.xlsx", "", {})[1] == "excel"  # a zip, and no archive to us


def test_archives_in_archives_are_folders(tmp_path: Path) -> None:
    inner = _tar(tmp_path, {"c.csv": b"a\n1\n"}, "i.tar.gz", "w:gz").read_bytes()
    path = _zip(tmp_path, {"month/i.tar.gz": inner, "b.csv.gz": gzip.compress(b"a\n2\n")}, "o.zip")
    assert _unpacked(path, "i.tar.gz/*.csv") == {"month/i.tar.gz/c.csv": b"a\n1\n"}
    found = read_file(tmp_path, "csv", path, members=["*.csv", "*.csv.gz"])
    assert [row["_locator"] for row in found.rows] == ["b.csv.gz:2", "month/i.tar.gz/c.csv:2"]


def test_a_gzip_file_of_no_text_is_an_archive_of_one(tmp_path: Path, shared: Path) -> None:
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "m.parquet")
    (tmp_path / "m.parquet.gz").write_bytes(gzip.compress((tmp_path / "m.parquet").read_bytes()))
    _, read_as, given = look(tmp_path / "m.parquet.gz", "", {})
    assert (read_as, given) == ("parquet", {"members": "*.parquet"})
    assert read_file(tmp_path, "parquet", tmp_path / "m.parquet.gz", **given).rows[1]["_locator"] == "m.parquet!row 2"
    path = _zip(tmp_path, {"x/m.parquet.gz": (tmp_path / "m.parquet.gz").read_bytes()})
    assert read_file(tmp_path, "parquet", path, members="*.gz").column("n") == [1, 2]


def test_the_archive_of_the_reference_data_is_read(tmp_path: Path, shared: Path) -> None:
    path = shared / "data" / "atmosphere_science" / "TOTALS_nc.zip"
    inside, read_as, given = look(path, "", {})
    assert (read_as, given) == ("netcdf", {"members": "*.nc"}) and set(inside["members"]) >= {"_readme.html"}
    found = read_file(tmp_path, "netcdf", path, **given)
    plain = read_file(tmp_path, "netcdf", path.parent / "v6.0_CH4_2015_TOTALS.5.3x5.1.nc")
    assert found.column("emi_ch4") == plain.column("emi_ch4") and len(found.rows) == 35 * 71
    assert found.rows[0]["_locator"] == "v6.0_CH4_2015_TOTALS.5.3x5.1.nc!emi_ch4[0,0]"


def test_members_of_other_shapes_are_refused_and_records_are_joined(tmp_path: Path) -> None:
    path = _zip(tmp_path, {"a.csv": b"a,b\n1,2\n", "b.csv": b"a,c\n1,2\n"})
    said = refusal(tmp_path, "csv", path, members="*.csv")
    assert "a.zip/b.csv: it is of another shape than 'a.csv': 'b', 'c' is not in both\n  → name members of one shape" in said
    path = _zip(tmp_path, {"a.json": b'[{"a": 1}]', "b.json": b'[{"b": 2}]'})
    rows = read_file(tmp_path, "json", path, members="*.json").rows
    assert [(row["a"], row["b"]) for row in rows] == [("1", None), (None, "2")]
    for numbers, told in ((pa.array([1.5]), ""), (pa.array(["x"]), "the column 'n' is string here and int64 in another member")):
        for name, column in (("a", pa.array([3])), ("b", numbers)):
            pq.write_table(pa.table({"n": column}), tmp_path / name)
        path = _zip(tmp_path, {f"{name}.parquet": (tmp_path / name).read_bytes() for name in "ab"})
        if told:
            assert told in refusal(tmp_path, "parquet", path, members="*.parquet")
        else:
            assert read_file(tmp_path, "parquet", path, members="*.parquet").column("n") == [3.0, 1.5]
    pq.write_table(pa.table({"n": [2**60]}), tmp_path / "a")
    pq.write_table(pa.table({"n": [0.5]}), tmp_path / "b")
    path = _zip(tmp_path, {f"{name}.parquet": (tmp_path / name).read_bytes() for name in "ab"})
    assert "too large for a double" in refusal(tmp_path, "parquet", path, members="*.parquet")


def test_one_member_that_can_not_be_read_refuses_the_delivery_alone(tmp_path: Path) -> None:
    bad = _zip(tmp_path, {"a.csv": b"a,b\n1,2\n", "b.csv": b"<html>no</html>"}, "bad.zip")
    good = _zip(tmp_path, TWO, "good.zip")
    requests = []
    for number, path in enumerate((bad, good)):
        (tmp_path / str(number)).mkdir()
        requests.append(Request(path, tmp_path / str(number), number, path.name, {"members": "*.csv"}))
    first, second = read_many("csv", requests)
    assert isinstance(first, UserError) and first.where == "bad.zip/b.csv" and isinstance(second, Read) and second.rows == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "bad.zip", "good.zip"]  # nothing is left over


@pytest.mark.parametrize("name", ["../up.csv", "/etc/up.csv", "a/../../up.csv", "C:/up.csv", "..\\up.csv", "a\x07.csv"])
@pytest.mark.parametrize("make", [_zip, _tar])
def test_names_that_lead_out_are_refused(tmp_path: Path, make: Any, name: str) -> None:
    assert "leads out of the archive\n  → ask for an archive of plain files" in _no(make(tmp_path, {name: b"x"}))
    assert not list(tmp_path.parent.glob("up.csv"))


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("l.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "'l.csv' is a link or a device" in _no(tmp_path / "a.zip")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            entry = tarfile.TarInfo("l.csv")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        assert "'l.csv' is a link or a device" in _no(tmp_path / "a.tar")


@pytest.mark.parametrize("twin", ["A.csv", "a.csv"])
def test_members_of_one_name_are_refused(tmp_path: Path, twin: str) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("a.csv", twin):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    assert f"the members 'a.csv' and {twin!r} are one" in _no(tmp_path / "a.tar")


def test_what_is_encrypted_or_packed_in_an_unknown_way_is_refused(tmp_path: Path) -> None:
    content = bytearray(_zip(tmp_path, {"a.csv": b"a\n1\n", "b.txt": b""}).read_bytes())
    directory = content.index(b"PK\x01\x02")
    for place, value, told in ((8, 1, "'a.csv' is under a password"), (10, 9, "packed in a way that is not known")):
        changed = content.copy()
        changed[directory + place] = changed[place - 2] = value
        (tmp_path / "b.zip").write_bytes(changed)
        assert told in _no(tmp_path / "b.zip")
    assert _unpacked(_zip(tmp_path, {"a.csv": b"a\n1\n"}), "*.csv") == {"a.csv": b"a\n1\n"}


def test_damage_is_seen_wherever_it_is(tmp_path: Path) -> None:
    members = {"a.csv": b"a,b\n" + b"12345,67890\n" * 400}
    path = _zip(tmp_path, members, compression=zipfile.ZIP_STORED)
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            assert list(_unpacked(path).values()) == list(members.values())  # a name or a date may differ
        except UserError as error:
            refused += 1
            assert error.remedy
    assert refused > 45
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut off" in _no(path)
    two = _zip(tmp_path, {"a.csv": b"1", "b.csv": b"2"}, "two.zip")
    swallowed = bytearray(two.read_bytes())
    first = swallowed.index(b"PK\x01\x02")
    swallowed[first + 32] = len(swallowed) - 22 - swallowed.index(b"PK\x01\x02", first + 4)  # a comment as long as the next entry
    two.write_bytes(swallowed)
    assert "its directory has 1 members, and says that it has 2" in _no(two)
    path.write_bytes(whole + whole)
    assert "bytes stand before its first member" in _no(path)


def test_a_tar_file_must_end_as_one(tmp_path: Path) -> None:
    path = _tar(tmp_path, {"a.csv": b"a\n1\n", "b.csv": b"a\n2\n"})
    whole = path.read_bytes()
    for content, told in (
        (whole[:1024], "the tar file is cut off"), (whole[:1100], "the tar file is cut off"), (whole + whole, "two are joined"),
        (whole[:1024] + b"X" + whole[1025:], "the tar file is damaged"), (whole[:1540], "damaged or cut off"),
    ):  # fmt: skip
        path.write_bytes(content)
        assert told in _no(path), told
    path = _tar(tmp_path, {"a.csv": b"a\n1\n"}, "a.tar.gz", "w:gz")
    path.write_bytes(path.read_bytes()[:-6])
    assert "damaged or cut off" in _no(path)


def test_bombs_are_stopped_by_ratio_count_and_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.readers.unpack.SMALL", 1 << 20)
    assert "more than 200 times its size" in _no(_zip(tmp_path, {"a.csv": bytes(20 << 20)}))
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(20 << 20)))
    assert "more than 200 times its size" in _no(tmp_path / "a.gz")
    monkeypatch.setattr("jobs.readers.unpack.ENTRIES", 10)
    assert "more than 10 members" in _no(_zip(tmp_path, {f"{n}.csv": b"" for n in range(11)}))
    content = {"a.csv": b"a\n1\n"}
    for depth in range(1, 5):
        path = _zip(tmp_path, content, f"{depth}.zip")
        content = {f"{depth}.zip": path.read_bytes()}
        if depth < 4:
            assert len(_unpacked(path)) == 1
    assert "archives in archives, more than 3 deep" in _no(path)
    content = {"a.csv": b"a\n1\n"}
    packed = gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"a\n"))))
    (tmp_path / "b.gz").write_bytes(packed)
    assert "more than 3 deep" in _no(tmp_path / "b.gz")
    monkeypatch.setattr("jobs.readers.unpack.TOTAL", 1 << 20)
    assert "it unpacks to more than 0 GB" in _no(_zip(tmp_path, {"a": bytes(2 << 20)}, compression=zipfile.ZIP_STORED))


def test_names_in_gbk_and_rubbish_of_other_systems(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("QQQQ.csv", "__MACOSX/._a.csv", ".DS_Store", "d/.hidden.csv"):
            archive.writestr(name, b"a\n1\n")
    content = (tmp_path / "a.zip").read_bytes().replace(b"QQQQ", "电量".encode("gbk"))
    (tmp_path / "a.zip").write_bytes(content)
    assert list(_unpacked(tmp_path / "a.zip")) == ["电量.csv"]


def test_what_is_no_archive_or_has_no_such_member_is_told(tmp_path: Path) -> None:
    path = _zip(tmp_path, TWO)
    assert "no member matches '*.xlsx'\n  → it has 'data/one.csv', 'data/two.csv'" in refusal(
        tmp_path, "excel", path, members="*.xlsx"
    )
    assert "the file is a ZIP archive, and csv was expected\n  → name its members" in refusal(tmp_path, "csv", path)
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    assert "an archive was expected\n  → leave out the option `members`" in refusal(
        tmp_path, "csv", tmp_path / "a.csv", members="*"
    )
    for wrong in ("", 7, [], [""]):
        assert "is no pattern of names" in refusal(tmp_path, "csv", path, members=wrong)
    path = _zip(tmp_path, {"a.csv": b"_member,b\n1,2\n"})
    assert "a column is named '_member', which is a name of ours" in refusal(tmp_path, "csv", path, members="*")


def test_the_proposed_pattern_names_members_of_one_shape(tmp_path: Path) -> None:
    shape, other = b"a;b\n1;2\n", b"c\n1\n"
    for members, pattern in (
        ({"x.csv": shape, "d/y.csv": shape, "z.bin": bytes(4)}, "*.csv"),
        ({"d/x.csv": shape, "d/y.csv": shape, "e/z.csv": other}, "d/*.csv"),
        ({"x.csv": shape, "y.csv": shape, "[z].csv": other}, ["x.csv", "y.csv"]),
        ({"[x].csv": shape, "y.csv": other + b"\n" * 0, "w.pdf": b"%PDF-"}, None),
    ):
        inside, read_as, given = look(_zip(tmp_path, members), "", {})
        assert read_as == "csv" and set(inside["members"]) == set(members)
        assert len(inside.get("not_read", ())) == len(members) - (1 if pattern is None else 2)
        if pattern:
            assert given == {"members": pattern, "delimiter": ";"}
        assert read_file(tmp_path, "csv", tmp_path / "a.zip", **given).rows
    with pytest.raises(UserError, match=r"none of its members can be read\n.*z.bin"):
        look(_zip(tmp_path, {"z.bin": bytes(range(4)) * 200}), "", {})


def test_formats_in_a_cage_or_not_know_the_option(tmp_path: Path) -> None:
    path = _zip(tmp_path, {"a.bin": b"\0\1\2\3" * 100})
    told = {format: refusal(tmp_path, format, path, members="*") for format in ("csv", "excel", "cdl")}
    assert {format for format, said in told.items() if not said.startswith("a.zip/a.bin: ")} == set()


@pytest.mark.parametrize(("head", "name"), [
    (b"7z\xbc\xaf\x27\x1c\0\4", "7z"), (b"Rar!\x1a\x07\1\0", "RAR"), (b"\xfd7zXZ\0\0", "xz"), (b"BZh91AY&SY", "bzip2"),
    (b"\x28\xb5\x2f\xfd\0", "Zstandard"),
])  # fmt: skip
def test_what_is_packed_otherwise_is_told_with_a_remedy(tmp_path: Path, head: bytes, name: str) -> None:
    (tmp_path / "a.x").write_bytes(head + b"\0" * 50)
    for said in (refusal(tmp_path, "csv", tmp_path / "a.x", members="*"), refusal(tmp_path, "csv", tmp_path / "a.x")):
        assert f"packed by {name}" in said and "unpack it, and land the files, or a zip or tar.gz of them" in said
    with pytest.raises(UserError, match=f"packed by {name}, which no reader takes"):
        look(tmp_path / "a.x", "", {})
