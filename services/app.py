"""The one app: every route of the services, what errors look like, and the guard at its door."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from jobs.uploads import Refusal
from schemas.errors import UserError
from services import forms, intake, uploads
from services.desk import Desk
from services.guard import Guard


def app(desk: Desk) -> FastAPI:
    """Return the app over a lake; it loads no engine."""
    made = FastAPI(title="Carbonlake", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    made.state.desk = desk
    for room in (forms, intake, uploads):
        made.include_router(room.router)
    made.add_exception_handler(UserError, _said)
    made.add_exception_handler(ClientDisconnect, _left)
    made.add_middleware(Guard)
    return made


def _said(request: Request, error: Exception) -> JSONResponse:
    """Answer a mistake with what is wrong, where, and what to do next."""
    assert isinstance(error, UserError)
    status = uploads.STATUS[error.kind] if isinstance(error, Refusal) else 400
    body = {"error": error.what, "where": error.where, "remedy": error.remedy}
    return JSONResponse(body, status, headers={"Tus-Resumable": uploads.VERSION})


def _left(request: Request, error: Exception) -> Response:
    """Answer nobody: who asked has left, which is no fault of ours."""
    return Response(status_code=400)
