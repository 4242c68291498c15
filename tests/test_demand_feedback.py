"""Feedback: what came is held to what would have been forecast, logged once, and moves the next weights."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from shop import Shop, ToolError, demo
from shop import schema as t
from tools.demand.contest import Contest
from tools.demand.drift import Feedback
from tools.demand.feedback import Review, last_review, review
from tools.demand.methods import Methods, logged_weights, moved
from tools.demand.series import CLASSES
from ui.feedback import as_json, as_text


def test_logged_weights_pull_the_contest_halfway_and_leave_a_single_winner_alone() -> None:
    weights = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]])
    contest = Contest(("a", "b"), np.ones((3, 2)), weights, np.ones(3))
    logged = {"smooth": {"a": 0.9, "b": 0.1}, "intermittent": {"b": 1.0}}
    after = moved(Methods(12, contest, {}, (), 9), logged).contest.weights
    np.testing.assert_allclose(after, [[0.7, 0.3], [1, 0], [0.5, 0.5]])


def test_the_report_says_errors_weights_shifts_and_drift_in_words_and_as_values() -> None:
    taken = Feedback({"theta": 0.5, "ets": 0.7}, {"theta": 0.5, "ets": 0.5}, {"theta": 0.6, "ets": 0.4})
    days = (date(2026, 3, 2), date(2026, 3, 9))
    found = Review(days, {"smooth": taken}, {"smooth": 12}, {"price over the usual": 0.31}, {"smooth: ets": 9})
    lines = as_text(found).splitlines()
    assert lines[0] == "Weeks taken in: 2026-03-02 to 2026-03-09 (first days)"
    assert lines[1] == "smooth, 12 series"
    assert [line.split() for line in lines[3:5]] == [
        ["theta", "0.500", "0.500", "0.600"],
        ["ets", "0.700", "0.500", "0.400"],
    ]
    text = "\n".join(lines[5:])
    for said in ("theta was closest", "theta counts more", "ets counts less", "0.310", "errors of smooth: ets drifted"):
        assert said in text
    plain = as_json(found)
    assert json.loads(json.dumps(plain)) == {
        "weeks": ["2026-03-02", "2026-03-09"],
        "kinds": {
            "smooth": {
                "series": 12,
                "errors": taken.errors,
                "before": taken.before,
                "after": taken.after,
                "says": list(taken.lines()),
            }
        },
        "stability_index": {"price over the usual": 0.31},
        "drifted": {"smooth: ets": 9},
    }


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
