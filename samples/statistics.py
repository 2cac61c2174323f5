"""What intensities of regions are divided by: product and population of 2023, recalled and to be checked."""

from __future__ import annotations

import csv
from pathlib import Path

HEADER = ("region_code", "year", "indicator", "value", "unit", "source", "confidence")
SOURCE = "statistical communiqué of 2023 of the region, first figures (国民经济和社会发展统计公报)"
# Region: product in 10^8 yuan, population in 10^4 persons at the end of the year.
FIGURES = {
    "CHN": ("1260582", "140967"), "110000": ("43760.7", "2185.8"), "120000": ("16737.3", "1364"),
    "130000": ("43944.1", "7393"), "140000": ("25698.18", "3465.99"), "150000": ("24627", "2396"),
    "210000": ("30209.4", "4182"), "220000": ("13531.19", "2339.41"), "230000": ("15883.9", "3062"),
    "310000": ("47218.66", "2487.45"), "320000": ("128222.2", "8526"), "330000": ("82553", "6627"),
    "340000": ("47050.6", "6121"), "350000": ("54355.1", "4183"), "360000": ("32200.1", "4515.01"),
    "370000": ("92069", "10122.97"), "410000": ("59132.39", "9815"), "420000": ("55803.63", "5838"),
    "430000": ("50012.85", "6568"), "440000": ("135673.16", "12706"), "450000": ("27202.39", "5027"),
    "460000": ("7551.18", "1043"), "500000": ("30145.79", "3191.43"), "510000": ("60132.9", "8368"),
    "520000": ("20913.25", "3865"), "530000": ("30021", "4673"), "540000": ("2392.67", "365"),
    "610000": ("33786.07", "3952"), "620000": ("11863.8", "2465.48"), "630000": ("3799.1", "594"),
    "640000": ("5314.95", "729"), "650000": ("19125.91", "2598"),
}  # fmt: skip


def write_statistics(folder: Path) -> None:
    """Write one delivery of the figures, each marked as recalled."""
    folder.joinpath("indicator").mkdir(parents=True, exist_ok=True)
    with (folder / "indicator/2023.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for region, (product, people) in FIGURES.items():
            writer.writerow((region, "2023", "gdp", product, "1e8CNY", SOURCE, "memory"))
            writer.writerow((region, "2023", "population", people, "1e4person", SOURCE, "memory"))
