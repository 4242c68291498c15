"""The desk's bench: goals are judged as they are meant, sliders are moved to places they have, a crowd sees itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert

from benchmarks import app
from benchmarks.app_browser import values_of
from benchmarks.app_clients import Chat
from shop import Shop
from shop import schema as t
from ui.levers import Lever


def test_a_goal_is_met_at_its_limit_and_missed_where_nothing_was_seen() -> None:
    parts = {"p50": 0.5, "p95": 0.95}
    met, missed = app._quantiles("slider", [0.4] * 9 + [0.9], parts, {"how": "price"})
    assert (met.value, met.extra["goal"], met.extra["met"]) == (pytest.approx(0.4), 0.5, True)
    assert missed.value == pytest.approx(0.675)
    assert missed.extra == {"how": "price", "goal": 0.5, "met": False}
    assert [each.extra["met"] for each in app._quantiles("first_token", [], parts, {})] == [False, False]
    assert "goal" not in app._quantiles("answer", [1.0], parts, {})[0].extra


def test_errors_and_cross_talk_are_added_up() -> None:
    told = {r.metric: r for r in app._told("together", [Chat("a", [0.5], [1.0]), Chat("b", errors=1, foreign=2)])}
    assert told["first_token_seconds_p50"].value == 0.5
    assert (told["errors"].value, told["errors"].extra["met"]) == (1.0, False)
    assert told["cross_talk"].value == 2.0


def test_a_slider_is_moved_to_values_of_its_own_that_differ() -> None:
    lever = Lever("price", 20.0, 10.0, 32.0, 0.5)
    values = values_of(lever, 15)
    assert len(values) == len(set(values)) >= 13
    assert all(10.0 < value < 32.0 and value * 2 == int(value * 2) and value != 20.0 for value in values)


@pytest.mark.slow
def test_a_crowd_in_another_process_is_answered_without_error_or_cross_talk(empty_shop: Shop, tmp_path: Path) -> None:
    with empty_shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Old kettle"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 10, 31), units=1))
    found = app.main(empty_shop, tmp_path, chats=3, turns=2, visits=0, browser=False)
    by = {(row["metric"], row.get("how")): row for row in found["results"]}
    assert by[("first_token_seconds_p50", "together")]["n"] == 6
    assert by[("errors", "together")]["met"]
    assert by[("cross_talk", "together")]["met"]
    assert by[("threads_kept_by_their_owner", None)]["value"] == 1.0
