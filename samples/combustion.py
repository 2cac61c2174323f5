"""CH4 and N2O of burnt fuels by sector, as rows of a library: IPCC 2006 vol. 2, remembered and to be looked up."""

from __future__ import annotations

from collections.abc import Iterator

Row = dict[str, str]
COAL = ("raw_coal", "anthracite", "bituminous_coal", "lignite", "washed_coal", "other_washed_coal", "briquette", "coke")
OIL = ("crude_oil", "fuel_oil", "kerosene", "naphtha", "petroleum_coke", "other_petroleum")
GAS = ("natural_gas", "lpg", "lng", "refinery_gas", "coke_oven_gas", "blast_furnace_gas", "converter_gas", "other_coal_gas")
ENERGY, INDUSTRY, SERVICES = ("06", "07", "25", "44", "45"), ("B", "C", "D", "E"), tuple("FGHIJKLMNOPQRST")
# Divisions of B and D that are no energy industry. A letter told of coal is of those that are: of the coal of B nearly all is
# burnt by coal mines, of that of D by power and heat.
ORE_AND_WATER = ("08", "09", "10", "11", "12", "46")
LETTERS = {"B": "a whole section: most of its coal is burnt by coal mines (06)",
           "D": "a whole section: nearly all of its coal is burnt for power and heat (44)"}  # fmt: skip
# Table → page; those of stationary combustion go by fuel and what burns it, the others by what moves.
PAGES = {"2.2": "2.16", "2.3": "2.18", "2.4": "2.20", "2.5": "2.22", "3.2.2": "3.21", "3.3.1": "3.36", "3.4.1": "3.43",
         "3.5.3": "3.50", "3.6.5": "3.64"}  # fmt: skip
ANY = ("",)  # households, agriculture, and whoever no row names
# Fuels, industries, kg CH4 and kg N2O per TJ (empty where another row serves), and the tables that hold the value, all of them.
DEFAULTS: tuple[tuple[tuple[str, ...], tuple[str, ...], str, str, str], ...] = (
    (COAL, ANY, "300", "", "2.5"), (COAL, ANY, "", "1.5", "2.2-2.5"), (COAL, (*ENERGY, *LETTERS), "1", "", "2.2"),
    (COAL, (*ORE_AND_WATER, "C", "E"), "10", "", "2.3"), (COAL, SERVICES, "10", "", "2.4"),
    (OIL, ANY, "10", "", "2.4-2.5"), (OIL, ANY, "", "0.6", "2.2-2.5"), (OIL, INDUSTRY, "3", "", "2.2-2.3"),
    (("fuel_oil",), ("55",), "7", "2", "3.5.3"),
    (GAS, ANY, "5", "", "2.4-2.5"), (GAS, ANY, "", "0.1", "2.2-2.5"), (GAS, INDUSTRY, "1", "", "2.2-2.3"),
    (("gasoline",), ANY, "25", "8", "3.2.2"), (("diesel",), ANY, "3.9", "3.9", "3.2.2"),
    (("diesel",), INDUSTRY[:3], "3", "0.6", "2.2-2.3"), (("diesel",), ("A", "E"), "4.15", "28.6", "3.3.1"),
    (("diesel",), ("53",), "4.15", "28.6", "3.4.1"), (("diesel",), ("55",), "7", "2", "3.5.3"),
    (("natural_gas", "lng"), ("54",), "92", "3", "3.2.2"), (("lpg",), ("54",), "62", "0.2", "3.2.2"),
    (("jet_kerosene",), ANY, "0.5", "2", "3.6.5"),
)  # fmt: skip


def combustion() -> Iterator[Row]:
    """Yield one row for each fuel, industry and gas; an industry without one takes the row of all."""
    for fuels, industries, ch4, n2o, table in DEFAULTS:
        for fuel in fuels:
            for industry in industries:
                for gas, value in (("CH4", ch4), ("N2O", n2o)):
                    if value:
                        yield _row(fuel, industry, gas, value, table)


def _row(fuel: str, industry: str, gas: str, value: str, table: str) -> Row:
    name = f"{'tables' if '-' in table else 'table'} {table}"
    note = "oxidation catalyst" if (fuel, table) == ("gasoline", "3.2.2") else ""
    return {"factor_set": "IPCC2006_COMBUSTION", "item_zh": f"燃料燃烧（表 {table}）", "item_en": f"combustion, {name}",
            "role": "ef", "activity_code": f"fuel_{fuel}", "industry_code": industry, "gas": gas, "value": value,
            "unit": "kg/TJ", "source": "IPCC 2006 Guidelines vol. 2 ch. " + table[0], "clause": f"vol. 2, {name}",
            "page": "-".join(PAGES[one] for one in table.split("-")), "confidence": "memory",
            "note": LETTERS.get(industry, note) if fuel in COAL else note}  # fmt: skip
