"""Reports of enterprises that do not exist: what they burn, make and buy in 24 months, as such reports look."""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from samples import wrong
from samples.masters import ENTERPRISE, changes, masters
from samples.uscc import made_up

MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024) for month in range(1, 13)]
STEMS = "甲乙丙丁戊己庚辛"
TRADES = (
    ("电力", "4411", ("130000", "140000", "150000", "320000", "330000", "370000", "410000", "440000")),
    ("水泥", "3011", ("340000", "360000", "420000", "430000", "450000", "510000", "530000", "540000")),
    ("钢铁", "3120", ("130000", "130000", "210000", "320000", "330000", "370000", "420000", "650000")),
)
MASTER = ("统一社会信用代码", "企业名称", "行业代码", "行政区划代码")
FUEL = ("统一社会信用代码", "企业名称", "月份", "燃料", "消费量(万吨)", "消费量(万立方米)")
OUTPUT = ("统一社会信用代码", "企业名称", "月份", "项目", "数量(万吨)", "发电量(亿千瓦时)")
BILL = ("统一社会信用代码", "结算月份", "结算电量", "计量单位")
MENTION = ("名录", "企业名称", "行政区划代码")
GREEN = "绿色工厂名单（虚构）"
# As another list writes enterprises of ours: other brackets and characters, a letter more or less, one of nobody's.
MENTIONED = (("示例电力甲(虚构)", ""), ("示例電力乙（虚構）", ""), ("示例水泥甲（虚构） ", "340000"), ("示例水泥", ""),
             ("示例钢铁甲公司（虚构）", "130000"), ("示例造纸甲（虚构）", "370000"))  # fmt: skip
BILLED = (1, 8, 16)  # of the enterprises, those whose grid company sends its bills
ENERGY = ("统一社会信用代码", "企业名称", "月份", "外购电量(万千瓦时)", "其中绿电(万千瓦时)", "外购热力(GJ)")
GASES = ("天然气",)
CORRECTED = MONTHS[-3:]

Row = list[str]


def enterprises() -> list[Row]:
    """Return the master data: 24 enterprises, eight in each trade."""
    rows, number = [], 0
    for trade, industry, regions in TRADES:
        for stem, region in zip(STEMS, regions, strict=True):
            number += 1
            rows.append([made_up(region, number), f"示例{trade}{stem}（虚构）", industry, region])
    return rows


def write_enterprises(folder: Path, record: Path) -> None:
    """Write the deliveries, GBK-encoded as such reports mostly are, and the record of their rows that are wrong."""
    tables = _tables()
    correction = [list(row) for row in _corrections(tables["fuel"])]
    reports = [
        (MASTER, wrong.enterprise(wrong.Report("enterprise/enterprises.csv", enterprises()))),
        (FUEL, wrong.fuel(wrong.Report("fuel/2023-2024.csv", tables["fuel"]))),
        (FUEL, wrong.Report("fuel/2024-Q4-correction.csv", correction)),
        (OUTPUT, wrong.output(wrong.Report("output/2023-2024.csv", tables["output"]))),
        (ENERGY, wrong.energy(wrong.Report("energy/2023-2024.csv", tables["energy"]))),
    ]
    for header, report in reports:
        _write(folder / report.file, header, report.rows)
    _write(folder / "enterprise/changes-2024.csv", ENTERPRISE, changes())
    for file, (heads, rows) in masters().items():
        _write(folder / file, heads, rows, "utf-8")
    _write(folder / "bill/2024.csv", BILL, list(_bills(tables["energy"])), "utf-8")
    _write(folder / "mention/green_factories.csv", MENTION, [[GREEN, name, region] for name, region in MENTIONED], "utf-8")
    wrong.write_record(record, [report for _, report in reports])


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], encoding: str = "gbk") -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))


def _bills(energy: list[Row]) -> Iterator[Row]:
    """What the grid company says of three enterprises in 2024: a little more or less; one month is read wrong."""
    codes = [enterprises()[number][0] for number in BILLED]
    reported = [row for row in energy if row[0] in codes and row[2].startswith("2024")]
    for number, (code, _, month, bought, *_) in enumerate(reported):
        kwh = float(bought) * 10000 * (1.12 if number == 14 else 1 + (number % 5 - 2) / 1000)
        value = (f"{kwh:.0f}", "千瓦时") if code == codes[0] else (f"{kwh / 10000:.4f}", "万千瓦时")
        yield [code, month.replace("-", ""), *value]


def _corrections(fuel: list[Row]) -> Iterator[Row]:
    """The first enterprise of each trade has weighed its coal anew: the last quarter is 2 % lower."""
    first = {made_up(regions[0], 1 + 8 * at) for at, (_, _, regions) in enumerate(TRADES)}
    for code, name, month, carrier, mass, volume in fuel:
        if code in first and month in CORRECTED and mass:
            yield [code, name, month, carrier, f"{float(mass) * 0.98:.4f}", volume]


def _tables() -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {"fuel": [], "output": [], "energy": []}
    chance = random.Random(20230101)
    for code, name, industry, _ in enterprises():
        size = 0.6 + chance.random()
        for at, month in enumerate(MONTHS):
            load = size * (1 + 0.12 * math.cos(2 * math.pi * at / 12)) * (0.96 + 0.08 * chance.random())
            fuel, output, energy = REPORTS[industry](load, chance)
            head = [code, name, month]
            made["fuel"] += [[*head, carrier, "" if carrier in GASES else _f(x), _f(x) if carrier in GASES else ""]
                             for carrier, x in fuel.items()]  # fmt: skip
            made["output"] += [[*head, item, "" if item == "发电量" else _f(x), _f(x) if item == "发电量" else ""]
                               for item, x in output.items()]  # fmt: skip
            made["energy"].append([*head, *(_f(x) for x in energy)])
    return made


def _f(x: float) -> str:
    return f"{x:.4f}"


Report = tuple[dict[str, float], dict[str, float], tuple[float, float, float]]


def _power(load: float, chance: random.Random) -> Report:
    """About 3 亿千瓦时 a month at 0.42 kg of coal per kWh."""
    generation = 3.0 * load
    coal = generation * 4.2 * (0.97 + 0.06 * chance.random())
    fuel = {"烟煤": coal, "柴油": 0.004 * load}
    return fuel, {"发电量": generation, "脱硫石灰石消耗量": 0.02 * coal}, (15 * load, 0.0, 0.0)


def _cement(load: float, chance: random.Random) -> Report:
    """About 12 万吨 of clinker a month at 0.13 t of coal and 62 kWh per tonne."""
    clinker = 12.0 * load
    fuel = {"烟煤": clinker * 0.13 * (0.97 + 0.06 * chance.random()), "柴油": 0.002 * load}
    electricity = clinker * 62 + 20
    return fuel, {"熟料产量": clinker, "水泥产量": clinker * 1.35}, (electricity, 0.1 * electricity, 0.0)


def _steel(load: float, chance: random.Random) -> Report:
    """About 30 万吨 of crude steel a month at 0.36 t of coke per tonne."""
    steel = 30.0 * load
    fuel = {
        "焦炭": steel * 0.36 * (0.97 + 0.06 * chance.random()),
        "烟煤": steel * 0.14,
        "天然气": 900 * load,
        "柴油": 0.03 * load,
    }
    output = {
        "粗钢产量": steel,
        "石灰石消耗量": steel * 0.06,
        "白云石消耗量": steel * 0.02,
        "外购生铁消耗量": steel * 0.03,
        "电极消耗量": steel * 0.0006,
    }
    return fuel, output, (steel * 260, steel * 13, 40000 * load)


REPORTS = {"4411": _power, "3011": _cement, "3120": _steel}
