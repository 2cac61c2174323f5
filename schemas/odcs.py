"""A contract in the form of the Open Data Contract Standard 3.1, for catalogues that read it."""

from __future__ import annotations

import hashlib
from typing import Any

from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    Description,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
    ServiceLevelAgreementProperty,
    Team,
)

from schemas import types
from schemas.contract import Column, Contract, Rule

API_VERSION = "v3.1.0"
_LOGICAL = {"int": "integer", "bigint": "integer", "double": "number"}
_DIMENSIONS = {
    "not_null": "completeness",
    "unique": "uniqueness",
    "freshness": "timeliness",
    "reference": "consistency",
}
_KEPT = ("write", "period", "cluster_by", "balance", "activity", "serve", "tolerance", "engine")


def odcs(one: Contract) -> str:
    """Return the YAML of a contract. What the standard has no word for goes into `customProperties`."""
    made = OpenDataContractStandard(
        apiVersion=API_VERSION, kind="DataContract", id=one.table, name=one.table, version=version(one), status="active",
        domain=one.layer, dataProduct=one.owner, team=Team(name=one.owner), description=_description(one),
        schema=[_table(one)], slaProperties=_promises(one) or None, customProperties=_custom(one) or None,
    )  # fmt: skip
    return made.to_yaml()


def version(one: Contract) -> str:
    """Return the version of a contract: its content, hashed; contracts are numbered by nobody."""
    return hashlib.sha256(one.model_dump_json(by_alias=True).encode()).hexdigest()[:12]


def _description(one: Contract) -> Description:
    source = one.source
    limits = "The figures are made up." if source and source.synthetic else None
    usage = f"{source.publisher}, {source.licence}. {source.citation}".strip() if source else None
    return Description(purpose=one.description, usage=usage, limitations=limits)


def _table(one: Contract) -> SchemaObject:
    whole = [rule for rule in one.rules if not rule.column]
    return SchemaObject(
        name=one.name, physicalName=one.table, physicalType="table", logicalType="object", description=one.description,
        businessName=one.description_zh or None, quality=[_quality(rule) for rule in whole] or None,
        properties=[_property(one, name, column) for name, column in one.columns.items()],
    )  # fmt: skip


def _property(one: Contract, name: str, column: Column) -> SchemaProperty:
    type_ = str(column.type)
    rules = [rule for rule in one.rules if rule.column == name]
    extra = {"unit": column.unit, "codes": column.codes, "description_zh": column.description_zh, "mask": column.mask}
    headers = [column.from_] if isinstance(column.from_, str) else column.from_
    return SchemaProperty(
        name=name, physicalType=types.spark(type_), description=column.description,
        logicalType="number" if types.decimal_parts(type_) else _LOGICAL.get(type_, type_),
        primaryKey=name in one.key or None, primaryKeyPosition=one.key.index(name) + 1 if name in one.key else None,
        partitioned=name in one.partition_by or None,
        partitionKeyPosition=one.partition_by.index(name) + 1 if name in one.partition_by else None,
        required=column.required or name in one.key or None, classification=column.grade or one.grade,
        transformLogic=column.derive, transformSourceObjects=headers or None,
        quality=[_quality(rule) for rule in rules] or None,
        customProperties=[CustomProperty(property=key, value=value) for key, value in extra.items() if value] or None,
    )  # fmt: skip


def _quality(rule: Rule) -> DataQuality:
    common: dict[str, Any] = {
        "name": rule.label,
        "dimension": _DIMENSIONS.get(rule.rule, "conformity"),
        "severity": "warning" if rule.outcome == "warn" else "error",
    }
    if rule.rule == "not_null":
        return DataQuality(type="library", metric="nullValues", mustBe=0, **common)
    if rule.rule == "unique":
        columns = {"properties": [rule.column] if rule.column else list(rule.columns)}
        return DataQuality(type="library", metric="duplicateValues", mustBe=0, arguments=columns, **common)
    body = rule.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    return DataQuality(type="custom", engine="carbonlake", implementation=body, **common)


def _promises(one: Contract) -> list[ServiceLevelAgreementProperty]:
    given = {
        "freshness": one.freshness,
        "retention": one.retention,
        "frequency": one.source.schedule if one.source else None,
    }
    return [ServiceLevelAgreementProperty(property=name, value=value) for name, value in given.items() if value]


def _custom(one: Contract) -> list[CustomProperty]:
    body = one.model_dump(by_alias=True, mode="json", exclude_defaults=True)
    return [CustomProperty(property=name, value=body[name]) for name in _KEPT if body.get(name)]
