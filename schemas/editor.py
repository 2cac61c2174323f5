"""The JSON schema of a contract, so that an editor completes and checks its keys."""

from __future__ import annotations

import json
from typing import Any

from schemas.contract import ROW_RULES, SET_RULES, Contract
from schemas.contracts import DERIVED_KEYS
from schemas.types import DECIMAL, PLAIN

FILE = "contract.schema.json"
_NAMES = {"type": "array", "items": {"type": "string"}}


def json_schema() -> dict[str, Any]:
    """Return the schema of what people write: short forms allowed, keys that come from the file's place not."""
    made = Contract.model_json_schema(by_alias=True)
    keys = made["properties"]
    for name in DERIVED_KEYS:
        del keys[name]
        made["required"].remove(name)
    column = {"anyOf": [{"$ref": "#/$defs/Column"}, {"type": "null"}]}
    keys["columns"] = {"anyOf": [_NAMES, {"type": "object", "additionalProperties": column}]}
    keys["inputs"] = {"anyOf": [_NAMES, {"type": "object", "additionalProperties": {"type": "string"}}],
                      "description": keys["inputs"]["description"]}  # fmt: skip
    keys["balance"] = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Balance"}]}}
    made["$defs"]["Rule"]["properties"]["rule"]["enum"] = sorted(ROW_RULES | SET_RULES)
    made["$defs"]["Column"]["properties"]["type"] = {
        "anyOf": [{"enum": list(PLAIN)}, {"type": "string", "pattern": f"^{DECIMAL.pattern}$"}]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Contract of a table"}


def text() -> str:
    """Return the schema as the committed file has it."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"
