"""Whose report of which year: a member of a level of the roll-ups, found by its id, its code or its name."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date

import duckdb

from schemas.errors import UserError

MAIN = "enterprise"  # the book that a report is of, where the member has it
UNSAFE = re.compile(r"[^\w.-]")  # of a code in a file's name: a code is what somebody delivered, and may hold ../
LEVELS = {"enterprise": ("enterprise",), "park": ("park",), "region": ("nation", "province", "prefecture", "county")}
WITH_DATA = """select distinct level, member, book from business.emission_change
where grain = 'year' and period = ? and list_contains(?, level) and not starts_with(member, 'unknown') order by all"""
NAMES = """select member, coalesce(max(s.name), max(n.name), member) as name
from (select distinct member from business.emission_change where list_contains(?, level)) c
left join thematic.subject s on s.subject_id in (c.member, 'region:' || c.member)
left join names n on n.list = 'region' and n.code = c.member
where not starts_with(member, 'unknown') group by member order by member"""


@dataclass(frozen=True)
class Asked:
    """A member of a level, a year, the book that stands first, and the release that is asked, if any."""

    kind: str
    level: str
    member: str
    year: int
    book: str
    release: str | None = None

    @property
    def first_day(self) -> date:
        """The first day of the year."""
        return date(self.year, 1, 1)

    @property
    def stem(self) -> str:
        """The name of the report's files, without version and ending."""
        code = UNSAFE.sub(_hex, self.member.removeprefix(f"{self.kind}:"))
        return f"{self.kind}-{code}-{self.year}" + (f"-{self.release}" if self.release else "")


def _hex(found: re.Match[str]) -> str:
    return "".join(f"~{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def find(duck: duckdb.DuckDBPyConnection, kind: str, text: str, year: int, release: str | None = None) -> Asked:
    """Return who is meant by an id, a code or a name. Raise UserError for nobody, several, or no data in the year."""
    known = dict(duck.execute(NAMES, [list(LEVELS[kind])]).fetchall())
    meant = [member for member, name in known.items() if text in (member, member.split(":")[-1], name)]
    if len(meant) != 1:
        words = {word: member for member, name in known.items() for word in (member.split(":")[-1], name)}
        near = difflib.get_close_matches(text, words, n=3, cutoff=0.5) or sorted(known)[:3]
        what = f"{text!r} names {len(meant)} of them" if meant else f"there is no {kind} {text!r} with any activity"
        raise UserError(what, where=f"report {kind}", remedy=f"did you mean {', '.join(near)}?")
    found = every(duck, kind, year, release)
    if meant[0] not in found:
        years = duck.execute("select distinct year(period) from business.emission_change where grain = 'year' and member = ? "
                             "order by 1", meant).fetchall()  # fmt: skip
        raise UserError(f"{meant[0]} has no activity in {year}", where=f"report {kind}",
                        remedy=f"years that have some: {', '.join(str(one) for (one,) in years)}")  # fmt: skip
    return found[meant[0]]


def every(duck: duckdb.DuckDBPyConnection, kind: str, year: int, release: str | None = None) -> dict[str, Asked]:
    """Return member → what is asked, for all that have any activity in a year."""
    books: dict[tuple[str, str], list[str]] = {}
    for level, member, book in duck.execute(WITH_DATA, [date(year, 1, 1), list(LEVELS[kind])]).fetchall():
        books.setdefault((level, member), []).append(book)
    return {member: Asked(kind, level, member, year, MAIN if MAIN in some else some[0], release)
            for (level, member), some in sorted(books.items(), reverse=True)}  # fmt: skip
