"""The score's later parts as figures and tables: targets, promotions, figures set by hand, the rest planned again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shop import Rows, Table
from shop.types import Unit
from tools.figures import QUANTILES, Sheet, interval
from tools.scoring.alerts import MARKDOWN_SHARE, Stopped, stem
from tools.scoring.effects.structural import Structural
from tools.scoring.effects.synthetic import Synthetic
from tools.scoring.overrides import HandSet
from tools.scoring.plan import FrozenPlan
from tools.scoring.promotions import Measured, Tested
from tools.scoring.replan import Replan
from tools.scoring.targets import MEASURES, Light, Mark

_CERTAIN = 0.1  # placebo share up to which an effect is called clear
_MIX = "sales of its days less those of a mix of products without a promotion (synthetic control)"
_PLACEBO = "share of products, untreated ones included, that leave their mix as far (placebo test)"
_LEVEL = "sales of its days less what its own level and other sales say (Bayesian structural time series)"
_DATES = "share of dates, earlier ones included, with as large an effect (placebo test in time)"
_NO_COUNT = "the shop keeps no stock count of it; import one"
_NO_DONORS = "too few products without a promotion to compare with"
_NO_DATES = "too few earlier dates to try the method on"
_NO_MARGIN = "needs the unit cost and an effect"


def targets(sheet: Sheet, found: Sequence[Mark], state: Light) -> Table | None:
    """The lights by week, and the launch's own."""
    sheet.add("score.light", "Light", state, "text", "worst target of the latest look")
    if not found:
        return None
    rows = []
    for mark in found:
        label, unit = MEASURES[mark.measure]
        name = stem(mark)
        sheet.add(f"{name}_name", "Target", label.lower(), "text", "of the brief")
        week = sheet.add(f"{name}_week", "By the end of launch week", mark.week, "count", "of the brief")
        actual = sheet.add(name, label, mark.actual, unit, "over the weeks since the launch", reason=mark.reason)
        green = sheet.add(f"{name}_green", f"{label}: green from", mark.green, unit, "of the brief")
        red = sheet.add(f"{name}_red", f"{label}: red beyond", mark.red, unit, "of the brief")
        rows.append((label, week, actual, green, red, mark.light))
    columns = ("Target", "Week", "Actual", "Green at", "Red beyond", "Light")
    return Table(title="Targets", columns=columns, rows=tuple(rows))


def stock(sheet: Sheet, plan: FrozenPlan, on_hand: float | None, stopped: Sequence[Stopped], running: bool) -> None:
    """What alerts speak of beside the score itself."""
    unknown = _NO_COUNT if running else "asked for while the plan runs, as of its latest week"
    sheet.add("score.on_hand", "Stock on hand", on_hand, "units", "latest stock count", reason=unknown)
    point = plan.number("buy.reorder_point")
    sheet.add("score.reorder_point", "Reorder point", point, "units", "of the brief", reason="the brief names none")
    share = plan.setting("markdown_sell_through", MARKDOWN_SHARE)
    sheet.add("score.markdown_share", "Sell-through under which a markdown is due", share, "share", "setting")
    for each in stopped:
        name = f"score.ads_{each.channel}"
        spent = "campaigns of the category since the launch"
        sheet.add(f"{name}_spend", f"Spend in {each.channel}", each.spend, "money", spent)
        sheet.add(f"{name}_orders", f"Orders from {each.channel}", each.orders, "count", spent)
        sheet.add(f"{name}_least", f"Orders asked of {each.channel}", each.least, "count", "stop-loss of the brief")


def promotions(sheet: Sheet, found: Sequence[Measured], rows: Rows) -> Table | None:
    """What each promotion of the product added, by two yardsticks with their placebo tests."""
    cells = [_promotion(sheet, number, each, rows) for number, each in enumerate(found, start=1)]
    columns = ("Promotion", "From", "Off", "Units", "Added", "Chance", "Added by its own level", "Chance", "Margin")
    return Table(title="What promotions added", columns=columns, rows=tuple(cells)) if cells else None


def _promotion(sheet: Sheet, number: int, each: Measured, rows: Rows) -> tuple[str, ...]:
    name, promotion, lacks = f"score.promotion_{number}", each.promotion, each.reason or _NO_DONORS
    margin = "margin at the price paid less margin without it: units less those added, at the price before"
    return (
        sheet.add(f"{name}_name", "Promotion", f"{promotion.name} ({promotion.id})", "text", "on record"),
        sheet.add(f"{name}_starts", "First day", promotion.starts, "date", "on record"),
        sheet.add(f"{name}_depth", "Off the price", promotion.depth, "share", "on record"),
        sheet.add(f"{name}_units", "Units on its days", each.units, "units", "sum of days", rows=rows),
        *_yardstick(sheet, name, "added", each.control, _chance(each), (_MIX, _PLACEBO), lacks),
        *_yardstick(sheet, name, "level", each.series, each.placebo, (_LEVEL, _DATES), each.reason or _NO_DATES),
        sheet.add(f"{name}_margin", "Margin added", each.margin, "money", margin, reason=each.reason or _NO_MARGIN),
    )


def _yardstick(
    sheet: Sheet,
    name: str,
    part: str,
    found: Synthetic | Structural | None,
    chance: float | None,
    how: tuple[str, str],
    lacks: str,
) -> tuple[str, str]:
    """Units added by one yardstick, and how often chance alone does as much."""
    effect, (low, high) = (None, (None, None)) if found is None else (found.effect, found.interval)
    label = "Units added" if part == "added" else "Units added by its own level"
    return (
        sheet.add(f"{name}_{part}", label, effect, "units", how[0], low, high, reason=lacks),
        sheet.add(f"{name}_{part}_chance", "Chance of as much without it", chance, "share", how[1], reason=lacks),
    )


def _chance(each: Measured) -> float | None:
    return None if each.control is None else each.control.p


def coupons(sheet: Sheet, found: Sequence[Tested]) -> Table | None:
    """What coupons of the category did to the customers who got one, against those held out at random."""
    cells = []
    for number, each in enumerate(found, start=1):
        name, trial = f"score.coupon_{number}", each.trial
        called = f"{each.promotion.name} ({each.promotion.id})"
        how = "treated less held out at random, adjusted for purchases before (CUPED); contribution in the category"
        low, high = trial.interval
        spared = "one less the squared ratio of the standard errors with and without the adjustment"
        cells.append(
            (
                sheet.add(f"{name}_name", "Coupon", called, "text", "on record"),
                sheet.add(f"{name}_customers", "Customers", each.customers, "count", "treated and held out"),
                sheet.add(f"{name}_held", "Held out", each.held, "count", "drawn at random"),
                sheet.add(f"{name}_effect", "Contribution added per customer", trial.effect, "money", how, low, high),
                sheet.add(f"{name}_chance", "Chance of so much without it", trial.p, "share", "normal, two-sided"),
                sheet.add(f"{name}_spared", "Variance taken out", max(trial.spared, 0.0), "share", spared),
            )
        )
    columns = ("Coupon", "Customers", "Held out", "Added per customer", "Chance", "Variance taken out")
    return Table(title="Coupons against held-out customers", columns=columns, rows=tuple(cells)) if cells else None


def promotion_sentences(found: Sequence[Measured]) -> list[str]:
    """What can be said of each promotion: clear where both placebo tests, or the one there is, would rarely say so."""
    said = []
    for number, each in enumerate(found, start=1):
        name = f"score.promotion_{number}"
        chances = [p for p in (_chance(each), each.placebo) if p is not None]
        if each.effect is None or not chances:
            continue
        if max(chances) <= _CERTAIN:
            part = "added" if each.control is not None else "level"
            said.append(f"{{{{{name}_name}}}} added {{{{{name}_{part}}}}} units ({interval(f'{name}_{part}')}).")
        else:
            said.append(f"What {{{{{name}_name}}}} added cannot be told from chance.")
    return said


def by_hand(sheet: Sheet, found: Sequence[HandSet]) -> Table | None:
    """The plan's figures set by hand beside what the tools had said and what happened."""
    cells = []
    for number, each in enumerate(found, start=1):
        name, figure = f"score.hand_{number}", each.figure
        unit: Unit = figure.unit
        unknown = "the tools did not know"
        value = figure.value
        cells.append(
            (
                sheet.add(f"{name}_name", "Figure set by hand", figure.label, "text", "of the brief"),
                sheet.add(f"{name}_by", "Set by", each.by or "not recorded", "text", "as recorded"),
                sheet.add(f"{name}_value", "Set to", value, unit, "of the brief"),
                sheet.add(f"{name}_said", "The tools had said", each.said, unit, figure.formula, reason=unknown),
                sheet.add(f"{name}_actual", "What happened", each.actual, unit, "as scored", reason=each.reason),
                each.closer,
            )
        )
    columns = ("Figure", "By", "By hand", "The tools", "Happened", "Closer")
    return Table(title="Figures set by hand", columns=columns, rows=tuple(cells)) if cells else None


def rest(sheet: Sheet, made: Replan) -> Table:
    """The weeks to come and the order for them."""
    sold = "the launch forecast, moved by the weeks already sold as earlier launches teach"
    rows = []
    for number, (start, (low, middle, high)) in enumerate(zip(made.starts, made.weeks, strict=True), made.seen + 1):
        name = f"score.rest_{number:02d}"
        began = sheet.add(f"{name}_start", "First day of the launch week", start, "date", "launch date plus weeks")
        units = sheet.add(name, "Units to come, P50 (P10 to P90)", middle, "units", sold, low, high)
        rows.append((began, f"{{{{{name}.low}}}}", units, f"{{{{{name}.high}}}}"))
    low, middle, high = np.quantile(made.rest, QUANTILES)
    sheet.add("score.rest", "Units to come in the plan's weeks", middle, "units", f"sum; {sold}", low, high)
    total, words, label = (
        sheet.value("score.units"),
        "units sold plus units to come",
        "Units of the whole plan, revised",
    )
    sheet.add("score.revised", label, total + middle, "units", words, total + low, total + high)
    order = "order-up-to level less stock on hand; orders on the way are not on record"
    sheet.add("score.order", "Order now", made.order, "units", order, reason=_NO_COUNT)
    level = "quantile of the demand to come over review and lead time, at the plan's service level"
    sheet.add("score.order_up_to", "Order-up-to level", made.up_to, "units", level)
    point = "the same over lead time and a week"
    sheet.add("score.new_reorder_point", "Reorder point from today", made.reorder_point, "units", point)
    chance = "share of simulated runs in which stock runs out at least once under the rule"
    sheet.add("score.p_stockout", "Chance to run out", made.p_stockout, "share", chance, reason=_NO_COUNT)
    columns = ("Week from", "P10", "P50", "P90")
    return Table(title="The weeks to come, planned again", columns=columns, rows=tuple(rows))


def rest_sentence(sheet: Sheet) -> str:
    """The rest of the plan in a sentence."""
    said = f"From here on {{{{score.rest}}}} units are expected in the weeks left ({interval('score.rest')})."
    if sheet.known("score.order"):
        said += " To last, order {{score.order}} units now beside what is on its way."
    return said
