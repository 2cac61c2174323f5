"""Without a Java that will do, Apache Spark is not started, and the reason says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.apache import java
from jobs.session import engine
from schemas.errors import UserError


def _java(folder: Path, told: str) -> Path:
    """Make a program that tells a version as Java does, and return its home."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
    program.chmod(0o755)
    return folder


def _refused(match: str) -> str:
    with pytest.raises(UserError, match=match) as caught, engine("spark"):
        pass
    assert caught.value.where == "engine spark"
    assert "sail" in caught.value.remedy
    return caught.value.remedy


def test_a_machine_without_java_is_told_to_install_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install a JDK" in _refused("needs Java 17 or newer, and there is none")


def test_a_java_home_without_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "install a JDK" in _refused(f"JAVA_HOME is {tmp_path}")


@pytest.mark.parametrize(("told", "version"), [('java version "1.8.0_402"', 8), ('openjdk version "11.0.22" 2024-01-16', 11)])
def test_a_java_that_is_too_old_is_named_with_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, version: int
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path, told)))
    assert "newer JDK" in _refused(f"{tmp_path}/bin/java is {version}")


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(_java(tmp_path / "old", 'openjdk version "11.0.22"') / "bin"))
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path / "new", 'openjdk version "21" 2023-09-19')))
    assert java() == (str(tmp_path / "new" / "bin" / "java"), 21)


def test_a_java_that_tells_nothing_is_tried_and_what_it_says_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path, "Error: nothing works here")))
    _refused("Apache Spark did not start: Error: nothing works here")
