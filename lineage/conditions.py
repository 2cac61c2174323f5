"""When a use of an operation is one that the engines do otherwise: tests on its types and surroundings."""

from __future__ import annotations

import re
from collections.abc import Callable

from lineage import results
from lineage.state import Use

Test = Callable[[Use], bool]


def any_of(*kinds: str) -> Test:
    """Return a test: some argument's type begins with one of these."""
    return lambda use: any((type_ or "").startswith(kinds) for type_ in use.types)


def first_is(*kinds: str) -> Test:
    """Return a test: the first argument's type begins with one of these."""
    return lambda use: bool(use.types) and (use.types[0] or "").startswith(kinds)


def casts(source: tuple[str, ...], target: tuple[str, ...]) -> Test:
    """Return a test: a cast from one of these types to one of those."""
    return lambda use: (use.types[0] or "").startswith(source) and (use.types[1] or "").startswith(target)


def without(*flags: str) -> Test:
    """Return a test: the use stands in none of these surroundings."""
    return lambda use: not use.flags.intersection(flags)


def both(one: Test, two: Test) -> Test:
    """Return a test: both hold."""
    return lambda use: one(use) and two(use)


def mixed(use: Use) -> bool:
    """Whether a decimal meets a floating number."""
    return any_of("decimal")(use) and any_of("double", "float")(use)


def wide_product(use: Use) -> bool:
    """Whether Apache Spark cuts the scale of a product of decimals to stay within 38 digits."""
    sizes = [size for size in map(results.decimal, use.types) if size]
    if not any_of("decimal")(use) or len(sizes) != 2:
        return False
    digits, scale = sizes[0][0] + sizes[1][0] + 1, sizes[0][1] + sizes[1][1]
    return digits > 38 and max(38 - (digits - scale), min(scale, 6)) < scale


def overflows(use: Use) -> bool:
    """Whether an integer result may leave its type: int with int, bigint products, anything with a hash."""
    if len(use.args) != 2 or any(type_ not in results.INTEGERS for type_ in use.types):
        return False
    hashed = any("hash" in arg.traits for arg in use.args)
    bounded = [arg for arg in use.args if "part" in arg.traits]
    if "bigint" not in use.types:
        return len(bounded) < (2 if use.operation == "*" else 1)
    narrow = [arg for arg in use.args if "narrow" in arg.traits or arg.type != "bigint"]
    return hashed or (use.operation == "*" and len(narrow) < 2 and not bounded)


def long_sum(use: Use) -> bool:
    """Whether bigints of any size are added up."""
    return use.types[0] == "bigint" and "narrow" not in use.args[0].traits


def wide_sum(use: Use) -> bool:
    """Whether decimals of more than 28 digits are added up: the sum would need more than 38."""
    size = results.decimal(use.types[0]) if (use.types[0] or "").startswith("decimal") else None
    return size is not None and size[0] > 28


def nan(use: Use) -> bool:
    """Whether an argument may be NaN."""
    return any("nan" in arg.traits and arg.type in ("double", "float") for arg in use.args)


def local(use: Use) -> bool:
    """Whether an instant is cut to a day, hour or text without saying in which zone."""
    instants = [arg for arg in use.args if arg.type == "timestamp"]
    whole = any("H" in str(node.value) for node in use.nodes if node.kind == "literal")
    return any("zoned" not in arg.traits for arg in instants) and not whole


def branches_differ(use: Use) -> bool:
    """Whether the branches of a choice have different types."""
    kinds = {type_ for type_ in results.branches(use.operation, use.types) if type_ != "void"}
    return len(kinds) > 1


def types_differ(use: Use) -> bool:
    """Whether the arguments have different types."""
    return len(set(use.types)) > 1


def digits(use: Use) -> bool:
    """Whether a number of decimals is asked for."""
    return len(use.args) > 1 and (use.types[0] or "") in ("double", "float")


def group_then_word(use: Use) -> bool:
    """Whether `$1` in a replacement is followed by a letter, digit or underscore, or is `$0`."""
    text = str(use.nodes[2].value) if len(use.nodes) > 2 and use.nodes[2].kind == "literal" else "$1x"
    return re.search(r"\$(\d*[A-Za-z_]|\w*[A-Za-z_])", text) is not None
