"""What a rule is: a small function that looks at a plan and says what is wrong, if anything, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.types import Finding, Severity
from tools.copy.voice import Market, voice_of

Check = Callable[[Plan], Text | None]
ROUNDING = 0.02  # products and sums of rounded figures may differ by this share


@dataclass(frozen=True)
class Rule:
    """A check, the section its finding belongs to, how grave it is, and what to do. Its id is the function's name.

    A `stop` ends in no-go, an `error` keeps the verdict from being go, a `warning` is for the reader. A check is silent
    where a figure it needs is not there: what is missing is reported elsewhere, once.
    """

    check: Check
    section: str
    severity: Severity
    mend: Text

    @property
    def id(self) -> str:
        return self.check.__name__

    def __call__(self, plan: Plan) -> Finding | None:
        text = self.check(plan)
        if text is None:
            return None
        return Finding(
            rule=self.id,
            severity=self.severity,
            section=self.section,
            text=text.of(plan.locale),
            mend=self.mend.of(plan.locale),
        )


def rule(section: str, severity: Severity, en: str, zh: str) -> Callable[[Check], Rule]:
    """Declare a check a rule of a section; `en` and `zh` say what to do when it fires."""
    return lambda check: Rule(check, section, severity, Text(en, zh))


def day_of(plan: Plan, name: str) -> date | None:
    """The day that a known figure holds; None if it is unknown or no day."""
    found = plan.figure(name)
    return found.value if found is not None and isinstance(found.value, date) else None


def lands(plan: Plan) -> date | None:
    """The day on which stock ordered today is on the shelf; None where the lead time is not known."""
    days = plan.number("buy.lead_time")
    return None if days is None else plan.today + timedelta(days=days)


def known(plan: Plan, prefix: str, suffix: str = "") -> Iterator[str]:
    """Ids of known figures that begin and end so, in the order of the ledger."""
    for name in plan.ledger:
        if name.startswith(prefix) and name.endswith(suffix) and plan.figure(name) is not None:
            yield name


def sells_in(plan: Plan, market: Market) -> bool:
    """Whether the shop sells in a market, whose rules then hold; a shop that has not said sells in all of them."""
    return market in plan.once("voice", lambda: voice_of(plan.shop)).markets


def above(plan: Plan, one: str, other: str) -> bool:
    """Whether both figures are known and the first is the larger."""
    larger, smaller = plan.number(one), plan.number(other)
    return larger is not None and smaller is not None and larger > smaller


def before(one: date | None, other: date | None) -> bool:
    """Whether both days are known and the first is the earlier."""
    return one is not None and other is not None and one < other


def close(one: float, other: float) -> bool:
    """Whether two amounts agree but for rounding."""
    return abs(one - other) <= ROUNDING * max(abs(one), abs(other), 1e-9)
