"""A built wheel holds all that lies in the rooms: code, contracts, code lists, methods, queries, samples, the pages' script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from schemas.rooms import SHIPPED


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return a wheel of the tracked files, and the names of these."""
    folder = tmp_path_factory.mktemp("wheel")
    told = subprocess.run(["git", "ls-files", "-z"], cwd=SHIPPED, capture_output=True, check=True)
    tracked = [name for name in told.stdout.decode().split("\0") if (SHIPPED / name).is_file()]
    for name in tracked:
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED / name, folder / "source" / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(folder / "source")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "setuptools" in done.stderr:
        pytest.skip("no setuptools to build with, and no registry to have it from")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl")), tracked


def test_a_wheel_lacks_no_file_of_a_room(wheel: tuple[Path, list[str]]) -> None:
    path, tracked = wheel
    rooms = tomllib.loads((SHIPPED / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    wanted = {name for name in tracked if name.split("/")[0] in rooms}
    with zipfile.ZipFile(path) as archive:
        held = set(archive.namelist())
    assert {"web/upload.js", "schemas/knowledge/document.yaml", "layers/knowledge/passage.py"} <= wanted
    assert sorted(wanted - held) == []


def test_what_is_installed_from_it_knows_its_tables_and_pages(wheel: tuple[Path, list[str]], tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel[0]) as archive:
        archive.extractall(tmp_path / "site")
    script = "Path(web.upload.__file__).with_name('upload.js').is_file()"
    code = ("from schemas import contracts, rooms; import web.upload; from pathlib import Path; "
            f"print(rooms.SHIPPED, len(contracts.contracts()), {script})")  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    place, tables, there = done.stdout.split()
    assert (place, there) == (str(tmp_path / "site"), "True") and int(tables) > 42
