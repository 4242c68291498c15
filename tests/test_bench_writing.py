"""How texts are judged by the writing benchmark."""

from __future__ import annotations

import pytest

from benchmarks.writing import Written, distinct, rates


def test_distinct_runs_are_counted_over_all_texts() -> None:
    assert distinct(iter(["a b c", "a b d"])) == pytest.approx(3 / 4)
    assert distinct(iter(["三个月", "三个月"])) == pytest.approx(2 / 4)
    assert distinct(iter([])) == 0.0


def test_rates_are_by_task_writer_and_language() -> None:
    found = [
        Written("section buy", "en", "plain", "D-1", "a b"),
        Written("section price", "zh", "plain", "D-1", "三个", ("a number of its own",)),
        Written("copy", "en", "plain", "K-1", "a b", seconds=2.0),
    ]
    valid = {(r.extra["task"], r.extra["lang"]): r.value for r in rates(found) if r.metric == "valid_at_first_try"}
    assert valid == {
        ("section", "both"): 0.5,
        ("section", "en"): 1.0,
        ("section", "zh"): 0.0,
        ("copy", "both"): 1.0,
        ("copy", "en"): 1.0,
    }
