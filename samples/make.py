"""Writes the deliveries of the demo from openly licensed figures: `python -m samples.make --shared ../shared`."""

from __future__ import annotations

import argparse
import csv
import hashlib
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from samples.balance import write_balance
from samples.documents import write_word
from samples.enterprises import write_enterprises
from samples.factors import write_factors
from samples.flat_files import write_flat_files
from samples.grids import write_packed
from samples.measured import write_measured, write_stack
from samples.regions import write_regions
from samples.reports import write_reports
from samples.statistics import write_statistics
from schemas.contract import Contract
from schemas.contracts import contracts
from schemas.rooms import SHIPPED

ROOM = SHIPPED / "samples"
GRID = "v6.0_CO2_excl_short-cycle_org_C_2015_TOTALS.5.3x5.1"
NOTICE = "218、关于天津市2021年度碳排放配额安排的通知.pdf"
WEIGHTS = "Provincial_Weight%20Factor_MonPow_MonInd_YearGT.xlsx"
# Delivery → file of the shared data, copied byte for byte with all its quirks.
COPIES = {
    **{f"building_meters/meters/Building_{n}.csv": f"building_meters/Building_{n}.csv" for n in range(1, 6)},
    "building_meters/grid/carbon_intensity.csv": "building_meters/carbon_intensity.csv",
    **{f"owid/co2/owid-co2-data_{day}.csv.gz": f"country_emissions/owid-co2-data_{day}.csv.gz"
       for day in ("2020-08-07", "2020-11-27")},
    "unfccc/profile/CHN_ghg_profile.xlsx": "national_inventories/CHN_ghg_profile.xlsx",
    f"provincial_weights/weights/{WEIGHTS}": f"china_provincial/{WEIGHTS}",
    f"edgar/grid/{GRID}.nc": f"atmosphere_science/{GRID}.nc",
    **{f"libraries/{name}": f"emission_factors/{Path(name).name}" for name in
       ("epa/ghg_emissionsfactor_comprehensive_adapted.csv", "eea/co2-emission-intensity-6.csv")},
    f"policies/pdf/{NOTICE}": f"documents_pdf_zh/{NOTICE}",
}  # fmt: skip
MADE = {
    "libraries/defra/": "an excerpt: fuels, electricity, heat, water and hotels, by samples/flat_files.py",
    "edgar/packed/": "packed by samples/grids.py from the NetCDF file: 16-bit, gzip, Fletcher-32, zeros left out",
    "factors/": "collected facts; codes of the lake added beside the names, by samples/factors.py and libraries.py",
    "enterprises/measured/": "made up by samples/measured.py",
    "enterprises/cems/": "made up by samples/measured.py",
    "enterprises/override/": "made up by samples/measured.py",
    "enterprises/report/": "made up by samples/reports.py",
    "enterprises/": "made up by samples/enterprises.py; wrong rows are listed in samples/wrong_rows.csv",
    "statistics/energy_balance/": "made up by samples/balance.py",
    "statistics/": "facts as recalled, by samples/statistics.py",
    "policies/word/": "written by samples/documents.py",
}
COLUMNS = (
    "file",
    "zone",
    "table",
    "publisher",
    "licence",
    "citation",
    "origin",
    "synthetic",
    "changed",
    "bytes",
    "sha256",
)


def write_samples(shared: Path, target: Path) -> None:
    """Write all deliveries below `target`, and the record of rows that are wrong on purpose beside them."""
    data, deliveries = shared / "data", target / "deliveries"
    for name, origin in COPIES.items():
        (deliveries / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / origin, deliveries / name)
    write_enterprises(deliveries / "enterprises", target / "wrong_rows.csv")
    write_flat_files(data / "emission_factors", deliveries / "libraries/defra")
    write_measured(deliveries / "enterprises")
    write_stack(deliveries / "enterprises")
    write_reports(deliveries / "enterprises")
    write_statistics(deliveries / "statistics")
    write_balance(deliveries / "statistics")
    write_factors(shared / "domain", deliveries / "factors")
    write_packed(data / COPIES[f"edgar/grid/{GRID}.nc"], deliveries / f"edgar/packed/{GRID}.h5")
    write_word(deliveries / "policies/word/电力与热力排放因子使用说明（自编摘要）.docx")


def write_manifest(shared: Path, target: Path) -> None:
    """Write which delivery feeds which table, whose it is, under which terms, and what was changed."""
    with (target / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(manifest(_origins(shared), target / "deliveries"))


def manifest(origins: dict[str, str], deliveries: Path) -> Iterator[dict[str, str]]:
    """Yield one row for each delivery; publisher, licence and citation are those of the contract that claims it."""
    for path in sorted(path for path in deliveries.rglob("*") if path.is_file()):
        name = path.relative_to(deliveries).as_posix()
        one = claimant(name)
        assert one.source
        body = path.read_bytes()
        yield {
            "file": name, "zone": one.source.zone, "table": one.table, "publisher": one.source.publisher,
            "licence": one.source.licence, "citation": one.source.citation,
            "origin": origins[COPIES[name]] if name in COPIES else "",
            "synthetic": "yes" if one.source.synthetic else "no",
            "changed": next((why for start, why in MADE.items() if name.startswith(start)), "nothing"),
            "bytes": str(len(body)), "sha256": hashlib.sha256(body).hexdigest(),
        }  # fmt: skip


def claimant(name: str) -> Contract:
    """Return the one contract whose source claims a delivery below samples/deliveries."""
    found = [one for one in contracts().values() if one.source and fnmatchcase(name, f"{one.source.zone}/{one.source.path}")]
    if len(found) != 1:
        raise ValueError(f"{name} is claimed by {[one.table for one in found]}, not by one table")
    return found[0]


def _origins(shared: Path) -> dict[str, str]:
    """Return file → repository, path and commit that it came from."""
    with (shared / "data/MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["path"]: f"{row['origin_repo']} {row['origin_path']} @{row['origin_commit'][:12]}" for row in rows}


def main() -> None:
    """Write deliveries, manifest and the list of regions into the repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the collected public data")
    shared = parser.parse_args().shared
    write_samples(shared, ROOM)
    write_manifest(shared, ROOM)
    write_regions(shared, SHIPPED / "schemas/codes/region.csv")


if __name__ == "__main__":
    main()
