"""What the fences need to remember of a value beyond its type."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.nodes import Node
from lineage.scope import Column

NAN_MAKERS = {"sqrt", "acos", "asin", "pow", "power", "log1p", "corr", "skewness", "kurtosis"}
PARTS = {
    "year",
    "month",
    "day",
    "dayofmonth",
    "hour",
    "minute",
    "second",
    "dayofweek",
    "dayofyear",
    "weekofyear",
    "quarter",
}
COUNTS = {
    "count",
    "count_if",
    "row_number",
    "rank",
    "dense_rank",
    "ntile",
    "length",
    "char_length",
    "size",
    "cardinality",
}
HASHES = {"hash", "xxhash64", "crc32"}
NONE: frozenset[str] = frozenset()
SMALL = 10_000


def traits_of(node: Node, args: Sequence[Column], type_: str | None) -> frozenset[str]:
    """Return the traits of what a node makes.

    `nan`: may be NaN. `zoned`: a timestamp that shows wall-clock time of a named zone. `digits`: text of a decimal
    or integer. `part`: an integer of at most four digits; `narrow`: one of at most 31 bits, or a count of rows.
    `hash`: an integer anywhere in its type. `bounded`: a floating number that is exact in text.
    """
    given = frozenset().union(NONE, *(arg.traits for arg in args))
    if node.kind == "literal":
        return _literal(node)
    if node.kind == "cast":
        return _cast(args[0], type_)
    kept = given & {"nan"} if type_ not in ("string", "boolean", "int") else NONE
    if node.name in NAN_MAKERS:
        kept |= {"nan"}
    if (node.name == "from_utc_timestamp") or ("zoned" in given and type_ in ("timestamp", None)):
        kept |= {"zoned"}
    if node.name == "date_trunc" and args and args[-1].type == "date":
        kept |= {"zoned"}
    if node.name == "to_utc_timestamp":
        kept -= {"zoned"}
    return kept | _integer(node.name, args)


def _literal(node: Node) -> frozenset[str]:
    if node.type in ("int", "bigint", "smallint", "tinyint") and abs(int(node.value)) <= SMALL:
        return frozenset({"part", "narrow", "literal"})
    if node.type in ("float", "double") and node.value is not None and float(node.value) != float(node.value):
        return frozenset({"nan", "literal"})
    return frozenset({"literal"})


def _cast(inner: Column, type_: str | None) -> frozenset[str]:
    source = inner.type or ""
    kept = inner.traits & {"part", "narrow"}
    if type_ == "string" and (source.startswith("decimal") or source in ("int", "bigint")):
        return frozenset({"digits"})
    if type_ in ("double", "float") and source == "string" and "digits" not in inner.traits:
        return frozenset({"nan"})
    if type_ == "bigint" and source in ("int", "smallint", "tinyint", "boolean"):
        return kept | {"narrow"}
    if type_ == source:
        return inner.traits
    return kept | (inner.traits & {"nan"} if type_ in ("double", "float") else NONE)


def _integer(name: str, args: Sequence[Column]) -> frozenset[str]:
    if name in PARTS:
        return frozenset({"part", "narrow"})
    if name in COUNTS:
        return frozenset({"narrow"})
    if name in HASHES:
        return frozenset({"hash"})
    if name == "when":
        args = [*args[1::2], *args[len(args) - len(args) % 2 :]]
    if name in ("when", "min", "max", "coalesce", "greatest", "least", "abs", "negative", "+", "-", "sum") and args:
        shared = args[0].traits.intersection(*(arg.traits for arg in args))
        spread = frozenset({"hash"}) & frozenset().union(*(arg.traits for arg in args))
        return (shared & {"narrow", "part"} if name != "sum" else shared & {"narrow"}) | spread
    return NONE
