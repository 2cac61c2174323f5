"""Pages as a person uses them, without a browser: forms, what is inside a file, what would be rejected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from jobs import forms, uploads
from jobs.lake import Lake
from schemas.rooms import SHIPPED, VARIABLE
from services.desk import Desk
from web import fill, texts, upload
from web.pages import pages

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv(VARIABLE, str(SHIPPED / "samples" / "starter"))
    return Lake(tmp_path / "lake").init()


class Asked(Desk):
    """A desk whose commands answer what they are told to, and are remembered."""

    answers: dict[str, Any] = {}

    async def ask(self, *words: str, codes: Any = (0,)) -> Any:
        return self.answers[words[0]]


def visit(lake: Lake, work: Callable[[User], Awaitable[None]], answers: dict[str, Any] | None = None) -> None:
    """Open the pages over a lake, and do something there."""

    async def visited() -> None:
        async with user_simulation(lambda: None) as user:
            desk = Asked(lake)
            desk.answers.update(answers or {})
            pages(desk)
            await work(user)

    asyncio.run(visited())


def kept(lake: Lake, name: str, content: bytes) -> str:
    one = uploads.create(lake, name, len(content))
    with uploads.appending(lake, one.id, 0) as append:
        append(content)
    return one.id


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("Drop files here", "Forms", "中文")), ("zh", ("将文件拖到这里", "填报", "English"))]
)
def test_pages_speak_both_languages(lake: Lake, language: str, words: tuple[str, ...]) -> None:
    async def work(user: User) -> None:
        await user.open(f"/?lang={language}")
        for word in words:
            await user.should_see(word)

    visit(lake, work)


def test_every_text_is_there_in_both_languages() -> None:
    assert all(len(pair) == 2 and all(pair) for pair in texts.TEXTS.values())
    assert [pair for pair in texts.TEXTS.values() if pair[0].count("{") != pair[1].count("{")] == []


def test_a_form_is_marked_where_it_is_wrong(lake: Lake) -> None:
    async def work(user: User) -> None:
        await user.open("/forms?lang=zh")
        await user.should_see("企业手工填报的逐月能源消费量")
        await user.open("/forms/cleaned.energy_report?lang=en")
        await user.should_see("Amount, in the unit beside it *")
        user.find("Month, e.g. 2026-01 *").type("2025-13")
        await user.should_see("2025-13 is no month; write 2026-01")
        user.find("Check").click()
        await user.should_see("values are not right; nothing was landed")
        await user.should_see("row 1: Amount, in the unit beside it: a value is needed")

    visit(lake, work)


def test_a_form_that_is_not_there_is_said_so_on_the_page(lake: Lake) -> None:
    async def work(user: User) -> None:
        await user.open("/forms/cleaned.nope?lang=en")
        await user.should_see("there is no table 'cleaned.nope'")

    visit(lake, work)


def test_units_follow_what_is_chosen(lake: Lake) -> None:
    async def work(user: User) -> None:
        form = forms.form(lake, "cleaned.energy_report")
        lines: list[fill.Line] = []

        @ui.page("/line")
        def line() -> None:
            lines.append(fill._line(form, "en"))

        await user.open("/line")
        with user:
            lines[0]["activity_code"].value = "fuel_natural_gas"
            assert list(lines[0]["unit"].options) == ["1e4Nm3", "Nm3"]
            lines[0]["unit"].value = "Nm3"
            lines[0]["activity_code"].value = "fuel_diesel"
            assert (list(lines[0]["unit"].options), lines[0]["unit"].value) == (["t", "kg"], None)

    visit(lake, work)


def test_what_a_stranger_wrote_is_shown_as_text(lake: Lake) -> None:
    rule = {"rules": "uscc_uscc", "rows": 1, "first": [{"locator": "2", "raw": HOSTILE}]}
    table = {"table": "cleaned.enterprise", "would": "write", "written": 1, "set_aside": 1, "superseded": 0, "reason": "",
             "warnings": [HOSTILE], "rules": [rule]}  # fmt: skip
    found = {"same_as": 0, "tables": [table]}

    async def work(user: User) -> None:
        @ui.page("/found")
        def page() -> None:
            upload.show("en", found)

        await user.open("/found")
        await user.should_see("cleaned.enterprise: 1 rows would be written, 1 set aside, 0 superseded")
        await user.should_see(kind=ui.table)
        (shown,) = user.find(ui.table).elements
        assert shown.rows[0]["raw"] == HOSTILE
        assert "v-html" not in str(shown.props) and not shown.slots.get("body")
        await user.should_see(HOSTILE)  # a label: its text is set as text
        await user.should_not_see(kind=ui.html)

    visit(lake, work)


def test_uploads_that_wait_are_listed_and_opened(lake: Lake) -> None:
    kept(lake, "enterprise_x.csv", b"a,b\n1,2\n")
    uploads.create(lake, "half.nc", 1000)

    async def work(user: User) -> None:
        await user.open("/?lang=en")
        await user.should_see("half.nc · 0 / 1,000 · receiving")
        user.find("Open").click()
        await user.should_see("It is read as csv")
        user.find("Preview").click()
        await user.should_see("Choose a table first")

    visit(lake, work, {"probe": {"format": "csv", "inside": {"delimiter": "comma"}, "files": {}}})


def test_deliveries_are_listed_with_how_far_they_have_come(lake: Lake, tmp_path: Path) -> None:
    from jobs import land

    file = tmp_path / "x.csv"
    file.write_text("a\n1\n")
    land.land(lake, file, "cleaned.energy_report")

    async def work(user: User) -> None:
        await user.open("/deliveries?lang=zh")
        (shown,) = user.find(ui.table).elements
        assert [(row["name"], row["state"]) for row in shown.rows] == [("x.csv", "待构建")]

    visit(lake, work)
