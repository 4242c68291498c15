"""Life cycles: curves of known stage, survival against a textbook, and the tool on the demo shop."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agent.ledger import bare_numbers
from shop import Actor, Shop, ToolError, ToolResult
from tools.demand.panel import Panel
from tools.lifecycle import lifecycle_stage
from tools.lifecycle.shapes import even_shapes, learn_shapes
from tools.lifecycle.stages import STAGES, StageView, bass_fit, bass_share, view_stage, weeks_since_change
from tools.lifecycle.survival import decline_start, halving_model, halving_rows, survival_curve, weeks_left
from tools.registry import bind


def life(weeks: int, seed: int = 0, level: float = 60.0) -> np.ndarray:
    """Ten weeks of climb, forty of plateau, then six per cent less every week."""
    week = np.arange(1, weeks + 1)
    mean = level * np.minimum(week / 10, 1.0) * np.where(week > 50, 0.94 ** (week - 50), 1.0)
    return np.random.default_rng(seed).poisson(mean).astype(float)


@pytest.mark.parametrize(("weeks", "stage"), [(3, "introduction"), (8, "growth"), (40, "maturity"), (72, "decline")])
def test_a_plain_life_is_read_right_at_every_stage(weeks: int, stage: str) -> None:
    others = [life(int(n), seed) for seed, n in enumerate(np.random.default_rng(3).integers(3, 90, 80))]
    shapes = learn_shapes(others, from_launch=True)
    said = [view_stage(life(weeks, seed), True, shapes) for seed in range(100, 120)]
    assert all(view.probabilities.sum() == pytest.approx(1) for view in said)
    near = {stage, "growth"} if stage == "introduction" else {stage}
    assert np.mean([view.stage in near for view in said]) >= 0.7


def test_a_shop_of_short_lives_teaches_that_lives_are_short() -> None:
    week = np.arange(1, 41)
    rng = np.random.default_rng(4)
    short = 50 * np.where(week > 8, 0.5 ** ((week - 8) / 4), 1.0)
    shapes = learn_shapes([rng.poisson(short).astype(float) for _ in range(60)], True)
    assert shapes.weight.sum() == pytest.approx(1)
    assert shapes.common.sum() == pytest.approx(1)
    young = rng.poisson(short[:11]).astype(float)
    taught, even = shapes.path(young)[-1], even_shapes(40, True).path(young)[-1]
    assert taught[STAGES.index("decline")] > even[STAGES.index("decline")]


def test_the_posterior_over_shapes_is_the_naive_product() -> None:
    demand = life(30, 5)
    shapes = even_shapes(30, True)
    naive = []
    for level in shapes.level:
        root, y = np.sqrt(level), np.sqrt(demand)
        height = (root * y).sum() / (root * root).sum()
        left = sum((y - height * root) ** 2)
        naive.append(((0.25 * left + 3 * 0.4) / (0.25 * 30 + 3)) ** (-(0.25 * 30 + 3) / 2))
    np.testing.assert_allclose(shapes.posterior(demand), np.array(naive) / sum(naive), rtol=1e-8)


def test_a_rare_stage_is_named_where_it_stands_out() -> None:
    view = StageView(np.array([[0.02, 0.3, 0.6, 0.08]]), np.array([0.02, 0.03, 0.75, 0.2]))
    assert view.stage == "growth"
    assert StageView(view.path, np.full(4, 0.25)).stage == "maturity"


def test_probabilities_of_decline_rise_along_a_decline() -> None:
    path = [view_stage(life(weeks), True).probabilities[STAGES.index("decline")] for weeks in (45, 58, 75)]
    assert path[0] < path[1] < path[2]


def test_too_few_weeks_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        view_stage(np.array([3.0, 4.0]), True)


def test_ruptures_finds_the_week_of_a_step() -> None:
    rng = np.random.default_rng(1)
    demand = np.concatenate([rng.poisson(50, 40), rng.poisson(15, 12)]).astype(float)
    assert weeks_since_change(demand) == pytest.approx(12, abs=2)
    assert weeks_since_change(rng.poisson(50, 60).astype(float)) is None


def test_bass_parameters_come_back_from_their_own_curve() -> None:
    week = np.arange(1, 60, dtype=float)
    sold = 5000 * (bass_share(week, 0.02, 0.25) - bass_share(week - 1, 0.02, 0.25))
    fitted = bass_fit(sold)
    assert fitted is not None
    np.testing.assert_allclose(fitted, [5000, 0.02, 0.25], rtol=1e-3)
    # Bass: the peak lies at ln(q/p)/(p+q).
    fine = np.arange(0, 40, 0.01)
    rate = np.gradient(bass_share(fine, 0.03, 0.38), fine)
    assert fine[rate.argmax()] == pytest.approx(np.log(0.38 / 0.03) / 0.41, abs=0.02)


def test_survival_follows_kaplan_and_meier() -> None:
    # Five lives: ends at 2, 4 and 4, still alive at 3 and 5: 4/5, then 4/5 · 1/3.
    alive = survival_curve(np.array([2, 3, 4, 4, 5]), np.array([True, False, True, True, False]))
    np.testing.assert_allclose(alive, [1, 1, 0.8, 0.8, 0.8 / 3, 0.8 / 3])
    assert weeks_left(alive, 0, 0.5) == 4
    assert weeks_left(alive, 3, 0.5) == 1
    assert weeks_left(alive, 4, 0.5) is None


def test_decline_starts_where_it_stays() -> None:
    path = np.zeros((12, 4))
    path[:, 2] = 0.6
    path[3, 3] = 0.9
    path[8:, 3] = 0.9
    assert decline_start(path) == 8
    assert decline_start(path[:8]) is None


def test_the_halving_model_ranks_dying_products_first() -> None:
    rng = np.random.default_rng(2)
    fates = rng.random(200) < 0.4
    week = np.arange(60)
    starts = rng.integers(10, 40, 200)
    fall = np.where(fates[:, None], np.exp(-0.12 * np.maximum(week[None, :] - starts[:, None], 0)), 1.0)
    units = rng.poisson(40 * fall).astype(float)
    starts_at = pd.date_range("2024-01-01", periods=60, freq="7D")
    panel = Panel(
        tuple(map(str, range(200))), starts_at, units, np.full(units.shape, 5.0), np.zeros(units.shape), "week"
    )
    model = halving_model(panel.until(48))
    assert model is not None
    features, halved, rows = halving_rows(panel, 48)
    chance = model.predict_proba(features)[:, 1]
    assert len(rows) == len(halved)
    assert chance[halved].mean() > chance[~halved].mean() + 0.2


def run(shop: Shop, **arguments: Any) -> ToolResult:
    return bind([lifecycle_stage], shop, Actor(role="manager"))["lifecycle_stage"](**arguments)


def test_the_tool_answers_for_a_product_and_for_a_category_without_bare_numbers(demo_shop: Shop) -> None:
    sold = demo_shop.daily().groupby("sku")["units"].sum()
    one = run(demo_shop, product=str(sold.idxmax()))
    figures = {figure.id: figure.value for figure in one.figures}
    assert sum(float(figures[f"life.p_{stage}"]) for stage in STAGES) == pytest.approx(1)  # type: ignore[arg-type]
    every = run(demo_shop)
    for result in (one, every):
        cells = [cell for table in result.tables for row in (*table.rows, table.columns) for cell in row]
        assert not any(bare_numbers(text) for text in (result.summary, *result.warnings, *cells))


def test_a_draft_has_no_life_yet(empty_shop: Shop) -> None:
    shop = empty_shop.as_of(date(2026, 1, 1))
    shop.add_draft("Kettle")
    with pytest.raises(ToolError, match="draft"):
        run(shop, product="D-0001")
