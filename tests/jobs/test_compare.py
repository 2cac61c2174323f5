"""A change is split into effects, each shown alone with figures worked by hand, and any mixture adds up to the change."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import comparing
from jobs.compare import EFFECTS, split

Row = Mapping[str, Any]
GWP = {"CO2": 1.0, "CH4": 28.0}
# 100 t of coal at 2 t of CO2 each.
LINE: dict[str, Any] = {
    "line_id": "a1|m|CO2", "activity_id": "a1", "method_id": "m", "book": "enterprise", "date": "2024-01-01", "subject_id": "s",
    "category": "fuel", "scope": 1, "gas": "CO2", "activity_code": "coal", "mass_t": 200, "emission_tco2e": 200, "gwp_set": "AR5",
    "quantity": 100, "unit": "t", "region_code": "110000", "industry_code": "44", "version": "1",
}  # fmt: skip
METHANE = {"gas": "CH4", "line_id": "a1|m|CH4", "mass_t": 10, "emission_tco2e": 280}
TABLES = {
    "emission": """line_id varchar, activity_id varchar, method_id varchar, book varchar, date date, subject_id varchar,
        category varchar, scope int, gas varchar, activity_code varchar, mass_t decimal(28,6), emission_tco2e decimal(28,6),
        gwp_set varchar""",
    "activity": "activity_id varchar, quantity decimal(28,6), unit varchar",
    "subject": "subject_id varchar, region_code varchar, industry_code varchar",
    "factor": "factor_set varchar, gas varchar, role varchar, value double",
    "method": "method_id varchar, version varchar",
    "unresolved": "activity_id varchar, method_id varchar",
}  # fmt: skip


def compared(before: list[Row], after: list[Row], *by: str, extra: Mapping[str, list[Row]] | None = None) -> list[dict[str, Any]]:
    """Split the change from some lines to others; `extra` holds further rows of tables, such as a_unresolved."""
    with duckdb.connect() as duck:
        for letter, rows in (("a", before), ("b", after)):
            _side(duck, letter, [{**LINE, **row} for row in rows], extra or {})
            names = {table: [part.split()[0] for part in text.split(",")] for table, text in TABLES.items()}
            duck.execute(comparing.lines(letter, names["emission"], names["subject"], names["method"]))
        return split(duck, by)


def _side(duck: duckdb.DuckDBPyConnection, letter: str, lines: list[dict[str, Any]], extra: Mapping[str, list[Row]]) -> None:
    potentials = [{"factor_set": set_, "gas": gas, "role": "gwp", "value": value * (1 if gas == "CO2" else times)}
                  for set_, times in (("AR5", 1), ("AR6", 1.25)) for gas, value in GWP.items()]  # fmt: skip
    rows: dict[str, list[Any]] = {
        "emission": lines,
        "activity": list({row["activity_id"]: row for row in lines}.values()),
        "subject": list({row["subject_id"]: row for row in lines}.values()),
        "factor": potentials,
        "method": list({row["method_id"]: row for row in lines}.values()),
        "unresolved": [],
    }  # fmt: skip
    for table, text in TABLES.items():
        names = [part.split()[0] for part in text.replace("decimal(28,6)", "decimal").split(",")]
        duck.execute(f"create table {letter}_{table} ({text})")
        for row in [*rows[table], *extra.get(f"{letter}_{table}", [])]:
            values = [row[name] for name in names]
            duck.execute(f"insert into {letter}_{table} values ({', '.join('?' for _ in values)})", values)


def effects(rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Return the effects of the one group that are not zero, and hold the sum to the change."""
    (row,) = rows
    exact(rows)
    return {name: row[name] for name in EFFECTS if row[name]}


def exact(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert sum(row[name] for name in EFFECTS) == row["change"] == row["after"] - row["before"]


def test_more_activity_at_the_same_factors() -> None:
    after = {"quantity": 150, "mass_t": 300, "emission_tco2e": 300}
    assert effects(compared([{}], [after])) == {"activity": 100}


def test_another_factor_for_the_same_activity() -> None:
    assert effects(compared([{}], [{"mass_t": 250, "emission_tco2e": 250}])) == {"factor": 50}


def test_the_quantity_counts_at_the_old_factor_and_the_factor_at_the_new_quantity() -> None:
    """100 t × 2 → 150 t × 3: 50 × 2 of activity, then 150 × 1 of the factor."""
    after = {"quantity": 150, "mass_t": 450, "emission_tco2e": 450}
    assert effects(compared([{}], [after])) == {"activity": 100, "factor": 150}


def test_another_potential_for_the_same_gas() -> None:
    """10 t of methane: 28 → 35."""
    after = {**METHANE, "emission_tco2e": 350, "gwp_set": "AR6"}
    assert effects(compared([METHANE], [after])) == {"gwp": 70}


def test_all_three_one_after_the_other() -> None:
    """10 t → 15 t by activity at 28: 140; 15 t → 18 t by the factor at 28: 84; 18 t at 35 instead of 28: 126."""
    after = {**METHANE, "quantity": 150, "mass_t": 18, "emission_tco2e": 630, "gwp_set": "AR6"}
    assert effects(compared([METHANE], [after])) == {"activity": 140, "factor": 84, "gwp": 126}


def test_the_same_quantity_in_another_unit_is_no_change_of_activity() -> None:
    assert effects(compared([{}], [{"quantity": 100000, "unit": "kg", "mass_t": 210, "emission_tco2e": 210}])) == {"factor": 10}


def test_rounding_of_stored_figures_is_no_effect() -> None:
    """A third of a kilogram at 28 and at 35, each fixed to the sixth digit."""
    before = {**METHANE, "mass_t": "0.000333", "emission_tco2e": "0.009333"}
    after = {**before, "gwp_set": "AR6", "emission_tco2e": "0.011667"}
    assert effects(compared([before], [after])) == {"gwp": Decimal("0.002334")}


def test_another_method_for_the_same_activity_counts_whole_its_factors_included() -> None:
    after = {"method_id": "n", "line_id": "a1|n|CO2", "mass_t": 260, "emission_tco2e": 260}
    assert effects(compared([{}], [after])) == {"method": 60}


def test_another_version_of_the_same_method() -> None:
    assert effects(compared([{}], [{"version": "2", "mass_t": 260, "emission_tco2e": 260}])) == {"method": 60}


def test_a_subject_on_one_side_only_is_a_change_of_boundary() -> None:
    new = {"activity_id": "a2", "line_id": "a2|m|CO2", "subject_id": "t", "emission_tco2e": 70}
    assert effects(compared([{}], [{}, new])) == {"boundary": 70}
    assert effects(compared([{}, new], [{}])) == {"boundary": -70}


def test_a_source_stream_on_one_side_only_is_a_change_of_boundary_and_a_further_month_of_one_is_activity() -> None:
    gas = {"activity_id": "a2", "line_id": "a2|m|CO2", "activity_code": "gas", "emission_tco2e": 30}
    month = {"activity_id": "a3", "line_id": "a3|m|CO2", "date": "2024-02-01", "emission_tco2e": 40}
    assert effects(compared([{}], [{}, gas, month])) == {"boundary": 30, "activity": 40}


def test_activity_that_had_no_factor_and_has_one_now_is_an_effect_of_factors() -> None:
    other = {"activity_id": "a2", "line_id": "a2|m|CO2", "subject_id": "t"}
    more: dict[str, list[Row]] = {"a_activity": [{"activity_id": "a2", "quantity": 1, "unit": "t"}],
                                  "a_unresolved": [{"activity_id": "a2", "method_id": "m"}]}  # fmt: skip
    assert effects(compared([{}], [{}, other], extra=more)) == {"factor": 200}
    del more["a_unresolved"]
    assert effects(compared([{}], [{}, other], extra=more)) == {"method": 200}


def test_a_subject_in_another_industry_moves_its_emissions_and_adds_none() -> None:
    after = {"industry_code": "31", "mass_t": 210, "emission_tco2e": 210}
    assert effects(compared([{}], [after])) == {"factor": 10}
    rows = compared([{}], [after], "industry")
    exact(rows)
    assert {row["industry_code"]: (row["code_list"], row["factor"], row["after"]) for row in rows} == {
        "44": (-200, 0, 0), "31": (200, 10, 210)}  # fmt: skip


def test_a_method_that_counts_in_another_book_now_takes_its_lines_out_of_the_one_and_into_the_other() -> None:
    after = {"book": "measured", "emission_tco2e": 210, "version": "2"}
    rows = compared([{}], [after])
    assert [(row["book"], row["method"], row["change"]) for row in rows] == [("enterprise", -200, -200), ("measured", 210, 210)]
    exact(rows)
    exact(compared([{}], [{"book": "measured"}]))


def test_books_are_never_added_up() -> None:
    rows = compared([{}, {"book": "hourly", "line_id": "h", "activity_id": "h"}], [{}])
    assert [(row["book"], row["change"]) for row in rows] == [("enterprise", 0), ("hourly", -200)]
    exact(rows)


def _named(rows: list[Row]) -> list[Row]:
    return [{**row, "line_id": f"{row['activity_id']}|{row['method_id']}|{row['gas']}"} for row in rows]


SIDES = st.lists(
    st.fixed_dictionaries({
        "activity_id": st.sampled_from("pqr"), "method_id": st.sampled_from("mn"), "gas": st.sampled_from(["CO2", "CH4"]),
        "subject_id": st.sampled_from("st"), "category": st.sampled_from(["fuel", "process"]),
        "region_code": st.sampled_from(["11", "12"]), "book": st.sampled_from(["enterprise", "measured"]),
        "gwp_set": st.sampled_from(["AR5", "AR6"]), "version": st.sampled_from("12"), "unit": st.sampled_from(["t", "kg", "kWh"]),
        "quantity": st.decimals(-1000, 1000, places=3), "mass_t": st.decimals(-1000, 1000, places=6),
        "emission_tco2e": st.decimals(-100000, 100000, places=6),
    }), max_size=5, unique_by=lambda row: (row["activity_id"], row["method_id"], row["gas"]))  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(SIDES, SIDES, st.sampled_from([(), ("subject",), ("region", "category"), ("year", "gas")]))
def test_whatever_changes_the_effects_add_up_exactly(before: list[Row], after: list[Row], by: tuple[str, ...]) -> None:
    rows = compared(_named(before), _named(after), *by)
    exact(rows)
    for name, lines in (("before", before), ("after", after)):
        assert sum(row[name] for row in rows) == sum(Decimal(line["emission_tco2e"]) for line in lines)
