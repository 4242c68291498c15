"""Feedback: what came is held to what would have been forecast, logged once, and moves the next weights."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from shop import Shop, ToolError, demo
from shop import schema as t
from tools.demand.contest import Contest
from tools.demand.feedback import last_review, review
from tools.demand.methods import Methods, logged_weights, moved
from tools.demand.series import CLASSES


def test_logged_weights_pull_the_contest_halfway_and_leave_a_single_winner_alone() -> None:
    weights = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]])
    contest = Contest(("a", "b"), np.ones((3, 2)), weights, np.ones(3))
    logged = {"smooth": {"a": 0.9, "b": 0.1}, "intermittent": {"b": 1.0}}
    after = moved(Methods(12, contest, {}, (), 9), logged).contest.weights
    np.testing.assert_allclose(after, [[0.7, 0.3], [1, 0], [0.5, 0.5]])


def test_a_shop_without_history_says_what_is_missing(empty_shop: Shop) -> None:
    with pytest.raises(ToolError, match="no sales yet"):
        review(empty_shop)
    with pytest.raises(ToolError, match="1 to 12"):
        review(empty_shop, 30)


@pytest.mark.slow
def test_the_last_weeks_are_logged_once_and_reach_the_next_forecast(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    shop = Shop.open(url)
    assert last_review(shop) == (None, ())
    state = shop.fingerprint
    found = review(shop, 4)
    assert set(found.by_kind) <= set(CLASSES)
    for feedback in found.by_kind.values():
        assert sum(feedback.after.values()) == pytest.approx(1)
        best = min(feedback.errors, key=feedback.errors.__getitem__)
        worst = max(feedback.errors, key=feedback.errors.__getitem__)
        ratio = {name: feedback.after[name] / max(feedback.before[name], 1e-9) for name in (best, worst)}
        assert ratio[best] >= ratio[worst]
    with shop.engine.connect() as connection:
        rows = connection.execute(select(func.count()).select_from(t.forecast_errors)).scalar_one()
    assert rows == sum(4 * len(f.errors) for f in found.by_kind.values())
    assert shop.fingerprint != state  # so that the next forecast learns with it
    assert last_review(shop)[0] == found.weeks[-1]
    assert set(logged_weights(shop)) == set(found.by_kind)
    assert logged_weights(shop.as_of(found.weeks[0])) == {}
    review(shop, 4)
    with shop.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(t.forecast_errors)).scalar_one() == rows
