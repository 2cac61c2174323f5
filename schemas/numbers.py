"""How a double becomes a decimal, the same on every engine, as SQL text.

Plain casts differ between engines in some rows; this form agreed in every one of a million, ties and
negatives included. It is false, without an error, outside |x| < LIMIT and for NaN, so a rule keeps those out.
"""

from __future__ import annotations

LIMIT = 9e12
# From here on a double times a million and a half more is no longer exact; digits as they were written are.
EXACT = 4e9
WRITTEN = r"[+-]?[0-9]+([.][0-9]{0,6})?"
# What all engines read alike: Spark takes `12f`, `12d` and `0x1p3` too, DuckDB `1_000`, `+-5` and Unicode blanks.
BLANKS = r"[\t\n\f\r]*"
NUMBER = BLANKS + r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?" + BLANKS
INTEGER = BLANKS + r"[+-]?[0-9]+" + BLANKS


def fix_sql(x: str, type_: str = "decimal(28,6)", *, double: str = "1e6") -> str:
    """Return SQL that fixes the double expression `x` to six decimals, half away from zero."""
    sign = f"cast(case when {x} < 0 then -1 else 1 end as decimal(1,0))"
    magnitude = f"cast(cast(floor(abs({x}) * cast({double} as double) + cast(0.5 as double)) as bigint) as decimal(19,0))"
    return f"cast({sign} * {magnitude} * cast('0.000001' as decimal(7,6)) as {type_})"


def exact_sql(raw: str, number: str, is_text: bool, type_: str) -> str:
    """Return DuckDB SQL that fixes a value as found, its double `number` where that is exact, else its digits."""
    whole = f"regexp_full_match({raw}, '{WRITTEN}')" if is_text else f"typeof({raw}) not in ('DOUBLE', 'FLOAT')"
    digits = f"cast(try_cast({raw} as decimal(28,6)) as {type_})"
    return f"case when abs({number}) >= {EXACT!r} and {whole} then {digits} else {fix_sql(number, type_)} end"


def number_sql(text: str) -> str:
    """Return DuckDB SQL that tells whether a text is a number to every engine; the pattern is asked only about odd ones."""
    plain = f"{text} > '+-~' and {text} < ':' and not contains({text}, '_') and strlen({text}) = length({text})"
    return f"(({plain}) or regexp_full_match({text}, '{NUMBER}'))"


def integer_sql(text: str) -> str:
    """Return DuckDB SQL that tells whether a text is an integer to every engine; DuckDB itself would round `1.5`."""
    return f"regexp_full_match({text}, '{INTEGER}')"
