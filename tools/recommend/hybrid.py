"""The hybrid: several recommenders name candidates, and boosted trees rank them by what each says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from tools.recommend.factors import Als, Ease, Svd
from tools.recommend.histories import Array, Histories, Index, Scores
from tools.recommend.measure import hits, ndcg
from tools.recommend.neighbours import CoVisits, ItemNeighbours, UserNeighbours
from tools.recommend.rank import top, with_popular, without
from tools.recommend.simple import Content, Popularity, Recommender, Repeat
from tools.recommend.split import Trial

_BATCH = 200  # rows scored at a time: rows x items x members floats are held

Split = Callable[[Histories], Trial]


def members(content: Any = None) -> dict[str, Recommender]:
    """The recommenders of the hybrid, by name.

    Args:
        content: Item vectors, see `describe`; None where nothing is known of the items.
    """
    found: dict[str, Recommender] = {
        "popular": Popularity(np.inf),
        "trending": Popularity(0.05),
        "repeat": Repeat(50.0),
        "items": ItemNeighbours(reach=np.inf),
        "items_late": ItemNeighbours(reach=2.0),
        "next": CoVisits(directed=True, reach=1.5, power=0.5),
        "beside": CoVisits(directed=False, reach=3.0, power=0.5),
        "people": UserNeighbours(reach=np.inf),
        "sessions": UserNeighbours(reach=2.5, rare=1.0),
        "factors": Als(content=content),
        "directions": Svd(content=content),
        "ease": Ease(),
    }
    if content is not None and content.nnz:
        found["content"] = Content(content)
    return found


@dataclass(frozen=True)
class _Rows:
    """Candidates of some histories with what is known of them: one entry each, those of a history together."""

    row: Index
    item: Index
    features: Scores
    label: Array

    def keep(self, places: Any) -> _Rows:
        return _Rows(self.row[places], self.item[places], self.features[places], self.label[places])


@dataclass
class Hybrid:
    """Candidates of all members, ranked by LightGBM (lambdarank; Burges, 2010) trained on a later part of the log.

    The log is split once more: members learn from its earlier part, the trees from what came after. Then the members
    learn from all of it. Half of the trial's people judge: where a member clearly beats the trees there, it answers
    alone. What one takes again and what one takes for the first time are told by different things, so
    there are trees for either question.

    Args:
        split: Cuts the log the way it will be asked.
        content: Item vectors; None where nothing is known of the items.
        candidates: Named by each member.
        most: Rows of the trial used at most.
        seed: Of sampling and trees.

    Attributes:
        judged: nDCG of each member and of the trees on the judging half; key True is the question without what was had.
        answers: What answers either question: `trees`, or a member.
        proof: 1 where a place of a list for the judging half held what was taken, (rows, 20).
    """

    split: Split
    content: Any = None
    candidates: int = 40
    most: int = 3000
    seed: int = 0
    fitted: dict[str, Recommender] = field(default_factory=dict, repr=False)
    trees: dict[bool, Any] = field(default_factory=dict, repr=False)
    judged: dict[bool, dict[str, float]] = field(default_factory=dict)
    answers: dict[bool, str] = field(default_factory=dict)
    proof: dict[bool, Array] = field(default_factory=dict, repr=False)
    popular: Array = field(default_factory=lambda: np.zeros(0), repr=False)
    _seen: Array = field(default_factory=lambda: np.zeros(0), repr=False)
    _span: float = 1.0

    def fit(self, log: Histories) -> Self:
        trial = self.split(log).sample(self.most, self.seed)
        self._learn(trial.past)
        told, alone = self._told(trial)
        had = trial.asked.matrix()
        for fresh in (False, True):
            self._train(fresh, trial, told, alone, had)
        self._learn(log)
        return self

    def score(self, asked: Histories, fresh: bool = False) -> Scores:
        """Scores (rows, items); with `fresh`, ranked for what a row has not taken yet, and 0 for what it has."""
        found = np.zeros((asked.rows, asked.items), dtype=np.float32)
        for start in range(0, asked.rows, _BATCH):
            rows = np.arange(start, min(start + _BATCH, asked.rows))
            part = asked.take(rows)
            found[rows] = self._ranked(part, self.scores(part), fresh)
        return found

    def score_both(self, asked: Histories) -> tuple[Scores, Scores]:
        """`score` without and with `fresh` for a few histories, the members asked once."""
        scores = self.scores(asked)
        return self._ranked(asked, scores, False), self._ranked(asked, scores, True)

    def _ranked(self, asked: Histories, scores: Mapping[str, Scores], fresh: bool) -> Scores:
        if self.answers[fresh] != "trees":
            found = scores[self.answers[fresh]]
        else:
            rows = self._rows(asked, scores, fresh)
            found = np.zeros((asked.rows, asked.items), dtype=np.float32)
            raw = np.asarray(self.trees[fresh].predict(rows.features, num_threads=1), dtype=np.float32)
            # Any increasing map will do: scores are above zero where there is evidence.
            found[rows.row, rows.item] = 1 / (1 + np.exp(-raw))
        found = with_popular(found, self.popular)
        found[asked.lengths == 0] = self.popular
        if fresh:
            found[asked.row, asked.item] = 0.0
        return found

    def scores(self, asked: Histories) -> dict[str, Scores]:
        """What each member says, (rows, items) each."""
        return {name: model.score(asked) for name, model in self.fitted.items()}

    def _rows(self, asked: Histories, scores: Mapping[str, Scores], fresh: bool = False, truth: Any = None) -> _Rows:
        """Candidates with what each member says of them, plainly and against the best of the row."""
        chosen = np.zeros((asked.rows, asked.items), dtype=bool)
        most = min(self.candidates, asked.items)
        for each in scores.values():
            place = np.argpartition(-each, most - 1, axis=1)[:, :most]
            np.put_along_axis(chosen, place, np.take_along_axis(each, place, axis=1) > 0, axis=1)
        chosen[asked.row, asked.item] = not fresh
        row, item = (np.asarray(each, dtype=np.int64) for each in np.nonzero(chosen))
        parts: list[Any] = []
        for each in scores.values():
            said = each[row, item]
            parts += [said, said / np.maximum(each.max(axis=1), 1e-9)[row]]
        parts += self._habits(asked, row, item)
        label = np.zeros(len(row)) if truth is None else np.asarray(truth[row, item], dtype=float).ravel()
        return _Rows(row, item, np.column_stack(parts).astype(np.float32), label)

    def _habits(self, asked: Histories, row: Index, item: Index) -> list[Array]:
        """How often, how lately one took the item; how much one took at all; how long the item has been seen."""
        pair = asked.row * asked.items + asked.item
        keys, first, counts = np.unique(pair[::-1], return_index=True, return_counts=True)
        seen = np.where(np.isfinite(self._seen[item]), (asked.now[row] - self._seen[item]) / self._span, -1.0)
        length = asked.lengths[row].astype(float)
        if not len(keys):
            nothing = np.full(len(row), -1.0)
            return [np.zeros(len(row)), nothing, nothing, length, seen]
        newest = len(pair) - 1 - first
        wanted = row * asked.items + item
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        had = keys[place] == wanted
        back = np.where(had, asked.back[newest[place]], -1).astype(float)
        age = np.where(had, (asked.now[row] - asked.time[newest[place]]) / self._span, -1.0)
        return [np.where(had, counts[place], 0).astype(float), back, age, length, seen]

    def _learn(self, log: Histories) -> None:
        self.fitted = {name: model.fit(log) for name, model in members(self.content).items()}
        self.popular = Popularity().fit(log).shares
        self._seen = log.first_seen()
        self._span = max(float(np.ptp(log.time)), 1e-9) if len(log.time) else 1.0

    def _told(self, trial: Trial) -> tuple[_Rows, dict[str, Index]]:
        """The trial's candidates with features and labels, and each member's own lists."""
        parts: list[_Rows] = []
        alone: dict[str, list[Index]] = {name: [] for name in self.fitted}
        for start in range(0, trial.asked.rows, _BATCH):
            rows = np.arange(start, min(start + _BATCH, trial.asked.rows))
            asked, truth = trial.asked.take(rows), trial.truth[rows]
            scores = self.scores(asked)
            for name, each in scores.items():
                alone[name].append(top(with_popular(each, self.popular), _JUDGED))
            found = self._rows(asked, scores, truth=truth)
            parts.append(_Rows(found.row + start, found.item, found.features, found.label))
        told = _Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Rows.__annotations__))
        return told, {name: np.vstack(found) for name, found in alone.items()}

    def _train(self, fresh: bool, trial: Trial, told: _Rows, alone: Mapping[str, Index], had: Any) -> None:
        """Trees on half of the trial's people to be judged on the other, then on all of them."""
        truth = (trial.truth - trial.truth.multiply(had)).tocsr() if fresh else trial.truth
        rows = told.keep(np.asarray(had[told.row, told.item]).ravel() == 0) if fresh else told
        judge = np.isin(trial.group, np.unique(trial.group)[1::2])
        if fresh:
            truth.eliminate_zeros()
        asked, judge = np.flatnonzero(judge), judge & (np.diff(truth.indptr) > 0)
        lists = {name: without(found, had) if fresh else found for name, found in alone.items()}
        learn = rows.keep(~judge[rows.row])
        if judge.any() and learn.label.any():
            tried = [_ranked(_fitted(learn, self.seed, shape), rows, trial.asked.rows) for shape in _SHAPES]
            at = np.flatnonzero(judge)
            best = int(np.argmax([ndcg(found[at], truth[at]).mean() for found in tried]))
            lists["trees"] = tried[best]
            self.trees[fresh] = _fitted(rows, self.seed, _SHAPES[best])
        at = np.flatnonzero(judge)
        worth = {name: ndcg(found[at], truth[at]) for name, found in lists.items()}
        self.judged[fresh] = {name: float(each.mean()) if len(at) else 0.0 for name, each in worth.items()}
        self.answers[fresh] = _answer(worth)
        self.proof[fresh] = hits(lists[self.answers[fresh]][asked, :_PLACES], truth[asked])


_PLACES = 20  # of the lists judged
_JUDGED = 50  # places of the members' lists kept, so that enough are left where what one had is taken out
# Where people have taken little, larger trees learn them by heart: both compete on the judging half.
_SHAPES: tuple[dict[str, float], ...] = (
    {"learning_rate": 0.06, "num_leaves": 15, "min_data_in_leaf": 40, "lambda_l2": 5.0},
    {"learning_rate": 0.03, "num_leaves": 4, "min_data_in_leaf": 1000, "lambda_l2": 50.0},
)
_TREES = {
    "objective": "lambdarank",
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambdarank_truncation_level": 15,
    "num_threads": 1,
    "deterministic": True,
    "verbosity": -1,
}


def _answer(worth: Mapping[str, Array]) -> str:
    """`trees`, unless a member beats them by more than a standard error: half-taught trees may lose by chance."""
    best = max(worth, key=lambda name: float(worth[name].sum()))
    if "trees" not in worth or best == "trees":
        return best
    apart = worth[best] - worth["trees"]
    return best if apart.mean() > apart.std() / np.sqrt(len(apart)) else "trees"


def _fitted(rows: _Rows, seed: int, shape: Mapping[str, float]) -> Any:
    """Trees that put what was taken before what was not, learned from the histories that took a candidate."""
    from lightgbm import Dataset, train

    count = int(rows.row.max()) + 1
    some = np.bincount(rows.row, weights=rows.label, minlength=count) > 0
    kept = rows.keep(some[rows.row])
    sizes = np.bincount(kept.row, minlength=count)
    data = Dataset(kept.features, label=kept.label, group=sizes[sizes > 0])
    return train({**_TREES, **shape, "seed": seed}, data, num_boost_round=150)


def _ranked(trees: Any, rows: _Rows, count: int) -> Index:
    """The best candidates of each history, -1 where there are fewer, (count, 20)."""
    said = np.asarray(trees.predict(rows.features, num_threads=1))
    order = np.lexsort((rows.item, -said, rows.row))
    sizes = np.bincount(rows.row, minlength=count)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = order[place < _PLACES]
    found = np.full((count, _PLACES), -1, dtype=np.int64)
    found[rows.row[first], place[place < _PLACES]] = rows.item[first]
    return found
