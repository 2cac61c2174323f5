"""What runs inside the cage: one verb of one format on one delivery."""

from __future__ import annotations

import importlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jobs.readers import CAGED, Request, graded
from jobs.readers.sniff import check_type


def perform(verb: str, format: str, body: dict[str, Any]) -> dict[str, Any]:
    """Read or probe one delivery; raise UserError with the reason if it can't be."""
    if verb == "unpack":
        from jobs.readers.unpack import unpack

        return unpack(Path(body["path"]), Path(body["out"]), body["options"]["members"], body["name"], format)
    if format not in CAGED:
        raise ValueError(f"{format} is not read in the cage")
    target = body.pop("target", None)
    module = importlib.import_module(f"jobs.readers.{format}")
    request = Request(**(body | {"path": Path(body["path"]), "out": Path(body["out"])}))
    check_type(request.path, format, request.name)
    if verb == "probe":
        inside: dict[str, Any] = module.probe(request.path, request.options)
        return inside
    if verb == "patch":
        from jobs.readers.pack import patch

        return patch(format, request.path, target)
    if verb == "write":
        from jobs.readers.direct import Target, write

        return write(request, format, Target(**target))
    return asdict(graded(format, request, module.read(request)))
