"""What the embedded engine does otherwise than Apache Spark without an error: the deny-list, as data.

Each entry was compared on Sail 0.7.2 and Apache Spark 4.2; tests/lineage/test_fences.py shows the differences.
"""

from __future__ import annotations

from dataclasses import dataclass

from lineage import conditions
from lineage.conditions import Test


@dataclass(frozen=True)
class Fence:
    """One entry. `operations`: names, split by spaces. `when`: a test on types and surroundings (always, if none).

    `why` completes "On the embedded engine …"; `instead` says what to write. `tolerable`: a declared tolerance of
    the contract lifts it.
    """

    operations: str
    why: str
    instead: str
    when: Test | None = None
    tolerable: bool = False
    typed: bool = False


FIX = "fix it once: layers.numbers.fix(x)"
BACK = "layers.numbers.to_double(d)"
UNORDERED = "row_number() over a window with an order that is total, or min/max of a struct"

FENCES: tuple[Fence, ...] = (
    # decimals
    Fence(
        "/",
        "the quotient of decimals has fewer digits and is cut, not rounded",
        f"divide doubles: {BACK}, then {FIX}",
        conditions.any_of("decimal"),
        typed=True,
    ),
    Fence(
        "avg mean try_avg",
        "the average of decimals is cut, not rounded",
        f"{BACK.replace('(d)', '(F.sum(d))')} / F.count(d), then {FIX}",
        conditions.first_is("decimal"),
        typed=True,
    ),
    Fence(
        "*",
        "a product beyond 38 digits keeps digits that Spark rounds away",
        f"cast to fewer digits first, or use doubles: {BACK}",
        conditions.wide_product,
        typed=True,
    ),
    Fence(
        "cast try_cast",
        "a double becomes a decimal with another rounding",
        FIX,
        conditions.casts(("double", "float"), ("decimal",)),
        typed=True,
    ),
    Fence(
        "cast try_cast",
        "a decimal becomes a double that differs in the last digit in 1.7 % of rows",
        BACK,
        conditions.casts(("decimal",), ("double", "float")),
        typed=True,
    ),
    Fence(
        "+ - * % == = != < <= > >= <=> between in pmod greatest least",
        "a decimal that meets a double is cast another way",
        f"make both decimal (F.lit(Decimal('0.5'))) or both double: {BACK}",
        conditions.mixed,
        typed=True,
    ),
    Fence(
        "sqrt cbrt exp expm1 ln log log10 log2 log1p pow power sin cos tan atan atan2",
        "a decimal becomes a double that differs in the last digit",
        BACK,
        conditions.any_of("decimal"),
        typed=True,
    ),
    Fence(
        "hash xxhash64",
        "decimals hash to other values",
        "hash their text: d.cast('string')",
        conditions.any_of("decimal"),
        typed=True,
    ),
    Fence("to_json", "decimals and small doubles are written otherwise", "concat_ws of texts, or keep columns apart"),
    # integers
    Fence(
        "+ - *",
        "integers wrap around where Spark fails",
        "widen first: x.cast('bigint') for int, x.cast('decimal(19,0)') or a double for bigint",
        conditions.overflows,
        typed=True,
    ),
    Fence(
        "sum try_sum",
        "sum(bigint) wraps around where Spark fails",
        "F.sum(x.cast('decimal(19,0)')), or sum an int",
        conditions.long_sum,
        typed=True,
    ),
    Fence(
        "sum try_sum",
        "a sum of decimals of more than 28 digits wraps around",
        "F.sum(x.cast('decimal(28,6)'))",
        conditions.wide_sum,
        typed=True,
    ),
    # floating numbers
    Fence(
        "min max greatest least array_max array_min sort_array",
        "NaN makes the result wrong",
        "keep NaN out first: F.when(~F.isnan(x), x)",
        conditions.nan,
    ),
    Fence(
        "exp expm1 ln log log10 log1p log2 pow power sin cos tan asin acos atan atan2 sinh cosh tanh cbrt",
        "the last digits differ",
        "declare `tolerance` in the contract, say 1e-12",
        tolerable=True,
    ),
    Fence(
        "sum avg mean try_sum try_avg stddev stddev_samp stddev_pop std variance var_samp var_pop corr covar_samp "
        "covar_pop "
        "skewness kurtosis median percentile percentile_cont regr_slope regr_intercept regr_r2",
        "the last digits of an aggregate of doubles depend on the order of rows",
        f"add decimals up: {FIX}; or declare `tolerance` in the contract",
        conditions.any_of("double", "float"),
        tolerable=True,
        typed=True,
    ),
    Fence(
        "round bround ceil ceiling floor",
        "a number rounded to decimals differs in the last of them",
        FIX,
        conditions.digits,
        typed=True,
    ),
    Fence(
        "cast try_cast",
        "large and small doubles are written otherwise (1.0E10)",
        "cast a decimal to string: fix(x).cast('string')",
        conditions.casts(("double", "float"), ("string",)),
        typed=True,
    ),
    Fence(
        "concat concat_ws md5 sha2 sha1 length upper lower",
        "large and small doubles are written otherwise (1.0E10)",
        "cast a decimal to string: fix(x).cast('string')",
        conditions.any_of("double", "float"),
        typed=True,
    ),
    Fence("format_string printf", "halves are rounded otherwise", "format_number, or a decimal's text"),
    # chance and order
    Fence(
        "first last any_value first_value last_value",
        "which row comes first is chance",
        UNORDERED,
        conditions.without("ordered"),
    ),
    Fence(
        "max_by min_by mode",
        "which of equal rows is taken is chance",
        "F.max(F.struct(order, value))['value'], which breaks ties by the value",
    ),
    Fence(
        "row_number rank dense_rank ntile lag lead percent_rank cume_dist nth_value",
        "rows of a window without order are numbered by chance",
        "give the window an orderBy that is total",
        conditions.without("ordered"),
    ),
    Fence(
        "collect_list collect_set array_agg string_agg listagg",
        "the order of a collected list is chance",
        "F.sort_array(F.collect_list(x)), then F.array_join",
        conditions.without("settled"),
    ),
    Fence(
        "limit",
        "which rows a limit takes without an order is chance",
        "orderBy a key first",
        conditions.without("ordered"),
    ),
    Fence(
        "tail offset",
        "which rows are cut off is chance or depends on ties",
        "row_number() over a total order, then filter",
        conditions.without("ordered"),
    ),
    Fence("sample", "another sample is drawn", "filter by a hash of the key: F.xxhash64(key) % 100 < 10"),
    Fence("dropDuplicates", "which of the rows of a key is kept is chance", UNORDERED),
    Fence(
        "monotonically_increasing_id spark_partition_id",
        "numbers depend on how rows are spread",
        "make the id of the row's key: F.concat_ws('|', ...)",
    ),
    Fence(
        "rand randn random uuid shuffle now current_timestamp current_date curdate localtimestamp current_timezone "
        "current_user user input_file_name",
        "the result is another at every run",
        "a transform is pure: take it from an input or leave it to the run record",
    ),
    # types
    Fence(
        "union",
        "columns of different types are cast another way, and the declared type is that of the first",
        "cast both sides to one type, NULL literals too",
        conditions.types_differ,
        typed=True,
    ),
    Fence(
        "when coalesce ifnull nvl nvl2 greatest least",
        "branches of different types take the type of the first",
        "cast the branches to one type; F.lit(0.0) beside doubles",
        conditions.branches_differ,
        typed=True,
    ),
    # instants
    Fence(
        "hour minute year month day dayofmonth dayofweek dayofyear weekofyear quarter to_date date date_trunc trunc "
        "date_format last_day next_day add_months date_add date_sub datediff date_diff months_between window date_part",
        "the session's time zone is not kept for stored instants, so it is UTC, and a day of UTC is not one of the source",
        "say the zone first: F.from_utc_timestamp(t, 'Asia/Shanghai')",
        conditions.local,
        typed=True,
    ),
    Fence(
        "cast try_cast",
        "the session's time zone is not kept for stored instants, so it is UTC, and a day of UTC is not one of the source",
        "say the zone first: F.from_utc_timestamp(t, 'Asia/Shanghai')",
        lambda use: use.types[0] == "timestamp" and use.types[1] in ("date", "string") and "zoned" not in use.args[0].traits,
        typed=True,
    ),
    Fence(
        "cast try_cast",
        "text or a day becomes an instant of UTC, whatever the zone of the source",
        "say the zone: F.to_utc_timestamp(x.cast('timestamp'), 'Asia/Shanghai')",
        conditions.both(conditions.without("to_utc"), conditions.casts(("string", "date"), ("timestamp",))),
        typed=True,
    ),
    Fence(
        "to_timestamp try_to_timestamp unix_timestamp make_timestamp",
        "text becomes an instant of UTC, whatever the zone of the source",
        "say the zone: F.to_utc_timestamp(F.to_timestamp(x), 'Asia/Shanghai')",
        conditions.both(conditions.without("to_utc"), lambda use: (use.types[:1] or (None,))[0] != "timestamp"),
    ),
    # functions that differ
    Fence("weekday", "Sunday is -1, not 6", "F.dayofweek(d), Sunday is 1"),
    Fence("extract.dow", "Sunday is 0, not 1", "F.dayofweek(d), Sunday is 1"),
    Fence(
        "percentile_approx approx_percentile approx_count_distinct histogram_numeric",
        "approximations are others",
        "F.percentile with a tolerance in the contract, or F.countDistinct",
    ),
    Fence("intersectAll", "repeated rows are kept too often", "intersect, or number the repetitions first"),
    Fence(
        "regexp_replace",
        "a group's number runs into the letters after it: $1x is read as group `1x`, $0 is not known",
        "put the text apart with concat, or end the reference with a sign that is no letter",
        conditions.group_then_word,
    ),
    Fence("get_json_object", "numbers keep their spelling (1.50), Spark writes 1.5", "cast the result to its type"),
    Fence(
        "zip_with transform_keys transform_values try_divide",
        "the function is missing or another",
        "arrays_zip and transform, map_from_entries, F.when(b != 0, a / b)",
    ),
    # state
    Fence("named.table", "temporary views and catalog tables do not live beyond the session", "take the table as an input"),
    Fence("observe checkpoint", "nothing is kept, or it fails", "a second aggregate, a table of its own"),
)
