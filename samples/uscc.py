"""Unified social credit codes of enterprises that do not exist, with a check character that fits (GB 32100-2015)."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def made_up(region: str, number: int) -> str:
    """Return the code of example enterprise `number` in a region; EXAMPLE stands where an organisation's code would."""
    body = f"91{region}EXAMPLE{number:02d}"
    return body + check(body)


def check(body: str) -> str:
    """Return the check character of the first 17 characters."""
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(body, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def spoiled(code: str) -> str:
    """Return the code with a check character that does not fit."""
    return code[:-1] + ALPHABET[(ALPHABET.index(code[-1]) + 1) % 31]
