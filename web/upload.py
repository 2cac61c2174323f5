"""The page of uploads: bring files, look inside, see what would be rejected, and land."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nicegui import events, ui
from starlette.concurrency import run_in_threadpool

from jobs import uploads
from schemas.errors import UserError
from services import intake
from services.desk import Desk
from web.frame import frame, told
from web.texts import rows_of, say

TEXT = "white-space: pre-wrap; overflow-wrap: anywhere; font-family: monospace; font-size: 85%"


def page(desk: Desk, language: str) -> None:
    """Show the page."""
    words = {key: say(language, key) for key in ("pause", "resume", "remove")}
    with frame(language, "/"):
        zone = ui.card().classes("w-full items-center cursor-pointer q-pa-xl").style("border: 2px dashed #2f6b4f")
        with zone:
            ui.label(say(language, "drop")).classes("text-h6")
            ui.label(say(language, "drop_more")).classes("text-grey-8")
        ui.element("div").props("id=uploads").classes("w-full")
        waiting = ui.column().classes("w-full")
        work = ui.column().classes("w-full")
    ui.add_body_html('<script src="/static/upload.js"></script>')
    ui.run_javascript(f"takeUploads(document.getElementById('c{zone.id}'), {json.dumps(words)})")

    async def whole(event: events.GenericEventArguments) -> None:
        await _opened(desk, language, work, str(event.args))

    ui.on("uploaded", whole)
    _list(desk, language, waiting, lambda id: _opened(desk, language, work, id))


def _list(desk: Desk, language: str, place: ui.column, open_: Callable[[str], Any]) -> None:
    """List what was uploaded and not landed."""
    left = [one for one in uploads.listed(desk.lake) if not one.landed]
    with place:
        if left:
            ui.label(say(language, "waiting")).classes("text-subtitle1")
        for one in left:
            with ui.row().classes("items-center"):
                ui.label(f"{one.name} · {one.offset:,} / {one.size:,} · {say(language, f's_{one.state}')}")
                if one.whole:
                    ui.button(say(language, "open"), on_click=lambda id=one.id: open_(id)).props("flat dense")


async def _opened(desk: Desk, language: str, work: ui.column, id: str) -> None:
    """Show what is inside a whole upload, and what can be done with it."""
    with work, ui.card().classes("w-full"), told():
        upload = uploads.found(desk.lake, id)
        ui.label(f"{upload.name} · {upload.size:,} B").classes("text-subtitle1")
        inside = ui.column().classes("w-full")
        await _inside(desk, language, inside, id)
        likely, every = uploads.likely(upload.name), [row["table"] for row in intake.tables()]
        ordered = [*likely, *(name for name in every if name not in likely)]
        table = ui.select(ordered, label=say(language, "table"), value=likely[0] if len(likely) == 1 else None, with_input=True)
        table.classes("w-96")
        with ui.row().classes("items-center"):
            preview = ui.button(say(language, "preview"))
            build = ui.checkbox(say(language, "build"), value=True)
            land = ui.button(say(language, "land"))
        result = ui.column().classes("w-full")
        preview.on_click(lambda: _previewed(desk, language, result, id, table.value))
        land.on_click(lambda: _landed(desk, language, result, id, table.value, "table" if build.value else ""))
        _proposal(desk, language, id)


async def _inside(desk: Desk, language: str, place: ui.column, id: str) -> None:
    with place:
        busy = ui.label(say(language, "reading"))
        with told():
            found = await intake.look(desk, id)
            ui.label(say(language, "read_as", found["format"]))
            _table(language, ("name", "value"), rows_of(found["inside"]))
        busy.delete()


def _proposal(desk: Desk, language: str, id: str) -> None:
    with ui.row().classes("items-end"):
        name = ui.input(say(language, "new_table")).classes("w-96")
        propose = ui.button(say(language, "propose")).props("flat")
    place = ui.column().classes("w-full")

    async def proposed() -> None:
        place.clear()
        with place, told():
            for file, text in (await intake.look(desk, id, name.value or ""))["files"].items():
                ui.label(file).classes("text-weight-medium")
                ui.label(text).style(TEXT)

    propose.on_click(proposed)


async def _previewed(desk: Desk, language: str, place: ui.column, id: str, table: str | None) -> None:
    place.clear()
    with place, told():
        if not table:
            raise UserError(say(language, "choose_table"))
        busy = ui.label(say(language, "previewing"))
        try:
            found = await intake.tried(desk, id, table)
        finally:
            busy.delete()
        show(language, found)


def show(language: str, found: dict[str, Any]) -> None:
    """Show what a dry run found: counts, and the rows that would be set aside with rule, place and text as found."""
    if found["same_as"]:
        ui.label(say(language, "same", found["same_as"]))
    for one in found["tables"]:
        if one["would"] == "write":
            counts = [f"{one[name]:,}" for name in ("written", "set_aside", "superseded")]
            ui.label(say(language, "would_write", one["table"], *counts)).classes("text-weight-medium")
        else:
            ui.label(say(language, "would_not", one["table"])).classes("text-weight-medium text-negative")
        for text in filter(None, [one["reason"], *one["warnings"]]):
            ui.label(text).style(TEXT)
        rows = [{"rule": rule["rules"], "rows": rule["rows"], "place": row["locator"], "raw": row["raw"]}
                for rule in one["rules"] for row in rule["first"]]  # fmt: skip
        if rows:
            ui.label(say(language, "rules"))
            _table(language, ("rule", "rows", "place", "raw"), rows)


async def _landed(desk: Desk, language: str, place: ui.column, id: str, table: str | None, build: str) -> None:
    place.clear()
    with place, told():
        if not table:
            raise UserError(say(language, "choose_table"))
        busy = ui.label(say(language, "landing"))
        try:
            done = await intake.landed(desk, id, table, build)
        finally:
            busy.delete()
        outcome(language, done)


def outcome(language: str, done: dict[str, Any]) -> None:
    """Show as which delivery something was landed, and how builds ended."""
    ui.label(say(language, "landed" if done["fresh"] else "landed_before", done["delivery"])).classes("text-positive")
    for one in done["built"]:
        ui.label(f"{one['table']}: {one['status']} · {one['rows_written']:,} · {one['reason']}").style(TEXT)


def _table(language: str, names: tuple[str, ...], rows: Any) -> None:
    columns = [{"name": name, "label": say(language, name), "field": name, "align": "left",
                "style": "white-space: pre-wrap; overflow-wrap: anywhere"} for name in names]  # fmt: skip
    ui.table(columns=columns, rows=[{**row, "id": number} for number, row in enumerate(rows)], pagination=20).props(
        "dense flat bordered"
    ).classes("w-full")


async def listed(desk: Desk, language: str) -> None:
    """Show the newest deliveries and how far each has come."""
    from jobs.recent import recent

    with frame(language, "/deliveries"), told():
        rows = await run_in_threadpool(recent, desk.lake)
        if not rows:
            ui.label(say(language, "none"))
            return
        shown = [{**row, "state": say(language, f"s_{row['state']}"), "rows": sum(one["rows"] for one in row["readings"]),
                  "reason": " ".join(one["reason"] for one in row["readings"])} for row in rows]  # fmt: skip
        _table(language, ("delivery", "table", "name", "received_at", "rows", "state", "reason"), shown)
