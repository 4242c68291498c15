"""The tool `write_brief` of the contract: compiles a brief and answers with its verdict and main figures."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.language_models import BaseChatModel

from agent.brief.compile import compile_brief
from agent.brief.declare import Text
from agent.brief.types import Brief, BriefSettings
from shop import Draft, Figure, Shop, ToolError, ToolResult
from shop.dates import parse_day
from shop.resolve import find_product
from shop.types import Amount, Day
from tools.registry import BoundTool, ToolFunction, tool

# What is missing is named in the brief's language; the rest of the answer follows the reader's (`agent.spoken`).
_LACKS = Text("Missing: {}.", "尚缺：{}。")
_ANSWER = (
    ("decision.verdict", "brief.verdict"),
    ("decision.confidence", "brief.confidence"),
    ("launch.units_12w", "brief.units"),
    ("launch.revenue_12w", "brief.revenue"),
    ("economics.contribution_12w", "brief.contribution"),
    ("decision.cash_at_risk", "brief.cash_at_risk"),
)


def brief_writer(
    tools: Mapping[str, BoundTool], model: BaseChatModel | None = None, settings: BriefSettings | None = None
) -> ToolFunction:
    """The tool `write_brief`, over the tools that fill the brief and the model that words it.

    It is made here and not declared in `tools`, because it stands on them: bind it to the same shop as `tools`.
    """

    @tool("write", "internal")
    def write_brief(
        shop: Shop, product: str, launch_date: Day | None = None, budget: Amount | None = None
    ) -> ToolResult:
        """Write the launch brief of a planned product.

        Args:
            product: Draft id or name.
            launch_date: Launch date to plan with, as said. Default: the draft's own.
            budget: Launch spend on top of the first buy, in the shop's currency.
        """
        draft = find_product(shop, product)
        if not isinstance(draft, Draft):
            raise ToolError(f"{draft.name} is on sale already; a brief is for a draft, so use draft_product first.")
        if budget is not None and budget < 0:
            raise ToolError("The launch budget is below zero; give what may be spent, or leave it out.")
        if launch_date is not None:
            draft = draft.model_copy(update={"launch_date": parse_day(launch_date, shop.today)})
        return _answer(compile_brief(tools, shop, draft, model, settings, budget=budget))

    return write_brief


def _answer(brief: Brief) -> ToolResult:
    """The brief's main figures under ids of their own: the brief keeps its ledger, the conversation has another."""
    figures = [Figure(id="brief.id", label="Brief", value=brief.id, unit="text", formula="id of the stored brief")]
    for source, name in _ANSWER:
        figure = brief.figures.get(source)
        if figure is not None:
            formula = f"figure {source} of brief {brief.id}: {figure.formula}"
            figures.append(figure.model_copy(update={"id": name, "formula": formula}))
    known = {figure.id for figure in figures if figure.value is not None}
    summary = ["Brief {{brief.id}} is written. Verdict: {{brief.verdict}}, with {{brief.confidence}} confidence."]
    if {"brief.units", "brief.revenue"} <= known:
        summary.append("The plan is {{brief.units}} units and {{brief.revenue}} of revenue.")
    if "brief.contribution" in known:
        summary.append("It contributes {{brief.contribution}}.")
    if "brief.cash_at_risk" in known:
        summary.append("Cash at risk is {{brief.cash_at_risk}}.")
    lacks = _LACKS.of(brief.locale)
    lacking = [lacks.format(missing.text) for section in brief.sections for missing in section.missing]
    return ToolResult(summary=" ".join(summary), figures=tuple(figures), warnings=tuple(dict.fromkeys(lacking)))
