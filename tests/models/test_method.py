"""A method that is wrong is refused when it is loaded, with its file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.method import methods
from schemas.errors import UserError

GOOD = """
title: Lime
title_zh: 石灰
standard: Provincial guide
clause: "2"
version: "2011"
valid_from: 2011-01-01
activities: [clinker_output]
inputs:
  ad: {from: activity, unit: t}
  ef: {from: factor, unit: tCO2/t}
formula: activity_factor
gas: CO2
scope: 1
category: process
book: enterprise
factor_set: provincial
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the methods' folder of a user's own project laid over ours."""
    monkeypatch.setenv("CARBONLAKE_PROJECT", str(tmp_path))
    folder = tmp_path / "models/methods"
    folder.mkdir(parents=True)
    return folder


def _place(folder: Path, body: str, own: str = "") -> None:
    (folder / "lime.yaml").write_text(body, encoding="utf-8")
    if own:
        (folder / "lime.py").write_text(own, encoding="utf-8")


def test_a_method_of_a_project_stands_beside_ours(project: Path) -> None:
    _place(project, GOOD)
    assert methods()["lime"].mass({"ad": 2, "ef": 0.683}) == pytest.approx(1.366)
    assert "fuel_combustion" in methods()


def test_a_formula_of_its_own_comes_before_the_stock(project: Path) -> None:
    own = "def activity_factor(ad, ef):\n    return ad * ef * 0.5 * 2\n\n\ndef other(ad, ef):\n    return ad\n"
    _place(project, GOOD, own)
    assert methods()["lime"].mass({"ad": 3, "ef": 1}) == 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scope: 1", "scope: 7", "scope"),
        ("category: process", "categorie: process", "did you mean 'category'"),
        ("unit: tCO2/t}", "unit: tCO2/GJ}", "ad [t], ef [tCO2/GJ] don't reduce to a mass of CO2"),
        ("unit: t}", "unit: kg}", "one of each unit makes 0.001 t by units, 1 t by the formula"),
        ("unit: t}", "unit: tonnes_of_joy}", "nobody knows the unit"),
        ("formula: activity_factor", "formula: steam_heat", "takes t, h, h0, given are ad, ef"),
        ("formula: activity_factor", "formula: activty_factor", "there is no 'activty_factor'"),
        ("[clinker_output]", "[klinker]", "'klinker' is not in the code list 'activity'"),
        ("gas: CO2", "gas: CO3", "'CO3' is not in the code list 'gas'"),
        ("ef: {from: factor", "ef: {from: activity", "exactly one is `from: activity`"),
        ("factor_set: provincial", "", "factor_set: this key is missing"),
        ("clause: \"2\"", "", "clause: this key is missing"),
        ("unit: tCO2/t}", "unit: tCO2/t, default: 1}", "`default` and `default_source`"),
        ("unit: tCO2/t}", "unit: tCO2/t, default: .nan, default_source: s}", "default: nan is no number"),
        ("unit: t}", "unit: t, sets: [x]}", "the quantity of the activity has neither"),
        ("unit: tCO2/t}", "unit: tCO2/t, sets: [x]}", "ef mixes sets without a `note`"),
        ("factor_set: provincial", "factor_set: a\nfactor_sets: [a, b]", "give one of the two"),
        ("gas: CO2", "gas: CO2\nindustries: [\"00\"]", "'00' is not in the code list 'industry'"),
        ("gas: CO2", "gas: CO2\nnot_industries: [\"00\"]", "'00' is not in the code list 'industry'"),
        ("gas: CO2", "gas: CO2\nfamily: guess", "family"),
        ("gas: CO2", "gas: CO2\ninstead_of: [lime]", "there is no other method 'lime'"),
        ("book: enterprise", "book: other\ninstead_of: [fuel_combustion]", "is of book enterprise"),
        ("  ef: {from: factor, unit: tCO2/t}\nformula: activity_factor", "formula: activity_factor", "add ef"),
    ],
)  # fmt: skip
def test_a_wrong_method_is_refused_by_file_and_key(project: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    _place(project, GOOD.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        methods()
    assert message in str(caught.value), str(caught.value)
    assert "models/methods/lime" in str(caught.value)


def test_a_formula_that_is_not_proportional_to_the_quantity_is_refused(project: Path) -> None:
    inputs = """  mwh: {from: activity, unit: MWh}
  ef: {from: factor, unit: tCO2/MWh}
  green_mwh: {from: factor, unit: MWh}
formula: purchased_electricity
"""
    start, end = GOOD.index("  ad:"), GOOD.index("gas:")
    _place(project, GOOD[:start] + inputs + GOOD[end:])
    with pytest.raises(UserError, match="isn't proportional to mwh") as caught:
        methods()
    assert "a method of each stream" in str(caught.value.remedy)


STEAM = """  ad: {from: activity, unit: t}
  h: {from: factor, unit: kJ/kg}
  h0: {from: factor, unit: kJ/kg}
  ef: {from: factor, unit: tCO2/GJ}
formula: bought_steam
"""


def test_both_terms_of_a_difference_have_their_units_checked(project: Path) -> None:
    """One less one is nought in any unit, so that of ones GJ/t and kJ/kg look alike."""
    start, end = GOOD.index("  ad:"), GOOD.index("gas:")
    _place(project, GOOD[:start] + STEAM + GOOD[end:])
    with pytest.raises(UserError, match=r"h = 0\.57, h0 = 0\.64, ef = 0\.71 makes"):
        methods()
    _place(project, GOOD[:start] + STEAM.replace("kJ/kg", "GJ/t") + GOOD[end:])
    assert methods()["lime"].mass({"ad": 2, "h": 3, "h0": 1, "ef": 0.5}) == 2


@pytest.mark.parametrize(
    ("activity", "industry", "applying"),
    [("coal_tar_output", "3110", []), ("coal_tar_output", "2521", ["coking_carbon_out"]),
     ("flare_gas", "0610", ["flare_co2"]), ("flare_gas", "0710", ["flare_ch4", "flare_co2"]),
     ("vehicle_km_diesel", "3011", []), ("electricity_exported", "4411", []), ("steam_purchased", "4420", []),
     ("heat_purchased", "4411", []), ("heat_purchased", "4430", ["purchased_heat"]),
     ("limestone_consumed", "3011", []), ("limestone_consumed", "3120", ["steel_process"]),
     ("electricity_sold", "4411", []), ("electricity_sold", "4420", ["grid_loss_out"])],
)  # fmt: skip
def test_what_a_guide_counts_elsewhere_is_not_counted_by_that_of_another_industry(
    activity: str, industry: str, applying: list[str]
) -> None:
    """Limestone of cement is in its clinker (GB/T 32151.8), what a plant sells is no loss of the grid (GB/T 32151.2)."""
    found = [one for one in methods().values() if activity in one.activities and one.book == "enterprise"]
    within = [one for one in found if not one.industries or industry.startswith(one.industries)]
    assert sorted(one.id for one in within if not industry.startswith(one.not_industries or ("-",))) == applying


@pytest.mark.parametrize(("code", "since"), [("GB/T 32150-2015", "2016-06-01"), ("GB/T 32151.8-2015", "2016-06-01"),
                                             ("GB/T 32151.11-2018", "2019-04-01"), ("HJ 75-2017", "2018-03-01")])  # fmt: skip
def test_no_method_applies_before_its_standard_was_in_force(code: str, since: str) -> None:
    citing = [one for one in methods().values() if one.standard == code]
    assert citing and {str(one.valid_from) for one in citing} == {since}
