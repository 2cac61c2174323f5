"""Units: one pint registry that knows the names used in energy and carbon data, Chinese ones included."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from threading import Lock
from tokenize import TokenError
from typing import Any

import pint

from schemas.errors import UserError

# 1 kgce = 29.3076 MJ: 7,000 kcal of 4.1868 kJ (GB/T 2589-2020, 3.7). Mass of a gas or of carbon is mass: which gas it
# is stands in a column of its own. A cubic metre at 0 °C and 101.325 kPa is no other cubic metre. `kt` is a knot,
# `cal` that of chemists and `bbl` that of beer, a quarter smaller than that of oil, unless we say otherwise.
DEFINITIONS = """
gce = 29307.6 * joule
tce = 29307.6 * megajoule
cal = 4.1868 * joule
kt = 1000 * tonne
gC = gram
tC = tonne
gCO2 = gram
tCO2 = tonne
gCO2e = gram
tCO2e = tonne
gCH4 = gram
tCH4 = tonne
tN2O = tonne
gCF4 = gram
gC2F6 = gram
tAl = tonne
gCOD = gram
gBOD = gram
Nm3 = [normal_volume]
person = [person]
piece = [piece]
unit = piece
head = [head]
USD = [dollar]
million_USD = 1000000 * USD
CNY = [yuan]
mu = hectare / 15
barrel = 42 * gallon = bbl
""".strip().splitlines()

NAMES = {
    "千瓦时": "kWh", "度": "kWh", "兆瓦时": "MWh", "千焦": "kJ", "兆焦": "MJ", "吉焦": "GJ", "太焦": "TJ",
    "千卡": "kcal", "大卡": "kcal", "瓦": "W", "千瓦": "kW", "兆瓦": "MW", "吨标准煤": "tce", "吨标煤": "tce",
    "千克标准煤": "kgce", "吨": "tonne", "千克": "kg", "公斤": "kg", "克": "g", "标准立方米": "Nm3",
    "标立方米": "Nm3", "立方米": "m**3", "平方米": "m**2", "平方千米": "km**2", "平方公里": "km**2",
    "公顷": "hectare", "亩": "mu", "米": "m", "千米": "km", "公里": "km", "升": "liter", "元": "CNY", "美元": "USD",
    "人": "person", "头": "head", "台": "piece", "辆": "piece", "户": "piece", "小时": "hour", "天": "day", "日": "day",
    "年": "year", "吨二氧化碳": "tCO2", "吨二氧化碳当量": "tCO2e", "千克二氧化碳": "kgCO2",
}  # fmt: skip
COUNTS = {"百": 10**2, "千": 10**3, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12}
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
POWER = re.compile(r"(?<![A-Za-z])([kcd]?m)([23])(?![A-Za-z0-9])")
COUNTED = re.compile(r"(?<![A-Za-z0-9.*_])([0-9]+(?:e[0-9]+)?)\s*([A-Za-z][A-Za-z0-9_]*)")
TEN = re.compile(r"(?<![0-9.])10\^([0-9]+)")
CARBON = re.compile(r"(?<![A-Za-z])[kMGm]?[gt](CO2|C)e?(?![A-Za-z0-9])")
COUNTING = re.compile(r"(?<![A-Za-z*^])[0-9]+(e[0-9]+)?\s*[A-Za-z\u4e00-\u9fff]|[mb]illion")

# Words that pint reads in one way and people in another: `ton` as 907 kg, `mt` as a thousandth of a tonne.
DOUBTFUL = re.compile(r"(?<![A-Za-z_])(tons?|mt)(?![A-Za-z_])")

BRACKETS = "()[] \uff08\uff09"  # around units that stand in headers and below them

# What pint raises for a text that is no unit: its own errors, its assertions, those of Python's tokenizer and parser.
UNREADABLE = (
    pint.errors.PintError,
    TokenError,
    AssertionError,
    AttributeError,
    KeyError,
    SyntaxError,
    TypeError,
    ValueError,
)

_ONE = Lock()


def factor(unit_from: str, unit: str) -> float:
    """Return what a value in `unit_from` is multiplied by to be in `unit`, e.g. 10000.0 from 万千瓦时 to kWh.

    Computed in fractions and rounded once. Raise UserError for a unit nobody knows and for two that measure
    different things.
    """
    return _factor(unit_from, unit)


def counts(unit: str) -> bool:
    """Tell whether a unit counts already, as 万吨, 1e4 t and million_USD do; 千瓦时 is a unit of its own."""
    spelled = [found[0] for found in CHINESE.finditer(unit)]
    return bool(COUNTING.search(unit)) or any(text not in NAMES for text in spelled)


def same_matter(unit_from: str, unit: str) -> bool:
    """Tell whether no unit of carbon meets one of CO2, or of a gas: 44/12 lies between. A share (`1`) takes either."""
    given, wanted = ({found[1] for found in CARBON.finditer(one)} for one in (unit_from, unit))
    if "C" in given:
        return "C" in wanted or unit == "1"
    return not ("C" in wanted and "CO2" in given)


def known(unit: str) -> bool:
    """Tell whether somebody knows a unit."""
    try:
        factor(unit, unit)
    except UserError:
        return False
    return True


def quantity(value: float, unit: str) -> Any:
    """Return the value as a pint quantity of our registry. Raise UserError for a unit nobody knows."""
    return _registry().Quantity(value, _parsed(unit).units) * _number(_parsed(unit).magnitude)


@cache
def _factor(unit_from: str, unit: str) -> float:
    given, wanted = _parsed(unit_from), _parsed(unit)
    try:
        return float((given / wanted).to("dimensionless").magnitude)
    except pint.DimensionalityError:
        raise UserError(
            f"{unit_from!r} does not convert to {unit!r}: one is {_dimension(given)}, the other {_dimension(wanted)}",
            remedy="give units that measure the same thing, or convert in the transform",
        ) from None


def _dimension(one: Any) -> str:
    powers = [f"{name.strip('[]')}^{power}" if power != 1 else name.strip("[]") for name, power in one.dimensionality.items()]
    return " ".join(sorted(powers)) or "a plain number"


def _number(value: Any) -> Any:
    """Return a fraction as the integer or double it is nearest to, so that products stay doubles."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else float(value)


@cache
def _parsed(unit: str) -> Any:
    if doubt := DOUBTFUL.search(unit):
        raise UserError(f"nobody knows which unit {doubt[0]!r} is meant in {unit!r}",
                        remedy="say t (tonne), short_ton (907 kg) or long_ton (1,016 kg)")  # fmt: skip
    spelled = CHINESE.sub(lambda found: _chinese(found[0], unit), TEN.sub(r"1e\1", unit.strip()))
    text = COUNTED.sub(r"(\1*\2)", POWER.sub(r"\1**\2", spelled))
    try:
        return _registry().Quantity(Fraction(1), "") * _registry().parse_expression(text or "dimensionless")
    except pint.OffsetUnitCalculusError:
        raise UserError(f"{unit!r} has a zero of its own, so that no factor converts it",
                        remedy="take the values as they are, and convert in `derive` or in a transform") from None  # fmt: skip
    except UNREADABLE as error:
        raise UserError(
            f"nobody knows the unit {unit!r}: {error}", remedy="see NAMES and DEFINITIONS in models/units.py"
        ) from None


def _chinese(text: str, unit: str) -> str:
    """Spell a Chinese unit for pint: the longest name at the end, a count before it."""
    for start in range(len(text)):
        name, count = NAMES.get(text[start:]), text[:start]
        if name and (not count or count in COUNTS):
            return f"({COUNTS.get(count, 1)}*{name})"
    if text in COUNTS:
        return str(COUNTS[text])
    raise UserError(f"nobody knows the unit {unit!r}", remedy="see NAMES in models/units.py")


def _registry() -> Any:
    with _ONE:  # tables are built at once, and quantities of two registries do not mix
        return _made()


@cache
def _made() -> Any:
    registry: Any = pint.UnitRegistry(non_int_type=Fraction, on_redefinition="ignore")
    for line in DEFINITIONS:
        registry.define(line)
    return registry
