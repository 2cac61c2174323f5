"""Libraries of factors as deliveries, one role to a row: the IPCC 2006 defaults, by the activities of the lake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from samples.combustion import combustion

Row = dict[str, str]
IPCC = {"library": "IPCC2006", "edition": "2006", "tier": "1", "licence": "facts of a public guideline"}
# Fuels of the guidelines → energy carriers of the lake; the others belong to a set of their own.
CARRIERS = {
    "无烟煤": "anthracite", "其他烟煤": "bituminous_coal", "褐煤": "lignite", "焦炭": "coke", "原油": "crude_oil",
    "汽油": "gasoline", "航空汽油": "aviation_gasoline", "航空煤油": "jet_kerosene", "煤油": "kerosene", "柴油": "diesel",
    "燃料油": "fuel_oil", "液化石油气": "lpg", "石脑油": "naphtha", "石油焦": "petroleum_coke", "炼厂气": "refinery_gas",
    "天然气": "natural_gas", "焦炉煤气": "coke_oven_gas", "高炉煤气": "blast_furnace_gas", "转炉煤气": "converter_gas",
}  # fmt: skip
BY_VOLUME = ("natural_gas", "coke_oven_gas", "blast_furnace_gas", "converter_gas")  # in the lake; in the guidelines by mass
COAL = ("anthracite", "bituminous_coal", "lignite", "raw_coal", "washed_coal", "other_washed_coal", "briquette",
        "coal_slime", "coal_gangue", "middlings", "coke")  # fmt: skip
OIL = ("crude_oil", "gasoline", "aviation_gasoline", "jet_kerosene", "kerosene", "diesel", "fuel_oil", "naphtha",
       "other_petroleum")  # fmt: skip
# Groups of table 2.2 → our name of the group, and the carriers in it.
GROUPS = {
    "coal, energy & manufacturing industries": ("煤炭（能源与制造业）", COAL),
    "liquid fuels (diesel, gasoline, crude)": ("液体燃料", OIL),
    "LPG / natural gas": ("液化石油气与天然气", ("lpg", "natural_gas", "lng")),
    "solid biomass (wood)": ("木材", ()),
    "municipal waste": ("城市垃圾", ()),
}
COLUMNS = ("library", "edition", "factor_set", "item_zh", "item_en", "role", "activity_code", "region_code", "industry_code",
           "technology", "gas", "value", "unit", "valid_from", "valid_to", "known_from", "uncertainty_percent", "tier",
           "source", "clause", "page", "licence", "confidence", "note")  # fmt: skip


def ipcc(fuels: Iterable[Row], groups: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of both tables of defaults: heat, carbon and oxidation of fuels, CH4 and N2O of groups of fuels.

    Then CH4 and N2O of fuels by sector, a set of their own.
    """
    for one in fuels:
        yield from _fuel(one)
    for one in groups:
        yield from _group(one)
    for one in combustion():
        yield _row(one)


def _fuel(row: Row) -> Iterator[Row]:
    """Heat of gases is given by mass, and gases of the lake are measured by volume: it belongs to a set of its own."""
    carrier = CARRIERS.get(row["fuel_zh"], "")
    common = {"item_zh": row["fuel_zh"], "item_en": row["fuel_en"], "source": row["source"], "confidence": row["confidence"],
              "activity_code": carrier and f"fuel_{carrier}",
              "factor_set": "IPCC2006" if carrier else f"IPCC2006:{row['fuel_zh']}"}  # fmt: skip
    heat = common | {"activity_code": "", "factor_set": f"IPCC2006:{row['fuel_zh']}"} if carrier in BY_VOLUME else common
    yield _row(heat, role="ncv", value=row["ncv_TJ_per_Gg"], unit="GJ/t", clause="vol. 2, table 1.2", note="TJ/Gg = GJ/t")
    yield _row(common, role="cc", gas="CO2", value=row["carbon_kgC_per_GJ"], unit="tC/TJ", clause="vol. 2, table 1.3",
               note="kgC/GJ = tC/TJ")  # fmt: skip
    yield _row(common, role="of", gas="CO2", value="1", unit="1", clause="vol. 2, table 1.4", confidence="memory",
               note="carbon is taken as wholly oxidised")  # fmt: skip
    yield _row(common, role="ef", gas="CO2", value=row["co2_kg_per_TJ"], unit="kg/TJ", clause="vol. 2, table 2.2")


def _group(row: Row) -> Iterator[Row]:
    name, carriers = GROUPS[row["fuel_group"]]
    for carrier in carriers or ("",):
        for gas in ("CH4", "N2O"):
            yield _row(
                {"item_zh": name, "item_en": row["fuel_group"], "source": row["source"], "confidence": row["confidence"]},
                role="ef", gas=gas, value=row[gas], unit=row["unit"], clause="vol. 2, table 2.2",
                activity_code=carrier and f"fuel_{carrier}", factor_set="IPCC2006" if carrier else f"IPCC2006:{name}",
                note="stationary combustion",
            )  # fmt: skip


def _row(common: Row, **given: str) -> Row:
    return dict.fromkeys(COLUMNS, "") | IPCC | common | given
