"""Training data: what is trained on is what the assistant's loop reads and what its grammar can write."""

import dataclasses
import random
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import llguidance
import pytest
from llguidance import LLMatcher
from tiny_model import tiny_tokenizer

from agent.assistant import Answer, Assistant
from agent.choice import Asked
from agent.ledger import Ledger, bare_numbers
from agent.models.chat import LocalChatModel, known_figures, said
from agent.models.engine import Piece, Request
from agent.models.grammar import reply_grammar
from agent.models.template import END
from finetune import amounts, data
from finetune.director import Director
from finetune.examples import Example, assistant, fault, messages_of, read, read_catalogue, render, tool, user
from finetune.numerals import en_words, zh_words
from finetune.phrasing import held_back, phrases
from finetune.pronouns import pointed, points_well
from finetune.scenes import single
from finetune.values import Values
from finetune.world import World
from finetune.writer import Writer
from shop import Shop
from shop.readings import numbers_in

# A Latin word that touches a Chinese one is not yet a span of its own to the grammar.
TOUCHING = re.compile("[a-zA-Z0-9][\u3400-\u9fff]")


class Player:
    """An engine that plays replies back and remembers what it was sent."""

    name, context = "player", 8192

    def __init__(self, *replies: str) -> None:
        self.replies, self.sent = list(replies), []

    def generate(self, request: Request) -> Iterator[Piece]:
        self.sent.append(request)
        yield Piece(self.replies[len(self.sent) - 1])
        yield Piece(ending="stop")


@pytest.fixture(scope="module")
def world(demo_shop: Shop) -> World:
    return World(demo_shop)


def director(world: World, seed: int = 0, part: str = "train") -> Director:
    return Director(world, Writer(Values(random.Random(seed), part, world.names()), part))


def singles(world: World, count: int, part: str = "train") -> list[Example]:
    made, its = [], director(world, part=part)
    while len(made) < count:
        for role in world.roles():
            made += single(its, role)
    return [each for each in made if not fault(each, world.catalogue)]


def test_a_row_reads_as_the_loop_does(world: World) -> None:
    question = "How many units of D-0001 will we sell after launch?"
    call = {"name": "forecast_launch", "arguments": {"product": "D-0001"}}
    answered = world.ask("manager", "forecast_launch", call["arguments"], Ledger(), "en")
    assert answered.result is not None
    shown = tuple(world.shortlists["manager"].choose(Asked(question)))
    shown_later = tuple(world.shortlists["manager"].choose(Asked(question, used=("forecast_launch",))))
    text = "Expect {{launch.units_12w}} units."
    turns = (user(question), assistant("", [call]), tool("forecast_launch", answered.text))
    first = Example("call", "manager", "en", "f", turns[:1], shown, call=call)
    second = Example("answer", "manager", "en", "f", turns, shown_later, text=text)
    prompts, replies = zip(*(render(each, world.catalogue) for each in (first, second)), strict=True)
    engine = Player(*(reply.removesuffix(END) for reply in replies))
    desk = Assistant(LocalChatModel(engine=engine), world.bound["manager"], shortlist=world.shortlists["manager"])
    events = list(desk.ask(question, "t"))
    assert isinstance(events[-1], Answer)
    assert events[-1].template == text
    assert [request.prompt for request in engine.sent] == list(prompts)


def test_the_grammar_can_write_every_reply(world: World) -> None:
    tokenizer = llguidance.LLTokenizer(tiny_tokenizer().backend_tokenizer.to_str())
    plain = tiny_tokenizer()
    made = [each for each in singles(world, 150) if not TOUCHING.search(each.messages[-1]["content"])]
    for example in random.Random(1).sample(made, 40):
        messages = messages_of(example.messages)
        specs = [world.specs[name] for name in example.tools]
        grammar = reply_grammar(specs, "auto", known_figures(messages), said(messages))
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_lark(grammar))
        reply = render(example, world.catalogue)[1].removesuffix(END)
        tokens = plain.encode(reply, add_special_tokens=False)
        assert matcher.validate_tokens(tokens) == len(tokens), (example.call, example.messages[-1])
        assert matcher.consume_tokens(tokens)
        assert matcher.is_accepting(), example.call


def test_replies_hold_no_number_of_their_own(world: World) -> None:
    made = singles(world, 120)
    assert {"call", "ask", "decline"} <= {each.kind for each in made}
    assert not [each.text for each in made if bare_numbers(each.text)]


def test_a_call_that_nobody_asked_for_is_dropped(world: World) -> None:
    turns = (user("Recommend a price for the Dusk lamp, it costs 12.50 and I have 3 meetings"),)
    shown = ("recommend_price", "forecast_launch")

    def why(**arguments: object) -> str:
        call = {"name": "recommend_price", "arguments": arguments}
        return fault(Example("call", "manager", "en", "f", turns, shown, call=call), world.catalogue)

    assert why(product="Dusk lamp", cost=12.5) == ""
    assert "was not said" in why(product="Dusk lamp", cost=13)
    assert "was not said" in why(product="usk lamp")
    assert "is missing" in why(cost=12.5)
    assert "has no" in why(product="Dusk lamp", colour="red")
    assert "no choice" in why(product="Dusk lamp", strategy="luck")


def test_parts_share_no_family_and_no_entity(world: World) -> None:
    train, dev = ({e.family for e in singles(world, 200, part) if e.kind == "call"} for part in ("train", "dev"))
    assert train
    assert dev
    assert not train & dev
    train_values, dev_values = (Values(random.Random(0), part) for part in ("train", "dev"))
    for kind in ("brand", "noun", "category"):
        own = {train_values.word("en", kind) for _ in range(600)}
        assert not own & {dev_values.word("en", kind) for _ in range(200)}


def test_numbers_are_written_as_the_grammar_reads_them() -> None:
    rng = random.Random(3)
    for lang in ("en", "zh"):
        for draw in (amounts.money, partial(amounts.money, big=True), amounts.size):
            missed = [
                pair for pair in (draw(rng, lang) for _ in range(200)) if float(pair[1]) not in numbers_in(pair[0])
            ]
            assert not missed, missed[:3]
    assert en_words(2_340) == "two thousand three hundred and forty"
    assert [zh_words(n) for n in (10, 105, 110, 10_500)] == ["十", "一百零五", "一百一十", "一万零五百"]


def test_every_phrase_can_be_expanded(world: World) -> None:
    writer = director(world).writer
    for role, name in (("manager", "manager"), ("manager", "manager_more"), ("customer", "customer")):
        for lang, tools in phrases(name)["openings"].items():
            for families in tools.values():
                for family in families:
                    shown = writer.write(family, lang, role).shown()
                    assert shown
                    assert not set(shown) & set("{}[]|") or "[" in shown, family


def test_a_pronoun_stands_where_a_name_stood() -> None:
    assert points_well("How many units of {product:any} do I need?", "product", "en")
    assert not points_well("Draft {product:any} forecast", "product", "en")
    assert pointed("What is {product:any}'s margin?", "product", "it") == "What is its margin?"


def test_held_back_is_decided_by_the_text() -> None:
    assert held_back("brand:Aurora") == held_back("brand:Aurora")
    assert 60 < sum(held_back(f"k{n}") for n in range(1000)) < 140


@pytest.mark.slow
def test_the_same_seed_makes_the_same_data(tmp_path: Path) -> None:
    cards = [
        data.main(tmp_path / name, tmp_path / f"home-{name}", seed=5, count=90, seeds=(7,), say=lambda _: None)
        for name in ("one", "two")
    ]
    assert cards[0]["sha256"] == cards[1]["sha256"]
    rows = read(tmp_path / "one" / data.TRAIN)
    catalogue = read_catalogue(tmp_path / "one")
    assert cards[0]["train"]["examples"] == len(rows)
    assert not [why for each in rows if (why := fault(each, catalogue))]
    assert len({each.key for each in rows}) == len(rows)
    assert dataclasses.asdict(rows[0])["messages"]
