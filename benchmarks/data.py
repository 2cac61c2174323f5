"""Meter deliveries as a grid company sends them: made up, the same on every machine, kept in a cache folder."""

from __future__ import annotations

import calendar
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

YEAR = 2025
MONTHS = range(1, 13)
HOURS = 8760
# A reading in a thousand is wrong, in one of the ways that deliveries are wrong.
WRONG = 0.001
METER, TIME, KWH, REGION, STATUS = "户号", "时间", "用电量(kWh)", "区域代码", "数据状态"
REGIONS = np.array(["110000", "310000", "320000", "330000", "370000", "440000", "510000"])


def year(cache: Path, rows: int, edition: int = 1) -> Path:
    """Return one file of about `rows` hourly readings over a year; edition 2 has all keys again with other values."""
    meters = np.arange(max(1, rows // HOURS))

    def write(path: Path) -> None:
        with path.open("wb") as file:
            for month in MONTHS:
                for day in _days(month):
                    _readings([day], meters, edition).write_csv(file, include_header=file.tell() == 0)

    return cached(cache / f"year-{rows}-{edition}.csv", write)


def gbk(cache: Path, rows: int) -> Path:
    """Return the file of `year` in GBK."""

    def write(path: Path) -> None:
        with year(cache, rows).open(encoding="utf-8", newline="") as text, path.open("w", encoding="gbk", newline="") as file:
            shutil.copyfileobj(text, file, 1 << 22)

    return cached(cache / f"year-{rows}-gbk.csv", write)


def parquet(cache: Path, rows: int) -> Path:
    """Return the readings of `year` as Parquet: instants and numbers as such, what is no number left out."""

    def write(path: Path) -> None:
        typed = [pl.col(TIME).str.to_datetime("%Y-%m-%d %H:%M:%S"), pl.col(KWH).cast(pl.Float64, strict=False)]
        pl.scan_csv(year(cache, rows), infer_schema=False).with_columns(typed).sink_parquet(path, row_group_size=200_000)

    return cached(cache / f"year-{rows}.parquet", write)


def thousand(cache: Path, rows: int, files: int = 1000) -> Path:
    """Return a folder of about `files` small files of about `rows` readings in all, each of some meters in one month."""
    meters = np.arange(max(files // len(MONTHS) + 1, rows // HOURS))

    def write(folder: Path) -> None:
        folder.mkdir()
        for month in MONTHS:
            parts = files * month // len(MONTHS) - files * (month - 1) // len(MONTHS)
            for number, some in enumerate(np.array_split(meters, parts)):
                _readings(_days(month), some, 1).write_csv(folder / f"{YEAR}{month:02d}-{number:03d}.csv")

    return cached(cache / f"thousand-{rows}-{files}", write)


def small(cache: Path, files: int) -> tuple[Path, Path]:
    """Return a folder of files of some four days of one meter each, and one file with the same rows in the same order."""
    days = [day for month in MONTHS for day in _days(month)][:4]

    def write(folder: Path) -> None:
        folder.mkdir()
        for number in range(files):
            _readings(days, np.array([number]), 1).write_csv(folder / f"{number:06d}.csv")

    def join(path: Path) -> None:
        with path.open("wb") as target:
            for place, part in enumerate(sorted(many.glob("*.csv"))):
                head, _, rows = part.read_bytes().partition(b"\n")
                target.write(rows if place else head + b"\n" + rows)

    many = cached(cache / f"small-{files}", write)
    return many, cached(cache / f"small-{files}.csv", join)


def corrected(cache: Path, rows: int, files: int = 1000) -> Path:
    """Return the first file of July of `thousand` again, corrected: the same name and keys, other values."""
    name = f"{YEAR}07-000.csv"
    first = pl.read_csv(thousand(cache, rows, files) / name, infer_schema=False)
    numbers = np.sort(first[METER].drop_nulls().unique().cast(pl.Int64).to_numpy()) - FIRST_METER

    def write(path: Path) -> None:
        _readings(_days(7), numbers, 2).write_csv(path)

    (cache / f"corrected-{rows}-{files}").mkdir(parents=True, exist_ok=True)
    return cached(cache / f"corrected-{rows}-{files}" / name, write)


def rounds(cache: Path, count: int, rows: int) -> list[Path]:
    """Return `count` small deliveries of about `rows` readings, one for each day from 1 January on."""
    meters = np.arange(max(1, rows // 24))
    days = [day for month in MONTHS for day in _days(month)][:count]

    def write(folder: Path) -> None:
        folder.mkdir()
        for day in days:
            _readings([day], meters, 1).write_csv(folder / f"{day}.csv")

    return sorted(cached(cache / f"rounds-{count}-{rows}", write).glob("*.csv"))


FIRST_METER = 330_100_000_000


def _days(month: int) -> list[np.datetime64]:
    first = np.datetime64(f"{YEAR}-{month:02d}-01")
    return [first + day for day in range(calendar.monthrange(YEAR, month)[1])]


def _readings(days: Sequence[np.datetime64], meters: np.ndarray, edition: int) -> pl.DataFrame:
    """Return the readings of some days, ordered by day, meter and hour; the same call gives the same rows."""
    random = np.random.default_rng([edition, int(days[0].astype(int)), int(meters[0]), len(meters)])
    shape = (len(days), len(meters), 24)
    clock = np.array(days, "datetime64[D]").astype("datetime64[h]")[:, None, None] + np.arange(24)[None, None, :]
    number = np.broadcast_to(meters[None, :, None], shape).ravel()
    kwh = np.round(random.gamma(2.0, 1.5, number.size) + 0.01, 3)
    frame = pl.DataFrame({
        METER: number + FIRST_METER,
        TIME: np.broadcast_to(clock, shape).ravel().astype("datetime64[ms]"),
        KWH: kwh,
        REGION: REGIONS[number % len(REGIONS)],
        STATUS: np.where(random.random(number.size) < 0.02, "估算", "实测"),
    }).with_columns(pl.col(METER, KWH).cast(pl.String), pl.col(TIME).dt.strftime("%Y-%m-%d %H:%M:%S"))  # fmt: skip
    return _spoiled(frame, random)


def _spoiled(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Put in what is wrong: a negative, a text for a number, no number, no meter."""
    chance = random.random(frame.height)
    kind = pl.Series("kind", np.where(chance < WRONG, (chance * 4 / WRONG).astype(int), 9))
    value = (
        pl.when(kind == 0).then("-" + pl.col(KWH)).when(kind == 1).then(pl.lit("N/A"))
        .when(kind == 2).then(pl.lit(None, pl.String)).otherwise(pl.col(KWH))
    )  # fmt: skip
    return frame.with_columns(value.alias(KWH), pl.when(kind != 3).then(pl.col(METER)).alias(METER))


def cached(place: Path, write: Callable[[Path], None]) -> Path:
    """Write a file or folder once; one that was half written is never taken for whole."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        half = place.with_name(f"{place.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.unlink(missing_ok=True)
        write(half)
        half.rename(place)
    return place
