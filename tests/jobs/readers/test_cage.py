from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path

import docx
import h5py
import numpy as np
import psutil
import pytest

from jobs.readers import Read, Request, cage, read, read_many
from jobs.readers.cage import Limits, read_caged
from jobs.readers.sniff import media_type, probe
from schemas.errors import UserError
from schemas.rooms import SHIPPED


def _document(path: Path) -> Path:
    document = docx.Document()
    document.add_paragraph("Text.")
    document.save(str(path))
    return path


def _request(path: Path, delivery: int = 1, **options: object) -> Request:
    out = path.parent / f"out{delivery}"
    out.mkdir()
    return Request(path, out, delivery, path.name, options)


def _grid(path: Path, cells: int = 4_000_000) -> Request:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.zeros(cells, dtype="i1"), chunks=True, compression="gzip")
    return _request(path, datasets=["x"])


def _only(found: list[Read | UserError]) -> str:
    assert len(found) == 1 and isinstance(found[0], UserError), found
    return str(found[0])


def _children(others: Collection[psutil.Process] = ()) -> list[psutil.Process]:
    """Return the readers that are running, without others that were there before."""
    every = [one for one in psutil.Process().children(recursive=True) if "jobs.readers.cage" in one.cmdline()]
    return [one for one in every if one not in others]


def _when_read(pipe: Path) -> int:
    """Wait until someone reads the pipe and hold it open, so that the reader stands still."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < deadline, "no one reads the pipe"
            time.sleep(0.02)


@pytest.mark.parametrize(("number", "said"), [(signal.SIGKILL, "crashed (SIGKILL)"), (signal.SIGSEGV, "crashed (SIGSEGV)")])
def test_a_crash_is_one_refused_delivery_and_the_rest_goes_on(tmp_path: Path, number: int, said: str) -> None:
    os.mkfifo(tmp_path / "stuck.docx")
    good, others = _document(tmp_path / "good.docx"), _children()
    requests = [_request(good, 1), _request(tmp_path / "stuck.docx", 2), _request(good, 3)]
    found: list[Read | UserError] = []
    thread = threading.Thread(target=lambda: found.extend(read_many("word", requests)), daemon=True)
    thread.start()
    pipe = _when_read(tmp_path / "stuck.docx")
    (child,) = _children(others)
    child.send_signal(number)
    thread.join(60)
    os.close(pipe)
    assert [type(one) for one in found] == [Read, UserError, Read]
    assert str(found[1]).startswith(f"stuck.docx: the reader {said}") and not _children(others)


def test_a_reader_ends_with_the_build_that_asked(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stuck.docx")
    code = f"""
from collections.abc import Collection
from pathlib import Path
from jobs.readers import Request, read
read("word", Request(Path({str(tmp_path / "stuck.docx")!r}), Path({str(tmp_path)!r}), 1, "stuck", {{}}))
"""
    build = subprocess.Popen([sys.executable, "-c", code], cwd=SHIPPED)
    pipe = _when_read(tmp_path / "stuck.docx")
    (reader,) = psutil.Process(build.pid).children()
    build.kill()
    build.wait()
    gone, alive = psutil.wait_procs([reader], timeout=30)
    os.close(pipe)
    assert gone and not alive


def test_a_reader_that_stands_still_is_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stuck.docx")
    others = _children()
    found = read_caged("word", [_request(tmp_path / "stuck.docx")], Limits(wall=0.5))
    assert "stuck.docx: reading took longer than 0.5 s" in _only(found) and not _children(others)


def test_a_reader_that_computes_too_long_is_stopped(tmp_path: Path) -> None:
    found = read_caged("hdf5", [_grid(tmp_path / "x.h5", 60_000_000)], Limits(cpu=1))
    assert "x.h5: reading took more CPU time" in _only(found)


def test_a_reader_that_takes_too_much_memory_fails_alone(tmp_path: Path) -> None:
    # So little that not even the libraries fit.
    found = read_caged("hdf5", [_grid(tmp_path / "x.h5")], Limits(memory=64 << 20))
    assert _only(found).startswith("x.h5: ")


def test_a_reader_can_not_fill_the_disk(tmp_path: Path) -> None:
    request = _grid(tmp_path / "x.h5")
    assert "x.h5: " in _only(read_caged("hdf5", [request], Limits(file=100_000)))
    assert all(path.stat().st_size <= 100_000 for path in request.out.iterdir())


def test_a_missing_file_is_a_refusal_with_its_name(tmp_path: Path) -> None:
    assert "gone.docx: can't be read: FileNotFoundError" in _only(read_many("word", [_request(tmp_path / "gone.docx")]))


def test_one_process_reads_several_deliveries(tmp_path: Path) -> None:
    good = _document(tmp_path / "good.docx")
    (tmp_path / "bad.docx").write_bytes(b"<html>")
    found = read_many("word", [_request(good, 1), _request(tmp_path / "bad.docx", 2), _request(good, 3)])
    assert [type(one) for one in found] == [Read, UserError, Read]
    assert all(isinstance(one, UserError) or one.columns == ("heading", "kind", "text") for one in found)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="known: csv, excel, netcdf, hdf5, pdf, word"):
        read("lotus", _request(tmp_path / "a.wk1"))


def test_probes_say_what_is_inside(tmp_path: Path, shared: Path) -> None:
    data = shared / "data"
    (tmp_path / "a.csv").write_bytes("户号;电量\n1;2\n".encode("gbk"))
    assert probe("csv", tmp_path / "a.csv", {"encoding": "gbk", "delimiter": ";"}) == {
        "encoding": "gb18030", "delimiter": ";", "columns": ["户号", "电量"], "first_rows": [["1", "2"]]}  # fmt: skip
    sheets = probe("excel", data / "national_inventories/CHN_ghg_profile.xlsx", {})["sheets"]
    assert sheets["Data_by_gas"]["first_rows"][0][1:3] == ["1994", "2005"]
    variables = probe("netcdf", data / "atmosphere_science/eraint_uvz.nc", {})["variables"]
    assert variables["u"]["dimensions"] == {"month": 2, "level": 3, "latitude": 241, "longitude": 480}
    assert probe("hdf5", _grid(tmp_path / "x.h5", 10).path, {})["datasets"] == {"x": {"shape": [10], "type": "int8"}}
    assert probe("word", _document(tmp_path / "a.docx"), {})["first_text"] == ["Text."]
    assert probe("pdf", next((data / "documents_pdf_zh").glob("218*")), {})["pages"] == 3


@pytest.mark.parametrize(("name", "found"), [
    ("national_inventories/CHN_ghg_profile.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("documents_office/Strict.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("documents_office/legacy_sample.xls", "application/vnd.ms-excel"),
    ("atmosphere_science/TOTALS_nc.zip", "application/zip"),
    ("atmosphere_science/eraint_uvz.nc", "application/x-netcdf"),
    ("atmosphere_science/v6.0_CO2_excl_short-cycle_org_C_2015_TOTALS.5.3x5.1.nc", "application/x-hdf5"),
    ("atmosphere_science/co2_data.csv", "text/csv"),
    ("documents_office/grve-20251231_lab.xml", "text/xml"),
    ("country_emissions/owid-co2-data_2020-08-07.csv.gz", "application/gzip"),
])  # fmt: skip
def test_media_types_are_told_by_bytes(tmp_path: Path, shared: Path, name: str, found: str) -> None:
    disguised = tmp_path / "delivery"
    disguised.write_bytes((shared / "data" / name).read_bytes())
    assert media_type(disguised, "delivery.bin") == found


def test_a_reader_of_strangers_files_has_no_key_to_the_lake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "CARBONLAKE_STORAGE_OPTIONS", "CARBONLAKE_TRINO_PASSWORD", "METERS_URL"):
        monkeypatch.setenv(name, "a-key")
    with cage._started(Limits()) as child:
        kept = psutil.Process(child.process.pid).environ()
    assert "PATH" in kept and "a-key" not in kept.values()
