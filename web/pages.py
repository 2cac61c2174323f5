"""The pages, put on the app of the services."""

from __future__ import annotations

from fastapi import FastAPI


def add(app: FastAPI) -> None:
    """Add every page."""
