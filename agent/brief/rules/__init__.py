"""The rules that cross the sections of a brief: code, instant; a model has no say in them."""

from __future__ import annotations

from typing import get_args

from agent.brief.plan import Plan
from agent.brief.rules import (
    advertising,
    commitments,
    content,
    demand,
    evidence,
    item,
    money,
    price,
    promotion,
    stock,
    timing,
)
from agent.brief.rules.promotion import PRIOR_PRICE
from agent.brief.rules.rule import Rule
from agent.brief.types import Finding, Severity

RULES: tuple[Rule, ...] = (
    *price.RULES,
    *money.RULES,
    *demand.RULES,
    *item.RULES,
    *stock.RULES,
    *promotion.RULES,
    *advertising.RULES,
    *timing.RULES,
    *commitments.RULES,
    *content.RULES,
    *evidence.RULES,
)

__all__ = ["RULES", "Rule", "enter_thresholds", "lint"]


def lint(plan: Plan) -> tuple[Finding, ...]:
    """Findings of all rules, the gravest first."""
    found = [finding for each in RULES if (finding := each(plan)) is not None]
    order = {severity: place for place, severity in enumerate(get_args(Severity))}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


def enter_thresholds(plan: Plan) -> None:
    """Enter what the rules hold figures against, so that a finding can name it."""
    settings, said = plan.settings, "setting"
    plan.enter("rule.min_analogues", "Analogues asked for", settings.min_analogues, "count", said)
    plan.enter("rule.min_completeness", "Master data asked for", settings.min_completeness, "share", said)
    plan.enter("rule.max_promotion_depth", "Deepest cut allowed", settings.max_promotion_depth, "share", said)
    plan.enter("rule.min_holdout", "Least share left out", settings.min_holdout, "share", said)
    plan.enter("rule.min_readiness", "Readiness asked for", settings.min_readiness, "count", said)
    plan.enter("rule.max_data_age", "Oldest data allowed", settings.max_data_age_days, "days", said)
    plan.enter("rule.cash_limit", "Limit of the cash at risk", settings.cash_limit, "money", said, "no limit is set")
    law = "Directive 98/6/EC, article 6a"
    plan.enter("rule.prior_price", "Days whose lowest price a reduction names", PRIOR_PRICE.days, "days", law)
