"""The command line: exit codes, JSON, messages that name file, key and remedy, and an example in every help."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from carbonlake import cli
from carbonlake.world import FAILED, SOME_WAITING, WRONG
from jobs.lake import FORMAT, FORMAT_FILE, Lake
from schemas import rooms
from schemas.errors import UserError
from schemas.rooms import VARIABLE

Say = Callable[..., Any]
METERS = "schemas/cleaned/school_meter_day.yaml"


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return what runs a command in an empty folder, with a lake there; the answer has exit code, output and message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARBONLAKE_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv(VARIABLE, "")
    return lambda *words: CliRunner().invoke(cli.app, cli.in_order(list(words)))


@pytest.fixture
def project(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project of one's own, made by `init`, in force."""
    assert say("init", "mine").exit_code == 0
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    return tmp_path / "mine"


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from _commands(one, (*path, name))
        else:
            yield (*path, name), one.help or ""


def test_the_help_of_every_command_has_an_example() -> None:
    known = dict(_commands(typer.main.get_command(cli.app)))
    assert len(known) > 20
    without = [
        name for name, text in known.items() if f"carbonlake {' '.join(name)}" not in text.replace("--project my-project ", "")
    ]
    assert without == []


def test_the_version_is_that_of_the_project(say: Say) -> None:
    stated = tomllib.loads((rooms.SHIPPED / "pyproject.toml").read_text())["project"]["version"]
    assert say("--version").output == f"carbonlake {stated}\n"


def test_every_argument_and_option_says_what_it_is_for() -> None:
    def silent(group: Any) -> Iterator[str]:
        for name, one in group.commands.items():
            if hasattr(one, "commands"):
                yield from silent(one)
            else:
                yield from (f"{name} {parameter.name}" for parameter in one.params if not getattr(parameter, "help", ""))

    assert list(silent(typer.main.get_command(cli.app))) == []


def test_options_of_every_command_may_stand_behind_its_name() -> None:
    assert cli.in_order(["run", "a.b", "--lake", "x", "--json"]) == ["--lake", "x", "--json", "run", "a.b"]
    assert cli.in_order(["sql", "--project=p", "--", "--json"]) == ["--project=p", "sql", "--", "--json"]


def test_a_wrong_command_line_ends_with_its_own_code(say: Say) -> None:
    assert say("sqll").exit_code == WRONG
    assert say("withdraw", "1").exit_code == WRONG


def test_a_mistake_is_told_without_a_trace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: Any) -> None:
    monkeypatch.setattr("sys.argv", ["carbonlake", "show", "business.emissio", "--lake", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capfd.readouterr().err
    assert left.value.code == FAILED
    assert "there is no table 'business.emissio'" in told
    assert "did you mean business.emission" in told
    assert "Traceback" not in told


def test_a_path_that_cannot_be_written_is_told_without_a_trace(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr("sys.argv", ["carbonlake", "export", "json-schema", "--folder", "/proc/nowhere/x"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == FAILED
    assert "/proc/nowhere" in capfd.readouterr().err


@pytest.mark.parametrize(("words", "told"), [
    (("quarantine", "show", "nowhere"), "there is no table"),
    (("quarantine", "release", "cleaned.gwp", "12", "--note", "x"), "delivery:locator"),
    (("quarantine", "fix", "cleaned.gwp", "1:2", "gas", "--note", "x"), "header=value"),
    (("trace", "business.emission", "gas"), "column=value"),
    (("land",), "the drop folder is not there"),
    (("land", "nowhere.csv"), "no such file"),
    (("claim", "1", "business.emission"), "reads no deliveries"),
    (("export", "pdf"), "known: odcs"),
    (("run", "layer:nowhere"), "names no table"),
    (("new", "school"), "layers: cleaned"),
    (("--project", "nowhere", "show"), "carbonlake init"),
])  # fmt: skip
def test_a_mistake_says_what_to_do(words: tuple[str, ...], told: str, say: Say) -> None:
    error = say(*words).exception
    assert isinstance(error, UserError)
    assert told in str(error)


def test_a_wrong_contract_names_file_and_key(project: Path, say: Say) -> None:
    path = project / METERS
    path.write_text(path.read_text().replace("owner: me", "ownr: me"))
    error = say("--project", str(_moved(project)), "show").exception
    assert isinstance(error, UserError)
    assert METERS in str(error)
    assert "ownr: unknown key" in str(error)
    assert "did you mean 'owner'" in str(error)


def _moved(project: Path) -> Path:
    """Contracts are read once for a folder; under another name they are read again."""
    return project.rename(project.with_name("edited"))


def test_a_way_from_init_to_a_month(project: Path, say: Say) -> None:
    landed = say("--json", "land", str(project / "samples" / "deliveries"))
    assert [row["source"] for row in json.loads(landed.output)] == ["cleaned.school_meter_day"]
    built = json.loads(say("--json", "run", "+thematic.school_month").output)
    assert {row["table"]: row["status"] for row in built} == dict.fromkeys(
        ("cleaned.school_meter_day", "thematic.school_month"), "built"
    )
    months = json.loads(say("--json", "sql", "from thematic.school_month order by all").stdout)
    assert [row["days"] for row in months] == [30, 28, 31, 28]
    state = json.loads(say("--json", "show", "thematic.school_month").output)["state"]
    assert (state["version"], state["rows"]) == (1, 4)
    assert [row["version"] for row in json.loads(say("--json", "history", "thematic.school_month").output)] == [1, 0]
    difference = json.loads(say("--json", "diff", "thematic.school_month").output)
    assert difference["added"] == 4
    waiting = json.loads(say("--json", "quarantine", "list").output)
    assert [(row["table"], row["rows"]) for row in waiting] == [("cleaned.school_meter_day", 1)]
    assert say("restore", "thematic.school_month", "0").exit_code == 0
    again = json.loads(say("--json", "run", "+thematic.school_month").output)
    assert [row["status"] for row in again] == ["skipped", "built"]


def test_a_named_table_that_waits_for_a_delivery_has_its_own_code(say: Say) -> None:
    assert say("run", "cleaned.gwp").exit_code == SOME_WAITING


def test_json_stays_json_where_there_is_nothing(say: Say) -> None:
    for words in (("deliveries",), ("deliveries", "--unclaimed"), ("quarantine", "list"), ("maintain",)):
        assert isinstance(json.loads(say("--json", *words).output), list)
    assert {row["state"] for row in json.loads(say("--json", "doctor").output)} <= {"ok", "note"}


def test_an_unclaimed_delivery_is_listed_then_claimed_then_withdrawn(project: Path, say: Say, tmp_path: Path) -> None:
    (tmp_path / "stray.csv").write_text("school,day,kwh\nS9,2025-01-01,1\n")
    assert "have no source" in say("land", "stray.csv").output
    assert [row["name"] for row in json.loads(say("--json", "deliveries", "--unclaimed").output)] == ["stray.csv"]
    assert say("claim", "1", "cleaned.school_meter_day").exit_code == 0
    assert json.loads(say("--json", "deliveries", "--unclaimed").output) == []
    assert [row["delivery"] for row in json.loads(say("--json", "deliveries", "cleaned.school_meter_day").output)] == [1]
    assert "is withdrawn" in say("withdraw", "1", "--reason", "a stray").output
    assert json.loads(say("--json", "deliveries").output) == []
    say("land", str(project / "README.md"))
    assert "is withdrawn; no table has read it" in say("withdraw", "2", "--reason", "of nobody").output


def test_the_drop_folder_says_whose_a_delivery_is(project: Path, say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "drop" / "cleaned.school_meter_day"
    folder.mkdir(parents=True)
    (folder / "any name.csv").write_text("school,day,kwh\nS9,2025-01-01,1\n")
    landed = json.loads(say("--json", "land").output)
    assert [(row["source"], row["state"]) for row in landed] == [("cleaned.school_meter_day", "new")]
    assert [row["state"] for row in json.loads(say("--json", "land").output)] == ["the same bytes as before"]


def test_what_was_withdrawn_does_not_come_back_from_the_drop_folder_by_itself(project: Path, say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "drop" / "cleaned.school_meter_day"
    land = ("--json", "land", "--source", "cleaned.school_meter_day")
    assert json.loads(say(*land).output) == []  # nobody has made the folder
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("school,day,kwh\nS9,2025-01-01,1\n")
    assert [row["state"] for row in json.loads(say(*land).output)] == ["new"]
    say("withdraw", "1", "--reason", "sent by mistake")
    for words in (land, ("--json", "land")):
        assert [row["state"] for row in json.loads(say(*words).output)] == ["withdrawn; name the file to land it again"]
    assert json.loads(say("--json", "deliveries").output) == []
    assert [row["delivery"] for row in json.loads(say("--json", "land", str(folder / "a.csv")).output)] == [2]


def test_bytes_that_are_not_as_they_came_are_named(say: Say, project: Path, tmp_path: Path) -> None:
    say("land", str(project / "samples" / "deliveries"))
    assert "as they came" in say("deliveries", "--verify").output
    (stored,) = (path for path in (tmp_path / "lake" / "_deliveries").rglob("*") if path.is_file())
    stored.chmod(0o644)
    stored.write_bytes(b"other bytes")
    found = say("deliveries", "--verify")
    assert "damaged" in found.output and isinstance(found.exception, UserError)
    assert "land the same files again" in str(found.exception)


def test_a_newer_lake_is_refused_and_an_older_one_migrated(say: Say, tmp_path: Path) -> None:
    assert say("deliveries").exit_code == 0
    stamp = tmp_path / "lake" / FORMAT_FILE
    stamp.write_text(json.dumps({"format": FORMAT + 1}))
    error = say("deliveries").exception
    assert isinstance(error, UserError)
    assert "use a newer carbonlake" in str(error)
    stamp.write_text(json.dumps({"format": 0}))
    assert say("deliveries").exit_code == 0
    assert Lake(str(tmp_path / "lake")).format() == FORMAT


def test_init_leaves_a_folder_with_files_alone(say: Say, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("keep")
    assert isinstance(say("init", "mine").exception, UserError)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["note.txt"]


def test_wide_tables_are_cut_to_the_width_and_say_what_is_not_shown(say: Say) -> None:
    wide = ", ".join(f"'{'x' * 30}' as column_{number}" for number in range(12))
    printed = say("sql", f"select {wide} from range(7)").output
    assert max(map(len, printed.splitlines()[:8])) <= 140
    assert "not shown: column_" in printed
