"""What a shop's launches teach, learned once per state of the data: how to forecast, and how wrong that has been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from shop import Shop, ToolError
from shop.learned import Codec
from tools.launch.combine import Recipe, Record, learn
from tools.launch.effects import Effects, past_effects
from tools.launch.evidence import Evidence, Rules, gather, launch_windows
from tools.launch.market import Market
from tools.launch.members import NAMES, Knowledge, know
from tools.launch.reading import pack, read_market, senses, unpack
from tools.launch.replay import FIRST, Batch, record_of, replay

HORIZON = 12  # weeks that are learned; other horizons are cut from them or continued
_BATCHES = 40  # the replay groups launch weeks beyond so many
_LEAST_TRIED = 8


@dataclass(frozen=True)
class Errors:
    """The method on launches of this shop, each forecast with what was known on its own day; None where too few.

    Attributes:
        tried: Launches forecast and since over.
        wape: Sum of absolute errors of the total over twelve weeks, over the sum of actual totals.
        floor: The same for the median of the launches before it, the rival that any method has to beat.
        bias: Sum of errors over the sum of actual totals; negative is too low.
        coverage: Share inside P10 to P90.
    """

    tried: int
    wape: float | None = None
    floor: float | None = None
    bias: float | None = None
    coverage: float | None = None


@dataclass(frozen=True)
class Lessons:
    """What the replay of a shop's launches taught.

    Attributes:
        settings: Of the kriging; None where nothing could be replayed.
        record: Past forecasts with what became of them.
        recipe: How members become a forecast now.
        errors: How wrong the method has been.
    """

    settings: dict[str, float] | None
    record: Record | None
    recipe: Recipe
    errors: Errors


@dataclass(frozen=True)
class Study:
    """All that answering a question about a launch needs, ready.

    Attributes:
        market: The shop up to its cut-off.
        rules: Which launches count.
        lessons: What its launches taught.
        evidence: What is known of launches.
        knowledge: Members fitted to it; None where too few launches are known.
        effects: What past launches did to the products beside them.
        answers: Forecasts already made from it, by question.
        ahead: `evidence` with the season reaching further, by weeks; see `evidence_ahead`.
    """

    market: Market
    rules: Rules
    lessons: Lessons
    evidence: Evidence
    knowledge: Knowledge | None
    effects: Effects
    answers: dict[str, Any] = field(default_factory=dict)
    ahead: dict[int, Evidence] = field(default_factory=dict)

    def evidence_ahead(self, lead: int) -> Evidence:
        """What is known of launches, for one planned `lead` weeks after the cut-off."""
        if lead not in self.ahead:
            self.ahead[lead] = gather(self.market, self.rules, lead)
        return self.ahead[lead]

    def fitted(self) -> Knowledge:
        """The fitted members.

        Raises:
            ToolError: Too few launches; the sentence says what the few did.
        """
        if self.knowledge is not None:
            return self.knowledge
        over = np.exp(self.evidence.level[self.evidence.seen >= 1])
        told = (
            f" The {len(over)} that are over sold from {over.min():.0f} to {over.max():.0f} units in twelve weeks, in "
            "an ordinary season."
            if len(over)
            else ""
        )
        raise ToolError(
            f"Only {len(self.evidence.rows)} launches of this shop have been on sale long enough to learn from, and "
            f"{FIRST} are needed.{told} Please import more history, or plan by hand from those."
        )


def study_of_shop(shop: Shop) -> Study | None:
    """The shop studied, once per state of the data; its lessons are kept beside the shop. None before any sale.

    Taking the lessons replays the shop's launches: seconds, for thousands of products; a warm answer takes none.
    """

    def make() -> Study | None:
        market = read_market(shop)
        if market is None:
            return None
        rules = rules_for(market)
        # Which texts can be read is no part of the data's fingerprint, so it is one of the name.
        name = "launch-lessons" + ("" if market.meanings is None else senses(shop))
        lessons = shop.learned(name, lambda: learn_lessons(market, rules), CODEC)
        evidence = gather(market, rules)
        enough = len(evidence.rows) >= FIRST
        knowledge = know(market, evidence, rules, lessons.settings) if enough else None
        return Study(market, rules, lessons, evidence, knowledge, past_effects(market))

    return shop.learned("launch-study" + senses(shop), make)


def rules_for(market: Market) -> Rules:
    """Which launches of a market count: in a shop of slow sellers a launch needs fewer units to have been offered."""
    launched = np.flatnonzero((market.launched >= 0) & (market.launched + HORIZON <= market.panel.units.shape[1]))
    totals = np.nansum(launch_windows(market, launched, HORIZON), axis=1)
    usual = float(np.median(totals[totals > 0])) if (totals > 0).any() else 0.0
    return Rules(horizon=HORIZON, least_units=min(Rules.least_units, 0.25 * usual))


def learn_lessons(market: Market, rules: Rules, most_batches: int = _BATCHES) -> Lessons:
    """Replay a market's launches and draw the lessons."""
    now = market.panel.units.shape[1]
    batches = list(replay(market, rules, most_batches))
    record = record_of(market, batches, rules)
    settings = batches[-1].settings if batches else None
    return Lessons(settings, record, learn(record, NAMES, now), measure(market, batches, rules))


def measure(market: Market, batches: Sequence[Batch], rules: Rules) -> Errors:
    """The errors of replayed forecasts on the launches that are over and were really offered."""
    if not batches:
        return Errors(0)
    rows = np.concatenate([batch.rows for batch in batches])
    made = np.concatenate([batch.made.total for batch in batches])
    floor = np.concatenate([np.full(len(batch.rows), batch.floor) for batch in batches])
    windows = launch_windows(market, rows, rules.horizon)
    sold = (np.nan_to_num(windows) > 0).sum(axis=1)
    came = windows.sum(axis=1)
    over = np.isfinite(came) & (came >= rules.least_units) & (sold >= rules.least_share * rules.horizon)
    if over.sum() < _LEAST_TRIED:
        return Errors(int(over.sum()))
    made, came, floor = made[over], came[over], floor[over]
    return Errors(
        tried=int(over.sum()),
        wape=float(np.abs(made[:, 1] - came).sum() / came.sum()),
        floor=float(np.abs(floor - came).sum() / came.sum()),
        bias=float((made[:, 1] - came).sum() / came.sum()),
        coverage=float(((came >= made[:, 0]) & (came <= made[:, 2])).mean()),
    )


def _write(lessons: Lessons) -> dict[str, Any]:
    record = lessons.record
    packed = None
    if record is not None:
        packed = {
            "units": {name: pack(units) for name, units in record.units.items()},
            "spread": pack(record.spread),
            "launched": record.launched.tolist(),
            "actual": pack(record.actual),
            "total": pack(record.total),
            "weekly": pack(record.weekly),
        }
    recipe, errors = asdict(lessons.recipe), asdict(lessons.errors)
    return {"settings": lessons.settings, "record": packed, "recipe": recipe, "errors": errors}


def _read(value: dict[str, Any]) -> Lessons:
    packed, recipe, record = value["record"], value["recipe"], None
    if packed is not None:
        record = Record(
            {name: unpack(units) for name, units in packed["units"].items()},
            unpack(packed["spread"]),
            np.array(packed["launched"], dtype=np.int64),
            unpack(packed["actual"]),
            unpack(packed["total"]),
            unpack(packed["weekly"]),
        )
    made = Recipe(
        recipe["weights"],
        tuple(recipe["total"]),
        tuple((low, high) for low, high in recipe["weekly"]),
        tuple(recipe["levels"]),
        (recipe["stretch"][0], recipe["stretch"][1]),
    )
    return Lessons(value["settings"], record, made, Errors(**value["errors"]))


CODEC: Codec[Lessons] = Codec(_write, _read)
