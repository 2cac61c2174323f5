"""What a region burnt by sector and fuel, as an energy balance tells it: made up."""

from __future__ import annotations

import csv
from pathlib import Path

HEADER = ("行政区划代码", "年份", "部门", "行业代码", "能源品种", "消费量(万吨)", "消费量(亿立方米)", "数据来源")
REGION, YEAR, SOURCE = "140000", "2022", "made up (虚构), no statistics of this region"
GASES = ("天然气", "焦炉煤气", "高炉煤气")  # in 亿立方米, all others in 万吨
# Sector, code of GB/T 4754 (none of households), and what it burnt.
BURNT = (
    ("农、林、牧、渔业", "A", {"原煤": "85", "汽油": "6.5", "柴油": "42"}),
    ("煤炭开采和洗选业", "06", {"原煤": "310", "其他洗煤": "240", "柴油": "12"}),
    ("石油、煤炭及其他燃料加工业", "25", {"原煤": "95", "焦炉煤气": "38"}),
    ("化学原料和化学制品制造业", "26", {"原煤": "620", "天然气": "6.2"}),
    ("非金属矿物制品业", "30", {"原煤": "480", "柴油": "5.5"}),
    ("黑色金属冶炼和压延加工业", "31", {"烟煤": "350", "焦炭": "1480", "高炉煤气": "210"}),
    ("电力、热力生产和供应业", "44", {"原煤": "9200", "高炉煤气": "95", "天然气": "9.4"}),
    ("建筑业", "E", {"柴油": "24", "汽油": "4.2"}),
    ("铁路运输业", "53", {"柴油": "11"}),
    ("道路运输业", "54", {"汽油": "135", "柴油": "210", "天然气": "7.1"}),
    ("批发和零售业", "F", {"原煤": "38", "液化石油气": "3.1"}),
    ("居民生活", "", {"原煤": "260", "型煤": "45", "液化石油气": "8.6", "汽油": "96", "天然气": "19.5"}),
)  # fmt: skip


def write_balance(folder: Path) -> None:
    """Write one delivery: a row for each sector and fuel."""
    folder.joinpath("energy_balance").mkdir(parents=True, exist_ok=True)
    with (folder / "energy_balance/2022.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for sector, code, fuels in BURNT:
            for fuel, amount in fuels.items():
                volume = fuel in GASES
                writer.writerow((REGION, YEAR, sector, code, fuel, "" if volume else amount, amount if volume else "", SOURCE))
