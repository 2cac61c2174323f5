"""The type that an expression makes, where it is plain; None means that only the engine knows."""

from __future__ import annotations

import re
from collections.abc import Sequence

Type = str | None
BOOLEAN = """== != < <= > >= and or not <=> in between like ilike rlike regexp regexp_like isnull isnotnull isnan
 startswith endswith contains exists forall array_contains is equal_null bool_and bool_or every some any"""
STRING = """concat concat_ws upper lower trim ltrim rtrim substring substr left right lpad rpad regexp_extract
 regexp_replace replace translate date_format md5 sha1 sha2 hex base64 format_number format_string printf initcap
 repeat to_json get_json_object string_agg listagg array_join uuid decode reverse substring_index char chr
 split_part from_unixtime space overlay"""
INT = """year month day dayofmonth hour minute second dayofweek dayofyear weekofyear quarter weekday length
 char_length size cardinality hash crc32 instr locate position row_number rank dense_rank ntile ascii sign_bit
 levenshtein array_size bit_length octet_length"""
DOUBLE = """exp expm1 ln log log10 log1p log2 pow power sqrt cbrt sin cos tan asin acos atan atan2 sinh cosh tanh
 degrees radians months_between percent_rank cume_dist stddev stddev_samp stddev_pop std variance var_samp var_pop corr
 covar_samp covar_pop rand randn skewness kurtosis median percentile rint signum hypot"""
DATE = "to_date date date_add date_sub add_months last_day next_day trunc make_date current_date curdate try_to_date"
TIMESTAMP = """to_timestamp try_to_timestamp date_trunc from_utc_timestamp to_utc_timestamp current_timestamp now
 timestamp_seconds timestamp_millis timestamp_micros make_timestamp"""
BIGINT = "count count_if xxhash64 unix_timestamp monotonically_increasing_id unix_micros unix_millis unix_seconds"
FIXED: dict[str, str] = {
    name: type_
    for type_, names in (("boolean", BOOLEAN), ("string", STRING), ("int", INT), ("double", DOUBLE), ("date", DATE),
                         ("timestamp", TIMESTAMP), ("bigint", BIGINT))
    for name in names.split()
}  # fmt: skip
SAME = """min max first last any_value first_value last_value nth_value lag lead negative positive abs nullif
 sort_array array_sort array_distinct filter array_compact slice shuffle array_repeat_item aggregate_filter mode"""
FIRST = frozenset(SAME.split())
BRANCHES = frozenset(("coalesce", "ifnull", "nvl", "greatest", "least"))
INTEGERS = ("tinyint", "smallint", "int", "bigint")
DECIMAL = re.compile(r"decimal\((\d+),(-?\d+)\)")


def result(name: str, types: Sequence[Type]) -> Type:
    """Return the type of a function of arguments of these types; decimals only where all engines agree."""
    if name in FIXED:
        return FIXED[name]
    if name in BRANCHES:
        return common(types)
    if name == "when":
        return common([*types[1::2], *([types[-1]] if len(types) % 2 else [])])
    if not types or types[0] is None:
        return None
    if name in FIRST or name == "aggregate filter":
        return types[0]
    if name in ("+", "-", "*", "/", "%"):
        return _arithmetic(name, types)
    return _rest(name, types)


def branches(name: str, types: Sequence[Type]) -> tuple[Type, ...]:
    """Return the types of the values that one of is taken; empty for functions that do not choose."""
    if name == "when":
        return (*types[1::2], *([types[-1]] if len(types) % 2 else []))
    return tuple(types) if name in BRANCHES | {"nvl2", "if"} else ()


def common(types: Sequence[Type]) -> Type:
    """Return the one type of all that are not NULL literals, None if they differ or one is not known."""
    kinds = {type_ for type_ in types if type_ != "void"}
    return kinds.pop() if len(kinds) == 1 else None if kinds else "void"


def decimal(type_: Type) -> tuple[int, int] | None:
    """Return (precision, scale) of a decimal; an integer counts as the decimal that Spark makes of it."""
    found = DECIMAL.fullmatch(type_ or "")
    if found:
        return int(found[1]), int(found[2])
    return {"tinyint": (3, 0), "smallint": (5, 0), "int": (10, 0), "bigint": (20, 0)}.get(type_ or "")


def _arithmetic(name: str, types: Sequence[Type]) -> Type:
    if None in types or len(types) < 2:
        return None
    if "double" in types:
        return "double"
    if "float" in types:
        return None
    if all(type_ in INTEGERS for type_ in types):
        return "double" if name == "/" else INTEGERS[max(INTEGERS.index(t or "") for t in types)]
    if types[0] == "timestamp" and types[1] == "interval":
        return "timestamp"
    left, right = decimal(types[0]), decimal(types[1])
    if name == "*" and left and right and left[0] + right[0] + 1 <= 38:
        return f"decimal({left[0] + right[0] + 1},{left[1] + right[1]})"
    return None


def _rest(name: str, types: Sequence[Type]) -> Type:
    first = types[0] or ""
    if name == "sum":
        return "bigint" if first in INTEGERS else "double" if first in ("double", "float") else _wider(first, 10)
    if name in ("avg", "mean", "try_avg"):
        return None if first.startswith("decimal") else "double"
    if name in ("floor", "ceil", "ceiling"):
        return "bigint" if len(types) == 1 and (first == "double" or first in INTEGERS) else None
    if name in ("round", "bround"):
        return first if first in ("double", *INTEGERS) else None
    if name in ("collect_list", "collect_set", "array_agg"):
        return f"array<{first}>"
    if name == "array":
        inner = common(types)
        return f"array<{inner}>" if inner else None
    if name in ("explode", "explode_outer", "element_at", "[]", "array_max", "array_min", "try_element_at", "get"):
        return element(first)
    return "array<string>" if name == "split" else None


def element(type_: Type) -> Type:
    """Return the type of the elements of an array."""
    return type_[6:-1] if type_ and type_.startswith("array<") else None


def _wider(type_: str, by: int) -> Type:
    found = DECIMAL.fullmatch(type_)
    return f"decimal({min(38, int(found[1]) + by)},{found[2]})" if found else None
