"""Whom a coupon or a message moves: uplift learners, honest choice between them, what targeting is worth."""

from tools.uplift.learners import LEARNERS, Choice, Targeting, choose_learner, fit_effect, fit_outcome, fit_targeting
from tools.uplift.measure import gain_curve, policy_value, qini, top_share

__all__ = [
    "LEARNERS",
    "Choice",
    "Targeting",
    "choose_learner",
    "fit_effect",
    "fit_outcome",
    "fit_targeting",
    "gain_curve",
    "policy_value",
    "qini",
    "top_share",
]
