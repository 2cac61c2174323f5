"""What the files of science say of their arrays is kept, and whether checksums guard the values is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest

from jobs import integrity, land, variables
from jobs.deliveries import Parsed
from jobs.lake import Lake
from jobs.land import Receipt
from jobs.readers import described
from schemas.contracts import contract
from tests.jobs import building

FLUX = """
description: Flux
owner: tests
source: {zone: flux, path: "*.nc", format: netcdf, publisher: us, licence: CC0-1.0, timezone: UTC}
key: [x]
columns:
  x: {type: double, required: true, description: Place}
  t: {type: %s, description: Flux}
"""


def _file(path: Path, kind: str = "NETCDF4", first: int = 1, **how: Any) -> Path:
    with netCDF4.Dataset(path, "w", format=kind) as file:
        file.title = "Flux, 试验"
        file.createDimension("x", 3)
        file.createVariable("x", "f8", ("x",), **how)[:] = [first, first + 1, first + 2]
        t = file.createVariable("t", "i2", ("x",), fill_value=-1, **how)
        t.units, t.scale_factor, t.valid_range = "kg m-2", np.float32(0.5), np.array([0, 9], "i2")
        t[:] = [0, 1, 2]
    return path


def _built(lake: Lake, spark: Any, path: Path, patch: pytest.MonkeyPatch, kind: str = "double") -> dict[str, dict[str, Any]]:
    patch.setenv(
        "CARBONLAKE_PROJECT", str(building.lay(lake.folder.parent / "project", {"schemas/cleaned/flux.yaml": FLUX % kind}))
    )
    land.land(lake, path, "cleaned.flux")
    assert building.build(lake, spark, "cleaned.flux")["cleaned.flux"].counts.written == 3
    names = ("path", "type", "dimensions", "shape", "units", "fill_value", "filters", "attributes", "integrity", "used", "kind")
    return {row[0]: dict(zip(names, row, strict=True)) for row in building.rows(lake, "knowledge.variable", *names)}


@pytest.mark.parametrize("kind", ["double", '"decimal(28,6)"'])
def test_variables_are_kept_with_their_attributes_however_the_table_is_made(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    lake = Lake(tmp_path / "lake").init()
    found = _built(lake, spark, _file(tmp_path / "a.nc", fletcher32=True), monkeypatch, kind)
    t = found["t"]
    assert (t["type"], t["dimensions"], t["shape"], t["units"], t["fill_value"]) == ("int16", '["x"]', "[3]", "kg m-2", "-1")
    assert json.loads(t["attributes"])["scale_factor"] == {"type": "float32", "value": 0.5}
    assert json.loads(t["attributes"])["valid_range"] == {"type": "int16", "value": [0, 9]}
    assert (t["filters"], t["integrity"], t["used"]) == ("fletcher32", "checked", True)
    assert found["/"]["kind"] == "NETCDF4" and json.loads(found["/"]["attributes"])["title"]["value"] == "Flux, 试验"
    assert integrity.said(lake, ["cleaned.flux"]) == {"cleaned.flux": "checked"}


def test_a_file_without_checksums_is_unchecked_and_so_is_the_table(
    tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake").init()
    found = _built(lake, spark, _file(tmp_path / "a.nc", "NETCDF3_CLASSIC"), monkeypatch)
    assert {row["integrity"] for path, row in found.items() if path != "/"} == {"unchecked"}
    land.land(lake, _file(tmp_path / "b.nc", first=4, zlib=True), "cleaned.flux")
    building.build(lake, spark, "cleaned.flux")
    assert integrity.said(lake, ["cleaned.flux"])["cleaned.flux"] == "unchecked in 1 of 2 deliveries"
    assert [integrity.of_delivery(lake, "cleaned.flux", number) for number in (1, 2)] == ["unchecked", "checked"]
    from typer.testing import CliRunner

    from carbonlake.cli import app

    shown = CliRunner().invoke(app, ["--lake", str(lake.root), "show", "cleaned.flux"]).output
    assert "unchecked in 1 of 2" in shown
    from jobs.session import Engine
    from jobs.trace import trace

    assert "unchecked" in json.dumps(trace(lake, Engine("sail", spark), "cleaned.flux", {"x": "1.0"}).as_dict(), default=str)


def test_a_declared_sum_checks_a_file_without_any(tmp_path: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"path": "t", "integrity": "unchecked"}
    receipt = {"delivery_id": 1, "source": "cleaned.flux", "name": "a.nc", "sha256": "a" * 64, "size_bytes": 1,
               "media_type": "", "received_at": None, "publisher": "", "licence": "", "status": "received"}  # fmt: skip
    one = Parsed(1, "a.nc", tmp_path, (), 1, 0, fresh=True, around={"variables": [told]})
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(building.lay(tmp_path, {"schemas/cleaned/flux.yaml": FLUX % "double"})))
    for declared, grade in ((receipt["sha256"], "checked"), ("0" * 64, "unchecked")):
        given = Receipt(**{**receipt, "declared": json.dumps({"sha256": declared})})  # type: ignore[arg-type]
        assert variables.rows(contract("cleaned.flux"), [one], [given])[0]["integrity"] == grade


def test_a_chunk_that_was_stored_without_its_filter_is_unchecked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        t = file.create_dataset("t", (4,), "i4", chunks=(2,), fletcher32=True)
        t[:2] = 1
        t.id.write_direct_chunk((2,), np.array([7, 8], "i4").tobytes(), filter_mask=1)
        text = file.create_dataset("words", (1,), h5py.string_dtype(), chunks=(1,), compression="gzip")
        text[0] = "beside"
    with h5py.File(tmp_path / "m.h5") as file:
        found = {row["path"]: row["integrity"] for row in described.hdf5(file, tmp_path / "m.h5", set())}
    assert found == {"/": None, "t": "unchecked", "words": "unchecked"}


@pytest.mark.filterwarnings("ignore")
def test_every_odd_file_is_described(shared: Path) -> None:
    rows = 0
    for path in sorted((shared / "data/netcdf_quirks").glob("nc*.nc")) + sorted((shared / "data/netcdf_quirks").glob("cf*.nc")):
        with netCDF4.Dataset(path) as file:
            rows += len(described.netcdf(file, path, set()))
    for path in sorted((shared / "data/hdf5_quirks").glob("*.hdf5")):
        with h5py.File(path) as file:
            rows += len(described.hdf5(file, path, set()))
    assert rows > 2500
