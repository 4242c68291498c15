"""What every recommender must do, whatever it learns from; then splits, lists, guards and measures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tools.recommend.factors import Als, Ease, Svd, with_new_items
from tools.recommend.histories import Histories, histories
from tools.recommend.hybrid import Hybrid
from tools.recommend.measure import coverage, exposure, hits, ndcg, recall
from tools.recommend.neighbours import CoVisits, ItemNeighbours, UserNeighbours, keep_best
from tools.recommend.rank import Guards, pick, top, usual_prices, variety, with_popular, without
from tools.recommend.simple import Content, Popularity, Recommender, Repeat, describe
from tools.recommend.split import by_session, by_time, leave_last_out, unfolded

ITEMS = 30
TEXTS = ["kettle steel whistle" if i < 15 else "lamp desk light" for i in range(ITEMS - 1)] + ["kettle copper"]


def log_of(seed: int = 0, rows: int = 120) -> Histories:
    """Two tastes: even rows take items 0–14, odd ones 15–28; item 29 was never taken; low numbers are popular."""
    rng = np.random.default_rng(seed)
    row, item, time = [], [], []
    for each in range(rows):
        chances = 1 / np.arange(1, 16 - each % 2)
        for step in range(6):
            row.append(each)
            item.append(15 * (each % 2) + int(rng.choice(len(chances), p=chances / chances.sum())))
            time.append(10.0 * step + rng.random())
    return histories(np.array(row), np.array(item), np.array(time), ITEMS)


def asked_of(*items: list[int]) -> Histories:
    row = np.repeat(np.arange(len(items)), [len(each) for each in items]).astype(np.int64)
    item = np.array([one for each in items for one in each], dtype=np.int64)
    return histories(row, item, np.arange(len(item), dtype=float), ITEMS, np.full(len(items), 100.0))


MAKERS: dict[str, Callable[[], Recommender]] = {
    "popularity": Popularity,
    "content": lambda: Content(describe(TEXTS)),
    "item_neighbours": ItemNeighbours,
    "user_neighbours": UserNeighbours,
    "session_neighbours": lambda: UserNeighbours(reach=2.5, rare=1.0),
    "covisits": CoVisits,
    "next": lambda: CoVisits(directed=True),
    "svd": lambda: Svd(factors=4),
    "als": lambda: Als(factors=8),
    "ease": lambda: Ease(penalty=5.0),
    "hybrid": lambda: Hybrid(leave_last_out, describe(TEXTS)),
}
PERSONAL = [name for name in MAKERS if name != "popularity"]


@pytest.fixture(scope="module")
def fitted() -> dict[str, Recommender]:
    return {name: make().fit(log_of()) for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_scores_are_finite_and_cover_the_catalogue(name: str, fitted: dict[str, Recommender]) -> None:
    scores = fitted[name].score(asked_of([1, 2], [16]))
    assert scores.shape == (2, ITEMS)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", MAKERS)
def test_a_list_holds_no_duplicate_nothing_delisted_and_nothing_bought(
    name: str, fitted: dict[str, Recommender]
) -> None:
    asked = asked_of([1, 2, 3], [16, 17], [])
    allowed = np.ones(ITEMS, dtype=bool)
    allowed[[0, 4, 15]] = False
    lists = top(fitted[name].score(asked), ITEMS, allowed, asked.matrix())
    for row, had in enumerate(([1, 2, 3], [16, 17], [])):
        shown = [item for item in lists[row] if item >= 0]
        assert len(shown) == len(set(shown)) == ITEMS - 3 - len(had)
        assert not set(shown) & {0, 4, 15, *had}


@pytest.mark.parametrize("name", MAKERS)
def test_a_cold_customer_gets_what_is_popular(name: str, fitted: dict[str, Recommender]) -> None:
    popular = Popularity().fit(log_of()).shares
    cold = with_popular(fitted[name].score(asked_of([])), popular)
    assert top(cold, 5).tolist() == top(popular[None].astype(np.float32), 5).tolist()


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_log_gives_the_same_scores_whatever_the_order_of_its_rows(
    name: str, fitted: dict[str, Recommender]
) -> None:
    log = log_of()
    mixed = np.random.default_rng(5).permutation(len(log.row))
    again = MAKERS[name]().fit(histories(log.row[mixed], log.item[mixed], log.time[mixed], ITEMS))
    asked = asked_of([1, 2], [16, 20, 17])
    assert again.score(asked) == pytest.approx(fitted[name].score(asked), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_asking_for_several_at_once_changes_no_score(name: str, fitted: dict[str, Recommender]) -> None:
    both, one = asked_of([1, 2], [16, 20]), asked_of([16, 20])
    assert fitted[name].score(both)[1] == pytest.approx(fitted[name].score(one)[0], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", PERSONAL)
def test_whoever_takes_one_kind_is_shown_that_kind(name: str, fitted: dict[str, Recommender]) -> None:
    asked = asked_of([1, 2, 3], [16, 17, 18])
    scores = fitted[name].score(asked)
    assert scores[0, 4:15].mean() > scores[0, 19:29].mean()
    assert scores[1, 4:15].mean() < scores[1, 19:29].mean()


@pytest.mark.parametrize("name", [n for n in PERSONAL if n not in ("content", "hybrid")])
def test_more_co_occurrence_scores_higher(name: str) -> None:
    # Item 1 follows item 0 in thirty histories, item 2 in five; both are taken equally often.
    row, item = [], []
    for each in range(70):
        partner = 1 if each < 30 else 2 if each < 35 else (2 if each < 60 else 3)
        first = 0 if each < 35 else 4
        row += [each, each]
        item += [first, partner]
    log = histories(np.array(row), np.array(item), np.tile([0.0, 1.0], 70), 6)
    asked = histories(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(1), 6)
    model = Svd(factors=3) if name == "svd" else MAKERS[name]()
    scores = model.fit(log).score(asked)[0]
    assert scores[1] > scores[2]
    assert scores[1] > scores[3]


def test_covisits_equal_a_naive_count() -> None:
    log = histories(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.arange(5.0), 3)
    assert CoVisits(directed=True, window=2).fit(log).near.toarray() == pytest.approx(
        np.array([[0, 2, 0.5], [0, 0, 1], [0, 0, 0]])
    )


def test_ease_is_the_closed_form_of_steck() -> None:
    log = log_of()
    taken = log.matrix().toarray().astype(float)
    model = Ease(penalty=7.0).fit(log)
    for item in (0, 3, 20):
        # Each column is a ridge regression on the other items.
        others = np.delete(np.arange(ITEMS), item)
        x, y = taken[:, others], taken[:, item]
        expected = np.linalg.solve(x.T @ x + 7.0 * np.eye(len(others)), x.T @ y)
        assert model.weights[others, item] == pytest.approx(expected, abs=1e-4)
    assert np.diag(model.weights) == pytest.approx(0.0)


def test_als_folds_a_history_in_as_implicit_does() -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    log = log_of()
    ours = Als(factors=6, alpha=3.0, iterations=4).fit(log)
    theirs = AlternatingLeastSquares(
        factors=6, alpha=1.0, regularization=0.05, iterations=4, num_threads=1, random_state=0, use_cg=False
    )
    theirs.item_factors, theirs.user_factors = ours.vectors, np.zeros((log.rows, 6), dtype=np.float32)
    asked = asked_of([1, 2, 5])
    expected = theirs.recalculate_user(0, (asked.matrix() * 4.0).tocsr())
    assert ours.people(asked)[0] == pytest.approx(np.ravel(expected), rel=1e-3, abs=1e-4)


def test_item_neighbours_are_shrunk_cosines() -> None:
    log = log_of()
    taken = log.matrix().toarray()
    near = ItemNeighbours(neighbours=ITEMS, shrink=2.0).fit(log).near.toarray()
    together = (taken[:, 0] * taken[:, 1]).sum()
    assert near[0, 1] == pytest.approx(together / (np.sqrt(taken[:, 0].sum() * taken[:, 1].sum()) + 2.0))


def test_a_new_item_gets_the_factors_of_what_is_described_alike(fitted: dict[str, Recommender]) -> None:
    log, content = log_of(), describe(TEXTS)
    scores = Svd(factors=4, content=content).fit(log).score(asked_of([1, 2], [16, 17]))
    assert Svd(factors=4).fit(log).score(asked_of([1, 2]))[0, 29] == 0
    assert scores[0, 29] > 0
    assert scores[0, 29] > scores[1, 29]
    vectors = np.ones((3, 2), dtype=np.float32)
    assert with_new_items(vectors, np.array([5, 5, 0]), None) is vectors


def test_hybrid_ranks_for_either_question_and_says_what_answers() -> None:
    model = Hybrid(leave_last_out, describe(TEXTS)).fit(log_of(rows=300))
    asked = asked_of([1, 2, 3])
    fresh = model.score(asked, fresh=True)[0]
    assert fresh[[1, 2, 3]].tolist() == [0, 0, 0]
    both = model.score_both(asked)
    assert both[0] == pytest.approx(model.score(asked))
    assert both[1][0] == pytest.approx(fresh)
    assert set(model.answers.values()) <= set(model.judged[False])
    assert "trees" in model.judged[False]


def test_popularity_fades() -> None:
    log = histories(np.array([0, 1, 2]), np.array([0, 0, 1]), np.array([0.0, 0.0, 10.0]), 2)
    assert Popularity(np.inf).fit(log).shares.tolist() == pytest.approx([2 / 3, 1 / 3])
    # Ten periods at a half-life of five: the older two weigh a quarter each.
    assert Popularity(0.5).fit(log).shares.tolist() == pytest.approx([1 / 3, 2 / 3])


def test_repeat_counts_often_and_late() -> None:
    scores = Repeat(reach=1.0).score(asked_of([3, 4, 3]))[0]
    assert scores[3] == pytest.approx(1 + np.exp(-2))
    assert scores[4] == pytest.approx(np.exp(-1))


# -- histories and splits -----------------------------------------------------------------------------------------


def test_histories_keep_the_order_and_reject_unknown_items() -> None:
    found = histories(np.array([1, 0, 1]), np.array([2, 0, 1]), np.array([5.0, 1.0, 3.0]), 3)
    assert found.item.tolist() == [0, 1, 2]
    assert found.back.tolist() == [0, 1, 0]
    assert found.now.tolist() == [1.0, 5.0]
    assert found.take(np.array([1, 0])).item.tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="0 to 2"):
        histories(np.array([0]), np.array([3]), np.zeros(1), 3)


def test_faded_keeps_the_newest_of_equal_items() -> None:
    found = asked_of([7, 8, 7]).faded(1.0).toarray()[0]
    assert found[7] == pytest.approx(1.0)
    assert found[8] == pytest.approx(np.exp(-1))


def test_a_session_unfolds_into_its_beginnings() -> None:
    sessions = histories(np.array([0, 0, 0, 1]), np.array([4, 5, 6, 7]), np.arange(4.0), 8)
    trial = unfolded(sessions, sessions)
    assert trial.asked.rows == 2
    assert trial.asked.item.tolist() == [4, 4, 5]
    assert trial.truth.indices.tolist() == [5, 6]
    assert trial.group.tolist() == [0, 0]
    apart = by_session(sessions, np.array([0]))
    assert apart.past.item.tolist() == [7]


def test_leave_last_out_learns_from_no_target() -> None:
    log = histories(np.array([0, 0, 0, 1]), np.array([4, 5, 6, 7]), np.arange(4.0), 8)
    trial = leave_last_out(log)
    assert trial.truth.indices.tolist() == [6]
    assert trial.asked.item.tolist() == [4, 5]
    assert sorted(trial.past.item.tolist()) == [4, 5, 7]


def test_a_split_in_time_lets_nothing_later_through() -> None:
    log = histories(np.array([0, 0, 0, 1, 2]), np.array([4, 5, 4, 7, 1]), np.array([0.0, 5, 9, 1, 8]), 8)
    trial = by_time(log, 5.0)
    assert trial.past.time.max() < 5
    assert trial.asked.rows == 1  # row 1 takes nothing later, row 2 nothing earlier
    assert sorted(trial.truth.indices.tolist()) == [4, 5]
    assert trial.asked.now.tolist() == [5.0]
    with pytest.raises(ValueError, match="both sides"):
        by_time(log, 100.0)


def test_a_sample_keeps_groups_whole() -> None:
    sessions = histories(np.repeat(np.arange(20), 4), np.arange(80) % 8, np.arange(80.0), 8)
    trial = unfolded(sessions, sessions)
    some = trial.sample(20, seed=1)
    assert some.asked.rows <= 20
    assert (np.bincount(some.group)[np.unique(some.group)] == 3).all()
    assert some.group.tolist() == trial.sample(20, seed=1).group.tolist()


# -- lists, guards, measures --------------------------------------------------------------------------------------


def test_equal_scores_are_listed_by_number_and_short_lists_end_with_nothing() -> None:
    assert top(np.array([[1.0, 2.0, 2.0, 0.5]], dtype=np.float32), 3).tolist() == [[1, 2, 0]]
    allowed = np.array([True, False, False, False])
    assert top(np.ones((1, 4), dtype=np.float32), 3, allowed).tolist() == [[0, -1, -1]]


def test_without_moves_the_rest_up() -> None:
    had = csr_matrix(np.array([[0, 1, 0, 0.0]]))
    assert without(np.array([[2, 1, 3]]), had).tolist() == [[2, 3, -1]]


def test_guards_keep_variety_prices_and_a_place_for_what_is_new() -> None:
    scores = np.array([9.0, 8, 7, 6, 5, 4, 0.1], dtype=np.float32)
    kinds = np.array([0, 0, 0, 0, 1, 2, 3])
    prices = np.array([10.0, 10, 10, 10, 10, 500, np.nan])
    new = np.array([False] * 6 + [True])
    allowed = np.array([True, True, True, True, True, True, True])
    found = pick(scores, 4, allowed, kinds, prices, (8.0, 12.0), new, Guards(same_kind=0.5, explore=0.25))
    assert found == [0, 1, 4, 6]  # two of a kind at most, nothing at fifty times the price, the new one has its place
    # A guard yields rather than leave a place empty; what is not allowed never comes.
    allowed[4] = False
    full = pick(scores, 7, allowed, kinds, prices, (8.0, 12.0), new)
    assert sorted(full) == [0, 1, 2, 3, 5, 6]
    assert variety(np.array([[0, 1], [0, 4]]), kinds) == pytest.approx(0.5)


def test_usual_prices_need_three_purchases() -> None:
    prices = np.arange(ITEMS, dtype=float)
    assert usual_prices(asked_of([1, 2], [10, 20, 30 - 1]), prices) == [
        None,
        (pytest.approx(12.0), pytest.approx(27.2)),
    ]


def test_measures_on_a_list_done_by_hand() -> None:
    truth = csr_matrix(np.array([[0, 1, 0, 1, 0.0], [1, 0, 0, 0, 0]]))
    lists = np.array([[1, 0, 3], [2, -1, -1]])
    assert hits(lists, truth).tolist() == [[1, 0, 1], [0, 0, 0]]
    best = 1 + 1 / np.log2(3)
    assert ndcg(lists, truth, 3) == pytest.approx([(1 + 0.5) / best, 0.0])
    assert recall(lists, truth, 2) == pytest.approx([0.5, 0.0])
    assert coverage(lists, 5) == pytest.approx(4 / 5)
    assert exposure(lists, np.array([False, True, False, False, False])) == pytest.approx(1 / 4)


def test_keep_best_equals_sorting_each_row() -> None:
    rng = np.random.default_rng(0)
    full = rng.random((6, 9)) * (rng.random((6, 9)) < 0.7)
    found = keep_best(csr_matrix(full), 3).toarray()
    for row in range(6):
        assert sorted(found[row][found[row] > 0]) == pytest.approx(sorted(full[row][full[row] > 0])[-3:])
