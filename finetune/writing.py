"""Examples of a brief's sections in a model's words: real prompts of random drafts, texts of hand-written sentences.

What counts as a good text is not decided here: `agent.brief.prose` holds a model's words to the same rules.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta

from agent.brief.assemble import plain_sentences
from agent.brief.compile import to_word
from agent.brief.declare import Fact
from agent.brief.plan import Plan
from agent.brief.prose import SYSTEM, held_to, known_facts, must_say, objections, question
from agent.brief.types import BriefSettings
from agent.ledger import placeholders
from agent.models.outline import Outline
from finetune.examples import Example, user
from finetune.phrasing import Lang, phrases
from finetune.values import Values
from finetune.world import World
from shop import Draft
from tools.registry import BoundTool

KIND = "section"
TEXTS = 3  # for each prompt, which they share when they are packed
_MOST_SENTENCES = 3  # of a text
_TRIES = 60  # at putting a text together before its section goes without
_LANGS: tuple[Lang, ...] = ("en", "zh")
PROMPTS = {f"{KIND}_{lang}": SYSTEM[lang] for lang in _LANGS}


def sections(world: World, values: Values, drafts: int) -> Iterator[Example]:
    """Texts for the sections of random drafts that a model words.

    Args:
        world: The shop that the drafts are for; they are stored in it.
        values: Where names and chance come from.
        drafts: How many.
    """
    rng = values.rng
    for _ in range(drafts):
        lang: Lang = "zh" if rng.random() < 0.4 else "en"
        yield from _of_draft(world.bound["manager"], world, _draft(world, values, lang), lang, rng)


def _of_draft(
    tools: dict[str, BoundTool], world: World, draft: Draft, lang: Lang, rng: random.Random
) -> Iterator[Example]:
    """Up to `TEXTS` examples of every section that a model may word."""
    plan = to_word(tools, world.shop, draft, BriefSettings(locale=lang, lead_time_days=rng.choice((None, 14, 45, 90))))
    for section in plan.sections:
        facts, plain = known_facts(section, plan), plain_sentences(section, plan)
        if section.prose and facts and plain:
            prompt = question(section, facts, plan, plain)
            sentences: list[str] = phrases("sections")[section.id][lang]
            outline = held_to(facts, plain, lang)["outline"]
            texts = dict.fromkeys(put_together(sentences, facts, plan, outline, rng) for _ in range(TEXTS))
            for text in filter(None, texts):
                yield Example(KIND, f"{KIND}_{lang}", lang, section.id, (user(prompt),), (), text=text)


def put_together(
    sentences: Sequence[str], facts: Sequence[Fact], plan: Plan, outline: Outline, rng: random.Random
) -> str:
    """A text of a few sentences that share no figure and hold all that must be said; empty where chance finds none.

    Its sentences stand in the order in which the grammar lets a model write them.
    """
    order = [name for mention in outline.mentions for name in mention.figures]
    must = set(must_say(facts))
    able = [each for each in sentences if set(placeholders(each)) <= set(order)]
    for _ in range(_TRIES):
        chosen: list[str] = []
        used: set[str] = set()
        for each in rng.sample(able, len(able)):
            names = set(placeholders(each))
            # What need not be said joins now and then, and only while there is room for what must.
            if names & used or (not names & must and rng.random() < 0.6):
                continue
            chosen.append(each)
            used |= names
            if len(chosen) == _MOST_SENTENCES:
                break
        chosen.sort(key=lambda each: min(order.index(name) for name in placeholders(each)))
        text = ("" if plan.locale == "zh" else " ").join(chosen)
        if must <= used and not objections(text, facts, plan):
            return text
    return ""


def _draft(world: World, values: Values, lang: Lang) -> Draft:
    """A draft as a manager may leave one: some of its fields open."""
    rng, shop = values.rng, world.shop
    price = round(rng.uniform(5, 150), 2)
    return shop.add_draft(
        name=values.name(lang),
        category=rng.choice(sorted(shop.categories()["category"])),
        cost=None if rng.random() < 0.15 else round(price * rng.uniform(0.2, 0.8), 2),
        price=None if rng.random() < 0.2 else price,
        launch_date=None if rng.random() < 0.2 else shop.today + timedelta(days=rng.randint(20, 200)),
    )
