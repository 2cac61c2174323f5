"""Check characters of Chinese identifiers as column arithmetic.

`conv` reads a text in a base; where the weights of a check character are powers of that base modulo the
same number, one `conv` replaces seventeen look-ups: 34 ≡ 3 (mod 31) for GB 32100, 13 ≡ 2 (mod 11) for GB 11643.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

# GB 32100-2015, 5: letters without I, O, S, V, Z; characters 3-8 are a division of GB/T 2260.
USCC_LETTERS = "ABCDEFGHJKLMNPQRTUWXY"
USCC_SHAPE = r"\A[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}\z"
# GB 11643-1999: division, day of birth, sequence, check character 0-9 or X.
_BIRTHDAY = "((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|[12][0-9]))"
RESIDENT_SHAPE = rf"\A[1-9][0-9]{{5}}(18|19|20)[0-9]{{2}}{_BIRTHDAY}[0-9]{{3}}[0-9X]\z"
# Mobile (11 digits), landline with area code, or a 400/800 number; +86 may lead.
PHONE_SHAPE = r"\A(\+?86[- ]?)?(1[3-9][0-9]{9}|0[0-9]{2,3}[- ]?[1-9][0-9]{6,7}(-[0-9]{1,6})?|[48]00[- ]?[0-9]{3}[- ]?[0-9]{4})\z"


def uscc(text: Column) -> Column:
    """Tell whether a unified social credit code has the shape and check character of GB 32100-2015, 5.2.

    The check character makes Σ cᵢ·3^(i-1) over the first 17, plus itself, divisible by 31.
    """
    plain = F.translate(text, USCC_LETTERS, "ABCDEFGHIJKLMNOPQRSTU")
    head = _number(F.reverse(F.substring(plain, 1, 9)), 34)
    tail = _number(F.reverse(F.substring(plain, 10, 8)), 34)
    total = head + tail * F.lit(3**9 % 31) + _number(F.substring(plain, 18, 1), 34)
    return _shaped(text, USCC_SHAPE, total % F.lit(31) == F.lit(0))


def resident_id(text: Column) -> Column:
    """Tell whether a resident number has the shape and check character of GB 11643-1999 (ISO 7064 MOD 11-2)."""
    body = _number(F.substring(text, 1, 17), 13) % F.lit(11) * F.lit(2)
    last = F.substring(text, 18, 1)
    check = F.when(last == F.lit("X"), F.lit(10)).otherwise(last.try_cast("int"))
    return _shaped(text, RESIDENT_SHAPE, (body + check) % F.lit(11) == F.lit(1))


def phone(text: Column) -> Column:
    """Tell whether a text is a telephone number of mainland China."""
    return text.rlike(PHONE_SHAPE)


def _number(digits: Column, base: int) -> Column:
    return F.conv(digits, base, 10).try_cast("bigint")


def _shaped(text: Column, shape: str, check: Column) -> Column:
    """Compute the check only for texts of the right shape: `conv` fails on others. NULL stays NULL."""
    return F.when(text.rlike(shape), check).when(text.isNotNull(), F.lit(False))
