"""The columns that fields of payloads become: declared, or found as messages come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobs.readers.records import WIDEST


class Names:
    """The columns of payloads: as declared, or in the order of their first sight; `taken` are names of ours."""

    def __init__(self, declared: Sequence[str], taken: Iterable[str]) -> None:
        self.declared = frozenset(declared)
        self.found: dict[str, None] = dict.fromkeys(declared)
        self._known = {name.casefold(): name for name in declared}
        self._taken = {name.casefold() for name in (*taken, "_delivery", "_locator", "_name")}

    def wrong(self, names: Iterable[str]) -> str:
        """Take names in; say why they can't be columns, nothing if they can. Undeclared ones are passed over."""
        fresh: dict[str, str] = {}
        for name in names:
            folded = name.casefold()
            if self.declared or self._known.get(folded) == name:
                continue
            if folded in self._taken:
                return f"a field is named {name!r}, which is a name of ours"
            if (other := fresh.setdefault(folded, self._known.get(folded, name))) != name:
                return f"the fields {other!r} and {name!r} are one to those who read them"
        if len(self.found) + len(fresh) > WIDEST:
            return f"more than {WIDEST} fields"
        self._known |= fresh
        self.found |= dict.fromkeys(fresh.values())
        return ""
