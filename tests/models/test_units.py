"""Units convert exactly, in Chinese too, and refuse what measures different things."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import units
from models.units import COUNTS, NAMES, factor, quantity, same_matter
from schemas.contracts import contracts
from schemas.errors import UserError


@pytest.mark.parametrize(
    ("given_", "wanted", "expected"),
    [
        ("万千瓦时", "kWh", 10000.0), ("亿千瓦时", "kWh", 1e8), ("万吨", "t", 10000.0), ("千瓦时", "MJ", 3.6),
        ("tce", "GJ", 29.3076), ("万吨标准煤", "tce", 10000.0), ("1e4Nm3", "Nm3", 10000.0),
        ("GJ/1e4Nm3", "MJ/Nm3", 0.1), ("Gg", "kt", 1.0),
        ("tCO2/MWh", "kgCO2/kWh", 1.0), ("tC/TJ", "tC/GJ", 0.001), ("kg/m2/s", "kg/km2/day", 86400e6),
        ("kcal", "kJ", 4.1868), ("kcal/kg", "GJ/t", 0.0041868), ("10^4 Nm3", "Nm3", 10000.0), ("10⁴ Nm3", "1e4Nm3", 1.0),
        ("kgCF4/tAl", "t/t", 0.001), ("kgCH4/kgCOD", "1", 1.0), ("tCH4/(a*unit)", "kg/(a*台)", 1000.0), ("%", "1", 0.01),
        ("kg/头", "kg/head", 1.0), ("Nm3/min*day", "1e4Nm3", 0.144),
        ("ktCO2e", "tCO2e", 1000.0), ("元/吨", "万元/万吨", 1.0), ("W/kW", "1", 0.001), ("percent", "1", 0.01),
        ("short_ton", "t", 0.90718474), ("bbl", "liter", 158.987294928), ("barrel", "bbl", 1.0),
    ],
)  # fmt: skip
def test_known_conversions_are_exact(given_: str, wanted: str, expected: float) -> None:
    assert factor(given_, wanted) == expected


@pytest.mark.parametrize(("given_", "wanted"), [("kWh", "t"), ("Nm3", "m3"), ("元", "USD"), ("万吨", "万千瓦时")])
def test_units_of_different_things_are_refused_by_name(given_: str, wanted: str) -> None:
    with pytest.raises(UserError, match="does not convert") as caught:
        factor(given_, wanted)
    assert repr(given_) in str(caught.value) and repr(wanted) in str(caught.value)


@pytest.mark.parametrize("doubtful", ["ton", "tons", "kg/ton", "mt", "万ton"])
def test_a_word_that_people_read_in_two_ways_is_no_unit(doubtful: str) -> None:
    with pytest.raises(UserError, match="which unit") as caught:
        factor(doubtful, doubtful)
    assert "short_ton" in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "wanted", "same"),
    [("tC/TJ", "tC/GJ", True), ("kgCO2e/kWh", "tCO2/MWh", True), ("kg/t", "tC/t", True), ("tC/t", "1", True),
     ("tCO2/GJ", "tC/GJ", False), ("tC/GJ", "tCO2/GJ", False), ("kgC/GJ", "t/GJ", False), ("kgCOD", "t", True)],
)  # fmt: skip
def test_carbon_is_told_from_co2_though_both_are_mass(given_: str, wanted: str, same: bool) -> None:
    assert same_matter(given_, wanted) is same


def test_a_scale_with_a_zero_of_its_own_is_told_from_nonsense() -> None:
    with pytest.raises(UserError, match="a zero of its own") as caught:
        factor("degC", "K")
    assert "`derive`" in str(caught.value)


@pytest.mark.parametrize("nonsense", ["foo", "万foo", "斛", "t//", "(", "1e4"])
def test_a_text_that_is_no_unit_is_refused(nonsense: str) -> None:
    with pytest.raises(UserError, match=r"(nobody knows|does not convert)"):
        factor(nonsense, "kWh")


@given(st.sampled_from(sorted(COUNTS)), st.sampled_from(sorted(NAMES)))
def test_a_count_before_a_name_multiplies(count: str, name: str) -> None:
    if count + name in NAMES:  # 千米, 千克 are names of their own and mean the same
        assert factor(count + name, name) == pytest.approx(COUNTS[count])
    else:
        assert factor(count + name, name) == COUNTS[count]


def test_quantities_multiply_to_tonnes() -> None:
    carbon = quantity(2.0, "1e4Nm3") * quantity(389.31, "GJ/1e4Nm3") * quantity(0.0153, "tC/GJ")
    assert carbon.to("t").magnitude == pytest.approx(2 * 389.31 * 0.0153, rel=1e-15)
    assert (quantity(1.0, "万千瓦时") * quantity(0.5366, "tCO2/MWh")).to("t").magnitude == pytest.approx(5.366, rel=1e-15)


def test_every_conversion_that_a_contract_declares_is_possible() -> None:
    declared = [(column.unit_from, str(column.unit)) for one in contracts().values()
                for column in one.columns.values() if isinstance(column.unit_from, str)]  # fmt: skip
    assert declared
    assert all(factor(given_, wanted) > 0 for given_, wanted in declared)


def test_builds_at_once_share_one_registry() -> None:
    for known in (units._made, units._parsed, units._factor):  # what was read by one registry does not mix with another
        known.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        registries = list(pool.map(lambda _: units._registry(), range(4)))
    assert len({id(one) for one in registries}) == 1
