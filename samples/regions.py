"""The code list of regions: countries, divisions of China with history, grids, made from published lists."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

COLUMNS = ("code", "name", "name_en", "level", "parent", "iso", "grid", "valid_from", "valid_to", "successor", "source")
DIVISIONS = "GB/T 2260, National Bureau of Statistics, by modood/Administrative-divisions-of-China (WTFPL)"
ISO = "ISO 3166"
GRIDS = "MEE and NBS announcement of electricity CO2 factors, 2024 No. 12 (seven grids)"

# GB/T 2260 province → ISO 3166-2, English name, grid of the announcement. Inner Mongolia's east belongs to the
# north-east grid, its west to the north; the announcement gives the whole region one provincial factor.
PROVINCES = {
    "11": ("CN-BJ", "Beijing", "GRID-N"), "12": ("CN-TJ", "Tianjin", "GRID-N"), "13": ("CN-HE", "Hebei", "GRID-N"),
    "14": ("CN-SX", "Shanxi", "GRID-N"), "15": ("CN-NM", "Inner Mongolia", "GRID-N"),
    "21": ("CN-LN", "Liaoning", "GRID-NE"), "22": ("CN-JL", "Jilin", "GRID-NE"),
    "23": ("CN-HL", "Heilongjiang", "GRID-NE"), "31": ("CN-SH", "Shanghai", "GRID-E"),
    "32": ("CN-JS", "Jiangsu", "GRID-E"), "33": ("CN-ZJ", "Zhejiang", "GRID-E"), "34": ("CN-AH", "Anhui", "GRID-E"),
    "35": ("CN-FJ", "Fujian", "GRID-E"), "36": ("CN-JX", "Jiangxi", "GRID-C"),
    "37": ("CN-SD", "Shandong", "GRID-N"), "41": ("CN-HA", "Henan", "GRID-C"), "42": ("CN-HB", "Hubei", "GRID-C"),
    "43": ("CN-HN", "Hunan", "GRID-C"), "44": ("CN-GD", "Guangdong", "GRID-S"),
    "45": ("CN-GX", "Guangxi", "GRID-S"), "46": ("CN-HI", "Hainan", "GRID-S"),
    "50": ("CN-CQ", "Chongqing", "GRID-SW"), "51": ("CN-SC", "Sichuan", "GRID-SW"),
    "52": ("CN-GZ", "Guizhou", "GRID-S"), "53": ("CN-YN", "Yunnan", "GRID-S"), "54": ("CN-XZ", "Tibet", "GRID-SW"),
    "61": ("CN-SN", "Shaanxi", "GRID-NW"), "62": ("CN-GS", "Gansu", "GRID-NW"),
    "63": ("CN-QH", "Qinghai", "GRID-NW"), "64": ("CN-NX", "Ningxia", "GRID-NW"),
    "65": ("CN-XJ", "Xinjiang", "GRID-NW"),
}  # fmt: skip
# The published list leaves these out.
MORE_PROVINCES = (("710000", "台湾省", "Taiwan", "CN-TW"), ("810000", "香港特别行政区", "Hong Kong", "CN-HK"),
                  ("820000", "澳门特别行政区", "Macao", "CN-MO"))  # fmt: skip
GRID_NAMES = (
    ("GRID-N", "华北", "North China grid"),
    ("GRID-NE", "东北", "North-east China grid"),
    ("GRID-E", "华东", "East China grid"),
    ("GRID-C", "华中", "Central China grid"),
    ("GRID-NW", "西北", "North-west China grid"),
    ("GRID-S", "南方", "Southern China grid"),
    ("GRID-SW", "西南", "South-west China grid"),
)
# Divisions that are no more, and when their successors began: approved by the State Council or announced.
FORMER = (
    ("110103", "崇文区", "110100", "2010-06-30", "110101"), ("110104", "宣武区", "110100", "2010-06-30", "110102"),
    ("310103", "卢湾区", "310100", "2011-06-07", "310101"), ("371200", "莱芜市", "370000", "2018-12-25", "370100"),
    ("371202", "莱城区", "371200", "2018-12-25", "370116"), ("371203", "钢城区", "371200", "2018-12-25", "370117"),
    ("330103", "下城区", "330100", "2021-03-10", "330105"), ("330104", "江干区", "330100", "2021-03-10", "330102|330114"),
)  # fmt: skip
BEGAN = {"370116": "2018-12-26", "370117": "2018-12-26", "330113": "2021-03-11", "330114": "2021-03-11"}


def write_regions(shared: Path, target: Path) -> int:
    """Write the list of regions as CSV; return its number of rows."""
    rows = [*_countries(shared), *_provinces(shared), *_grids(), *_smaller(shared), *_former()]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _countries(shared: Path) -> Iterator[dict[str, str]]:
    """Every country of the OWID table, so that inventories of all of them have a region."""
    path = shared / "data/country_emissions/owid-co2-data_2020-11-27.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        names = {row["iso_code"]: row["country"] for row in csv.DictReader(file)}
    for code, name in sorted(names.items()):
        if len(code) == 3:
            chinese = {"CHN": "中国", "USA": "美国"}.get(code, name)
            yield {"code": code, "name": chinese, "name_en": name, "level": "country", "iso": code, "source": ISO}
    yield {"code": "US-CA", "name": "California", "name_en": "California", "level": "province", "parent": "USA",
           "iso": "US-CA", "source": ISO}  # fmt: skip


def _provinces(shared: Path) -> Iterator[dict[str, str]]:
    for row in _read(shared / "data/codes/provinces.csv"):
        iso, english, grid = PROVINCES[row["code"]]
        yield {"code": row["code"] + "0000", "name": row["name"], "name_en": english, "level": "province",
               "parent": "CHN", "iso": iso, "grid": grid, "source": DIVISIONS}  # fmt: skip
    for code, name, english, iso in MORE_PROVINCES:
        yield {"code": code, "name": name, "name_en": english, "level": "province", "parent": "CHN", "iso": iso,
               "source": "GB/T 2260-2007"}  # fmt: skip


def _grids() -> Iterator[dict[str, str]]:
    for code, name, english in GRID_NAMES:
        yield {"code": code, "name": name, "name_en": english, "level": "grid", "parent": "CHN", "source": GRIDS}


def _smaller(shared: Path) -> Iterator[dict[str, str]]:
    """Cities come with four digits, counties with six; all have six here. Cities without counties come twice."""
    cities = _read(shared / "data/codes/cities.csv")
    for row in cities:
        yield {"code": row["code"] + "00", "name": row["name"], "level": "city", "parent": row["provinceCode"] + "0000",
               "source": DIVISIONS}  # fmt: skip
    known = {row["code"] + "00" for row in cities}
    for row in [row for row in _read(shared / "data/codes/areas.csv") if row["code"] not in known]:
        yield {"code": row["code"], "name": row["name"], "level": "county", "parent": row["cityCode"] + "00",
               "valid_from": BEGAN.get(row["code"], ""), "source": DIVISIONS}  # fmt: skip


def _former() -> Iterator[dict[str, str]]:
    for code, name, parent, until, successor in FORMER:
        level = "city" if code.endswith("00") else "county"
        yield {"code": code, "name": name, "level": level, "parent": parent, "valid_to": until, "successor": successor,
               "source": "GB/T 2260-2007; approvals of the State Council"}  # fmt: skip
