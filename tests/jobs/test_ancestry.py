"""Where tables and columns come from and go to, in the lake of the demo."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from jobs.ancestry import ancestry
from jobs.lake import Lake
from schemas.errors import UserError

EMITTED = "business.emission_year"


def test_a_table_comes_from_all_above_it_and_goes_into_all_below(demo_lake: Path) -> None:
    found = ancestry(Lake(str(demo_lake)), EMITTED, None, up=True, down=True)
    above = {name for edge in found.above for name in edge}
    assert {"business.emission", "thematic.activity", "knowledge.factor", "cleaned.building_meter_hour"} <= above
    assert "cleaned.owid_co2" not in above
    assert found.below == {(EMITTED, "index.emission_cube")}


def test_a_column_goes_up_to_the_headers_of_deliveries(demo_lake: Path) -> None:
    found = ancestry(Lake(str(demo_lake)), EMITTED, "emission_tco2e", up=True, down=False)
    above = {name for edge in found.above for name in edge}
    assert "deliveries.enterprise_energy_month.外购电量(万千瓦时)" in above
    assert "deliveries.building_meter_hour.non_shiftable_load" in above
    assert not any(name.endswith(".solar_w_per_kw") for name in above)
    assert found.below == frozenset()


def test_the_picture_names_every_neighbour(demo_lake: Path) -> None:
    found = ancestry(Lake(str(demo_lake)), EMITTED, None, up=True, down=True)
    drawn = {title.text for title in ElementTree.fromstring(found.as_svg()).iter("{http://www.w3.org/2000/svg}title")}
    assert drawn == {name for edge in found.above | found.below for name in edge}


def test_the_committed_picture_is_what_the_lake_draws(demo_lake: Path) -> None:
    found = ancestry(Lake(str(demo_lake)), EMITTED, None, up=True, down=True)
    committed = Path(__file__).parents[2] / "docs" / "pictures" / "lineage.svg"
    assert committed.read_text(encoding="utf-8") == found.as_svg()


def test_a_column_that_is_not_there_and_a_lake_without_builds_say_so(demo_lake: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no column 'kwh'"):
        ancestry(Lake(str(demo_lake)), EMITTED, "kwh", up=True, down=True)
    with pytest.raises(UserError, match="nothing was built yet"):
        ancestry(Lake(str(tmp_path / "lake")).init(), EMITTED, "emission_tco2e", up=True, down=True)
