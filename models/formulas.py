"""Stock formulas of emission accounting: plain arithmetic that takes numbers and engine columns alike.

Every formula gives tonnes of one gas unless it says otherwise. Clauses are those of GB/T 32150-2015, of the parts of
GB/T 32151, of the 24 NDRC guidelines (2013-2015) and of the national ETS guides (CETS-AG, 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any

Value = Any  # a number, or a column of an engine: both know + - * /

CO2_PER_C = 44 / 12
CO2_T_PER_1E4NM3 = 19.7  # density of CO2 at 0 °C and 101.325 kPa, NDRC chemicals guideline
CH4_T_PER_1E4NM3 = 7.17  # density of CH4 at 0 °C and 101.325 kPa, NDRC coal guideline
ENTHALPY_20C = 83.74  # kJ/kg of water at 20 °C, NDRC guidelines, heat by steam


def total(parts: Iterable[Value]) -> Value:
    """Add numbers or columns without starting from a plain zero."""
    return reduce(add, parts)


def fuel_combustion(fc: Value, ncv: Value, cc: Value, of: Value, c_ar: Value = None) -> Value:
    """Return tCO2 of burning `fc` (t or 1e4 Nm3): NCV GJ/unit, CC tC/GJ, OF a fraction; GB/T 32150 §5, all 32151 parts.

    Measured carbon `c_ar` (tC/t as received) takes precedence over NCV × CC.
    """
    return fc * (ncv * cc if c_ar is None else c_ar) * of * CO2_PER_C


def measured_carbon(fc: Value, c_ar: Value, of: Value) -> Value:
    """Return tCO2 of burning `fc` (t) with carbon measured as received, `c_ar` tC/t; ETS power guide 2022, §5.2."""
    return fuel_combustion(fc, None, None, of, c_ar)


def burnt_carbon(ad: Value, cc: Value, of: Value, fossil: Value = 1) -> Value:
    """Return tCO2 of burning `ad` with carbon `cc` per unit, share oxidised, share of it fossil; GB/T 32150 §5."""
    return ad * cc * of * fossil * CO2_PER_C


def burnt_carbon_air_dried(ad: Value, c_ad: Value, m_ad: Value, m_ar: Value, of: Value) -> Value:
    """Return tCO2 of burning `ad` t with air-dried carbon (tC/t), moistures in percent; ETS power guide 2022, GB/T 476."""
    return burnt_carbon(ad, carbon_as_received(c_ad, m_ad, m_ar), of)


def fuel_energy(ad: Value, ncv: Value, ef: Value, fossil: Value = 1) -> Value:
    """Return tonnes of gas of burning `ad`: heat per unit, tonnes per heat, share that is fossil; IPCC 2006 vol. 2 ch. 2."""
    return ad * ncv * ef * fossil


def blend_fuel(fc: Value, ncv: Value, cc: Value, of: Value, bio: Value) -> Value:
    """Return fossil tCO2 of a fuel with biomass carbon fraction `bio`; GB/T 32151.6 (aviation), fuel blends."""
    return fuel_combustion(fc, ncv, cc, of) * (1 - bio)


def carbon_as_received(c_ad: Value, m_ad: Value, m_ar: Value) -> Value:
    """Return C_ar (tC/t) from air-dried carbon; moistures in percent; basis conversion of GB/T 476."""
    return c_ad * (100 - m_ar) / (100 - m_ad)


def activity_factor(ad: Value, ef: Value) -> Value:
    """Return tonnes of gas: activity times factor in coherent units; GB/T 32150 §5, emission-factor method."""
    return ad * ef


def removed(ad: Value, ef: Value) -> Value:
    """Return the negative tonnes that leave the boundary: exports, products that keep carbon, substitute deductions."""
    return ad * ef * -1.0


def released(ad: Value) -> Value:
    """Return the tonnes that escape, the activity being the mass of the gas; GB/T 32150 §5, mass balance of a gas."""
    return ad * 1.0


def kept_back(ad: Value) -> Value:
    """Return the negative tonnes of a gas that was recovered, captured or is in stock; GB/T 32150 §5."""
    return ad * -1.0


def carbon_in(ad: Value, cc: Value) -> Value:
    """Return tCO2 of the carbon in one stream that enters, `cc` tC per unit; GB/T 32150 §5, mass balance."""
    return ad * cc * CO2_PER_C


def carbon_out(ad: Value, cc: Value) -> Value:
    """Return the negative tCO2 of the carbon in one stream that leaves, `cc` tC per unit; GB/T 32150 §5, mass balance."""
    return carbon_in(ad, cc) * -1.0


def shared(ad: Value, ef: Value, share: Value) -> Value:
    """Return tonnes of gas of the share of an activity that counts: purity, loss, correction; GB/T 32150 §5."""
    return ad * ef * share


def removed_share(ad: Value, ef: Value, share: Value) -> Value:
    """Return the negative tonnes of a share of an activity: recovered gas of a purity, sludge taken out."""
    return shared(ad, ef, share) * -1.0


def mass_balance(carbon_in: Iterable[tuple[Value, Value]], carbon_out: Iterable[tuple[Value, Value]]) -> Value:
    """Return tCO2 of a carbon balance from (mass t, carbon content tC/t) pairs; GB/T 32150 §5, mass balance."""
    return (total(m * c for m, c in carbon_in) - total(m * c for m, c in carbon_out)) * CO2_PER_C


def purchased_electricity(mwh: Value, ef: Value, green_mwh: Value = 0) -> Value:
    """Return tCO2 of bought electricity (MWh, tCO2/MWh); proven non-fossil counts zero, GB/T 32151.34-2024 §5.2.6.1."""
    return (mwh - green_mwh) * ef


def steam_heat(t: Value, h: Value, h0: Value = ENTHALPY_20C) -> Value:
    """Return GJ of heat in `t` tonnes of steam with enthalpy `h` kJ/kg; NDRC guidelines, purchased heat."""
    return t * (h - h0) * 1e-3


def hot_water_heat(t: Value, celsius: Value) -> Value:
    """Return GJ of heat in `t` tonnes of water above 20 °C; NDRC guidelines, purchased heat."""
    return t * (celsius - 20) * 4.1868 * 1e-3


def bought_steam(ad: Value, h: Value, h0: Value, ef: Value) -> Value:
    """Return tCO2 of `ad` t of steam with enthalpy `h`, `h0` of water at 20 °C (GJ/t), tCO2/GJ; see steam_heat."""
    return ad * (h - h0) * ef


def bought_hot_water(ad: Value, rise: Value, cp: Value, ef: Value) -> Value:
    """Return tCO2 of `ad` t of water warmed by `rise` K above 20 °C, `cp` GJ/(t·K), tCO2/GJ; see hot_water_heat."""
    return ad * rise * cp * ef


def desulphurisation(t: Value, content: Value, ef: Value, tr: Value = 1) -> Value:
    """Return tCO2 of sorbent: t, carbonate content, tCO2/t, conversion; GB/T 32151.1-2015 §5.2.3."""
    return t * content * ef * tr


def carbonate(ad: Value, ef: Value, purity: Value, conversion: Value = 1) -> Value:
    """Return tCO2 of decomposed carbonate: t, tCO2/t pure, fractions; GB/T 32150 and all process parts."""
    return ad * purity * conversion * ef


def carbonate_factor(molar_mass: Value, atoms: Value = 1, co2: Value = 44.0095) -> Value:
    """Return tCO2/t of a pure carbonate from molar masses (g/mol) and CO2 per formula unit."""
    return atoms * co2 / molar_mass


def sf6_loss(rec_cap: Value, rec_rec: Value, rep_cap: Value, rep_rec: Value) -> Value:
    """Return t SF6 of retired and repaired equipment from kg charged and recovered; GB/T 32151.2-2015 §5.2.1."""
    return ((rec_cap - rec_rec) + (rep_cap - rep_rec)) * 1e-3


def grid_loss(gen: Value, imp: Value, exp: Value, sold: Value, ef: Value) -> Value:
    """Return tCO2 of transmission losses: MWh fed in, imported, exported, sold; GB/T 32151.2-2015 §5.2.2."""
    return (gen + imp - exp - sold) * ef


def magnesium(fesi: Value, ef_fesi: Value, dolomite: Value, purity: Value, ef_dol: Value) -> Value:
    """Return tCO2 of own ferrosilicon and calcined dolomite (t, tCO2/t); GB/T 32151.3-2015 §5.2.2-5.2.3."""
    return activity_factor(fesi, ef_fesi) + carbonate(dolomite, ef_dol, purity)


def aluminium_anode(al: Value, nac: Value, s: Value, a: Value) -> Value:
    """Return tCO2 of anodes: t Al, net tC/tAl, sulphur and ash as fractions; CETS-AG-04.01-V01-2024."""
    return al * nac * (1 - s - a) * CO2_PER_C


def anode_effect(al: Value, ef: Value) -> Value:
    """Return t of one PFC of the anode effect: t Al, kg/tAl; CETS-AG-04.01-V01-2024."""
    return al * ef * 1e-3


def anode_effect_slope(slope: Value, frequency: Value, minutes: Value) -> Value:
    """Return kg CF4/tAl by the slope method (IPCC 2006 vol. 3 eq. 4.26); C2F6 is 0.121 of it for CWPB cells."""
    return slope * frequency * minutes


def anode_effect_by_slope(ad: Value, slope: Value, frequency: Value, minutes: Value, ratio: Value = 1) -> Value:
    """Return t PFC of `ad` t Al by the slope method, slope in t/t; `ratio` is C2F6 to CF4; IPCC 2006 vol. 3 eq. 4.26."""
    return ad * anode_effect_slope(slope, frequency, minutes) * ratio


def steel_process(flux_and_feed: Iterable[tuple[Value, Value]], products: Iterable[tuple[Value, Value]]) -> Value:
    """Return tCO2 of fluxes, electrodes and feed less carbon in products, (t, tCO2/t) pairs; GB/T 32151.5 §5.2.2."""
    return total(m * ef for m, ef in flux_and_feed) - total(m * ef for m, ef in products)


def clinker_calcination(clinker: Value, cao: Value, mgo: Value, cao0: Value = 0, mgo0: Value = 0) -> Value:
    """Return tCO2 of clinker (t, dust included) from CaO and MgO less those not from carbonate; 32151.8 §5.2.3."""
    return clinker * ((cao - cao0) * 44 / 56 + (mgo - mgo0) * 44 / 40)


def counted_in_oxides(ad: Value, cao: Value, mgo: Value) -> Value:
    """Return nought t for `ad` t of a raw material that measured oxides of clinker hold already; see clinker_calcination."""
    return ad * (cao + mgo) * 0.0


def clinker_ets2024(clinker: Value, ef: Value, substitutes: Iterable[tuple[Value, Value]]) -> Value:
    """Return tCO2 of clinker (t, tCO2/t) less substitute raw materials (t, deduction tCO2/t); ETS cement guide 2024."""
    return clinker * ef - total(t * k for t, k in substitutes)


def carbon_powder(t: Value, c: Value) -> Value:
    """Return tCO2 of oxidised carbon powder (t, carbon fraction); GB/T 32151.7-2015 §5.2.2."""
    return t * c * CO2_PER_C


def acid_n2o(t: Value, ef: Value, eta: Value, mu: Value) -> Value:
    """Return t N2O of nitric or adipic acid: t, tN2O/t, abatement efficiency and use as fractions; GB/T 32151.10."""
    return t * ef * (1 - eta * mu)


def mine_ventilation(q: Value, days: Value) -> Value:
    """Return 1e4 Nm3 CH4 vented at a mean flow `q` m3/min; GB/T 32151.11-2018, mine ventilation."""
    return q * days * 60 * 24 * 1e-4


def mine_ch4(v1e4: Value) -> Value:
    """Return t CH4 of a volume in 1e4 Nm3, flared and used parts already taken off; GB/T 32151.11-2018."""
    return v1e4 * CH4_T_PER_1E4NM3


def wastewater_ch4(tow: Value, s: Value, bo: Value, mcf: Value, r: Value) -> Value:
    """Return t CH4 of wastewater: kg COD, kg COD in sludge, kgCH4/kgCOD, MCF, kg recovered; NDRC food guideline."""
    return ((tow - s) * bo * mcf - r) * 1e-3


def fcc_coke_burn(mc: Value, cf: Value, of: Value) -> Value:
    """Return tCO2 of burnt coke (t, carbon and oxidation fractions); NDRC petrochemical guideline, cracking."""
    return mc * cf * of * CO2_PER_C


def reformer_burn(ad: Value, cf0: Value, left: Value, of: Value) -> Value:
    """Return tCO2 of catalyst (t) burnt off, carbon share `cf0` before; NDRC petrochemical guideline, reforming.

    `left` is carbon per catalyst without carbon after it, CF1 / (1 - CF1) in the words of the guideline.
    """
    return ad * (cf0 - (1 - cf0) * left) * of * CO2_PER_C


def flare(q: Value, hydrocarbons: Iterable[tuple[int, Value]], of: Value, co2: Value = 0) -> Value:
    """Return tCO2 of a flare: 1e4 Nm3, (carbon atoms, volume fraction) pairs, CO2 fraction; NDRC oil and gas."""
    return q * (gas_carbon(hydrocarbons) * of * CO2_PER_C + co2 * CO2_T_PER_1E4NM3)


def gas_carbon(hydrocarbons: Iterable[tuple[int, Value]]) -> Value:
    """Return tC/1e4 Nm3 of a gas from (carbon atoms, volume fraction) pairs; NDRC oil and gas guideline, flares."""
    return total(12 * v * n * 10 / 22.4 for n, v in hydrocarbons)


def flare_co2(ad: Value, cc: Value, of: Value, co2: Value, density: Value) -> Value:
    """Return tCO2 of a flare: volume, tC/volume but that of CO2, share oxidised, CO2 share, t/volume; see flare."""
    return ad * (cc * of * CO2_PER_C + co2 * density)


def flare_unburnt(ad: Value, ch4: Value, of: Value, density: Value) -> Value:
    """Return t CH4 that a flare leaves unburnt: volume, CH4 share, share oxidised, t/volume; NDRC oil and gas."""
    return ad * ch4 * (1 - of) * density


def shielding_gas(t: Value, gases: Iterable[tuple[Value, Value]], co2: Value) -> Value:
    """Return tCO2 of a welding gas: t, (volume fraction, g/mol) pairs, CO2 fraction; NDRC machinery guideline."""
    return t * co2 * 44 / total(x * m for x, m in gases)


def shielding_gas_mean(ad: Value, co2: Value, molar: Value) -> Value:
    """Return tCO2 of `ad` t of welding gas with CO2 share by volume and mean relative molar mass; see shielding_gas."""
    return ad * co2 * 44 / molar


def chamber_gas(ad: Value, heel: Value, used: Value, eta: Value, mu: Value) -> Value:
    """Return t of a gas of etching: heel of the bottle, share used up, abatement and its use; NDRC electronics 2015."""
    return ad * (1 - heel) * (1 - used) * (1 - eta * mu)


def chamber_by_product(ad: Value, heel: Value, ef: Value, eta: Value, mu: Value) -> Value:
    """Return t of a gas that forms of another in etching, `ef` t/t; NDRC electronics guideline 2015."""
    return ad * (1 - heel) * ef * (1 - eta * mu)


def cems_concentration(percent: Value) -> Value:
    """Return g/Nm3 dry from CO2 volume percent; HJ 75-2017."""
    return percent * 10 * 44.01 / 22.4


def cems_mass(percent: Value, q: Value, h: Value) -> Value:
    """Return tCO2 of a stack: CO2 percent, Nm3/h dry, hours; GB/T 32150 §5, direct measurement."""
    return cems_concentration(percent) * q * h * 1e-6


def cems_flow(a: Value, v: Value, ts: Value, ba: Value, ps: Value, xsw: Value) -> Value:
    """Return dry standard Nm3/h: m2, m/s, °C, Pa, Pa, moisture fraction; HJ 75-2017."""
    return 3600 * a * v * 273 / (273 + ts) * (ba + ps) / 101325 * (1 - xsw)


def enterprise_total(emitted: Iterable[Value], exported: Iterable[Value], recovered: Value = 0) -> Value:
    """Return tCO2e of an enterprise: sources less exported electricity and heat less recovery; GB/T 32150 §5."""
    return total(emitted) - total(exported) - recovered


def co2e(mass: Value, gwp: Value) -> Value:
    """Return tCO2e of a mass of gas (t) under the GWP of one set."""
    return mass * gwp


def standard_coal(energy: Iterable[tuple[Value, Value]]) -> Value:
    """Return tce of (amount, tce per unit) pairs; GB/T 2589-2020."""
    return total(amount * k for amount, k in energy)


def urea_scr(kg: Value, p: Value) -> Value:
    """Return tCO2 of urea solution (kg, mass fraction of urea); NDRC land transport guideline."""
    return kg * 12 / 60 * p * CO2_PER_C * 1e-3


def urea(ad: Value, purity: Value) -> Value:
    """Return tCO2 of `ad` t of urea solution, share of urea by mass; NDRC land transport guideline."""
    return ad * 12 / 60 * purity * CO2_PER_C


def nitrogen(ad: Value, share: Value) -> Value:
    """Return t N2O of `ad` t of nitrogen of which a share becomes N2O-N; provincial guide 2011, soils and wastewater."""
    return ad * share * 44 / 28


def landfill(ad: Value, mcf: Value, doc: Value, doc_f: Value, ch4_share: Value, ox: Value) -> Value:
    """Return t CH4 of waste: correction, degradable carbon, share degraded, CH4 in gas, oxidised; provincial guide 2011."""
    return ad * mcf * doc * doc_f * ch4_share * 16 / 12 * (1 - ox)


def landfill_recovered(ad: Value, ox: Value) -> Value:
    """Return the negative t CH4 of recovered landfill gas, less what the cover would oxidise; provincial guide 2011."""
    return ad * (1 - ox) * -1.0
