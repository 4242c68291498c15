"""`./debut bench writing`: what the desk writes, held to the rules that decide whether it may be shown.

A brief's sections are worded by a model where its words hold, and by plain sentences where they do not; copy and
answers from policies are put together by rules alone. So sections are written by each of them on the same prompts, and
copy and answers by what ships.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from agent.brief.assemble import plain_sentences
from agent.brief.compile import to_word
from agent.brief.declare import Fact
from agent.brief.plan import Plan
from agent.brief.prose import CUT_SHORT, SYSTEM, held_to, known_facts, must_say, objections, question
from agent.brief.types import BriefSettings
from agent.ledger import Ledger, bare_numbers, placeholders
from agent.render import render
from benchmarks.result import Result, bootstrap, report
from benchmarks.retrieval_demo import demo_collection
from retrieval.library import Library
from shop import Actor, Draft, Shop, ToolError, ToolResult, demo
from shop.text import is_chinese, language_of
from tools import ALL
from tools.copy.limits import Channel
from tools.registry import BoundTool, bind

SEED = 11  # of a demo shop and of drafts that no training example was made from
# What is wrong with a result that should be in a language.
Faults = Callable[[ToolResult, str], Iterator[str]]
NAMES = ("Tidewater foot bath", "Nimbus bread bin", "晨雾加湿器", "Quarry spice jar", "Lumen 2 desk fan", "远山茶具")


@dataclass(frozen=True)
class Written:
    """A text and what is wrong with it.

    Attributes:
        task: `section` and its name, `copy` or `service`.
        writer: The model, or `plain` for rules alone.
        subject: What it is about: a draft, a product, a question.
        text: With placeholders for its figures.
        wrong: Rules that it breaks, in words.
        shown: As a reader sees it; empty where it names a figure that there is not.
    """

    task: str
    lang: str
    writer: str
    subject: str
    text: str
    wrong: tuple[str, ...] = ()
    seconds: float = 0.0
    shown: str = ""


@dataclass(frozen=True)
class Prompt:
    """A section to be worded: what it must say, how it reads without a model, and what a model is asked."""

    section: str
    plan: Plan
    facts: list[Fact]
    plain: str
    asked: str
    subject: str


def main(setting: str, home: Path, drafts: int = 40, products: int = 10, samples: Path | None = None) -> dict[str, Any]:
    """Write sections, copy and answers, and count those that break no rule at the first try.

    Args:
        setting: The model, as DEBUT_MODEL names it.
        home: Folder of weights.
        drafts: Drafts whose sections are worded, up to four for each.
        products: Products whose copy is written, in every channel and both languages.
        samples: File for a page of unedited texts.
    """
    from agent.models.select import open_model

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.db"
        demo.build(url, seed=SEED, small=True)
        shop = Shop.open(url)
        tools = bind(ALL, shop, Actor(role="manager", id="bench"))
        prompts = list(_prompts(tools, shop, drafts))
        found = [_plain(prompt) for prompt in prompts]
        for name, model in ((setting, open_model(setting, home)), ("untuned", open_model("embedded:none", home))):
            found += [_by_model(name, model, prompt) for prompt in prompts]
        found += _copy(tools, shop, products)
        found += _answers(shop, home)
    if samples is not None:
        samples.write_text(_page(found), encoding="utf-8")
    return report("writing", "demo", rates(found), time.perf_counter() - started, faults=_faults(found))


# -- sections ----------------------------------------------------------------------------------------------------------


def _prompts(tools: Mapping[str, BoundTool], shop: Shop, drafts: int) -> Iterator[Prompt]:
    rng = random.Random(SEED)
    for number in range(drafts):
        locale = "zh" if number % 5 < 2 else "en"
        draft = _draft(shop, rng, number)
        plan = to_word(tools, shop, draft, BriefSettings(locale=locale, lead_time_days=rng.choice((None, 21, 60))))
        for section in plan.sections:
            facts, plain = known_facts(section, plan), plain_sentences(section, plan)
            if section.prose and facts and plain:
                asked = question(section, facts, plan, plain)
                yield Prompt(section.id, plan, facts, plain, asked, draft.id)


def _draft(shop: Shop, rng: random.Random, number: int) -> Draft:
    price = round(rng.uniform(6, 140), 2)
    return shop.add_draft(
        name=f"{rng.choice(NAMES)} {number}",
        category=rng.choice(sorted(shop.categories()["category"])),
        cost=None if rng.random() < 0.1 else round(price * rng.uniform(0.25, 0.75), 2),
        price=None if rng.random() < 0.1 else price,
        launch_date=shop.today + timedelta(days=rng.randint(30, 180)),
    )


def _plain(prompt: Prompt) -> Written:
    """The sentences that stand where no model's do; they may be longer and speak of more than a model may."""
    wrong = [f"no figure {name}" for name in sorted(set(prompt.plan.ledger.missing(prompt.plain)))]
    wrong += [f"{name} is not said" for name in must_say(prompt.facts) if name not in placeholders(prompt.plain)]
    wrong += [f"a number of its own: {number}" for number in bare_numbers(prompt.plain)]
    return _section("plain", prompt, prompt.plain, tuple(wrong), 0.0)


def _by_model(name: str, model: BaseChatModel, prompt: Prompt) -> Written:
    """One try, without the time limit that a brief sets: how long it took is told beside it."""
    started = time.perf_counter()
    locale = prompt.plan.locale
    bound = model.bind(**held_to(prompt.facts, prompt.plain, locale))
    reply = bound.invoke([SystemMessage(SYSTEM[locale]), HumanMessage(prompt.asked)])
    seconds = time.perf_counter() - started
    text = " ".join(reply.text.split())
    ending = reply.response_metadata["finish_reason"]
    cut = [f"given up: {ending}"] if ending in CUT_SHORT else []
    return _section(name, prompt, text, (*cut, *objections(text, prompt.facts, prompt.plan)), seconds)


def _section(writer: str, prompt: Prompt, text: str, wrong: tuple[str, ...], seconds: float) -> Written:
    shown = "" if prompt.plan.ledger.missing(text) else render(text, prompt.plan.ledger, prompt.plan.locale)
    return Written(f"section {prompt.section}", prompt.plan.locale, writer, prompt.subject, text, wrong, seconds, shown)


# -- copy and answers --------------------------------------------------------------------------------------------------


def _copy(tools: Mapping[str, BoundTool], shop: Shop, products: int) -> Iterator[Written]:
    names = random.Random(SEED).sample(sorted(shop.products()["sku"]), products)
    for sku in names:
        for channel in get_args(Channel):
            for lang, language in (("en", "English"), ("zh", "Chinese")):
                ask = partial(tools["write_copy"], product=sku, channel=channel, language=language)
                yield _by_tool("copy", lang, sku, ask, copy_faults)


def copy_faults(result: ToolResult, lang: str) -> Iterator[str]:
    """Counted here from what came back, not by the tool's own check."""
    figures = {figure.id: figure for figure in result.figures}
    for part, template, length, limit in result.tables[0].rows:
        said = [figures[name].value for cell in (length, limit) for name in placeholders(cell)]
        if len(said) == 2 and said[0] > said[1]:  # type: ignore[operator]
            yield f"{part} is over its limit"
        yield from (f"a number of its own: {number}" for number in bare_numbers(template))
        yield from (f"{name} has no source" for name in placeholders(template) if not figures[name].formula)
    told = render(" ".join(row[1] for row in result.tables[0].rows), figures, lang)
    if is_chinese(told) != (lang == "zh"):
        yield "the wrong language"


def _answers(shop: Shop, home: Path) -> list[Written]:
    """Policy questions that the demo's policies answer, in both languages."""
    library = Library(shop.engine, home)
    try:
        library.update()
        return list(_asked(shop.searched_by(library)))
    finally:
        shutil.rmtree(library.folder, ignore_errors=True)


def _asked(shop: Shop) -> Iterator[Written]:
    bound = bind(ALL, shop, Actor(role="manager", id="bench"))
    written = {str(row["id"]): str(row["text"]) for _, row in shop.policies().iterrows()}
    for asked in demo_collection(shop).questions:
        if asked.id.startswith("policy-"):
            ask = partial(bound["search_policies"], question=asked.text)
            yield _by_tool("service", asked.language, asked.id, ask, partial(answer_faults, written))


def answer_faults(written: Mapping[str, str], result: ToolResult, lang: str) -> Iterator[str]:
    figures = {figure.id: figure for figure in result.figures}
    cited = [figures[name] for name in placeholders(result.summary) if figures[name].unit == "passage"]
    quoted = figures.get("policies.item_1_text")
    if not cited:
        yield "no passage is cited"
    if quoted is not None:
        if not any(str(quoted.value).rstrip("…. ") in body for body in written.values()):
            yield "the quotation stands in no policy"
        if language_of(str(quoted.value)) != lang:
            yield "the wrong language"


def _by_tool(task: str, lang: str, subject: str, ask: Callable[[], ToolResult], faults: Faults) -> Written:
    started = time.perf_counter()
    try:
        result = ask()
    except ToolError as error:
        return Written(task, lang, "plain", subject, "", ("not written: " + str(error).split(";")[-1].strip(),))
    seconds = time.perf_counter() - started
    ledger = Ledger()
    shown = render(ledger.add(result).summary, ledger, lang)
    return Written(task, lang, "plain", subject, result.summary, tuple(faults(result, lang)), seconds, shown)


# -- counting ----------------------------------------------------------------------------------------------------------


def rates(found: Sequence[Written]) -> Iterator[Result]:
    """Shares that hold at the first try, variety and seconds, by task, writer and language."""
    kinds = dict.fromkeys((each.task.split()[0], each.writer) for each in found)
    for task, writer in kinds:
        own = [each for each in found if each.task.split()[0] == task and each.writer == writer]
        for lang in ("", "en", "zh"):
            chosen = [each for each in own if lang in ("", each.lang)]
            if chosen:
                yield from _rates(chosen, task, writer, lang or "both")


def _rates(own: Sequence[Written], task: str, writer: str, lang: str) -> Iterator[Result]:
    about = {"task": task, "lang": lang}
    valid = [float(not each.wrong) for each in own]
    low, high = bootstrap(valid)
    yield Result(writer, "valid_at_first_try", sum(valid) / len(valid), low, high, len(own), about)
    yield Result(writer, "distinct_2", distinct(each.text for each in own), n=len(own), extra=about)
    seconds = sorted(each.seconds for each in own)
    yield Result(writer, "seconds_p50", seconds[len(seconds) // 2], n=len(own), extra=about)


def distinct(texts: Iterator[str], words: int = 2) -> float:
    """Distinct-n (Li et al. 2016): different runs of n words, or characters of Chinese, over all runs, in [0, 1]."""
    runs: list[tuple[str, ...]] = []
    for text in texts:
        pieces = list(text) if is_chinese(text) else text.split()
        runs += zip(*(pieces[shift:] for shift in range(words)), strict=False)
    return len(set(runs)) / len(runs) if runs else 0.0


def _faults(found: Sequence[Written]) -> dict[str, dict[str, int]]:
    """The most frequent faults by task and writer."""
    counts: dict[str, Counter[str]] = {}
    for each in found:
        counts.setdefault(f"{each.task.split()[0]} by {each.writer}", Counter()).update(each.wrong)
    return {key: dict(counter.most_common(6)) for key, counter in counts.items() if counter}


def _page(found: Sequence[Written]) -> str:
    """Unedited texts: the first ones of every task, writer and language, and the first ones that do not hold."""
    lines = [
        "# Samples of what the desk writes",
        "",
        "Printed by `./debut bench writing --samples`; nothing was edited.",
    ]
    groups: dict[tuple[str, str, str], list[Written]] = {}
    for each in found:
        groups.setdefault((each.task, each.lang, each.writer), []).append(each)
    for (task, lang, writer), own in groups.items():
        bad = [each for each in own if each.wrong]
        lines += ["", f"## {task}, {lang}, by {writer}: {len(own) - len(bad)} of {len(own)} hold", ""]
        for each in [*[each for each in own if not each.wrong][:2], *bad[:2]]:
            lines.append(f"- {each.subject}: {(each.shown or each.text or '(nothing)').replace(chr(10), ' ')}")
            lines += [f"  - refused: {'; '.join(each.wrong)[:300]}"] if each.wrong else []
    return "\n".join(lines) + "\n"
