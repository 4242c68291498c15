"""Texts of brief sections that a model is taught: real prompts, and nothing in them that a brief would refuse."""

from __future__ import annotations

import random

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from llguidance import LLTokenizer
from tiny_model import accepts

from agent.brief.assemble import plain_sentences
from agent.brief.compile import to_word
from agent.brief.prose import SYSTEM, held_to, known_facts, must_say, objections, question
from agent.brief.types import BriefSettings
from agent.ledger import placeholders
from agent.models.grammar import reply_grammar
from agent.models.template import render_prompt
from finetune.examples import Catalogue, render
from finetune.phrasing import Lang, phrases
from finetune.values import Values
from finetune.world import World
from finetune.writing import PROMPTS, put_together, sections
from shop import Shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(demo_shop: Shop) -> World:
    return World(demo_shop)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_sentence_can_stand_in_a_text_that_a_brief_takes(world: World, tokens: LLTokenizer, lang: Lang) -> None:
    draft = world.shop.add_draft("Oak lamp", sorted(world.shop.categories()["category"])[0], 12.0, 40.0)
    plan = to_word(world.bound["manager"], world.shop, draft, BriefSettings(locale=lang))
    rng, worded = random.Random(0), {section.id: section for section in plan.sections if section.prose}
    assert worded.keys() == phrases("sections").keys()
    for name, section in worded.items():
        facts = known_facts(section, plan)
        outline = held_to(facts, plain_sentences(section, plan), lang)["outline"]
        texts = {put_together(phrases("sections")[name][lang], facts, plan, outline, rng) for _ in range(400)} - {""}
        refused = [text for text in texts if not accepts(tokens, reply_grammar(outline=outline), text)]
        assert len(refused) <= 0.05 * len(texts), refused[:3]  # some orders of what need not be said
        for text in texts:
            assert not objections(text, facts, plan)
            assert set(must_say(facts)) <= set(placeholders(text))
        known = [s for s in phrases("sections")[name][lang] if all(plan.knows(p) for p in placeholders(s))]
        unused = [sentence for sentence in known if not any(sentence in text for text in texts)]
        assert not unused, (name, unused)


def test_an_example_is_the_prompt_that_the_brief_sends(world: World) -> None:
    made = list(sections(world, Values(random.Random(2), "train"), 2))
    assert {each.family for each in made} == phrases("sections").keys()
    for each in made:
        prompt, reply = render(each, Catalogue(PROMPTS, {}))
        asked = [SystemMessage(SYSTEM[each.lang]), HumanMessage(each.messages[0]["content"])]  # type: ignore[index]
        assert prompt == render_prompt(asked)
        assert reply.startswith(each.text)
    draft = world.shop.drafts()[-1]
    plan = to_word(world.bound["manager"], world.shop, draft, BriefSettings(locale="en"))
    section = next(section for section in plan.sections if section.id == "price")
    assert "Must appear" in question(section, known_facts(section, plan), plan, "plain")
