"""Rules on words: every claim has evidence, copy keeps its limits, says what the plan says and what the law allows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from babel.dates import format_date
from babel.numbers import format_currency

from agent.brief.claims import claims_of
from agent.brief.declare import Text
from agent.brief.plan import Plan
from agent.brief.rules.rule import day_of, known, rule
from shop.text import clean

LANGUAGES = ("en", "zh")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_COPY = re.compile(r"copy(?:_[a-z]+_(?P<language>en|zh)|\d*)\.(?P<part>[a-z_0-9]+)")


@rule(
    "positioning",
    "error",
    "Give the claim a product fact, a passage or a figure, or take it out.",
    "请为该主张补充商品事实、文本依据或数值，否则删去。",
)
def claim_without_evidence(plan: Plan) -> Text | None:
    for claim in claims_of(plan.ledger):
        if not claim.is_supported:
            at = f"{{{{{claim.figure}}}}}"
            return Text(f"Nothing backs the claim “{at}”.", f"主张“{at}”没有依据。")
    return None


@rule("content", "error", "Mend the draft's words or facts that the check names.", "请按检查结果修改草案的文字或事实。")
def copy_fails_its_check(plan: Plan) -> Text | None:
    at = _first(plan, "problem_1")
    return Text(f"A piece of copy must not go out: {at}.", f"有文案不可发布：{at}。") if at else None


@rule("content", "error", "Shorten the copy to what the channel takes.", "请将文案缩短到渠道限额以内。")
def copy_over_the_limit(plan: Plan) -> Text | None:
    for name, figure in plan.ledger.items():
        stem, _, part = name.rpartition("_")
        limit = plan.number(f"{stem}_limit") if part == "length" and _COPY.fullmatch(name) else None
        if limit is not None and isinstance(figure.value, int | float) and figure.value > limit:
            at, most = f"{{{{{name}}}}}", f"{{{{{stem}_limit}}}}"
            return Text(
                f"A piece of copy has a length of {at}; its channel takes {most}.", f"有文案长{at}，渠道限{most}。"
            )
    return None


@rule(
    "content", "error", "Write the copy again: it names another price than the plan.", "请重写文案：其价格与计划不符。"
)
def copy_names_another_price(plan: Plan) -> Text | None:
    price = plan.number("price.planned")
    if price is None:
        return None
    planned = {_digits(format_currency(price, plan.currency, locale=language)) for language in LANGUAGES}
    for name in _copied(plan, "price"):
        if _digits(str(plan.ledger[name].value)) not in planned:
            at = f"{{{{{name}}}}}"
            return Text(
                f"The copy names {at}, the brief plans at {{{{price.planned}}}}.",
                f"文案价格为{at}，计划售价为{{{{price.planned}}}}。",
            )
    return None


@rule("content", "error", "Write the copy again: it names another day than the plan.", "请重写文案：其日期与计划不符。")
def copy_names_another_day(plan: Plan) -> Text | None:
    day = day_of(plan, "item.launch_date")
    if day is None:
        return None
    planned = {str(format_date(day, format="long", locale=language)) for language in LANGUAGES}
    for name in _copied(plan, "launch"):
        if plan.ledger[name].value not in planned:
            at = f"{{{{{name}}}}}"
            return Text(
                f"The copy names {at} as the launch day, the brief plans {{{{item.launch_date}}}}.",
                f"文案上市日为{at}，计划为{{{{item.launch_date}}}}。",
            )
    return None


@rule(
    "content",
    "error",
    "Bring both languages to the same figures, then write the copy again.",
    "请使两种语言的数字一致后重写文案。",
)
def languages_disagree(plan: Plan) -> Text | None:
    at = _first(plan, "disparity_1")
    return Text(f"English and Chinese name different figures: {at}.", f"中英文数字不一致：{at}。") if at else None


@rule(
    "content",
    "warning",
    "Write the missing language, or say that it is not sold there.",
    "请补写缺少的语言，或注明不在该语言市场销售。",
)
def one_language_only(plan: Plan) -> Text | None:
    made = {match["language"] for name in plan.ledger if (match := _COPY.fullmatch(name)) and match["language"]}
    if len(made) != 1:
        return None
    return Text(
        "Copy could be written in one language only.",
        "仅能写出一种语言的文案。",
    )


@rule(
    "compliance",
    "warning",
    "Take the words out of the draft as well, so that nobody copies them from there.",
    "请同时从草案中删去这些词，以免被他人引用。",
)
def forbidden_words_in_the_draft(plan: Plan) -> Text | None:
    at = _first(plan, "removed_1")
    return Text(f"The draft holds words that copy may not: {at}.", f"草案含文案禁用词：{at}。") if at else None


@rule(
    "service",
    "error",
    "Promise in copy what the policy says, word for word.",
    "文案承诺须与政策原文一致。",
)
def copy_promises_other_terms(plan: Plan) -> Text | None:
    for name in _copied(plan, "policy"):
        passage = plan.figure(f"{name}_passage")
        if passage is not None and _squeezed(plan.ledger[name].value) not in _squeezed(passage.value):
            at = f"{{{{{name}}}}}"
            return Text(f"The copy promises “{at}”, which its policy does not say.", f"文案承诺“{at}”，政策并无此说。")
    return None


@rule(
    "service",
    "error",
    "Ask the owner of the policies which version holds, and retire the other.",
    "请政策负责人确认有效版本并废止另一版。",
)
def policies_contradict_each_other(plan: Plan) -> Text | None:
    for name in plan.ledger:
        if "polic" in name.partition(".")[0] and "_conflict_" in name and plan.knows(name):
            at = f"{{{{{name}}}}}"
            return Text(f"Two versions of a policy are in force: {at}.", f"同一政策有两个版本同时有效：{at}。")
    return None


@rule(
    "service",
    "error",
    "Answer the question in the policy's own words.",
    "请按政策原文回答该问题。",
)
def faq_contradicts_policy(plan: Plan) -> Text | None:
    """An answer and the policy it cites name different amounts: days, shares, money."""
    for name in known(plan, "service.faq_", "_answer"):
        cited = plan.figure(name.removesuffix("_answer") + "_source")
        if cited is None:
            continue
        said, written = set(_NUMBER.findall(str(plan.ledger[name].value))), set(_NUMBER.findall(str(cited.value)))
        if said - written:
            at = f"{{{{{name}}}}}"
            return Text(f"The answer “{at}” is not what its policy says.", f"回答“{at}”与所引政策不符。")
    return None


def _copied(plan: Plan, part: str) -> Iterator[str]:
    """Known figures of this part over all pieces of copy."""
    for name in plan.ledger:
        match = _COPY.fullmatch(name)
        if match is not None and match["part"] == part and plan.knows(name):
            yield name


def _first(plan: Plan, part: str) -> str:
    """The placeholder of the first of them; empty if there is none."""
    return next((f"{{{{{name}}}}}" for name in _copied(plan, part)), "")


def _digits(text: str) -> str:
    return "".join(_NUMBER.findall(text))


def _squeezed(text: object) -> str:
    return "".join(clean(str(text)).split()).casefold()


RULES = (
    claim_without_evidence,
    copy_fails_its_check,
    copy_over_the_limit,
    copy_names_another_price,
    copy_names_another_day,
    languages_disagree,
    one_language_only,
    forbidden_words_in_the_draft,
    copy_promises_other_terms,
    policies_contradict_each_other,
    faq_contradicts_policy,
)
