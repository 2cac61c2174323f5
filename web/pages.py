"""The pages, put on the app of the services."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from nicegui import ui

from services.desk import Desk
from web import fill, upload
from web.texts import chosen

SCRIPT = Path(__file__).with_name("upload.js")


def add(app: FastAPI) -> None:
    """Add every page."""
    app.get("/static/upload.js", include_in_schema=False)(lambda: FileResponse(SCRIPT, media_type="text/javascript"))
    pages(app.state.desk)
    ui.run_with(app, title="Carbonlake", favicon="🌱", show_welcome_message=False, reconnect_timeout=30.0)


def pages(desk: Desk) -> None:
    """Register the pages over a desk."""

    @ui.page("/")
    def _upload(request: Request, lang: str = "") -> None:
        upload.page(desk, _language(request, lang))

    @ui.page("/deliveries")
    async def _deliveries(request: Request, lang: str = "") -> None:
        await upload.listed(desk, _language(request, lang))

    @ui.page("/forms")
    def _forms(request: Request, lang: str = "") -> None:
        fill.listed(_language(request, lang))

    @ui.page("/forms/{table}")
    async def _form(request: Request, table: str, lang: str = "") -> None:
        await fill.page(desk, _language(request, lang), table)


def _language(request: Request, asked: str) -> str:
    return chosen(asked, request.headers.get("accept-language", ""))
