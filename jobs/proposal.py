"""What columns a file would make: types that every value of it fits, and the shortest key that tells its rows apart."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from jobs.readers import Read, Request, read_many
from jobs.readers.parts import OURS
from jobs.readers.stacking import MEMBER
from jobs.relation import literal, quote
from jobs.styles import DIGITS, Style, styles
from models import units
from schemas.errors import UserError
from schemas.numbers import LIMIT

TYPED = {"int64": "bigint", "double": "double"}
# A number with a zero before it is a code. Digits beyond what a double tells apart stay text; what is larger than a
# decimal of ours holds, or has more digits behind the point, is a double.
WHOLE, POINT = r"-?(0|[1-9]\d{0,17})", r"-?(0|[1-9]\d{0,17})(\.\d{1,6})?"
FLOAT = r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?"
HERE = "@"  # the column, in the tests
KINDS = (
    ("bigint", f"regexp_full_match({HERE}, '{WHOLE}')"),
    (
        "decimal(28,6)",
        f"regexp_full_match({HERE}, '{POINT}') and strlen(translate({HERE}, '-.', '')) <= {DIGITS} "
        f"and abs(try_cast({HERE} as double)) < {LIMIT}",
    ),
    ("double", f"regexp_full_match({HERE}, '{FLOAT}') and length(regexp_replace({HERE}, '[eE].*|[^0-9]', '', 'g')) <= {DIGITS}"),
    ("date", rf"regexp_full_match({HERE}, '\d{{4}}-\d{{2}}-\d{{2}}') and try_cast({HERE} as date) is not null"),
)
MOST = 8  # columns of a key
VALUES = 200_000  # of a column, to find the style that they are written in
IN_HEADER = re.compile(r"[(（\[]([^()（）\[\]]+)[)）\]]\s*$")
WORDS, OFTEN = 8, 5  # values of a list, and how often each must come
MEASURES = ("double", "decimal(28,6)")
NUMBERS = (*MEASURES, "bigint")
# What a unit above the table is not that of: years, numbers of rows, codes, shares and rates.
APART = re.compile(r"年份|年度|^年$|月份|^月$|序号|编号|代码|编码|行次|排名|位次|占比|比重|比例|增速|增长|同比|环比|率|指数|系数"
                   r"|[%％]|year|month|rank|code|^id$|^no\.?$|share|ratio|growth|index", re.IGNORECASE)  # fmt: skip
DOUBT = "_doubt"
NOT_OF_ROW = (DOUBT, "_cells", "_confidence")  # of a document's table: what the reader says of a row, not what the row says


@dataclass(frozen=True)
class Proposal:
    """Header → type, the headers of a key (none where rows repeat), and how many rows there are and are malformed.

    `more` are keys of columns that say how their values are written, where these are texts in a style, and their unit where
    the header says one that is known. No value of `positive` columns is below zero; those of `values` are few and come often.
    """

    columns: dict[str, str]
    key: tuple[str, ...]
    rows: int
    rejected: int
    more: dict[str, dict[str, Any]] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)


def proposal(format: str, path: Path, options: Mapping[str, Any]) -> Proposal:
    """Read a whole file as a delivery is read, and look at every value. Raise UserError where it can't be read."""
    (found,) = proposals(format, path, [options])
    if isinstance(found, UserError):
        raise found
    return found


def proposals(format: str, path: Path, several: Sequence[Mapping[str, Any]]) -> list[Proposal | UserError]:
    """Read a file once for each of several options, by one process, as for the tables of a workbook."""
    with tempfile.TemporaryDirectory(prefix="carbonlake-") as folder:
        places = [Path(folder, str(number)) for number, _ in enumerate(several)]
        for place in places:
            place.mkdir()
        requests = [Request(path, place, 1, path.name, options) for place, options in zip(places, several, strict=True)]
        return [found if isinstance(found, UserError) else _proposal(found, place)
                for found, place in zip(read_many(format, requests), places, strict=True)]  # fmt: skip


def _proposal(found: Read, folder: Path) -> Proposal:
    with duckdb.connect() as duck:
        parts = sorted(str(part) for part in folder.glob("part-*.parquet"))
        if not parts:
            return Proposal(dict.fromkeys(found.columns, "string"), (), 0, found.rejected)
        kinds = {field.name: str(field.type) for field in pq.read_schema(parts[0]) if field.name not in (*OURS, *NOT_OF_ROW)}
        if found.info.get("members") == 1:  # one name tells nothing apart
            del kinds[MEMBER]
        # What the reader doubts waits for a person: it is no evidence of a type.
        sure = f" where {DOUBT} is null" if DOUBT in pq.read_schema(parts[0]).names else ""
        duck.execute(f"create view found as from read_parquet([{', '.join(map(literal, parts))}]){sure}")
        columns = {name: TYPED.get(kind) or _type(duck, name) for name, kind in kinds.items()}
        styled = styles({name: values for name, kind in columns.items() if kind == "string" and (values := _values(duck, name))})
        said = {name: unit for name in kinds if (unit := told_unit(name))}
        said |= {name: str(unit).strip(units.BRACKETS) for name, unit in found.info.get("units", {}).items()}
        title = str(found.info.get("title_unit", ""))
        title = title if units.known(title) else ""
        styled = {name: style for name, style in styled.items() if not _counts_twice(name, said.get(name, title), style)}
        columns |= {name: style.type for name, style in styled.items()}
        more = {name: style.more for name, style in styled.items()}
        more |= {name: {"unit": unit} | more.get(name, {}) for name, unit in said.items()
                 if columns.get(name) in NUMBERS and units.known(unit)}  # fmt: skip
        rows = int((duck.execute("select count(*) from found").fetchone() or (0,))[0])
        key = _key(duck, columns, rows)
        more |= {name: {"unit": title} | more.get(name, {}) for name, kind in columns.items()
                 if title and kind in NUMBERS and name not in key and not {"unit", "format"} & more.get(name, {}).keys()
                 and name not in said and not APART.search(name)}  # fmt: skip
        amounts = [name for name, kind in columns.items() if kind in NUMBERS and "unit" in more.get(name, {})]
        words = [name for name, kind in columns.items() if kind == "string" and name not in (*key, *styled)]
        positive = _positive(duck, [name for name in amounts if name not in (*key, *styled)])
        more = {name: keys for name, keys in more.items() if keys}
        return Proposal(columns, key, found.rows, found.rejected, more, positive, _few(duck, words, rows))


def _counts_twice(name: str, unit: str, style: Style) -> bool:
    """Tell whether `1.2万` stands under 万吨: nobody knows how many of them it is, so that the column stays text."""
    return "counts" in style.more.get("written", {}) and bool(re.search("[万亿]", name) or units.counts(unit))


def told_unit(header: str) -> str:
    """Return the unit that a header says in parentheses at its end, if it is one that we know; else nothing."""
    found = IN_HEADER.search(header)
    if not found:
        return ""
    unit = found[1].strip()
    return unit if not unit[:1].isdigit() and units.known(unit) else ""


def _positive(duck: duckdb.DuckDBPyConnection, names: list[str]) -> tuple[str, ...]:
    """Return the columns of amounts, none of whose values is below zero."""
    if not names:
        return ()
    asked = ", ".join(f"min(try_cast({quote(name)} as double)) >= 0" for name in names)
    row = duck.execute(f"select {asked} from found").fetchone() or ()
    return tuple(name for name, yes in zip(names, row, strict=True) if yes)


def _few(duck: duckdb.DuckDBPyConnection, names: list[str], rows: int) -> dict[str, tuple[str, ...]]:
    """Return the values of columns of words that come again and again: a list that others would surprise in."""
    found = {}
    for name in names if rows >= OFTEN * 2 else ():
        column = quote(name)
        sql = f"""
            select trim({column}), count(*) from found where trim({column}) <> '' group by 1 order by 1 limit {WORDS + 1}"""
        some = duck.execute(sql).fetchall()
        if 2 <= len(some) <= WORDS and min(count for _, count in some) >= OFTEN:
            found[name] = tuple(str(value) for value, _ in some)
    return found


def _values(duck: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Return the values of a column of texts, each once; none where there are more than can be looked at one by one."""
    column = quote(name)
    sql = f"select distinct {column} from found where {column} is not null order by 1 limit {VALUES + 1}"
    found = [str(row[0]) for row in duck.execute(sql).fetchall()]
    return found if len(found) <= VALUES else []


def _type(duck: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the first type that fits every value of a column; text where none does, or there is no value."""
    column = quote(name)
    fits = ", ".join(f"bool_and({test.replace(HERE, column)})" for _, test in KINDS)
    row = duck.execute(f"select {fits} from found where {column} is not null").fetchone() or ()
    return next((kind for (kind, _), yes in zip(KINDS, row, strict=True) if yes), "string")


def _key(duck: duckdb.DuckDBPyConnection, columns: Mapping[str, str], rows: int) -> tuple[str, ...]:
    """Return few columns that tell all rows apart, the first ones; nothing where none do.

    They are never empty, nor the same in all rows; measures are a key only where nothing else is.
    """
    counts = ", ".join(f"count({quote(name)}), min({quote(name)}) is distinct from max({quote(name)})" for name in columns)
    found = duck.execute(f"select {counts} from found").fetchone() or ()
    filled = [name for name, count, varies in zip(columns, found[::2], found[1::2], strict=True)
              if count == rows and (varies or rows == 1)]  # fmt: skip
    for able in ([name for name in filled if columns[name] not in MEASURES][:MOST], filled[:MOST]):
        for number in range(1, len(able) + 1):
            if _apart(duck, able[:number], rows):
                return tuple(able[:number])
    return ()


def _apart(duck: duckdb.DuckDBPyConnection, names: list[str], rows: int) -> bool:
    told = ", ".join(map(quote, names))
    return duck.execute(f"select count(*) from (select distinct {told} from found)").fetchone() == (rows,)
