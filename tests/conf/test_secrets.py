"""Secrets are known from the settings and the environment, and no text keeps one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conf.secrets import HIDDEN, learn, redact
from conf.settings import load


def test_what_settings_hold_as_a_secret_is_taken_out_of_any_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("https://hooks.example/T0/B1/of-the-webhook\n", encoding="utf-8")
    options = {"AWS_SECRET_ACCESS_KEY": "sk-of/the+store", "AWS_SESSION_TOKEN": "st-of-the-store", "AWS_REGION": "us-east-1"}
    monkeypatch.setenv("CARBONLAKE_STORAGE_OPTIONS", json.dumps(options))
    monkeypatch.setenv("CARBONLAKE_LINEAGE_TOKEN", "token-of-lineage")
    monkeypatch.setenv("CARBONLAKE_ALERT_URL", f"${{file:{tmp_path / 'hook'}}}")
    load()
    text = "sk-of/the+store st-of-the-store token-of-lineage https://hooks.example/T0/B1/of-the-webhook us-east-1"
    assert redact(text) == " ".join([HIDDEN] * 4 + ["us-east-1"])


def test_credentials_of_the_default_chain_are_secrets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-default-chain")
    monkeypatch.setenv("CARBONLAKE_TRINO_PASSWORD", "pass-of-trino")
    assert redact("a from-the-default-chain b pass-of-trino") == f"a {HIDDEN} b {HIDDEN}"


def test_a_secret_that_holds_another_is_taken_out_whole() -> None:
    learn({"password": "inner-secret", "token": "outer-inner-secret-outer"})
    assert redact("<outer-inner-secret-outer>") == f"<{HIDDEN}>"


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("GET http://ann:pa55word@store:9000/b failed", "store:9000/b failed", "pa55word"),
        ("Authorization: Bearer eyJhbGciOi.J9", "Authorization: Bearer", "eyJhbGciOi.J9"),
        ("X-Amz-Signature=0123abcd&X-Amz-Date=2026", "X-Amz-Date=2026", "0123abcd"),
        ("config(fs.s3a.secret.key='very secret words', n=3)", "n=3", "very secret words"),
        ('{"aws_secret_access_key": "abc/def+ghi", "region": "eu"}', '"region": "eu"', "abc/def+ghi"),
    ],
)
def test_what_looks_like_a_secret_goes_though_nobody_named_it(text: str, kept: str, gone: str) -> None:
    assert kept in redact(text)
    assert gone not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "conf/base.yaml: lineage_token: a secret is not written into a file",
        "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in `storage_options`",
        "https://example.org/a:b@c and s3://bucket/lake",
    ],
)
def test_what_people_must_read_stays(text: str) -> None:
    assert redact(text) == text
