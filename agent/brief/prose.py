"""A model's sentences for a section, held to the figures: taken as they are, rewritten once, or not taken at all.

What a model may add to a brief is wording. It gets the section's plain sentences and the figures it may name; its text
is taken only if nothing in it could mislead: no number of its own, every figure known and called by its name, the
figures that matter all there, the right language, a bounded length.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.brief.declare import Fact, SectionPlan
from agent.brief.plan import Plan
from agent.ledger import PARTS, PLACEHOLDER, bare_numbers, placeholders, split_placeholder
from agent.models.outline import Mention, Outline
from agent.render import format_value

MAX_CHARS = 600  # of the template, placeholders included
MAX_TOKENS = 200
# A text is given up where the model held all that the outline allows next for less probable than this: words that it is
# forced to end another way than it meant read as sense and are none. Of some eighty texts of three adapters, for drafts
# of a shop that nothing else is measured on, all that made no sense had such a place below 0.002; of the others one.
# (Read by hand; no command prints it.)
LEAST_WILLING = 0.005
CUT_SHORT = ("overruled", "length")  # endings of a text that is not whole
Once = Callable[[str, Callable[[], tuple[str, str]]], tuple[str, str]]
_SMALL_NUMBERS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|half|halves|thirds?|quarters?|double|twice|triple|"
    r"per ?cent|[IVXLC]{2,})\b|[两二三四五六七八九十][成倍个件元块天周月年]|一半|翻番"
    r"|[〇零一二两三四五六七八九十百千万亿]{2,}",
)
_MARKUP = re.compile(r"[\[\]<>|#*`_\\]|https?:|\n")
_SENTENCE = re.compile(r"[.!?;。！？；]\s*")
_CHINESE, _LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[A-Za-z]")

SYSTEM = {
    "en": "You write one section of a launch brief for a category manager: one to three plain English sentences. "
    "Never write a number. Where a figure belongs, write its placeholder as given, such as {{launch.units_12w}}. "
    "Call every figure by the name given. Say nothing that the plain version does not say.",
    "zh": "你为品类经理撰写上市简报中的一节：一至三句简明中文。不得写任何数字；"
    "需要数值处照抄占位符，例如{{launch.units_12w}}。称呼数值时使用给定名称。不得添加原文没有的内容。",
}
_ASK = {
    "en": "Section: {title}\nPlain version: {plain}\nFigures you may use:\n{figures}\nMust appear: {must}",
    "zh": "章节：{title}\n原文：{plain}\n可用数值：\n{figures}\n必须出现：{must}",
}
_AGAIN = {"en": "Rewrite it: {why}.", "zh": "请重写：{why}。"}


class Writer:
    """Asks a model for the words of sections.

    Args:
        model: Any chat model. One with `cannot_type_figures` set is bound by its grammar to the placeholders it is
            given, and is not asked twice.
        seconds: Time for a section, however often the model is asked; what is not written by then is dropped.

    Attributes:
        name: The model's name, once it has answered.
    """

    def __init__(self, model: BaseChatModel, seconds: float) -> None:
        self._model = model
        self._seconds = seconds
        self.name = type(model).__name__

    def write(self, section: SectionPlan, plan: Plan, plain: str) -> str:
        """The model's sentences for a section, empty if none of them hold.

        Raises:
            ToolError: The model cannot be used at all.
        """
        facts = known_facts(section, plan)
        if not plain or not facts or not self._seconds:
            return ""
        return self._attempt(section, facts, plan, plain)

    def write_once(self, section: SectionPlan, plan: Plan, plain: str, once: Once) -> str:
        """As `write`, where `once` keeps the words and the model's name under a key, and gives them again."""

        def ask() -> tuple[str, str]:
            return self.write(section, plan, plain), self.name

        key = f"words {section.id} {plan.locale} {type(self._model).__name__} {plain}"
        words, self.name = once(key, ask)
        return words

    def _attempt(self, section: SectionPlan, facts: list[Fact], plan: Plan, plain: str) -> str:
        is_bound = bool(getattr(self._model, "cannot_type_figures", False))
        asked: list[BaseMessage] = [
            SystemMessage(SYSTEM[plan.locale]),
            HumanMessage(question(section, facts, plan, plain)),
        ]
        bound = self._model.bind(**(held_to(facts, plain, plan.locale) if is_bound else {"max_tokens": MAX_TOKENS}))
        deadline = time.monotonic() + self._seconds
        for _ in range(1 if is_bound else 2):
            text = self._read(bound.stream(asked), deadline)
            wrong = objections(text, facts, plan)
            if not wrong:
                return text
            if time.monotonic() > deadline:
                return ""
            asked += [AIMessage(text), HumanMessage(_AGAIN[plan.locale].format(why="; ".join(wrong)))]
        return ""

    def _read(self, chunks: Iterator[AIMessage], deadline: float) -> str:
        """The reply as one line; given up as soon as it is late or too long to be taken, or if it was cut short."""
        text = ""
        for chunk in chunks:
            text += chunk.text
            self.name = chunk.response_metadata.get("model_name", self.name)
            if chunk.response_metadata.get("finish_reason") in CUT_SHORT:
                return ""
            if time.monotonic() > deadline or len(text) > 2 * MAX_CHARS:
                return ""
        return " ".join(text.split())


def known_facts(section: SectionPlan, plan: Plan) -> list[Fact]:
    """What a model may speak of in a section: that whose figure is known."""
    return [fact for fact in section.facts if plan.knows(fact.figure)]


def question(section: SectionPlan, facts: Sequence[Fact], plan: Plan, plain: str) -> str:
    """What a model is asked about a section, after the system prompt of the plan's language."""
    return _ASK[plan.locale].format(
        title=section.title.of(plan.locale),
        plain=plain,
        figures="\n".join(_figure_line(name, facts, plan) for name in names_of(facts)),
        must=" ".join(f"{{{{{name}}}}}" for name in must_say(facts)),
    )


def names_of(facts: Sequence[Fact]) -> list[str]:
    """Placeholder names a model may use: each fact's figure, and its bounds where they are spoken of."""
    names: list[str] = []
    for fact in facts:
        names += [fact.figure, *(f"{fact.figure}.{part}" for part in PARTS if fact.spread)]
    return names


def held_to(facts: Sequence[Fact], plain: str, locale: str) -> dict[str, Any]:
    """Keywords that hold a model of ours to the facts while it writes: each beside its name, in the plain order.

    `objections` has the last word; it finds little in such a text.
    """
    order = {name: place for place, name in reversed(list(enumerate(placeholders(plain))))}
    inline = sorted(facts, key=lambda fact: order.get(fact.figure, len(order)))
    mentions = tuple(Mention(fact.name.of(locale), tuple(names_of([fact])), fact.said) for fact in inline)
    return {"max_tokens": MAX_TOKENS, "outline": Outline(mentions, locale), "least_willing": LEAST_WILLING}


def must_say(facts: Sequence[Fact]) -> list[str]:
    """Placeholder names that the sentences must hold."""
    return names_of([fact for fact in facts if fact.said])


def objections(text: str, facts: Sequence[Fact], plan: Plan) -> list[str]:
    """What keeps a model's sentences out of the brief; empty if nothing does.

    Args:
        text: The template the model wrote.
        facts: The facts it may speak of, all known.
        plan: For the ledger and the language.
    """
    found = [f"write {number!r} as a placeholder or leave it out" for number in bare_numbers(text)]
    rest = PLACEHOLDER.sub(" ", text)
    found += [f"leave out {word!r}" for word in _SMALL_NUMBERS.findall(rest)]
    used, allowed = placeholders(text), names_of(facts)
    unknown = set(plan.ledger.missing(text)) | {name for name in used if name not in allowed}
    found += [f"{{{{{name}}}}} is not one of the figures" for name in sorted(unknown)]
    if "{" in rest or "}" in rest:
        found.append("a placeholder is not well formed")
    found += [f"{{{{{name}}}}} must appear" for name in must_say(facts) if name not in used]
    if _MARKUP.search(rest):
        found.append("write plain sentences, no markup")
    if not text or len(text) > MAX_CHARS or len(_SENTENCE.findall(rest.rstrip() + " ")) > 4:
        found.append("write one to three sentences")
    if not _is_in(rest, plan.locale):
        found.append("write Chinese" if plan.locale == "zh" else "write English")
    return found + _misnamed(text, facts, plan.locale)


def _misnamed(text: str, facts: Sequence[Fact], locale: str) -> list[str]:
    """Placeholders that their sentence calls by no name, or by another figure's name.

    The last name said before a placeholder must be its own; if none precedes it, the first one after it. That is how
    "the floor is {{price.recommended}}" is told from "the floor is {{price.floor}}".
    """
    names = {fact.figure: fact.name.of(locale).lower() for fact in facts}
    pattern = re.compile("|".join(re.escape(n) for n in sorted(set(names.values()), key=len, reverse=True)))
    wrong = []
    for sentence in _SENTENCE.split(PLACEHOLDER.sub(lambda m: m[0].replace(".", "\0"), text)):
        mentions = [(m.start(), m[0]) for m in pattern.finditer(_without_placeholders(sentence.lower()))]
        for match in PLACEHOLDER.finditer(sentence.replace("\0", ".")):
            stem, _ = split_placeholder(match[1])
            before = [name for at, name in mentions if at < match.start()]
            said = before[-1] if before else next((name for _, name in mentions), "")
            if stem in names and said != names[stem]:
                wrong.append(f"call {{{{{match[1]}}}}} the {names[stem]}")
    return wrong


def _without_placeholders(sentence: str) -> str:
    # Same length, so that positions stay; a name inside an id is no mention.
    return re.sub(r"\{\{.*?\}\}", lambda match: " " * len(match[0]), sentence)


def _is_in(text: str, locale: str) -> bool:
    chinese, latin = len(_CHINESE.findall(text)), len(_LATIN.findall(text))
    return chinese > latin if locale == "zh" else chinese == 0 and latin > 0


def _figure_line(name: str, facts: Sequence[Fact], plan: Plan) -> str:
    stem, part = split_placeholder(name)
    fact = next(fact for fact in facts if fact.figure == stem)
    words = " ".join(word for word in (fact.name.of(plan.locale), {"low": "P10", "high": "P90"}.get(part, "")) if word)
    return f"- {words}: {{{{{name}}}}} ({format_value(plan.ledger[stem], part, plan.locale)})"
