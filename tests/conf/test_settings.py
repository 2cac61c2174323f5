"""Settings come from files and the environment, in one order, and secrets never from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.settings import FOLDER, PREFIX, Settings, SettingsError, load


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENV", "PROJECT", *(key.upper() for key in Settings.model_fields)):
        monkeypatch.delenv(PREFIX + name, raising=False)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the conf folder of a user's own project."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path))
    (tmp_path / "conf").mkdir()
    return tmp_path / "conf"


@pytest.mark.parametrize("name", [path.stem for path in sorted(FOLDER.glob("*.yaml")) if path.stem != "base"])
def test_every_shipped_environment_loads(name: str) -> None:
    assert load(name).engine == "sail"


def test_local_is_the_environment_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load() == load("local")
    monkeypatch.setenv("CARBONLAKE_ENV", "test")
    assert load() == load("test") != load("local")


def test_what_lies_on_top_wins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "base.yaml").write_text("workers: 5\nengine: spark\nnamespace: mine\nlake: a", encoding="utf-8")
    (project / "local.yaml").write_text("engine: sc://one:1\nlake: b", encoding="utf-8")
    monkeypatch.setenv("CARBONLAKE_NAMESPACE", "theirs")
    found = load(overrides={"lake": "c"})
    assert (found.workers, found.engine, found.namespace, found.lake) == (5, "sc://one:1", "theirs", "c")


def test_the_environment_gives_numbers_and_mappings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARBONLAKE_WORKERS", "3")
    monkeypatch.setenv("CARBONLAKE_STORAGE_OPTIONS", '{"AWS_REGION": "cn-east-1"}')
    assert (load().workers, load().storage_options) == (3, {"AWS_REGION": "cn-east-1"})
    monkeypatch.setenv("CARBONLAKE_STORAGE_OPTIONS", "{AWS")
    with pytest.raises(SettingsError, match="CARBONLAKE_STORAGE_OPTIONS: not valid JSON"):
        load()


def test_a_project_may_have_an_environment_of_its_own(project: Path) -> None:
    (project / "plant.yaml").write_text("workers: 8", encoding="utf-8")
    assert load("plant").workers == 8
    with pytest.raises(SettingsError, match=r"no environment 'plnt'\n  → known: local, plant, test"):
        load("plnt")


def test_secrets_are_references(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    monkeypatch.setenv("LINEAGE_TOKEN", "t0ken")
    (project / "local.yaml").write_text(
        f"lineage_token: ${{env:LINEAGE_TOKEN}}\nstorage_options: {{AWS_SECRET_ACCESS_KEY: '${{file:{tmp_path}/key}}'}}",
        encoding="utf-8",
    )
    found = load()
    assert (found.lineage_token, found.storage_options) == ("t0ken", {"AWS_SECRET_ACCESS_KEY": "s3cret"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lineage_token: abc", r"conf/local.yaml: lineage_token: a secret is not written into a file\n  → write \$\{env:NAME\}"),
        ("storage_options: {aws_secret_access_key: abc}", "conf/local.yaml: aws_secret_access_key: a secret is not written"),
        ("storage_options: {password: 'x${env:HOME}'}", "conf/local.yaml: password: a secret is not written"),
        ("connections: {a: 'postgresql://reader:pw@db/meters'}", "conf/local.yaml: a: a password is not written into a file"),
        ("lineage_token: ${env:NOT_THERE}", r"conf/local.yaml: lineage_token: the environment has no NOT_THERE\n  → export"),
        ("lineage_token: ${file:/not/there}", "conf/local.yaml: lineage_token: /not/there can't be read"),
        ("workerz: 3", r"conf/local.yaml: workerz: unknown key\n  → did you mean 'workers'\?"),
        ("workers: many", "conf/local.yaml: workers: Input should be a valid integer"),
        ("log_level: loud", "conf/local.yaml: log_level: Input should be 'debug'"),
        ("- workers", "local.yaml: settings are a mapping of keys"),
        ("workers: [", "local.yaml: not valid YAML"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_and_key(project: Path, text: str, message: str) -> None:
    (project / "local.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        load()


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().workers = 9  # type: ignore[misc]
