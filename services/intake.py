"""What becomes of a whole upload: a look inside, a dry run against a table, landing it, and a build."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jobs import land, recent, uploads
from schemas.contracts import contract, contracts
from services.desk import Desk, desk_of

router = APIRouter(prefix="/api", tags=["intake"])


class Asked(BaseModel):
    """What is asked of an upload."""

    model_config = ConfigDict(extra="forbid")
    table: str


class Preview(Asked):
    """A dry run against a table."""

    rows: int = Field(5, ge=0, le=1000, description="Rows shown of each rule that sets rows aside")


class Landing(Asked):
    """Landing for a table, and what to build after it: nothing, what reads the delivery, or all that is made from that."""

    build: Literal["", "table", "downstream"] = ""


@router.get("/tables")
def tables() -> list[dict[str, Any]]:
    """List the tables that deliveries are landed for."""
    return [{"table": one.table, "description": one.description, "description_zh": one.description_zh,
             "format": one.source.format, "path": one.source.path}
            for one in contracts().values() if one.source and not one.source.of]  # fmt: skip


@router.get("/deliveries")
def deliveries(request: Request, table: str = "", most: int = 50) -> list[dict[str, Any]]:
    """List the newest deliveries and how far each has come."""
    return recent.recent(desk_of(request).lake, table or None, max(1, min(most, 1000)))


@router.get("/uploads/{id}/likely")
def likely(request: Request, id: str) -> list[str]:
    """List the tables whose deliveries have such names, the most likely first."""
    return uploads.likely(uploads.found(desk_of(request).lake, id).name)


@router.get("/uploads/{id}/probe")
async def probe(request: Request, id: str, table: str = "") -> dict[str, Any]:
    """Tell what is inside a file; with the name of a table to be, the contract that would read it as well."""
    return await look(desk_of(request), id, table)


@router.post("/uploads/{id}/preview")
async def preview(request: Request, id: str, asked: Preview) -> dict[str, Any]:
    """Tell what landing would do: rows written and set aside, with rule, place and raw text; nothing is changed."""
    return await tried(desk_of(request), id, asked.table, asked.rows)


@router.post("/uploads/{id}/land")
async def commit(request: Request, id: str, asked: Landing) -> dict[str, Any]:
    """Land a file as a delivery, and build what was asked for."""
    return await landed(desk_of(request), id, asked.table, asked.build)


async def look(desk: Desk, id: str, table: str = "") -> dict[str, Any]:
    """Return what is inside an upload. Raise UserError with the reader's reason where it can't be read."""
    file = uploads.placed(desk.lake, id)
    found: dict[str, Any] = await desk.ask("probe", str(file), *([f"--table={table}"] if table else []))
    return found


async def tried(desk: Desk, id: str, table: str, rows: int = 5) -> dict[str, Any]:
    """Return what landing an upload for a table would do."""
    file = uploads.placed(desk.lake, id, contract(table).table)
    # It ends with 1 where the file would be refused, which is an answer, too.
    found: dict[str, Any] = await desk.ask("preview", str(file), f"--source={table}", f"--rows={rows}", codes=(0, 1))
    return found


async def landed(desk: Desk, id: str, table: str, build: str = "", note: str = "") -> dict[str, Any]:
    """Land an upload, forget its own copy of the bytes, and build; the same bytes as before are said to be so."""
    file = uploads.placed(desk.lake, id, contract(table).table)
    (receipt,) = await run_in_threadpool(land.land, desk.lake, file, contract(table).reads, note)
    await run_in_threadpool(uploads.settle, desk.lake, id, receipt.source, receipt.delivery_id)
    return {"delivery": receipt.delivery_id, "table": receipt.source, "name": receipt.name, "sha256": receipt.sha256,
            "fresh": receipt.fresh, "built": await built(desk, receipt.source, build)}  # fmt: skip


async def built(desk: Desk, reads: str, build: str) -> list[dict[str, Any]]:
    """Build the tables that read the deliveries of one, or also all that is made from them, and tell how each ended."""
    if not build:
        return []
    readers = [one.table for one in contracts().values() if one.source and one.reads == reads]
    terms = [f"{name}+" if build == "downstream" else name for name in readers]
    # 1: a table failed, 3: one waits for others; both are told table by table.
    outcomes: list[dict[str, Any]] = await desk.ask("run", *terms, codes=(0, 1, 3))
    return outcomes
