"""Emission factors as deliveries: public facts, each row with its source, and our codes beside the names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from samples.libraries import ipcc
from samples.process import process_factors
from samples.regions import GRID_NAMES, PROVINCES

Row = dict[str, str]
CARRIERS = {
    "无烟煤": "anthracite", "烟煤": "bituminous_coal", "褐煤": "lignite", "洗精煤": "washed_coal",
    "其他洗煤": "other_washed_coal", "型煤": "briquette", "焦炭": "coke", "原油": "crude_oil", "燃料油": "fuel_oil",
    "汽油": "gasoline", "柴油": "diesel", "一般煤油": "kerosene", "煤油": "kerosene", "喷气煤油": "jet_kerosene",
    "航空煤油": "jet_kerosene", "航空汽油": "aviation_gasoline", "石脑油": "naphtha", "石油焦": "petroleum_coke",
    "其他石油制品": "other_petroleum", "焦油": "coal_tar", "煤焦油": "coal_tar", "粗苯": "crude_benzol",
    "炼厂干气": "refinery_gas", "液化石油气": "lpg", "液化天然气": "lng", "天然气": "natural_gas",
    "焦炉煤气": "coke_oven_gas", "高炉煤气": "blast_furnace_gas", "转炉煤气": "converter_gas",
    "密闭电石炉炉气": "carbide_furnace_gas", "其他煤气": "other_coal_gas", "煤矸石": "coal_gangue",
    "煤泥": "coal_slime", "原煤": "raw_coal", "洗中煤": "middlings", "热力(当量)": "heat",
    "电力(当量)": "electricity", "蒸汽(低压)": "steam", "其他焦化产品/煤焦油": "coal_tar",
}  # fmt: skip
# Kind and year of grid factors → day by which they were public, where the source names none. Remembered, and the last day of
# the month where no more is: what is known too late leaks nothing into "as known on".
PUBLISHED = {
    ("average", "2010"): "2013-10-31", ("average", "2011"): "2014-10-31", ("average", "2012"): "2014-10-31",
    ("average", "2015"): "2017-12-31", ("average", "2020"): "2022-03-31", ("average_reporting", "2022"): "2023-02-28",
    ("average_excl_market_nonfossil", "2022"): "2024-12-20", ("average_excl_market_nonfossil", "2023"): "2025-12-31",
    ("fossil_power", "2021"): "2024-04-12", ("fossil_power", "2022"): "2024-12-20", ("fossil_power", "2023"): "2025-12-31",
    ("lifecycle_footprint", "2023"): "2025-01-31", ("lifecycle_footprint", "2024"): "2025-12-31",
    ("baseline_OM", "2019"): "2020-12-31", ("baseline_BM", "2019"): "2020-12-31",
}  # fmt: skip
# Yuan for a dollar, average of the year; National Bureau of Statistics, Statistical Communiqué of that year.
DOLLAR = {2019: "6.8985", 2020: "6.8974", 2021: "6.4515", 2022: "6.7261", 2023: "7.0467", 2024: "7.1217"}


def write_factors(domain: Path, folder: Path) -> None:
    """Write the deliveries of factors from the tables of collected facts, and the exchange rates."""
    _write(folder / "fuel/fuels.csv", [_fuel(row) for row in _read(domain / "fuels.csv")])
    _write(folder / "grid/grid_factors.csv", [_grid(row) for row in _read(domain / "grid_factors.csv")])
    _write(folder / "process/process_factors.csv", process_factors(domain))
    _write(folder / "gwp/gwp.csv", [one for row in _read(domain / "gwp.csv") for one in _gwp(row)])
    coal = [row | {"carrier_code": CARRIERS.get(row["energy_zh"], "")} for row in _read(domain / "standard_coal.csv")]
    _write(folder / "standard_coal/standard_coal.csv", coal)
    defaults = (_read(domain / "ipcc_fuel_defaults.csv"), _read(domain / "ipcc_ch4_n2o_defaults.csv"))
    _write(folder / "library/ipcc2006.csv", list(ipcc(*defaults)))
    _write(folder / "exchange/usd_cny.csv", [_average(year, rate) for year, rate in DOLLAR.items()])


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _fuel(row: Row) -> Row:
    return row | {"carrier_code": CARRIERS[row["fuel_zh"]]}


def _grid(row: Row) -> Row:
    """Give the area its code, and the day of the announcement: as the source names it, or as it is remembered."""
    provinces = {iso: code + "0000" for code, (iso, _, _) in PROVINCES.items()}
    grids = {name: code for code, name, _ in GRID_NAMES}
    region = {"province": provinces, "region": grids, "national": {"全国": "CHN"}}[row["level"]]
    named = row["source"].replace("MEE/NBS 2024 No.12", "MEE/NBS 2024 No.12 (2024-04-12)")  # so the rows of its provinces
    day = re.search(r"20\d\d-\d\d-\d\d", named)
    code = region[row["area_code"] if row["level"] == "province" else row["area_zh"]]
    told = {} if day else {"note": "; ".join(filter(None, (row["note"], "day of publication remembered")))}
    public = day[0] if day else PUBLISHED[row["kind"], row["data_year"]]
    return row | {"region_code": code, "published": public} | told


def _gwp(row: Row) -> Iterable[Row]:
    """One row for each report that gives a value."""
    for report in ("SAR", "AR4", "AR5", "AR6"):
        if row[f"{report}_100"]:
            yield {"gwp_set": report, "gas": row["gas"], "gas_zh": row["gas_zh"], "gwp_100": row[f"{report}_100"],
                   "source": row["source"], "confidence": row["confidence"]}  # fmt: skip


def _average(year: int, rate: str) -> Row:
    source = f"National Bureau of Statistics, Statistical Communiqué on national economic and social development, {year}"
    return {"base_currency": "USD", "quote_currency": "CNY", "kind": "year_average", "valid_from": f"{year}-01-01",
            "rate": rate, "source": source, "confidence": "memory"}  # fmt: skip
