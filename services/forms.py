"""Forms over HTTP: what they ask, a check of what was filled in, and the entry, which lands like any delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from jobs import forms, uploads
from jobs.forms import Fault, Form
from schemas.contracts import contract
from services import intake
from services.desk import Desk, desk_of

router = APIRouter(prefix="/api/forms", tags=["forms"])
WRONG = 422


class Entry(BaseModel):
    """Rows that a person filled in, values by the names of fields."""

    model_config = ConfigDict(extra="forbid")
    rows: list[dict[str, str]]
    person: str
    build: Literal["", "table", "downstream"] = ""


@router.get("")
def listed() -> list[dict[str, Any]]:
    """List the forms."""
    return [{"table": one.table, "title": one.description, "title_zh": one.description_zh} for one in forms.tables()]


@router.get("/{table}")
def one(request: Request, table: str) -> dict[str, Any]:
    """Tell what a form asks: fields with kind, unit, help, limits and values that may be chosen."""
    return asdict(forms.form(desk_of(request).lake, table))


@router.post("/{table}/check")
async def check(request: Request, table: str, entry: Entry) -> dict[str, Any]:
    """Judge rows as the table would, without landing them."""
    found = await judged(desk_of(request), table, entry.rows, entry.person)
    return {"faults": [asdict(fault) for fault in found]}


@router.post("/{table}")
async def enter(request: Request, table: str, entry: Entry) -> Any:
    """Land rows as a delivery; where any of them is wrong, none is landed."""
    found, done = await entered(desk_of(request), table, entry.rows, entry.person, entry.build)
    if found:
        body = {"error": f"{len(found)} values are not right; nothing was landed", "where": table,
                "remedy": "mend them and send all rows again", "faults": [asdict(fault) for fault in found]}  # fmt: skip
        return JSONResponse(body, WRONG)
    return done


async def judged(desk: Desk, table: str, rows: Sequence[dict[str, str]], person: str) -> list[Fault]:
    """Return what is wrong with rows: by the form, and where that finds nothing by a dry run of the contract itself."""
    form = await run_in_threadpool(forms.form, desk.lake, table)
    found = forms.faults(form, rows)
    if found:
        return found
    id = await run_in_threadpool(_kept, desk, form, rows, person)
    try:
        return await _by_contract(desk, form, id)
    finally:
        uploads.remove(desk.lake, id)


async def entered(
    desk: Desk, table: str, rows: Sequence[dict[str, str]], person: str, build: str = ""
) -> tuple[list[Fault], dict[str, Any]]:
    """Land rows that are right as one delivery, and return what is wrong with them else."""
    form = await run_in_threadpool(forms.form, desk.lake, table)
    if found := forms.faults(form, rows):
        return found, {}
    id = await run_in_threadpool(_kept, desk, form, rows, person)
    try:
        if found := await _by_contract(desk, form, id):
            return found, {}
        note = f"form {form.version}, entered by {person.strip()}"
        return [], await intake.landed(desk, id, table, build, note)
    finally:
        uploads.remove(desk.lake, id)


def _kept(desk: Desk, form: Form, rows: Sequence[dict[str, str]], person: str) -> str:
    """Keep rows as an upload, as the file that would be landed, and return its id."""
    name, content = forms.entry(form, rows, person)
    upload = uploads.create(desk.lake, name, len(content))
    with uploads.appending(desk.lake, upload.id, 0) as append:
        append(content)
    return upload.id


async def _by_contract(desk: Desk, form: Form, id: str) -> list[Fault]:
    """Return the rows that the contract would set aside, each with the rules it breaks."""
    found = await intake.tried(desk, id, form.table, forms.MOST // 2)
    (mine,) = [one for one in found["tables"] if one["table"] == form.table]
    if mine["would"] != "write":
        return [Fault(0, "", mine["reason"])]
    known = {rule.label: rule for rule in contract(form.table).rules}
    faults = []
    for broken in mine["rules"]:
        labels = broken["rules"].split(", ")
        fields = [str(known[label].column) for label in labels if label in known and known[label].column]
        faults += [Fault(int(row["locator"]) - 1, (fields or [""])[0], f"breaks {broken['rules']}") for row in broken["first"]]
    return sorted(faults, key=lambda fault: (fault.row, fault.field))
