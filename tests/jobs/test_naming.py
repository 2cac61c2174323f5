"""What a person says of a name stands in every later build, and is on record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from carbonlake.cli import app
from jobs.lake import Lake
from jobs.naming import MATCH
from schemas.errors import UserError
from tests.jobs import building

HEAD = "统一社会信用代码,企业名称,行业代码,行政区划代码\n"
WHO = "91110000EXAMPLE01J"


def states(lake: Lake) -> dict[str, tuple[str, str | None]]:
    return {name: (state, uscc) for name, state, uscc in building.rows(lake, MATCH, "name", "state", "uscc")}


@pytest.fixture
def names(lake: Lake, spark: Any) -> Any:
    """Return what runs `carbonlake names`, on a lake with a name that is sure and two that wait."""
    building.deliver(
        lake, "cleaned.enterprise", "enterprise/a.csv", (HEAD + f"{WHO},示例电力甲（虚构）,4411,110000\n").encode("gbk")
    )
    text = "名录,企业名称,行政区划代码\nx,示例电力甲(虚构),\nx,示例电力乙（虚构）,\ny,示例电力乙（虚构）,\nx,示例电力（虚构）,\n"
    building.deliver(lake, "cleaned.enterprise_mention", "mention/a.csv", text)
    building.build(lake, spark, f"+{MATCH}")

    def command(*words: str) -> Any:
        done = CliRunner().invoke(app, ["--lake", str(lake.root), "--json", "names", *words])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.output) if words[0] in ("list", "history") else done.output

    return command


def test_what_waits_is_listed_the_most_frequent_first(lake: Lake, names: Any) -> None:
    assert states(lake)["示例电力甲(虚构)"] == ("sure", WHO)
    assert [(row["name"], row["rows"], row["candidate"]) for row in names("list")] == [
        ("示例电力乙（虚构）", 2, WHO), ("示例电力（虚构）", 1, WHO),
    ]  # fmt: skip
    assert [row["name"] for row in names("list", "--state", "sure")] == ["示例电力甲(虚构)"]


def test_a_decision_stands_on_every_rebuild_and_the_newest_wins(lake: Lake, spark: Any, names: Any) -> None:
    names("link", "示例电力（虚构）", WHO, "--note", "called them")
    names("apart", "示例电力乙（虚构）", "--note", "another works")
    assert building.build(lake, spark, MATCH)[MATCH].reason == "ops.name_decision changed"
    assert states(lake)["示例电力（虚构）"] == ("decided", WHO) and states(lake)["示例电力乙（虚构）"] == ("apart", None)
    assert names("list") == []
    building.build(lake, spark, f"+{MATCH}", force=True)
    assert states(lake)["示例电力（虚构）"] == ("decided", WHO)
    names("apart", "示例电力（虚构）", "--note", "no, they were not")
    building.build(lake, spark, MATCH)
    assert states(lake)["示例电力（虚构）"] == ("apart", None)
    assert [(row["decision"], row["note"]) for row in names("history")] == [
        ("link", "called them"), ("apart", "another works"), ("apart", "no, they were not"),
    ]  # fmt: skip


def test_a_name_or_code_that_is_not_there_is_refused(lake: Lake, names: Any) -> None:
    with pytest.raises(UserError, match=r"nobody is called '某某'(.|\n)*carbonlake names list"):
        names("apart", "某某", "--note", "x")
    with pytest.raises(UserError, match=r"there is no enterprise '91'(.|\n)*land it first"):
        names("link", "示例电力（虚构）", "91", "--note", "x")
    assert names("history") == []


def test_before_names_were_matched_the_command_says_what_to_run(lake: Lake) -> None:
    with pytest.raises(UserError, match=r"no names were matched yet(.|\n)*carbonlake run \+thematic.name_match"):
        CliRunner().invoke(app, ["--lake", str(lake.root), "names", "list"], catch_exceptions=False)
