"""`carbonlake stack` without servers: what is missing is named, and Docker's files say what the stack starts."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from carbonlake.stack import airflow, container, java, parts, postgres, versions
from carbonlake.stack import home as homes
from schemas.errors import UserError
from schemas.rooms import SHIPPED
from tests import documents

DOCKER = SHIPPED / "docker"
MISSING = {
    "minio": ["Go"],
    "trino": ["Go", "Maven", "Java 24+"],
    "postgres": ["PostgreSQL"],
    "spark": ["Go", "Java 17+"],
    "airflow": ["Go", "PostgreSQL", "Airflow 3.3.2"],
    "mosquitto": ["Mosquitto"],
    "kafka": ["Maven", "Java 17+"],
}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let this process see a machine on which nothing is installed; return the home of a stack there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "USUAL", ())
    monkeypatch.setattr(postgres, "PLACES", ())
    monkeypatch.setattr(parts.part("mosquitto"), "PATH", str(tmp_path))
    monkeypatch.setattr(airflow, "_programs", lambda: iter([tmp_path / "airflow"]))
    return tmp_path / "home"


@pytest.mark.parametrize("name", parts.NAMES)
def test_what_is_missing_is_named_at_once_with_the_way_to_get_it_and_nothing_starts(name: str, bare: Path) -> None:
    with pytest.raises(UserError) as told:
        parts.up(bare, [name], lambda part, what: None)
    assert re.findall(r"^(?:stack: |  )(\S.*) is missing: ", str(told.value), re.MULTILINE) == MISSING[name]
    assert all(f"{one}: " in told.value.remedy for one in MISSING[name])
    assert not bare.exists()


def test_java_is_that_of_the_variable_or_the_first_that_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (17, 24, 25):
        (tmp_path / f"jdk{number}" / "bin").mkdir(parents=True)
        (tmp_path / f"jdk{number}" / "bin" / "java").touch()
        (tmp_path / f"jdk{number}" / "release").write_text(f'JAVA_VERSION="{number}.0.1"\n')
    monkeypatch.setattr(java, "USUAL", (f"{tmp_path}/jdk*",))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk17"))
    found = java.find(24, "CARBONLAKE_TRINO_JAVA")
    assert found and found.name == "jdk25"
    assert java.find(17, "CARBONLAKE_TRINO_JAVA") == tmp_path / "jdk17"
    monkeypatch.setenv("CARBONLAKE_TRINO_JAVA", str(tmp_path / "jdk24"))
    assert java.find(24, "CARBONLAKE_TRINO_JAVA") == tmp_path / "jdk24"
    assert java.find(26, "CARBONLAKE_TRINO_JAVA") is None


def test_parts_come_with_what_they_need_in_their_order() -> None:
    assert parts.chosen(None) == ["minio", "postgres", "trino", "spark", "airflow"]
    assert parts.chosen(["airflow", "trino"]) == ["minio", "postgres", "trino", "airflow"]
    assert parts.chosen(["trino"], needs=False) == ["trino"]
    with pytest.raises(UserError, match=r"there is no part trinoo(.|\n)*choose from minio"):
        parts.chosen(["trinoo"])


def test_a_stack_that_was_never_started_is_stopped_and_gives_nothing(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    told = documents.run(["carbonlake", "stack", "status", "--home", home, "--json"], tmp_path)
    assert told.returncode == 0 and {one["state"] for one in json.loads(told.stdout).values()} == {"stopped"}
    assert documents.run(["carbonlake", "stack", "env", "--home", home], tmp_path).stdout == ""
    assert not (tmp_path / "home").exists()


def test_versions_are_those_of_our_packages() -> None:
    project = tomllib.loads((SHIPPED / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"pyspark[connect]=={versions.SPARK}" in project["dependencies"]
    assert any(one.startswith(f"apache-airflow=={versions.AIRFLOW}") for one in project["optional-dependencies"]["airflow"])


@pytest.fixture(scope="module")
def compose() -> Any:
    """Return docker/compose.yaml as it stands."""
    return yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


def test_docker_starts_the_versions_of_the_stack(compose: Any) -> None:
    images = {name: one["image"] for name, one in compose["services"].items()}
    expected = {
        "minio": f"carbonlake-minio:{versions.MINIO}", "trino": f"trinodb/trino:{versions.TRINO}",
        "postgres": f"postgres:{versions.POSTGRES}", "spark-master": f"carbonlake-spark:{versions.SPARK}",
        "airflow-api": f"carbonlake-airflow:{versions.AIRFLOW}", "mosquitto": f"eclipse-mosquitto:{versions.MOSQUITTO}",
        "kafka": f"apache/kafka:{versions.KAFKA}",
    }  # fmt: skip
    assert {name: images[name] for name in expected} == expected
    assert compose["services"]["minio"]["build"]["args"] == {"MINIO": versions.MINIO}
    built = (DOCKER / "minio.Dockerfile").read_text(encoding="utf-8")
    assert f"ARG MINIO={versions.MINIO}\n" in built and f"FROM golang:{versions.GO}-" in built


def test_every_service_is_watched_bounded_and_not_root(compose: Any) -> None:
    for name, one in compose["services"].items():
        assert one["user"] == "1000:1000" and one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", [])), name
        assert one["restart"] == "no" or "test" in one["healthcheck"], name
        for volume in one.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"] or (DOCKER / volume.split(":")[0]).is_file(), (name, volume)


def test_who_computes_and_who_builds_share_the_folder_of_work(compose: Any) -> None:
    services = compose["services"]
    building = {name for name, one in services.items() if "CARBONLAKE_WORK" in one.get("environment", {})}
    assert building >= {"carbonlake", "airflow-scheduler"}
    assert {services[name]["environment"]["CARBONLAKE_WORK"] for name in building} == {"/staged/lake"}
    assert [
        name for name in (*building, "spark-worker", "spark-connect") if "work:/staged" not in services[name]["volumes"]
    ] == []


def test_the_images_pass_their_linter_and_end_as_a_user() -> None:
    files = sorted(str(path) for path in DOCKER.glob("*Dockerfile"))
    done = subprocess.run([Path(sys.executable).with_name("hadolint"), *files], capture_output=True, text=True, check=False)
    assert len(files) == 2 and (done.returncode, done.stdout) == (0, "")
    for path in files:
        stages = re.split(r"^FROM ", Path(path).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        users = [re.findall(r"^USER (\S+)", stage, re.MULTILINE) for stage in stages if "AS build" not in stage]
        assert [found[-1] for found in users] == ["1000:1000"] * len(users)


def test_the_keys_of_containers_are_made_once_and_name_where_the_parts_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(homes.VARIABLE, str(tmp_path / "keys"))
    container.main("keys")
    home = tmp_path / "keys"
    made = {path: path.read_bytes() for path in (home / "secrets").iterdir()}
    assert len(made) > 15 and {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    container.main("keys")
    assert {path: path.read_bytes() for path in (home / "secrets").iterdir()} == made
    found = container.environment(home, "minio,trino,postgres,spark,airflow,mosquitto,kafka")
    assert not [value for value in found.values() if "127.0.0.1:" in value]
    assert found["CARBONLAKE_ENGINE"] == "sc://spark-connect:15002" and "@trino:8443/lake" in found["CARBONLAKE_TRINO"]


def test_the_services_read_no_key_that_is_not_made(compose: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(homes.VARIABLE, str(tmp_path))
    container.main("keys")
    texts = [json.dumps(compose), (DOCKER / "databases.sh").read_text(encoding="utf-8").replace("$name", "airflow")]
    asked = {found for text in texts for found in re.findall(r"/keys/([\w./-]+[\w-])", text)}
    assert len(asked) > 8 and [name for name in sorted(asked) if not (tmp_path / name).exists()] == []
    # What a command of ours needs it finds there, too: in a container nothing can be written.
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    container.environment(tmp_path, ",".join(parts.NAMES))
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
