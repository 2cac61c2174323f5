"""Activity of metered smelters, their master data and the factors they are counted with: made up where no sample has it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.data import HOURS, cached
from samples.uscc import made_up
from schemas.codes import code_list
from schemas.rooms import SHIPPED

MEASURES = ("aluminium_t", "driven_km", "heat_gj", "dolomite_t", "calcined_t")
START = np.datetime64("2025-01-01T00:00:00")  # clocks of China
NEGATIVE = 0.001  # of the heat: returned, which is no purchase and can't be counted
INDUSTRY = "32"  # smelting of non-ferrous metals
SAMPLES = SHIPPED / "samples" / "deliveries" / "factors"
# The guide's table of vehicles is in no sample: a figure of each gas, made up.
TRANSPORT = (("柴油车 CH4", "25", "CH4"), ("柴油车 N2O", "30", "N2O"))


def hours(cache: Path, rows: int) -> Path:
    """Return a folder to land: a year of hours of as many facilities as make about `rows` rows of activity, and who they are."""

    def write(folder: Path) -> None:
        (folder / "bench" / "activity").mkdir(parents=True)
        (folder / "enterprises" / "facility").mkdir(parents=True)
        facilities = max(1, rows // HOURS // len(MEASURES))
        for number in range(facilities):
            _year(number).write_parquet(folder / "bench" / "activity" / f"{number:05d}.parquet")
        _masters(facilities).write_csv(folder / "enterprises" / "facility" / "facilities.csv")
        for kind in ("fuel", "grid", "gwp", "standard_coal"):
            _copy(SAMPLES / kind, folder / "factors" / kind)
        _copy(SAMPLES / "process", folder / "factors" / "process")
        _add_transport(folder / "factors" / "process" / "process_factors.csv")

    return cached(cache / f"activity-{rows}", write)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def _add_transport(path: Path) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        for item, value, gas in TRANSPORT:
            told = {"industry_zh": "交通", "item_zh": item, "value": value, "unit": "mg/km", "source": "made up for measuring",
                    "confidence": "memory", "activity_code": "vehicle_km_diesel", "role": "ef", "gas": gas}  # fmt: skip
            csv.DictWriter(file, _header(path)).writerow(told)


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def _year(number: int) -> pl.DataFrame:
    random = np.random.default_rng([2025, number])
    values = {name: np.round(random.gamma(2.0, 10.0, HOURS) + 0.001, 3) for name in MEASURES}
    values["driven_km"] *= 1000  # of a fleet, or its gases would be millionths of a tonne
    values["heat_gj"] = np.where(random.random(HOURS) < NEGATIVE, -values["heat_gj"], values["heat_gj"])
    time = (START + np.arange(HOURS).astype("timedelta64[h]")).astype("datetime64[us]")
    return pl.DataFrame({"facility_code": [_code(number)] * HOURS, "period_start": time, **values})


def _code(number: int) -> str:
    return f"B{number:05d}"


def _masters(count: int) -> pl.DataFrame:
    """Four facilities to an enterprise, eight to a park; a county of each province."""
    counties = (row["code"] for row in code_list("region") if row["level"] == "county" and not row["valid_to"])
    places = list({code[:2]: code for code in counties}.values())
    return pl.DataFrame([_master(number, places[number // 4 % len(places)]) for number in range(count)])


def _master(number: int, place: str) -> dict[str, str]:
    code = made_up("910000", number // 4 % 100)
    return {"设施编号": _code(number), "设施名称": f"设施{number}（虚构）", "统一社会信用代码": code, "行业代码": INDUSTRY,
            "行政区划代码": place, "园区编号": f"P{number // 8}"}  # fmt: skip
