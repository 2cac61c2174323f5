"""The worked examples as a lake would hold them: activity of one subject, and the factors that it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models import formulas as f

Numbers = dict[str, Any]
MEASURED = "measured"  # a factor of the subject's own; any other name is that of a set of the library


@dataclass(frozen=True)
class Case:
    """Activity (code, quantity, unit), factors (code, role, value, unit, set, gas), industry, and what is asked of the sum."""

    done: list[tuple[str, float, str]]
    factors: list[tuple[Any, ...]]
    industry: str = ""
    of_sum: Callable[[float], Numbers] = lambda tonnes: {"tCO2": tonnes, "tCO2e": tonnes}


def _own(code: str, unit: str = "1", **values: float) -> list[tuple[Any, ...]]:
    return [(code, role, value, unit, MEASURED, None) for role, value in values.items()]


def _fuel(code: str, unit: str, g: Numbers, set_: str = "NDRC_GENERAL") -> list[tuple[Any, ...]]:
    units = {"ncv": f"GJ/{unit}", "cc": "tC/GJ", "of": "1"}
    return [(code, role, g[role], units[role], set_, None) for role in units]


def _burnt(code: str, unit: str) -> Callable[[Numbers], Case]:
    return lambda g: Case([(code, g["fc"], unit)], _fuel(code, unit, g))


def _one(code: str, quantity: str, unit: str, set_: str, per: str) -> Callable[[Numbers], Case]:
    return lambda g: Case([(code, g[quantity], unit)], [(code, "ef", g["ef"], per, set_, None)])


def _flight(g: Numbers) -> Case:
    code = "fuel_jet_kerosene"
    bio = _own(code, bio_share=g["bio"]) if "bio" in g else []
    return Case([(code, g["fc"], "t")], _fuel(code, "t", g, "ETS_SECTOR") + bio, "56")


def _measured_coal(g: Numbers) -> Case:
    code = "fuel_bituminous_coal"
    own = _own(code, "tC/t", c_ar=g["c_ar"]) + _own(code, of=g["of"])
    return Case([(code, g["fc"], "t")], _fuel(code, "t", g) + own)


def _air_dried(g: Numbers) -> Case:
    """A million tonnes burnt, of whose CO2 12/44 are the carbon asked for."""
    code = "fuel_bituminous_coal"
    moist = _own(code, moisture_ad_percent=g["m_ad"], moisture_ar_percent=g["m_ar"], of=12 / 44)
    return Case([(code, 1e6, "t")], _own(code, "tC/t", c_ad=g["c_ad"]) + moist, of_sum=lambda tonnes: {"c_ar": tonnes / 1e6})


def _electricity(g: Numbers) -> Case:
    done = [("electricity_purchased", g["mwh"] * 1000, "kWh"), ("electricity_green", g["green_mwh"] * 1000, "kWh")]
    return Case(done, [(None, "ef", g["ef"], "tCO2/MWh", "grid_average", None)])


def _steam(g: Numbers) -> Case:
    """A factor of one tonne a GJ makes tonnes of gigajoules."""
    code = "steam_purchased"
    own = _own(code, "kJ/kg", enthalpy=g["h"], enthalpy_20c=g["h0"]) + _own(code, "tCO2/GJ", ef=1)
    return Case([(code, g["t"], "t")], own, of_sum=lambda tonnes: {"gj": tonnes})


def _sf6(g: Numbers) -> Case:
    codes = {"rec_cap": "charged_retired", "rec_rec": "recovered_retired", "rep_cap": "charged_repaired",
             "rep_rec": "recovered_repaired"}  # fmt: skip
    return Case([(f"sf6_{code}", g[name], "kg") for name, code in codes.items()], [], "44")


def _loss(g: Numbers) -> Case:
    codes = {"gen": "electricity_fed_in", "imp": "electricity_imported_grid", "exp": "electricity_exported_grid",
             "sold": "electricity_sold"}  # fmt: skip
    done = [(code, g[name], "MWh") for name, code in codes.items()]
    return Case(done, [(None, "ef", g["ef"], "tCO2/MWh", "grid_average", None)], "442")


def _magnesium(g: Numbers) -> Case:
    done = [("ferrosilicon_output", g["fesi"], "t"), ("magnesium_dolomite", g["dolomite"], "t")]
    factors = [("ferrosilicon_output", "ef", g["ef_fesi"], "tCO2/t", "process_镁冶炼", None),
               ("magnesium_dolomite", "ef", g["ef_dol"], "tCO2/t", "process_镁冶炼", None)]  # fmt: skip
    return Case(done, factors + _own("magnesium_dolomite", purity=g["purity"]), "32")


def _anode(g: Numbers) -> Case:
    al = "aluminium_output"
    own = _own(al, "tC/tAl", nac=g["nac"]) + _own(al, "%", sulphur=g["s"] * 100, ash=g["a"] * 100)
    return Case([(al, g["al"], "t")], own, "32")


def _pfc(g: Numbers) -> Case:
    al = "aluminium_output"
    factors = [(al, "ef", g[gas.lower()], f"kg{gas}/tAl", "process_铝冶炼", gas) for gas in ("CF4", "C2F6")]
    return Case([(al, g["al"], "t")], factors, "32")


def _steel(g: Numbers) -> Case:
    values = {"limestone": 0.44, "dolomite": 0.471, "electrode": 3.663, "pig_iron": 0.172}
    done = [(f"{name}_consumed", g[name], "t") for name in values] + [("crude_steel_output", g["crude_steel_out"], "t")]
    factors = {f"{name}_consumed": value for name, value in values.items()} | {"crude_steel_output": 0.037}
    return Case(done, [(code, "ef", value, "tCO2/t", "process_钢铁", None) for code, value in factors.items()], "31")


def _oxides(g: Numbers) -> Case:
    return Case([("clinker_output", g["clinker"], "t")], _own("clinker_output", cao=g["cao"], mgo=g["mgo"]), "30")


def _clinker(g: Numbers) -> Case:
    deductions = {"carbide_slag": 0.48, "steel_slag": 0.215}
    values = {"clinker_output": g["ef"]} | {f"cement_substitute_{name}": k for name, k in deductions.items()}
    done = [("clinker_output", g["clinker"], "t"), *((f"cement_substitute_{name}", g[name], "t") for name in deductions)]
    return Case(done, [(code, "ef", value, "tCO2/t", "process_水泥", None) for code, value in values.items()], "30")


def _acid(code: str, role: str) -> Callable[[Numbers], Case]:
    def case(g: Numbers) -> Case:
        made = (code, role, g["ef"], "tN2O/t", MEASURED, None)
        return Case([(code, g["t"], "t")], [made, *_own(code, eta=g["eta"], mu=g["mu"])], "26")

    return case


def _mine(g: Numbers) -> Case:
    flow = g["q"] * g["days"]
    density = (None, "density", f.CH4_T_PER_1E4NM3, "t/1e4Nm3", "process_煤炭", "CH4")
    return Case([("mine_ch4_ventilated", flow, "Nm3/min*day")], [density], "06",
                lambda tonnes: {"tCO2e": tonnes, "v1e4": f.mine_ventilation(g["q"], g["days"])})  # fmt: skip


def _wastewater(g: Numbers) -> Case:
    codes = ("wastewater_cod", "sludge_cod")
    own = [row for code in codes for row in _own(code, "kgCH4/kgCOD", bo=g["bo"]) + _own(code, mcf=g["mcf"])]
    done = [(codes[0], g["tow"], "kg"), (codes[1], g["s"], "kg"), ("wastewater_ch4_recovered", g["r"], "kg")]
    return Case(done, own, "14")


def _balance(g: Numbers) -> Case:
    (fed, carbon_in), (made, carbon_out) = g["inp"][0], g["out"][0]
    factors = [("feed_ethylene", "carbon", carbon_in, "tC/t", "process_化工", None),
               ("product_ethylene_oxide", "carbon", carbon_out, "tC/t", "process_化工", None)]  # fmt: skip
    return Case([("feed_ethylene", fed, "t"), ("product_ethylene_oxide", made, "t")], factors, "26")


def _flare(g: Numbers) -> Case:
    code = "flare_gas"
    own = _own(code, "tC/1e4Nm3", carbon=f.gas_carbon(g["hc"])) + _own(code, of=g["of"], co2_share=g["co2"])
    density = (None, "density", f.CO2_T_PER_1E4NM3, "t/1e4Nm3", "process_煤炭", "CO2")
    return Case([(code, g["q"], "1e4Nm3")], [*own, density])


def _shielding(g: Numbers) -> Case:
    own = _own("shielding_gas", co2_share=g["x"][0][0], relative_molar_mass=sum(x * m for x, m in g["x"]))
    return Case([("shielding_gas", g["t"] * 1e6, "t")], own, "34", lambda tonnes: {"tCO2": tonnes / 1e6})


def _stack(g: Numbers) -> Case:
    volume = g["q"] * g["h"] / 1e4
    return Case([("flue_gas_dry", volume, "1e4Nm3")], _own("flue_gas_dry", "%", co2_share=g["pct"]),
                of_sum=lambda tonnes: {"t": tonnes})  # fmt: skip


def _whole(g: Numbers) -> Case:
    """Every part of an enterprise's total as activity times one."""
    gas, lime = "fuel_natural_gas", "carbonate_caco3"
    done = [(gas, g["comb"], "1e4Nm3"), (lime, g["proc"], "t"), ("electricity_purchased", g["e"], "MWh"),
            ("heat_purchased", g["h"], "GJ"), ("electricity_exported", g["xe"], "MWh"), ("heat_exported", g["xh"], "GJ"),
            ("co2_captured", g["r"], "t")]  # fmt: skip
    one = [(None, "ef", 1, "tCO2/MWh", "grid_average", None), (None, "ef", 1, "tCO2/GJ", "process_通用", None),
           (lime, "ef", 1, "tCO2/t", "process_通用碳酸盐", None)]  # fmt: skip
    return Case(done, [*one, *_fuel(gas, "1e4Nm3", {"ncv": 1, "cc": 12 / 44, "of": 1})])


def _two_gases(g: Numbers) -> Case:
    """An activity of one tonne that emits each gas by a factor of its own."""
    code = "region_burnt_straw"
    given = {"CH4": g["ch4"], "N2O": g["n2o"]}
    return Case([(code, 1, "t")], [(code, "ef", value * 1000, "kg/t", "provincial_2011", gas) for gas, value in given.items()])


def _coke(g: Numbers) -> Case:
    return Case([("fcc_coke_burnt", g["mc"], "t")], _own("fcc_coke_burnt", "tC/t", carbon=g["cf"]), "25")


CASES: dict[str, Callable[[Numbers], Case]] = {
    "A01": _burnt("fuel_bituminous_coal", "t"), "A02": _burnt("fuel_natural_gas", "1e4Nm3"), "A03": _burnt("fuel_diesel", "t"),
    "A04": _flight, "A05": _measured_coal, "A06": _flight, "A07": _air_dried, "A08": _electricity,
    "A09": _one("heat_purchased", "gj", "GJ", "process_通用", "tCO2/GJ"), "A10": _steam,
    "A12": _one("desulphurisation_limestone", "t", "t", "process_发电", "tCO2/t"), "A13": _sf6, "A14": _loss,
    "A15": _magnesium, "A16": _anode, "A17": _pfc, "A18": _steel, "A19": _oxides, "A20": _clinker,
    "A21": lambda g: Case([("carbon_powder", g["t"], "t")], _own("carbon_powder", "tC/t", carbon=g["c"]), "30"),
    "A22": _acid("nitric_acid_high_pressure", "ef"), "A23": _acid("adipic_acid", "adipic_ef"), "A24": _mine,
    "A25": _wastewater, "A26": _coke, "A27": _balance, "A28": _flare, "A29": _shielding, "A30": _stack, "A34": _whole,
    "A35": _two_gases,
    "A37": lambda g: Case([("urea_solution", g["kg"] * 1e6, "kg")], _own("urea_solution", purity=g["p"]), "54",
                          of_sum=lambda tonnes: {"tCO2": tonnes / 1e6}),
}  # fmt: skip
