"""Other forms of contracts are generated, valid, and complete."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from schemas import editor, rooms
from schemas.contracts import contract, contracts
from schemas.dictionary import HEADER
from schemas.errors import UserError
from schemas.export import export


def test_every_contract_is_a_valid_open_data_contract(tmp_path: Path) -> None:
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8"))
    paths = export("odcs", tmp_path)
    assert len(paths) == len(contracts())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for path in paths:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [error.message for error in validator.iter_errors(body)] == [], path.name


def test_an_open_data_contract_says_what_ours_says(tmp_path: Path) -> None:
    export("odcs", tmp_path)
    made = OpenDataContractStandard.from_file(str(tmp_path / "cleaned.building_meter_hour.odcs.yaml"))
    one = contract("cleaned.building_meter_hour")
    assert made.schema_
    properties = made.schema_[0].properties or []
    assert [p.name for p in properties] == list(one.columns)
    assert [p.name for p in sorted((p for p in properties if p.primaryKey), key=lambda p: p.primaryKeyPosition or 0)] == list(
        one.key
    )
    named = {q.name for p in properties for q in p.quality or []} | {q.name for q in made.schema_[0].quality or []}
    assert named == {rule.label for rule in one.rules}


def test_the_dictionary_has_a_line_for_every_column(tmp_path: Path) -> None:
    paths = {path.name: path.read_text(encoding="utf-8") for path in export("dictionary", tmp_path)}
    rows = list(csv.DictReader(paths["dictionary.csv"].splitlines()))
    assert tuple(rows[0]) == HEADER
    assert {(row["table"], row["column"]) for row in rows} == {(t, name) for t, c in contracts().items() for name in c.columns}
    zh, en = paths["dictionary.zh.md"], paths["dictionary.en.md"]
    one = contract("cleaned.enterprise")
    assert one.description_zh in zh
    assert one.description in en
    assert zh.count("\n| `") == en.count("\n| `") == len(rows)


def test_the_committed_json_schema_is_the_generated_one() -> None:
    committed = (rooms.SHIPPED / "schemas" / editor.FILE).read_text(encoding="utf-8")
    assert committed == editor.text(), "run: carbonlake export json-schema --folder schemas"


def test_the_json_schema_accepts_every_contract_and_refuses_a_misspelt_key() -> None:
    schema = editor.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    bodies = [json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))
              for path in rooms.files("schemas", "*/*.yaml") if path.parent.name != "fields"]  # fmt: skip
    assert len(bodies) == len(contracts())
    for body in bodies:
        assert [error.message for error in validator.iter_errors(body)] == []
    wrong = [
        {**bodies[0], "ownr": "x"},
        {**bodies[0], "rules": [{"rule": "atleast"}]},
        {**bodies[0], "columns": {"a": {"type": "text"}}},
    ]
    assert not any(validator.is_valid(body) for body in wrong)


def test_an_unknown_form_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="known: odcs, dictionary, json-schema"):
        export("excel", tmp_path)
