"""Every worked example of accounting, met by the stock formulas."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models import formulas as f
from models import steam, uncertainty
from schemas.errors import UserError
from tests.models.golden import Golden, golden

Numbers = dict[str, Any]


def _co2(formula: Callable[..., Any]) -> Callable[[Numbers], Numbers]:
    return lambda given: {"tCO2": formula(**given)}


def _co2e(formula: Callable[..., Any], *names: str) -> Callable[[Numbers], Numbers]:
    return lambda g: {"tCO2e": f.co2e(formula(*(g[n] for n in names)), g["gwp"])}


def _steel(g: Numbers) -> Numbers:
    feed = [(g["limestone"], 0.440), (g["dolomite"], 0.471), (g["electrode"], 3.663), (g["pig_iron"], 0.172)]
    return {"tCO2": f.steel_process(feed, [(g["crude_steel_out"], 0.037)])}


def _ets2024(g: Numbers) -> Numbers:
    substitutes = [(g["carbide_slag"], 0.480), (g["steel_slag"], 0.215)]
    return {"tCO2": f.clinker_ets2024(g["clinker"], g["ef"], substitutes)}


def _pfc(g: Numbers) -> Numbers:
    cf4, c2f6 = f.anode_effect(g["al"], g["cf4"]), f.anode_effect(g["al"], g["c2f6"])
    return {"tCO2e": f.co2e(cf4, g["gwp_cf4"]) + f.co2e(c2f6, g["gwp_c2f6"])}


def _mine(g: Numbers) -> Numbers:
    volume = f.mine_ventilation(g["q"], g["days"])
    return {"v1e4": volume, "tCO2e": f.co2e(f.mine_ch4(volume), g["gwp"])}


def _uncertainty(g: Numbers) -> Numbers:
    return {"product": uncertainty.product(g["u"]), "sum": uncertainty.total(g["parts"])}


def _whole(g: Numbers) -> Numbers:
    total = f.enterprise_total([g["comb"], g["proc"], g["e"], g["h"]], [g["xe"], g["xh"]], g["r"])
    return {"tCO2e": total}


def _stoichiometry(g: Numbers) -> Numbers:
    return {"ef": [f.carbonate_factor(m) for m in g["m"]]}


def _shielding(g: Numbers) -> Numbers:
    return {"tCO2": f.shielding_gas(g["t"], g["x"], g["x"][0][0])}


CALLS: dict[str, Callable[[Numbers], Numbers]] = {
    "fuel_combustion": _co2(f.fuel_combustion),
    "blend_fuel": _co2(f.blend_fuel),
    "coal_carbon_basis": lambda g: {"c_ar": f.carbon_as_received(**g)},
    "purchased_electricity": _co2(f.purchased_electricity),
    "purchased_heat": lambda g: {"tCO2": f.activity_factor(g["gj"], g["ef"])},
    "steam_heat": lambda g: {"gj": f.steam_heat(**g)},
    "steam_enthalpy_interp": lambda g: {"h": steam.saturated_enthalpy(g["p"])},
    "desulphurisation": _co2(f.desulphurisation),
    "grid_sf6": _co2e(f.sf6_loss, "rec_cap", "rec_rec", "rep_cap", "rep_rec"),
    "grid_loss": _co2(f.grid_loss),
    "magnesium": _co2(f.magnesium),
    "aluminium_anode": _co2(f.aluminium_anode),
    "aluminium_pfc": _pfc,
    "steel_process": _steel,
    "cement_calcination": _co2(f.clinker_calcination),
    "cement_ets2024": _ets2024,
    "glass_carbon_powder": _co2(f.carbon_powder),
    "nitric_acid": _co2e(f.acid_n2o, "t", "ef", "eta", "mu"),
    "adipic_acid": _co2e(f.acid_n2o, "t", "ef", "eta", "mu"),
    "coal_mine_ch4": _mine,
    "wastewater_ch4": _co2e(f.wastewater_ch4, "tow", "s", "bo", "mcf", "r"),
    "fcc_coke_burn": _co2(f.fcc_coke_burn),
    "mass_balance_eo": lambda g: {"tCO2": f.mass_balance(g["inp"], g["out"])},
    "flare": lambda g: {"tCO2": f.flare(g["q"], g["hc"], g["of"], g["co2"])},
    "shielding_gas": _shielding,
    "cems_mass": lambda g: {"t": f.cems_mass(g["pct"], g["q"], g["h"])},
    "cems_flow": lambda g: {"q": f.cems_flow(**g)},
    "uncertainty": _uncertainty,
    "carbonate_ef_stoich": _stoichiometry,
    "total_with_export": _whole,
    "urea_scr": _co2(f.urea_scr),
}


def _from_tables(one: Golden, shared: Path) -> Numbers:
    """Compute the examples whose factors stand in tables of their own: GWP sets and standard coal."""
    if one.function == "gwp_switch":
        gwp = {row["gas"]: row for row in _rows(shared / "domain/gwp.csv")}
        return {name: f.total(f.co2e(one.given[gas.lower()], float(gwp[gas][f"{name}_100"])) for gas in ("CH4", "N2O"))
                for name in one.expect}  # fmt: skip
    coal = {row["energy_en"]: float(row["coefficient"]) for row in _rows(shared / "domain/standard_coal.csv")}
    electricity = next(value for name, value in coal.items() if name.startswith("electricity"))
    used = [(one.given["raw_coal"], coal["raw coal"]), (one.given["diesel"], coal["diesel"])]
    return {"tce": f.standard_coal([*used, (one.given["kwh"] / 1000, electricity)])}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_formulas_meet_every_worked_example(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = golden(shared)
    assert len(examples) == 37
    shares = []
    for one in examples:
        got = CALLS[one.function](one.given) if one.function in CALLS else _from_tables(one, shared)
        shares.append(one.judge(got))
    with capsys.disabled():
        print("\nworked examples, by formula")
        for one, share in zip(examples, shares, strict=True):
            print(f"  {one.id}  {one.function:<22} {share:>8.1%} of {one.tolerance:<9} {one.description[:60]}")


def test_a_wrong_figure_is_seen(shared: Path) -> None:
    one = golden(shared)[0]
    with pytest.raises(AssertionError, match="A01 tCO2"):
        one.judge({"tCO2": one.expect["tCO2"] * 1.00001})


def test_steam_outside_the_table_is_refused() -> None:
    with pytest.raises(UserError, match=r"0.1 and 3 MPa"):
        steam.saturated_enthalpy(5)


def test_steam_at_a_point_of_the_table_is_that_point() -> None:
    assert [steam.saturated_enthalpy(p) for p, _ in steam.SATURATED] == [h for _, h in steam.SATURATED]
