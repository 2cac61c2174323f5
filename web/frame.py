"""What every page has: the way to the others, the language, and errors that say what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from schemas.errors import UserError
from web.texts import say

PAGES = (("upload", "/"), ("forms", "/forms"), ("deliveries", "/deliveries"))


@contextmanager
def frame(language: str, here: str) -> Iterator[None]:
    """Lay a page out, with what it shows in between."""
    ui.colors(primary="#2f6b4f")
    with ui.header().classes("items-center q-px-lg"):
        ui.label("Carbonlake").classes("text-h6")
        for name, path in PAGES:
            ui.link(say(language, name), f"{path}?lang={language}").classes("text-white q-ml-md")
        ui.space()
        ui.link(say(language, "language"), f"{here}?lang={'en' if language == 'zh' else 'zh'}").classes("text-white")
    with ui.column().classes("w-full max-w-screen-lg mx-auto q-pa-md gap-4"):
        yield


@contextmanager
def told() -> Iterator[None]:
    """Show a person's mistake where it was made, as text: what is wrong, and what to do next."""
    try:
        yield
    except UserError as error:
        with ui.card().classes("w-full bg-red-1"):
            ui.label(f"{error.where}: {error.what}" if error.where else error.what).style("white-space: pre-wrap")
            if error.remedy:
                ui.label(f"→ {error.remedy}").classes("text-weight-medium")
