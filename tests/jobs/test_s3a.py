"""Storage options become what each engine asks for, and no secret of theirs stands where others can read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jobs import s3a
from jobs.apache import DELTA, properties, settings

OPTIONS = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "never-told",
           "AWS_REGION": "eu-central-1"}  # fmt: skip


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what this machine may say of Amazon."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


def of_s3a(options: dict[str, str]) -> dict[str, str]:
    """Return the settings of S3A under their short names."""
    return {name.removeprefix(s3a.PREFIX): value for name, value in s3a.settings(options).items() if name.startswith(s3a.PREFIX)}


def test_keys_address_and_region_are_handed_on() -> None:
    found = of_s3a(OPTIONS)
    assert found["endpoint"] == OPTIONS["AWS_ENDPOINT_URL"]
    assert (found["access.key"], found["secret.key"], found["endpoint.region"]) == ("someone", "never-told", "eu-central-1")
    assert (found["path.style.access"], found["connection.ssl.enabled"]) == ("true", "false")
    assert found["aws.credentials.provider"].endswith("SimpleAWSCredentialsProvider")
    assert s3a.settings(OPTIONS)["spark.hadoop.fs.s3.impl"] == s3a.S3A


def test_keys_for_a_while_come_with_their_token() -> None:
    found = of_s3a({**OPTIONS, "AWS_SESSION_TOKEN": "until-noon"})
    assert found["session.token"] == "until-noon"
    assert found["aws.credentials.provider"].endswith("TemporaryAWSCredentialsProvider")


def test_without_keys_every_machine_asks_its_own_surroundings() -> None:
    found = of_s3a({"AWS_REGION": "eu-central-1"})
    assert found["aws.credentials.provider"] == s3a.DEFAULT_CHAIN
    assert not {"access.key", "secret.key", "session.token", "endpoint"} & set(found)
    assert found["path.style.access"] == "false"


def test_names_may_be_small_and_what_is_not_said_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    found = of_s3a({"aws_access_key_id": "someone", "aws_secret_access_key": "never-told"})
    assert (found["access.key"], found["endpoint.region"]) == ("someone", "us-east-1")


def test_what_spark_writes_is_encrypted_as_asked() -> None:
    assert "encryption.algorithm" not in of_s3a(OPTIONS)
    kms = of_s3a({**OPTIONS, "AWS_SERVER_SIDE_ENCRYPTION": "aws:kms", "AWS_SSE_KMS_KEY_ID": "key-1"})
    assert (kms["encryption.algorithm"], kms["encryption.key"]) == ("SSE-KMS", "key-1")


def test_a_lake_on_a_disk_needs_nothing_of_amazon() -> None:
    assert settings(None)["spark.jars.packages"] == DELTA
    assert not [name for name in settings(None) if "s3" in name]
    assert settings({})["spark.jars.packages"] == f"{DELTA},{s3a.HADOOP_AWS}"


def test_the_environment_is_as_before_when_the_engine_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "before")
    with s3a.exported(OPTIONS):
        assert (os.environ["AWS_REGION"], os.environ["AWS_SECRET_ACCESS_KEY"]) == ("eu-central-1", "never-told")
    assert os.environ["AWS_REGION"] == "before"
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ


def test_settings_are_told_in_a_file_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    file = properties(tmp_path / "spark.properties", {"spark.a": "back\\slash", "spark.b": "two words, 中文"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="utf-8").splitlines() == ["spark.a back\\\\slash", "spark.b two words, 中文"]
