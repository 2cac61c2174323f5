"""Drawing agrees with error propagation where that holds, and tells more where lines share a factor."""

from __future__ import annotations

from math import hypot

import pytest

from models.monte_carlo import Drawn, Line, monte_carlo
from models.uncertainty import product, total
from schemas.errors import UserError


def _line(factor: str, activity: str, quantity: float = 1000.0, of_factor: float = 5.0, of_activity: float = 3.0) -> Line:
    return ("purchased_heat", 1.0, {"ad": Drawn(activity, quantity, of_activity), "ef": Drawn(factor, 0.11, of_factor)})


def test_one_line_agrees_with_the_propagation_of_a_product() -> None:
    drawn = monte_carlo([_line("f", "a")], draws=200_000, seed=7)
    assert drawn.mean == pytest.approx(110, rel=1e-3)
    assert drawn.percent == pytest.approx(product((5, 3)), rel=0.01)


def test_lines_of_factors_of_their_own_agree_with_the_propagation_of_a_sum() -> None:
    lines = [_line("f1", "a1"), _line("f2", "a2", 500, 10, 0)]
    drawn = monte_carlo(lines, draws=200_000, seed=7)
    assert drawn.percent == pytest.approx(total([(110, product((5, 3))), (55, 10)]), rel=0.01)


def test_lines_that_share_a_factor_are_less_sure_than_propagation_says() -> None:
    drawn = monte_carlo([_line("f", f"a{n}", of_activity=0) for n in range(9)], draws=50_000, seed=7)
    assert drawn.percent == pytest.approx(5, rel=0.02)
    assert total([(110, 5)] * 9) == pytest.approx(5 / 3)


def test_the_same_seed_gives_the_same_and_another_seed_another() -> None:
    one, same, other = (monte_carlo([_line("f", "a")], 1000, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert (one.draws, one.seed) == (1000, 1)


def test_a_wide_uncertainty_is_never_negative() -> None:
    drawn = monte_carlo([_line("f", "a", of_factor=150, of_activity=0)], draws=20_000)
    assert 0 < drawn.low < drawn.mean < drawn.high


def test_a_quantity_that_leaves_is_drawn_with_its_sign() -> None:
    line: Line = ("steel_carbon_kept", 1.0, {"ad": Drawn("a", 100, 2), "ef": Drawn("f", 0.037, 4)})
    drawn = monte_carlo([line], draws=100_000)
    assert drawn.mean == pytest.approx(-3.7, rel=1e-3)
    assert drawn.percent == pytest.approx(hypot(2, 4), rel=0.02)


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(UserError, match="tell nothing"):
        monte_carlo([_line("f", "a")], draws=10)
