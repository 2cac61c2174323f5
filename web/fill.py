"""The page of a form: rows to fill in, checked as they are typed and again by the contract."""

from __future__ import annotations

from functools import partial
from typing import Any

from nicegui import ui
from starlette.concurrency import run_in_threadpool

from jobs import forms
from jobs.forms import UNIT, Choice, Fault, Field, Form
from services.desk import Desk
from services.forms import entered, judged
from web.frame import frame, told
from web.texts import of_two, say
from web.upload import outcome

Line = dict[str, Any]  # field → element


def listed(language: str) -> None:
    """Show which forms there are."""
    with frame(language, "/forms"):
        found = forms.tables()
        for one in found:
            ui.link(of_two(language, one.description, one.description_zh), f"/forms/{one.table}?lang={language}").classes(
                "text-h6"
            )
        if not found:
            ui.label(say(language, "no_forms"))


async def page(desk: Desk, language: str, table: str) -> None:
    """Show a form."""
    with frame(language, f"/forms/{table}"), told():
        form = await run_in_threadpool(forms.form, desk.lake, table)
        ui.label(of_two(language, form.title, form.title_zh)).classes("text-h6")
        person = ui.input(say(language, "person")).classes("w-64")
        place, lines = ui.column().classes("w-full"), list[Line]()
        with place:
            lines.append(_line(form, language))
        with ui.row().classes("items-center"):
            add = ui.button(say(language, "add_row")).props("flat")
            check = ui.button(say(language, "check")).props("outline")
            submit = ui.button(say(language, "submit"))
            build = ui.checkbox(say(language, "build"), value=True)
        result = ui.column().classes("w-full")

        def more() -> None:
            with place:
                lines.append(_line(form, language))

        async def checked(*, land: bool) -> None:
            result.clear()
            with result, told():
                busy = ui.label(say(language, "checking"))
                try:
                    asked = (desk, table, _rows(lines), person.value or "")
                    faults, done = (await entered(*asked, "table" if build.value else "")) if land else (await judged(*asked), {})
                finally:
                    busy.delete()
                _mark(form, language, lines, faults)
                if done:
                    outcome(language, done)
                elif not faults:
                    ui.label(say(language, "fine")).classes("text-positive")

        add.on_click(more)
        check.on_click(partial(checked, land=False))
        submit.on_click(partial(checked, land=True))


def _line(form: Form, language: str) -> Line:
    """Show the fields of one row."""
    line: Line = {}
    with ui.row().classes("w-full items-start no-wrap"):
        for field in form.fields:
            line[field.name] = _element(field, language)
    if UNIT in line:
        for field in form.fields:
            if any(choice.unit for choice in field.choices):
                line[field.name].on_value_change(lambda: _units(form, language, line))
    return line


def _element(field: Field, language: str) -> Any:
    label = (
        f"{of_two(language, field.help, field.help_zh)}{f' ({field.unit})' if field.unit else ''}{' *' if field.required else ''}"
    )
    if field.kind == "choice":
        options = {choice.value: _named(choice, language) for choice in field.choices}
        return ui.select(options, label=label, with_input=True, clearable=True).classes("w-56")

    def fits(value: str | None) -> str | None:
        return forms.wrong(field, value.strip()) or None if value else None

    return ui.input(label, validation=fits).classes("w-40")


def _named(choice: Choice, language: str) -> str:
    name = of_two(language, choice.name_en, choice.name)
    return f"{name} ({choice.value})" if name and name != choice.value else choice.value


def _units(form: Form, language: str, line: Line) -> None:
    """Offer the units that measure what was chosen."""
    known = form.units({name: element.value or "" for name, element in line.items()})
    chosen = line[UNIT].value
    line[UNIT].set_options({unit: unit for unit in known}, value=chosen if chosen in known else None)


def _rows(lines: list[Line]) -> list[dict[str, str]]:
    """Return the rows that say anything."""
    rows = [{name: str(element.value or "").strip() for name, element in line.items()} for line in lines]
    return [row for row in rows if any(row.values())]


def _mark(form: Form, language: str, lines: list[Line], faults: list[Fault]) -> None:
    """Show what is wrong beside the field, and in a list."""
    said = [line for line in lines if any(element.value for element in line.values())]
    for element in (element for line in lines for element in line.values()):
        element.error = None
    if faults:
        ui.label(say(language, "faults", len(faults))).classes("text-negative")
    names = {field.name: of_two(language, field.help, field.help_zh) for field in form.fields}
    for fault in faults:
        near = f"; {say(language, 'near', ' / '.join(fault.near))}" if fault.near else ""
        if fault.row and fault.field in names:
            said[fault.row - 1][fault.field].error = fault.what
        ui.label(say(language, "row_of", fault.row, f"{names.get(fault.field, fault.field)}: {fault.what}{near}"))
