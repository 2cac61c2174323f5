"""Every refusal of a delivery says what to do next."""

from __future__ import annotations

import ast

from schemas.rooms import SHIPPED


def test_every_refusal_of_readers_and_fetches_has_a_remedy() -> None:
    files = [path for room in ("readers", "fetch") for path in (SHIPPED / "jobs" / room).glob("*.py")]
    calls = [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UserError"]  # fmt: skip
    silent = [f"{path.name}:{call.lineno}" for path, call in calls if not {"remedy", None} & {word.arg for word in call.keywords}]
    assert len(calls) > 200 and silent == []
