"""How numbers are written in a source beside plain digits: what is matched, and how it becomes a plain text.

One text of each style, for the engines and for the database that counts again. A text is taken where the whole of it is in
the declared style, and is no number otherwise, so that no style reads what another one means. Powers of ten go into the
exponent of the text: `1.1万` is `1.1e4`, read once and rounded once.
"""

from __future__ import annotations

from pyspark.sql import Column as Expr
from pyspark.sql import functions as F

from models import units
from schemas.contract import Column, Written
from schemas.errors import UserError

WIDE, PLAIN = (
    "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff0b\uff0d\u2212\uff0e\uff0c\uff08\uff09\uff05\uff1c\uff1e\uff5e\uff1d\u3000\u00a0\u2009\u202f",
    "0123456789+--.,()%<>~=    ",
)
AROUND = " \t\n\f\r"  # what engines pass over around a number
BLANKS = " \u00a0\u2009\u202f"
GROUPS = {",": ",", ".": ".", " ": BLANKS, "'": "'\u2019"}
COUNTS = {"千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8, "万亿": 12}
# What a qualifier is called in sources, and what it is kept as.
QUALIFIERS = {
    "<": ("<", "小于", "低于", "不足"), "≤": ("<=", "≤", "≦", "不超过"), ">": (">", "大于", "高于", "超过"),
    "≥": (">=", "≥", "≧", "不低于"), "~": ("~", "≈", "大约", "约"),
}  # fmt: skip
_SIGNS = sorted((sign for signs in QUALIFIERS.values() for sign in signs), key=len, reverse=True)
QUALIFIER = "|".join(_SIGNS)
_DROPPED = "".join(dict.fromkeys("".join([*_SIGNS, *COUNTS, "%()", BLANKS, AROUND])))


def pattern(column: Column) -> str:
    """Return a regular expression for the whole of a text in the style of a column, full width made plain."""
    how = _written(column)
    _check_counts(column)
    point = "[.]" if how.decimal == "." else ","
    digits = "[0-9]+"
    if how.thousands:
        digits = f"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:[{GROUPS[how.thousands]}][0-9]{{3}})+)"
    number = f"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)"
    after = ["[eE][+-]?[0-9]+", *([f" *(?:{'|'.join(sorted(COUNTS, key=len, reverse=True))})"] if how.counts else [])]
    if how.percent:
        after.append(" *%")
    # Where the share could be meant as well, a number without the sign is none.
    must = how.percent and _of_percent(column) != 1
    unsigned = f"{number} *%" if must else f"{number}(?:{'|'.join(after)})?"
    said = f"[+-]?{unsigned}|[(] *{unsigned} *[)]" if how.parentheses else f"[+-]?{unsigned}"
    before = f"(?:(?:{QUALIFIER}) *)?" if how.qualifier else ""
    return f"^[{AROUND}]*{before}(?:{said})[{AROUND}]*$"


def plain(raw: Expr, column: Column) -> Expr:
    """Return the plain text of a number in a column's style, NULL for what is not in it."""
    how, text = _written(column), narrow(raw, column)
    digits = F.translate(text, *translated(how))
    minus = F.when(F.contains(text, F.lit("(")), F.lit("-")).otherwise(F.lit(""))
    exponent = F.lit("")
    for sign, power in _powers(column):
        bare = F.translate(text, f"{AROUND})", "")
        exponent = F.when(bare.endswith(sign), F.lit(power)).otherwise(exponent)
    return F.when(text.rlike(pattern(column)), F.concat(minus, digits, exponent))


def plain_sql(raw: str, column: Column) -> str:
    """Return DuckDB SQL of the same."""
    how = _written(column)
    text = f"translate({raw}, '{WIDE}', '{PLAIN}')" if how.wide else raw
    text = f"trim({text}, ' ')"
    came, goes = translated(how)
    quoted = came.replace("'", "''")
    cases = " ".join(f"when ends_with(translate({text}, '{AROUND})', ''), '{sign}') then '{power}'" for sign, power in
                     reversed(list(_powers(column))))  # fmt: skip
    exponent = f"case {cases} else '' end" if cases else "''"
    minus = f"case when contains({text}, '(') then '-' else '' end"
    match = pattern(column).replace("'", "''")
    digits = f"translate({text}, '{quoted}', '{goes}')"
    return f"(case when regexp_matches({text}, '{match}') then concat({minus}, {digits}, {exponent}) end)"


def narrow(raw: Expr, column: Column) -> Expr:
    """Return a text with the digits and signs of full width as plain ones, where the column's style has them."""
    return F.trim(F.translate(raw, WIDE, PLAIN)) if _written(column).wide else raw


def qualifier(raw: Expr, column: Column) -> Expr:
    """Return the qualifier before a number as `<`, `≤`, `>`, `≥` or `~`, NULL where there is none."""
    found = F.regexp_extract(narrow(raw, column), f"^[{AROUND}]*({QUALIFIER})", 1)
    kept = F.lit(None).cast("string")
    for sign, names in QUALIFIERS.items():
        kept = F.when(found.isin(list(names)), F.lit(sign)).otherwise(kept)
    return kept


def _written(column: Column) -> Written:
    return column.written or Written()


def translated(how: Written) -> tuple[str, str]:
    """Return what `translate` is told: the decimal sign becomes a point, separators and signs around go."""
    groups = GROUPS[how.thousands] if how.thousands else ""
    dropped = "".join(sign for sign in dict.fromkeys(_DROPPED + groups) if sign != how.decimal)
    return how.decimal + dropped, "."


def _powers(column: Column) -> list[tuple[str, str]]:
    """Return endings and the exponents they stand for, the longest last, which is asked first."""
    how = _written(column)
    powers = [(sign, f"e{COUNTS[sign]}") for sign in sorted(COUNTS, key=len)] if how.counts else []
    return powers + ([("%", "e-2")] if how.percent and _of_percent(column) != 1 else [])


def _check_counts(column: Column) -> None:
    """Raise UserError where both the number and its unit count: 1.2万 in 万吨 is 1.2 of them to one, 12,000 to another."""
    unit = column.unit_from if isinstance(column.unit_from, str) else column.unit
    if _written(column).counts and unit and units.counts(unit):
        raise UserError(f"`counts` is of no use in {unit}, which counts itself: 1.2万 could be meant as 1.2 of them",
                        remedy="take `counts` out, so that such a row waits, or the count out of the unit")  # fmt: skip


def _of_percent(column: Column) -> float:
    """Return what a percentage is multiplied by to be in the unit of the source; raise UserError where that is none."""
    unit = column.unit_from if isinstance(column.unit_from, str) else column.unit
    factor = units.factor("%", str(unit or "1"))
    if factor not in (1, 0.01):
        raise UserError(f"`percent` is of no use in {unit}", remedy="the unit of a share is 1 or %")
    return factor
