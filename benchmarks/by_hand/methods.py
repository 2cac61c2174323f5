"""What a person who accounts by hand writes down of the methods of benchmarks.data_activity, for DuckDB and for Spark."""

from __future__ import annotations

# method, activity, gas, scope, category, name of the quantity
METHODS = (
    ("aluminium_anode", "aluminium_output", "CO2", 1, "process", "al"),
    ("aluminium_cf4", "aluminium_output", "CF4", 1, "process", "ad"),
    ("aluminium_c2f6", "aluminium_output", "C2F6", 1, "process", "ad"),
    ("vehicle_ch4", "vehicle_km_diesel", "CH4", 1, "fuel_combustion", "ad"),
    ("vehicle_n2o", "vehicle_km_diesel", "N2O", 1, "fuel_combustion", "ad"),
    ("purchased_heat", "heat_purchased", "CO2", 2, "purchased_heat", "ad"),
    ("carbonate_decomposition", "carbonate_dolomite", "CO2", 1, "process", "ad"),
    ("magnesium_dolomite", "magnesium_dolomite", "CO2", 1, "process", "ad"),
)
# method, parameter, role in the library, set, unit wanted, what the library's value is multiplied by, value where it has none
PARAMETERS = (
    ("aluminium_anode", "nac", "nac", "process_铝冶炼", "tC/tAl", 1.0, None),
    ("aluminium_anode", "s", "sulphur", "process_铝冶炼", "1", 0.01, None),
    ("aluminium_anode", "a", "ash", "process_铝冶炼", "1", 0.01, None),
    ("aluminium_cf4", "ef", "ef", "process_铝冶炼", "t/t", 0.001, None),
    ("aluminium_c2f6", "ef", "ef", "process_铝冶炼", "t/t", 0.001, None),
    ("vehicle_ch4", "ef", "ef", "process_交通", "t/km", 1e-9, None),
    ("vehicle_n2o", "ef", "ef", "process_交通", "t/km", 1e-9, None),
    ("purchased_heat", "ef", "ef", "process_通用", "tCO2/GJ", 1.0, None),
    ("carbonate_decomposition", "ef", "ef", "process_通用碳酸盐", "tCO2/t", 1.0, None),
    ("carbonate_decomposition", "purity", "purity", "process_通用碳酸盐", "1", 1.0, 1.0),
    ("carbonate_decomposition", "conversion", "conversion", "process_通用碳酸盐", "1", 1.0, 1.0),
    ("magnesium_dolomite", "ef", "ef", "process_镁冶炼", "tCO2/t", 1.0, None),
    ("magnesium_dolomite", "purity", "purity", "process_镁冶炼", "1", 1.0, 0.98),
)
# Tonnes of gas for one of the quantity: nac × (1 − s − a) × 44/12 of anodes, else purity × conversion × ef.
COEFFICIENT = "coalesce(nac * (1 - s - a) * (cast(44.0 as double) / 12), coalesce(purity, 1) * coalesce(conversion, 1) * ef)"
NEGATIVE = "correct the quantity at its source: what leaves is an activity of its own"


def parameters(gwp: str) -> tuple[tuple[object, ...], ...]:
    """Return the parameters of all methods, with the potentials of a GWP set."""
    return (*PARAMETERS, *((method, "gwp", "gwp", gwp, "1", 1.0, None) for method, *_ in METHODS))


def values(rows: tuple[tuple[object, ...], ...]) -> str:
    """Return rows as SQL that both engines read; numbers with a fraction are doubles."""
    return ", ".join(f"({', '.join(_literal(value) for value in row)})" for row in rows)


def _literal(value: object) -> str:
    if value is None:
        return "cast(null as double)"
    return f"cast({value!r} as double)" if isinstance(value, float) else f"'{value}'" if isinstance(value, str) else str(value)
