"""The one typed class of settings, closed and frozen, and the way its values are found."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conf import secrets

FOLDER = Path(__file__).resolve().parent
ENVIRONMENT, PREFIX, PROJECT = "CARBONLAKE_ENV", "CARBONLAKE_", "CARBONLAKE_PROJECT"
REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")
WITH_PASSWORD = re.compile(r"://[^/@:\s]*:(?!\$\{)[^/@\s]+@")


class SettingsError(Exception):
    """A setting that a person can mend; the message names file, key and remedy."""


class Webhook(BaseModel):
    """Who hears when tables change: where, of which tables, and the secret that signs what is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    tables: str  # names or patterns with blanks between, e.g. "business.emission_year thematic.*"
    secret: str = Field(min_length=16)
    private: bool = False  # whether the address may be one of a private network, or unencrypted


class Settings(BaseModel):
    """Everything that differs between environments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lake: str
    work: str
    drop: str
    connections: dict[str, str]
    engine: str
    engine_memory: str
    spark_settings: dict[str, str]
    workers: int
    lineage_url: str
    lineage_token: str
    namespace: str
    alert_url: str
    alert_mail: str
    mail_server: str
    mail_from: str
    mail_password: str
    paused: str
    webhooks: dict[str, Webhook]
    trace_url: str
    log_level: Literal["debug", "info", "warning", "error"]
    log_format: Literal["text", "json"]
    grid_region: str
    grid_kgco2_per_kwh: float | None
    watts_per_core: float
    watts_per_gb: float
    storage_options: dict[str, str]
    trino: str
    trino_password: str
    trino_ca: str


def load(environment: str | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of an environment (default: CARBONLAKE_ENV, or local).

    Later ones lie on top: base.yaml, <environment>.yaml, the same two of the user's project, CARBONLAKE_<KEY>,
    `overrides`. Raise SettingsError that names file and key.
    """
    name = environment or os.environ.get(ENVIRONMENT) or "local"
    values: dict[str, Any] = {}
    where: dict[str, str] = {}
    files = [folder / f"{stem}.yaml" for folder in _folders() for stem in ("base", name)]
    if not any(path.is_file() for path in files if path.stem == name):
        known = ", ".join(sorted(p.stem for folder in _folders() for p in folder.glob("*.yaml") if p.stem != "base"))
        raise SettingsError(f"{ENVIRONMENT}: there is no environment {name!r}\n  → known: {known}")
    for path in files:
        for key, value in _read(path).items():
            values[key], where[key] = value, f"conf/{path.name}"
    for key in Settings.model_fields:
        if (given := os.environ.get(PREFIX + key.upper())) is not None:
            values[key], where[key] = _parsed(key, given), PREFIX + key.upper()
    values.update(overrides or {})
    found = {key: _resolved(key, value, where.get(key, "")) for key, value in values.items()}
    secrets.learn(found)
    # An address that is given by reference alone has its reason: that of a webhook is its password.
    secrets.learn({key: found[key] for key, value in values.items()
                   if key.endswith("_url") and REFERENCE.fullmatch(str(value))}, always=True)  # fmt: skip
    return _settings(found, where)


def _parsed(key: str, given: str) -> Any:
    """Return a value of the environment; one that is a mapping is written as JSON."""
    if not given.startswith("{"):
        return given
    try:
        return json.loads(given)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{key.upper()}: not valid JSON: {error}") from None


def _folders() -> list[Path]:
    own = os.environ.get(PROJECT)
    return [FOLDER, *([Path(own) / "conf"] if own else [])]


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: settings are a mapping of keys")
    return content


def _resolved(key: str, value: Any, where: str) -> Any:
    """Put in what a reference points at; refuse a secret that is written out."""
    if isinstance(value, dict):
        return {name: _resolved(name, item, where) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    if secrets.NAMED.search(key) and value and not REFERENCE.fullmatch(value) and not where.startswith(PREFIX):
        raise SettingsError(f"{where}: {key}: a secret is not written into a file\n  → write ${{env:NAME}} or ${{file:/path}}")
    if WITH_PASSWORD.search(value) and not where.startswith(PREFIX):
        raise SettingsError(f"{where}: {key}: a password is not written into a file\n  → write the whole URL as ${{env:NAME}}")
    return REFERENCE.sub(lambda found: _fetch(found[1], found[2], key, where), value)


def _fetch(kind: str, name: str, key: str, where: str) -> str:
    if kind == "env":
        if name not in os.environ:
            raise SettingsError(f"{where}: {key}: the environment has no {name}\n  → export {name}=…")
        return os.environ[name]
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{where}: {key}: {name} can't be read: {error.strerror}") from None


def _settings(values: dict[str, Any], where: Mapping[str, str]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        near = difflib.get_close_matches(key, Settings.model_fields, n=1)
        hint = f"\n  → did you mean {near[0]!r}?" if first["type"] == "extra_forbidden" and near else ""
        what = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise SettingsError(f"{where.get(key, 'settings')}: {key}: {what}{hint}") from None
