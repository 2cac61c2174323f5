"""Events against the published schema of OpenLineage, offline."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource

from lineage import events
from lineage.edges import Edge, Lineage

DATA = Path(__file__).parent / "data"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
LAKE = "s3://lake"
METER = events.Table(LAKE, "cleaned.meter", (("kwh", "decimal(28,6)", "Electricity"),), 3)
EMISSION = events.Table(LAKE, "business.emission", (("co2", "decimal(28,6)", "排放"), ("month", "date", "")), 7)
BUILD = events.Build(
    "20261121-1200-x", EMISSION, (METER,), parent=("night-1", "carbonlake run"),
    code=("https://github.com/carbonlake/carbonlake/blob/main/layers/business/emission.py", "layers/business/emission.py", "abc"),
    engine=("sail", "0.7.2"),
)  # fmt: skip
LINEAGE = Lineage(
    {"co2": (Edge("cleaned.meter", "kwh", "DIRECT", "TRANSFORMATION"), Edge("cleaned.meter", "kwh", "INDIRECT", "FILTER")),
     "month": ()},
    {}, {},
)  # fmt: skip


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """Return the published schemas by file stem."""
    return {path.stem: json.loads(path.read_text()) for path in DATA.glob("*.json")}


def _validate(event: dict[str, Any], schemas: dict[str, Any]) -> int:
    """Validate an event as a RunEvent, and each facet by the schema it names; return how many facets there were."""
    registry: Registry[Any] = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in schemas.values())
    Draft202012Validator({"$ref": f"{schemas['OpenLineage']['$id']}#/$defs/RunEvent"}, registry=registry,
                         format_checker=FormatChecker()).validate(event)  # fmt: skip
    holders = [event["run"], event["job"], *event.get("inputs", []), *event.get("outputs", [])]
    facets = [f for h in holders for key in ("facets", "inputFacets", "outputFacets") for f in h.get(key, {}).items()]
    known = {name: (s["$id"], name) for s in schemas.values() for name in s.get("properties", {})}
    for name, facet in facets:
        id_, _ = known[name]
        assert facet["_schemaURL"].startswith(id_), "made for another version of the schema than the one here"
        Draft202012Validator({"$ref": f"{id_}#/properties/{name}"}, registry=registry).validate(facet)
    return len(facets)


def _every() -> dict[str, Any]:
    checks = [events.Assertion("at_least_kwh", False, "co2", "warn", 3, 100), events.Assertion("unique", True)]
    return {
        "start": events.started(BUILD, AT),
        "complete": events.completed(BUILD, AT, LINEAGE, rows=100, size=2048, files=1),
        "fail": events.failed(BUILD, AT, "12 rows do not balance"),
        "checks": events.checked(BUILD, AT, checks),
    }


@pytest.mark.parametrize("name", ["start", "complete", "fail", "checks"])
def test_events_and_all_their_facets_are_valid(schemas: dict[str, Any], name: str) -> None:
    assert _validate(events.to_dict(_every()[name]), schemas) >= 4


def test_the_validation_can_fail(schemas: dict[str, Any]) -> None:
    event = events.to_dict(_every()["complete"])
    event["outputs"][0]["facets"]["columnLineage"]["fields"]["co2"]["inputFields"][0].pop("field")
    with pytest.raises(ValidationError):
        _validate(event, schemas)


def test_a_complete_event_tells_columns_counts_version_and_code() -> None:
    event = events.to_dict(_every()["complete"])
    output = event["outputs"][0]
    (field,) = output["facets"]["columnLineage"]["fields"]["co2"]["inputFields"]
    assert (field["namespace"], field["name"], field["field"]) == (LAKE, "cleaned.meter", "kwh")
    assert [(t["type"], t["subtype"]) for t in field["transformations"]] == [("DIRECT", "TRANSFORMATION"), ("INDIRECT", "FILTER")]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 100
    assert output["facets"]["version"]["datasetVersion"] == "7"
    assert event["job"]["facets"]["sourceCodeLocation"]["path"] == "layers/business/emission.py"
    assert event["run"]["facets"]["parent"]["job"]["name"] == "carbonlake run"
    assert event["inputs"][0]["facets"]["version"]["datasetVersion"] == "3"


def test_checks_are_a_run_of_their_own_so_that_no_table_is_its_own_source() -> None:
    event, build = (events.to_dict(_every()[name]) for name in ("checks", "complete"))
    assert event["outputs"] == []
    found = event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    told = [(one["assertion"], one["success"], one.get("column")) for one in found]
    assert told == [("at_least_kwh", False, "co2"), ("unique", True, None)]
    assert event["run"]["facets"]["parent"]["run"]["runId"] == build["run"]["runId"] != event["run"]["runId"]
    assert [one["name"] for one in build["inputs"]] == ["cleaned.meter"]


def test_a_run_has_one_uuid_whatever_its_id() -> None:
    own = str(uuid.uuid4())
    assert events.run_uuid(own) == own
    assert events.run_uuid("x") == events.run_uuid("x") != events.run_uuid("y")
    assert len({events.to_dict(event)["run"]["runId"] for name, event in _every().items() if name != "checks"}) == 1


def test_rows_for_the_lake_hold_the_whole_event_and_every_edge() -> None:
    row = events.event_row(_every()["complete"])
    assert (row["event_time"], row["event_type"]) == (AT, "COMPLETE")
    assert (row["inputs"], row["outputs"]) == (["cleaned.meter"], ["business.emission"])
    assert json.loads(row["event"]) == events.to_dict(_every()["complete"])
    assert [(r["column"], r["input_column"], r["subtype"]) for r in events.edge_rows(BUILD, LINEAGE)] == [
        ("co2", "kwh", "TRANSFORMATION"), ("co2", "kwh", "FILTER"),
    ]  # fmt: skip
