"""Rows that are wrong on purpose, and the record of what is wrong with each and what is to become of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from samples.uscc import made_up, spoiled

Row = list[str]
COLUMNS = ("file", "line", "wrong", "outcome", "check")
ASIDE, SUPERSEDED, REJECTED = "quarantined", "superseded", "rejected"


@dataclass
class Report:
    """The rows of one delivery while they are spoiled; the header is line 1."""

    file: str
    rows: list[Row]
    faults: list[tuple[str, int, str, str, str]] = field(default_factory=list)

    def spoil(self, at: int, column: int, value: str, wrong: str, check: str) -> None:
        """Put a wrong value into a row."""
        self.rows[at][column] = value
        self.record(at, wrong, ASIDE, check)

    def add(self, row: Row, wrong: str, check: str, outcome: str = ASIDE) -> None:
        """Add a row that should not be there."""
        self.rows.append(row)
        self.record(len(self.rows) - 1, wrong, outcome, check)

    def record(self, at: int, wrong: str, outcome: str, check: str) -> None:
        """Remember what is wrong with a row; `check` is one of the checks that find it."""
        self.faults.append((self.file, at + 2, wrong, outcome, check))


def write_record(path: Path, reports: Iterable[Report]) -> None:
    """Write what is wrong as CSV."""
    faults = sorted(fault for report in reports for fault in report.faults)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *faults])


def enterprise(one: Report) -> Report:
    """Add three enterprises: a false check character, an unknown division, an unknown industry."""
    one.add([spoiled(made_up("110000", 91)), "示例校验位错误（虚构）", "4411", "110000"], "check character", "uscc_uscc")
    one.add([made_up("110000", 92), "示例区划错误（虚构）", "4411", "999999"], "unknown division", "code_region_code")
    one.add([made_up("110000", 93), "示例行业错误（虚构）", "9999", "110000"], "unknown industry", "code_industry_code")
    return one


def fuel(one: Report) -> Report:
    """Spoil eight rows of the fuel report, and add three: a repeat, a conflict, a row with a field too many."""
    rows = one.rows
    one.spoil(10, 0, spoiled(rows[10][0]), "check character", "uscc_uscc")
    one.spoil(40, 4, "-" + rows[40][4], "negative", "at_least_consumption_t")
    one.spoil(75, 2, "", "month missing", "not_null_month")
    one.spoil(110, 2, "2023-13", "month 13", "type_month")
    one.spoil(150, 3, "秸秆丸", "unknown fuel", "fuel_is_known")
    one.spoil(192, 4, f"{float(rows[192][4]) * 1000:.1f}", "a thousand times too large", "magnitude_t")
    one.spoil(260, 4, "约" + rows[260][4], "text in a number", "type_consumption_t")
    one.spoil(400, 4, "", "no quantity", "one_quantity")
    one.add(list(rows[500]), "exact repeat of line 502", "", SUPERSEDED)
    one.record(600, "another line conflicts with it", ASIDE, "duplicate_key")
    one.add([*rows[600][:4], f"{float(rows[600][4]) + 1:.4f}", ""], "conflicts with line 602", "duplicate_key")
    one.add([*rows[700], "多出的一列"], "one field too many", "", REJECTED)
    return one


def output(one: Report) -> Report:
    """Spoil four rows of the report of products."""
    rows = one.rows
    one.spoil(21, 3, "产量", "unknown item", "item_is_known")
    one.spoil(201, 4, "-" + rows[201][4], "negative", "at_least_output_t")
    one.spoil(300, 5, f"{float(rows[300][5]) * 1000:.1f}", "a thousand times too large", "magnitude_kwh")
    one.spoil(450, 4, "/", "text in a number", "type_output_t")
    return one


def energy(one: Report) -> Report:
    """Spoil five rows of the report of electricity and heat."""
    rows = one.rows
    one.spoil(5, 0, "", "code missing", "not_null_uscc")
    one.spoil(100, 3, "-" + rows[100][3], "negative", "at_least_electricity_purchased_kwh")
    one.spoil(230, 4, "99999", "green part above the whole", "green_is_part")
    one.spoil(333, 3, "1,234.5", "a comma in a number", "type_electricity_purchased_kwh")
    one.spoil(500, 3, f"{float(rows[500][3]) * 10000:.0f}", "kWh under a heading of 万千瓦时", "magnitude_kwh")
    return one
