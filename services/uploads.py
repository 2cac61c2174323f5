"""Uploads by the tus protocol 1.0.0 (tus.io): a file of any size in pieces, which go on where they were cut off.

Core and the extensions creation, creation-with-upload, checksum, expiration and termination.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from jobs import uploads
from jobs.uploads import Refusal, Upload
from services.desk import desk_of

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
PIECE = "application/offset+octet-stream"
BLOCK = 1 << 20  # bytes that are written at once
# What the protocol answers to each refusal.
STATUS = {"name": 400, "unknown": 404, "offset": 409, "busy": 423, "checksum": 460, "size": 413, "room": 507, "unfinished": 409}
router = APIRouter(prefix="/api/uploads", tags=["uploads"])


@router.options("")
def about() -> Response:
    """Tell what of the protocol is spoken."""
    return Response(status_code=204, headers=_spoken() | {
        "Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": ",".join(uploads.CHECKSUMS)})  # fmt: skip


@router.get("")
def listed(request: Request) -> list[dict[str, Any]]:
    """List the uploads that are not too old, and what each waits for."""
    return [shown(one) for one in uploads.listed(desk_of(request).lake)]


@router.post("")
async def create(request: Request) -> Response:
    """Begin an upload: Upload-Length, and Upload-Metadata with `filename` and, if it is known, `sha256`."""
    _check_version(request)
    about = metadata(request.headers.get("upload-metadata", ""))
    size = _number(request, "upload-length")
    lake = desk_of(request).lake
    upload = await run_in_threadpool(uploads.create, lake, about.get("filename", ""), size, about.get("sha256", ""))
    if request.headers.get("content-type") == PIECE:
        await _take(request, upload.id, 0)
        upload = uploads.found(lake, upload.id)
    place = f"{str(request.base_url).rstrip('/')}{router.prefix}/{upload.id}"
    return Response(status_code=201, headers=_headers(upload) | {"Location": place})


@router.head("/{id}")
def where(request: Request, id: str) -> Response:
    """Tell how many bytes of an upload are there."""
    _check_version(request)
    upload = uploads.found(desk_of(request).lake, id)
    return Response(headers=_headers(upload) | {"Upload-Length": str(upload.size), "Cache-Control": "no-store"})


@router.get("/{id}")
def one(request: Request, id: str) -> dict[str, Any]:
    """Tell of one upload."""
    return shown(uploads.found(desk_of(request).lake, id))


@router.patch("/{id}")
async def piece(request: Request, id: str) -> Response:
    """Take the next bytes of an upload, from Upload-Offset on."""
    _check_version(request)
    if request.headers.get("content-type") != PIECE:
        return Response(status_code=415, headers=_spoken())
    await _take(request, id, _number(request, "upload-offset"))
    return Response(status_code=204, headers=_headers(uploads.found(desk_of(request).lake, id)))


@router.delete("/{id}")
def end(request: Request, id: str) -> Response:
    """End an upload, and forget its bytes."""
    _check_version(request)
    uploads.remove(desk_of(request).lake, id)
    return Response(status_code=204, headers=_spoken())


async def _take(request: Request, id: str, offset: int) -> None:
    """Write a body to the disk as it comes, a block at a time."""
    waiting = bytearray()
    with uploads.appending(desk_of(request).lake, id, offset, request.headers.get("upload-checksum", "")) as append:
        try:
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= BLOCK:
                    await run_in_threadpool(append, bytes(waiting))
                    waiting.clear()
        except ClientDisconnect:  # who sends no checksum keeps what has come
            append(bytes(waiting))
            raise
        await run_in_threadpool(append, bytes(waiting))


def metadata(given: str) -> dict[str, str]:
    """Return what Upload-Metadata says: names with values in base 64. Raise Refusal where it is not so."""
    said = {}
    for pair in filter(None, (part.strip() for part in given.split(","))):
        name, _, value = pair.partition(" ")
        try:
            said[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal("name", f"{name}: the value is no text in base 64", where="Upload-Metadata",
                          remedy="write e.g. filename bWV0ZXJzLmNzdg==") from None  # fmt: skip
    return said


def shown(upload: Upload) -> dict[str, Any]:
    """Return an upload as plain values, with what it waits for."""
    return asdict(upload) | {"state": upload.state}


def _check_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise Refusal("name", f"this server speaks version {VERSION} of the protocol", where="Tus-Resumable",
                      remedy=f"send the header Tus-Resumable: {VERSION}")  # fmt: skip


def _number(request: Request, name: str) -> int:
    given = request.headers.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Refusal("name", "this header is a number of bytes", where=name.title(), remedy=f"send e.g. {name.title()}: 0")
    return int(given)


def _headers(upload: Upload) -> dict[str, str]:
    ends = format_datetime(datetime.fromisoformat(upload.expires_at), usegmt=True)
    return _spoken() | {"Upload-Offset": str(upload.offset), "Upload-Expires": ends}


def _spoken() -> dict[str, str]:
    return {"Tus-Resumable": VERSION}
