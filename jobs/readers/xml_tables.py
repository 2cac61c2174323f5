"""Which tables a document of XML makes: one for each kind of element that stands many times, with what is on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MOST = 20
WIDEST = 40  # columns from the way to a record; where there are more, the document is a table of its own


def tables(
    seen: Mapping[str, int], most: Mapping[str, int], attributes: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, Any]]:
    """Return name → options of the tables that hold every value of a document.

    `seen` is how often each path stands in it, in the order of first sight, `most` how often in one element at the most.
    What belongs to no element that stands many times is a table of one row, `document`.
    """
    inner = {path.rpartition("/")[0] for path in seen if path}
    many = [path for path in seen if most.get(path, 1) > 1 and (path in inner or path in attributes)]
    deepest = [path for path in many if not any(other.startswith(f"{path}/") for other in many)]
    found: dict[str, dict[str, Any]] = {}
    told: set[str] = set()
    for path in deepest[:MOST]:
        keep = _on_the_way(path, list(seen), most, attributes, inner)
        told |= set(keep.values())
        found[_name(path, found)] = {"records": path} | ({"keep": keep} if keep else {})
    leaves = {path for path in seen if path and path not in inner} | {
        _at(path, a) for path in attributes for a in attributes[path]
    }
    left = leaves - told - {leaf for leaf in leaves for path in found.values() if f"{leaf}/".startswith(f"{path['records']}/")}
    return found | ({"document": {"records": "."}} if left else {})


def _on_the_way(
    path: str, order: list[str], most: Mapping[str, int], attributes: Mapping[str, Iterable[str]], inner: set[str]
) -> dict[str, str]:  # fmt: skip
    """Return column → path of what stands before the records, once in each element on the way to them."""
    steps = path.split("/")
    own = _own(path, order, attributes)
    found: dict[str, str] = {}
    for depth in range(len(steps)):
        above, branch = "/".join(steps[:depth]), "/".join(steps[: depth + 1])
        for attribute in sorted(attributes.get(above, ())):
            found[_column(attribute, above, own | found.keys())] = _at(above, attribute)
        for leaf in order[: order.index(branch)]:
            below = f"{above}/" if above else ""
            if leaf and leaf not in inner and leaf.startswith(below) and _single(leaf, below, most):
                found[_column(leaf.removeprefix(below).replace("/", "."), above, own | found.keys())] = leaf
                for attribute in sorted(attributes.get(leaf, ())):
                    found[_column(attribute, leaf, own | found.keys())] = _at(leaf, attribute)
    return found if len(found) <= WIDEST else {}


def _single(leaf: str, below: str, most: Mapping[str, int]) -> bool:
    """Tell whether a leaf stands at most once in each element `below` which it is looked at."""
    rest = leaf.removeprefix(below).split("/")
    return all(most.get(below + "/".join(rest[: end + 1]), 1) == 1 for end in range(len(rest)))


def _at(path: str, attribute: str) -> str:
    return f"{path}/{attribute}" if path else attribute


def _own(path: str, order: list[str], attributes: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the columns that the records themselves have."""
    inside = [one for one in order if one.startswith(f"{path}/")]
    named = {one: one.removeprefix(f"{path}/").replace("/", ".") for one in inside}
    given = {f"{named[one]}.{attribute}" for one in inside for attribute in attributes.get(one, ())}
    return {*named.values(), *attributes.get(path, ()), *given}


def _column(name: str, above: str, taken: Iterable[str]) -> str:
    return name if name not in taken else f"{above.replace('/', '.') or 'document'}.{name}"


def _name(path: str, taken: Mapping[str, Any]) -> str:
    name = path.rpartition("/")[2]
    return name if name not in taken else path.replace("/", "_")
