"""How a CSV file wants to be read: what its lines say of delimiter, titles, header, units and footer."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import Any

from jobs.readers.csv_footer import barely, fields_of
from jobs.readers.csv_head import DELIMITERS, Csv
from models import units

# What a line below a table begins with. A line that is merely too short may be all that came of a row.
LAST = re.compile(r"^\W*((grand |sub)?total|sum|source|notes?|data from|last updated|updated|copyright|©|\*|合计|总计|小计|"
                  r"注[:\uff1a]|注释|说明|备注|资料来源|数据来源|来源|制表|打印|导出)", re.IGNORECASE)  # fmt: skip
SUM = re.compile(r"(grand |sub)?total|合\s*计|总\s*计|小\s*计", re.IGNORECASE)
NUMBER = re.compile(r"^[-+(<>≤≥~]?[0-9][0-9.,eE+\-]*[%)]?$|^[0-9]{4}[-/年]")
NOTHING = ("", "-", "—", "–", "/", "n/a", "NA", "无")
LOOKED_AT = 100


def look(head: str, tail: list[str], given: Csv) -> dict[str, Any]:
    """Return the options that a file wants and that were not given, from its first and its last lines."""
    rows = _rows(head, given.delimiter)
    if given.comment is None and (sign := _comment(head)):
        return {"comment": sign}
    if delimiter := _delimiter(head, rows, given):
        return {"delimiter": delimiter}
    rows = [row for row in rows[given.skip_rows :] if not (given.comment and row and row[0].startswith(given.comment))]
    found: dict[str, Any] = {}
    if given.header and not given.skip_rows and (titles := _titles(rows)):
        found["skip_rows"] = titles
    below = [row for row in rows[titles if found else 0 :] if any(row)]
    if not below:
        return found
    if given.header:
        found |= _header(below, head, given, found)
    if given.footer is None and (footer := _footer(tail, given.delimiter, len(below[0]))):
        found["footer"] = footer
    return found


def _rows(head: str, delimiter: str) -> list[list[str]]:
    """Return the first records, quotes taken as they close; a record's lines are one entry and some empty ones."""
    rows: list[list[str]] = []
    reader = csv.reader(head.splitlines(keepends=True), delimiter=delimiter)
    try:
        for row in reader:
            rows += [row, *([[]] * (reader.line_num - len(rows) - 1))]
            if len(rows) > LOOKED_AT:
                break
    except csv.Error:
        pass
    return rows


def _comment(head: str) -> str:
    """Return the sign of comments: lines before a table that begin with it, and more fields in those below."""
    lines = head.splitlines()[:LOOKED_AT]
    before = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if not before or before == len(lines):
        return ""
    commas = [max(line.count(sign) for sign in DELIMITERS) for line in lines]
    return "#" if commas[before] > 0 and (before > 1 or commas[0] < commas[before]) else ""


def _delimiter(head: str, rows: list[list[str]], given: Csv) -> str:
    """Return the delimiter that divides most lines alike, where the one given divides hardly any."""
    if sum(len(row) > 1 for row in rows) * 2 > sum(map(bool, rows)):
        return ""
    best, most = "", 1.0
    for other in DELIMITERS:
        counts = Counter(len(row) for row in _rows(head, other) if any(row))
        width, number = max(counts.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(1, 0))
        if width > 1 and number * 2 > counts.total() and number * width > most:
            best, most = other, number * width
    return best if best != given.delimiter else ""


def _titles(rows: list[list[str]]) -> int:
    """Return how many first lines are titles: far fewer cells filled than there are columns, and then a full line."""
    full = [[cell for cell in row if cell.strip()] for row in rows]
    width = Counter(len(row) for row in full if row).most_common(1)
    columns = Counter(len(row) for row in rows if row).most_common(1)
    if not width or columns[0][0] < 3:
        return 0
    header = next((place for place, row in enumerate(full) if len(row) * 5 >= columns[0][0] * 4), 0)
    few = all(len(row) * 2 < columns[0][0] for row in full[:header])
    return header if header <= 20 and few and not any(map(_numbers, full[header : header + 1])) else 0


def _numbers(row: list[str]) -> bool:
    return sum(bool(NUMBER.match(cell.strip())) for cell in row) * 2 > len(row)


def _header(below: list[list[str]], head: str, given: Csv, found: dict[str, Any]) -> dict[str, Any]:
    names = [name.strip() for name in below[0]]
    if len({name.casefold() for name in names if name}) < sum(map(bool, names)):
        lines = _lines_of_header(head, given, found.get("skip_rows", given.skip_rows))
        return {"header": False, "skip_rows": lines, "columns": _told_apart(below[0])}
    return {"units_row": True} if not given.units_row and is_units(below) else {}


def _lines_of_header(head: str, given: Csv, skipped: int) -> int:
    """Return the physical lines up to the end of the header, blank ones and comments before it among them."""
    lines = head.splitlines(keepends=True)
    at = skipped
    while at < len(lines) and (not lines[at].strip() or (given.comment and lines[at].startswith(given.comment))):
        at += 1
    reader = csv.reader(lines[at:], delimiter=given.delimiter)
    next(reader, None)
    return at + reader.line_num


def _told_apart(names: list[str]) -> list[str]:
    """Return names of columns, each once: the second `a` is `a (2)`."""
    seen, found = Counter[str](), []
    for place, name in enumerate(names, start=1):
        name = " ".join(name.split()) or f"column_{place}"
        seen[name.casefold()] += 1
        found.append(name if seen[name.casefold()] == 1 else f"{name} ({seen[name.casefold()]})")
    return found


def is_units(below: list[list[str]]) -> bool:
    """Tell whether the row below the header holds units: known ones, each above numbers alone."""
    if len(below) < 3 or len(below[1]) != len(below[0]):
        return False
    cells = [cell.strip().strip(units.BRACKETS) for cell in below[1]]
    named = [place for place, cell in enumerate(cells) if cell not in NOTHING]
    rows = [row for row in below[2:22] if len(row) == len(cells)]
    values = [[row[place].strip() for row in rows if row[place].strip() not in NOTHING] for place in named]
    counted = [place for place, found in zip(named, values, strict=True) if found and all(map(NUMBER.match, found))]
    return bool(counted) and len(counted) * 2 >= len(named) and all(_is_unit(cells[place]) for place in counted)


def _is_unit(text: str) -> bool:
    if NUMBER.match(text) or not re.search(r"[^\W\d_]|[%°$€£¥]", text):
        return False
    return units.known(text)


def _footer(tail: list[str], delimiter: str, width: int) -> str:
    """Return a pattern for the last lines of a file that are no rows, empty where there are none."""
    begins, waiting = [], []
    for text in reversed(tail):
        filled = [cell.strip() for cell in fields_of(text, delimiter) if cell.strip()]
        short = barely(text, delimiter, width)
        # A line as long as any other is a sum where figures follow the word; a list of codes may end in TOTAL.
        known = bool(filled) and bool(LAST.match(text) if short else SUM.fullmatch(filled[0]) and _numbers(filled[1:]))
        if not known and not short:
            break
        waiting.append(text)
        if known:
            begins += [one for one in map(_begin, waiting) if one]
            waiting = []
    return f"^({'|'.join(dict.fromkeys(reversed(begins)))})" if begins else ""


def _begin(text: str) -> str:
    """Return what a line of a footer begins with, as a pattern: its words up to the first sign or figure."""
    word = re.match(r'[^0-9,;|\t":\uff1a]{1,30}', text.strip().lstrip('"'))
    return re.escape(word[0].rstrip()).replace(r"\ ", " ") if word and word[0].strip() else ""
