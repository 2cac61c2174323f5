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
    if verb in ("write", "sums"):
        return _at_once(verb, format, request, target)
    return asdict(graded(format, request, module.read(request)))


def _at_once(verb: str, format: str, request: Request, target: dict[str, Any]) -> dict[str, Any]:
    from jobs.readers.shares import Target

    if verb == "sums":
        from jobs.readers.direct_rows import totals

        return totals(request, target)
    if format == "parquet":
        from jobs.readers.direct_rows import write as write_rows

        return write_rows(request, Target(**target))
    from jobs.readers.direct import write

    return write(request, format, Target(**target))
