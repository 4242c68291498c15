"""Live choice between offers: Thompson sampling and LinUCB (mabwiser) with logged chances, and what a log proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tools.recommend.histories import Array, Index

Policy = Literal["thompson", "linucb"]


@dataclass(frozen=True)
class Decision:
    """One choice: which arm, and with which chance it was drawn, to be logged beside the outcome."""

    arm: int
    chance: float


@dataclass
class LiveChoice:
    """Chooses one of several offers and learns from what follows; every choice logs the chance it was drawn with.

    A fixed part of the choices is drawn evenly, so that no arm's chance is ever zero: without it a log proves nothing
    about the arms that were not shown. Thompson's chances have no closed form and are counted over draws.

    Args:
        arms: What can be offered.
        policy: `thompson` (Beta-Bernoulli, no context) or `linucb` (Li et al., 2010; needs a context).
        explore: Share of choices drawn evenly.
        alpha: Width of LinUCB's bonus.
        draws: Over which Thompson's chances are counted.
        seed: Of all draws.
    """

    arms: Sequence[str]
    policy: Policy = "thompson"
    explore: float = 0.1
    alpha: float = 1.0
    draws: int = 200
    seed: int = 0
    _bandit: Any = field(init=False, repr=False)
    _rng: np.random.Generator = field(init=False, repr=False)
    _started: bool = field(init=False, default=False, repr=False)

    def __post_init__(self) -> None:
        from mabwiser.mab import MAB, LearningPolicy

        if not 0 < self.explore <= 1:
            raise ValueError("explore must lie above 0 and be at most 1")
        kind = LearningPolicy.ThompsonSampling() if self.policy == "thompson" else LearningPolicy.LinUCB(self.alpha)
        self._bandit = MAB(list(range(len(self.arms))), kind, seed=self.seed)
        self._rng = np.random.default_rng(self.seed)

    def choose(self, context: Array | None = None) -> Decision:
        """Draw an arm.

        Args:
            context: (k,), for `linucb`.
        """
        chances = self.chances(context)
        arm = int(self._rng.choice(len(self.arms), p=chances))
        return Decision(arm, float(chances[arm]))

    def chances(self, context: Array | None = None) -> Array:
        """With which chance each arm would be drawn now, (arms,); they add up to one."""
        count = len(self.arms)
        even = np.full(count, 1 / count)
        if not self._started:
            return even
        if self.policy == "thompson":
            best = [self._expected(None) for _ in range(self.draws)]
            wins = np.bincount([int(np.argmax(each)) for each in best], minlength=count) / self.draws
        else:
            wins = np.zeros(count)
            wins[int(np.argmax(self._expected(context)))] = 1.0
        return np.asarray(self.explore * even + (1 - self.explore) * wins)

    def learn(self, arms: Index, rewards: Array, contexts: Array | None = None) -> None:
        """Take in what followed: arms (n,), rewards 0 or 1 (n,), contexts (n, k) for `linucb`."""
        teach = self._bandit.partial_fit if self._started else self._bandit.fit
        teach([int(arm) for arm in arms], list(rewards), None if contexts is None else np.asarray(contexts))
        self._started = True

    def _expected(self, context: Array | None) -> Array:
        at = None if context is None or self.policy == "thompson" else [list(context)]
        found = self._bandit.predict_expectations(at)
        return np.array([found[arm] for arm in range(len(self.arms))], dtype=float)


def policy_from_log(rewards: Array, logged: Array, wanted: Array, clip: float = 50.0) -> tuple[float, float, float]:
    """What another policy would have earned, from a log with chances (self-normalised inverse propensity weighting).

    Swaminathan and Joachims (2015). Weights are clipped, which trades a little bias for far less noise.

    Args:
        rewards: Of the logged choices, (n,).
        logged: Chance with which each was drawn, (n,), above zero.
        wanted: Chance with which the other policy would have drawn the same, (n,).
        clip: Largest weight.

    Returns:
        Reward per choice, its standard error, and the effective sample size.

    Raises:
        ValueError: A logged chance is not above zero.
    """
    if not np.all(logged > 0):
        raise ValueError("every logged chance must be above zero")
    weight = np.minimum(wanted / logged, clip)
    total = float(weight.sum())
    if total <= 0:
        return float("nan"), float("nan"), 0.0
    value = float((weight * rewards).sum() / total)
    error = float(np.sqrt((weight**2 * (rewards - value) ** 2).sum()) / total)
    return value, error, total**2 / float((weight**2).sum())


def replay(choices: Index, logged: Index, rewards: Array) -> tuple[float, int]:
    """Mean reward of a policy on the events of an evenly drawn log where it agrees, and how many (Li et al., 2011)."""
    same = choices == logged
    return (float(rewards[same].mean()) if same.any() else float("nan")), int(same.sum())
