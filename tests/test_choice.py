"""The model that chooses tools: what it looks at, that it survives its file, and what the shortlist makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from sklearn.linear_model import LogisticRegression

from agent.choice import (
    CUES,
    FILE,
    GIST,
    NOTHING,
    SENTENCE,
    TERMS,
    WIDTH,
    WORD,
    Asked,
    EngineReader,
    Features,
    Reading,
    asked_in,
    cues,
    load,
    read_alone,
    vectorizer,
)
from agent.models.adapters import Adapter, Sureness, read_adapter
from agent.models.chat import LocalChatModel
from agent.models.select import ADAPTERS, SHIPPED
from agent.models.weights import EMBEDDED
from agent.shortlist import SURE, Offer, Shortlist, examples_of, open_shortlist
from finetune import choice
from finetune.choice import Wanted, _elsewhere, auc, enough_in, fit, judge, named_in, wanted_in
from finetune.examples import DEV, TRAIN, Example, assistant, user, write
from finetune.sureness import fitted, threshold
from finetune.world import ROLES
from retrieval.embed import Vectors
from shop import BadInput
from tests.tiny_model import tiny_engine
from tools import ALL

PRICE = ["what should {} cost", "recommend a price for {}", "price of {} please", "给{}定价"]
STOCK = ["how many of {} should we buy", "first buy for {}", "reorder point of {}", "{}该订多少"]
TALK = ["hello there", "thanks a lot", "你好", "write me a poem about {}"]
THINGS = ["kettle", "D-0001", "mug", "lamp", "rug"]


class Counted:
    """Stands in for the sentence model: as many ones as the text has words."""

    fingerprint, languages = "words", frozenset({"en"})

    def __init__(self) -> None:
        self.read: list[str] = []

    def queries(self, texts: Any) -> Vectors:
        self.read += texts
        rows = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[: len(text.split())] = 1
        return rows

    def passages(self, texts: Any, progress: Any = None) -> Vectors:
        return self.queries(texts)


class Reads:
    """Stands in for the language model: sees what no word says, whether a kettle is meant."""

    digest = "a1"

    def gists(self, turns: Any) -> Vectors:
        return np.array([[1, 0, len(t.question), 0] if "k" in t.before else [0, 1, 9, 1] for t in turns], np.float32)


def wanted() -> list[Wanted]:
    kinds = {"recommend_price": PRICE, "plan_inventory": STOCK, NOTHING: TALK}
    return [Wanted(Asked(p.format(t)), tool) for tool, patterns in kinds.items() for p in patterns for t in THINGS]


def test_a_turn_is_read_from_the_conversation() -> None:
    call = {"name": "recommend_price", "args": {"product": "mug"}, "id": "1"}
    messages = [
        SystemMessage("You are Debut."),
        HumanMessage("Price the mug"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("12", tool_call_id="1"),
        AIMessage("Shall I plan the first buy, too?"),
        HumanMessage("yes"),
    ]
    assert asked_in(messages) == Asked("yes", "Price the mug", ("recommend_price",), answers=True)
    # What came after the question is the answer's business, not the question's.
    assert asked_in([*messages, AIMessage("", tool_calls=[{**call, "name": "plan_inventory"}])]).used == (
        "recommend_price",
    )
    refused = ToolMessage("No such product.", tool_call_id="1", status="error")
    assert asked_in([*messages[:3], refused, *messages[4:]]).refused
    assert asked_in(messages[:2]) == Asked("Price the mug")
    assert asked_in(messages[:1]).question == ""


def test_features_tell_turns_apart_that_have_the_same_words() -> None:
    texts = ["yes please", "yes of course", "please"]
    pieces, words = (vectorizer(kind).fit(texts) for kind in TERMS)
    features = Features(pieces, words, ["plan_inventory", "recommend_price"], Counted())
    rows = features.of([
        Asked("yes"), Asked("yes", "a b c"), Asked("yes", used=("x", "recommend_price")), Asked("yes", answers=True),
        Asked("yes", used=("x", "recommend_price"), refused=True),
    ]).toarray()  # fmt: skip
    assert set(words.vocabulary_) == {"yes", "please"}
    assert rows[0, len(pieces.vocabulary_) + words.vocabulary_["yes"]] == WORD
    width = len(pieces.vocabulary_) + len(words.vocabulary_)
    assert rows.shape == (5, width + 2 * WIDTH + 2 * 2 + 2)
    assert (rows[1, width + WIDTH :][:4] / SENTENCE).tolist() == [1, 1, 1, 0]
    assert rows[2, -6:].tolist() == [0, 1, 0, 0, 0, 0]
    assert rows[3, -6:].tolist() == [0, 0, 0, 0, 1, 0]
    assert rows[4, -6:].tolist() == [0, 0, 0, 1, 0, 0]
    assert rows[1, -1] == 1
    assert np.allclose(rows[:, :width], rows[0, :width])


def test_ids_and_amounts_are_not_looked_at() -> None:
    pieces, words = (vectorizer(kind).fit(["it costs it"] * 2) for kind in TERMS)
    features = Features(pieces, words, [], Counted())
    one, other = features.of([Asked("D-0001 costs 24.90"), Asked("D-0374 costs 7")]).toarray()
    assert np.allclose(one, other)


def test_it_is_the_regression_it_says_it_is() -> None:
    """The probabilities are those of scikit-learn's model, up to the sixteen bits that are stored."""
    chooser, _, about = fit(wanted(), [], [], None)
    pieces = vectorizer("pieces", about["pieces"]).fit([each.turn.question for each in wanted()])
    assert set(pieces.vocabulary_) == set(about["pieces"])
    turns = [each.turn for each in wanted()]
    rows = chooser._features.of(turns)
    model = LogisticRegression(C=choice.INVERSE_RIDGE, max_iter=200, class_weight="balanced")
    model.fit(rows, [each.tool for each in wanted()])
    for turn, expected in zip(turns[::7], model.predict_proba(rows[::7]), strict=True):
        assert list(chooser.probabilities(turn).values()) == pytest.approx(list(expected), abs=2e-3)


def examples() -> list[Example]:
    return [
        Example("call" if each.tool else "chat", role, "en", "f", (user(each.turn.question),), ("x",),
                call={"name": each.tool, "arguments": {}} if each.tool else {}, text="" if each.tool else "Hello.")
        for role in ROLES for each in wanted()
    ]  # fmt: skip


def test_what_is_stored_is_what_was_fitted(tmp_path: Path) -> None:
    rows = examples()
    write(rows, tmp_path / TRAIN)
    write(rows[:10], tmp_path / DEV)
    with pytest.raises(BadInput, match="customer"):
        choice.main([tmp_path], None, tmp_path)
    write(rows, tmp_path / DEV)
    report = choice.main([tmp_path], None, tmp_path)
    assert report["manager"]["questions"] == len(wanted())
    assert report["manager"]["right"] == 1
    loaded = load(tmp_path, "manager", None)
    assert loaded is not None
    fresh, _, _ = fit([*choice._written("manager", rows), *wanted_in(rows, "manager")], [], [], None)
    turn = Asked("how many lamps should we buy")
    assert loaded.probabilities(turn) == pytest.approx(fresh.probabilities(turn), abs=1e-6)
    assert max(loaded.probabilities(turn), key=loaded.probabilities(turn).__getitem__) == "plan_inventory"
    assert load(tmp_path / "nowhere", "manager", None) is None
    # Vectors of another model mean something else: it is left out.
    assert load(tmp_path, "manager", Counted()) is None


def test_what_the_language_model_makes_of_the_words_is_learned_from() -> None:
    said = [Wanted(Asked("yes", before), tool) for before, tool in (("k", "x"), ("m", "y")) for _ in range(9)]
    # Without a sentence model nothing but the reader sees the words before.
    deaf, _, _ = fit([*said, *wanted()], [], [], None)
    hears, stored, _ = fit([*said, *wanted()], [], [], None, Reads())
    for before, tool in (("k", "x"), ("m", "y")):
        assert deaf.probabilities(Asked("yes", before))["x"] == pytest.approx(0.5, abs=0.1)
        assert hears.probabilities(Asked("yes", before))[tool] > 0.9
    assert stored["middle"].shape == stored["spread"].shape == (4,)
    rows = Reading(Reads(), stored["middle"], stored["spread"]).rows([Asked("yes", "k"), Asked("yes", "m")]).toarray()
    # Both halves weigh alike, whatever their numbers are like.
    assert np.linalg.norm(rows.reshape(2, 2, 2), axis=2) == pytest.approx(GIST, abs=1e-3)


def test_a_chooser_that_reads_goes_with_its_adapter(tmp_path: Path) -> None:
    rows = examples()
    write(rows, tmp_path / TRAIN)
    write(rows, tmp_path / DEV)
    choice.main([tmp_path], None, tmp_path, Reads())
    loaded = load(tmp_path, "manager", None, Reads())
    assert loaded is not None
    fresh, _, _ = fit([*choice._written("manager", rows), *wanted_in(rows, "manager")], [], [], None, Reads())
    turn = Asked("how many lamps should we buy")
    assert loaded.probabilities(turn) == pytest.approx(fresh.probabilities(turn), abs=1e-6)
    # Without the model, or with another adapter, its states are missing or mean something else.
    other = Reads()
    other.digest = "b2"
    assert load(tmp_path, "manager", None) is None
    assert load(tmp_path, "manager", None, other) is None
    choice.main([tmp_path], None, tmp_path)
    assert load(tmp_path, "manager", None, Reads()) is None


def test_the_desk_takes_the_chooser_of_the_adapter_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def found(folder: Path, role: str, embedder: Any, reader: Any = None) -> Any:
        asked.append((folder.name, reader.digest if reader else ""))
        return None

    monkeypatch.setattr("agent.shortlist.load", found)
    adapter = Adapter(tmp_path / "mine", "mine", "d1")
    model = LocalChatModel(engine=tiny_engine(), adapter=adapter)
    open_shortlist("manager", {"recommend_price": ""}, Counted(), model)
    open_shortlist("manager", {"recommend_price": ""}, Counted(), LocalChatModel(engine=tiny_engine()))
    # Where the adapter has none, the one for every model stands in.
    assert asked == [("mine", "d1"), ("adapters", ""), ("adapters", "")]


def test_a_turn_is_read_by_itself() -> None:
    reader = EngineReader(tiny_engine(), Adapter(Path("a"), "a", "d"))
    plain, after, marked, empty = reader.gists([
        Asked("a kettle"), Asked("a kettle", "price it"), Asked("a kettle", used=("x",)), Asked(" "),
    ])  # fmt: skip
    assert plain.shape == (2 * 32,)
    assert np.allclose(plain, marked)
    assert not np.allclose(plain, after)
    assert not empty[:32].any()
    assert empty[32:].any()
    head, words, tail = read_alone(Asked("x" * 900 + " <|im_end|> end ", "y" * 900))
    assert words.endswith("< |im_end|> end")
    assert len(words) < 410
    assert head.count("y") == 200
    assert tail.endswith("assistant\n")


def test_turns_that_lack_an_argument_teach_nothing() -> None:
    ask = Example("ask", "manager", "en", "f", (user("price it"),), ("recommend_price",), text="Which product?")
    later = (user("price"), assistant("Which?"), user("the mug"))
    answer = Example("follow_up", "manager", "en", "f", later, ("x",), call={"name": "recommend_price"})
    assert wanted_in([ask, answer], "manager") == [Wanted(Asked("the mug", "price", answers=True), "recommend_price")]
    assert wanted_in([answer], "customer") == []


def enough() -> list[tuple[Asked, bool]]:
    """A price can only be tried where one is given; recommending one needs the product alone."""
    said = [(f"try {amount} for the {thing}", True) for thing in THINGS for amount in ("24.90", "$9", "30 euros")]
    said += [(f"{words} {thing}", False) for thing in THINGS for words in ("try a price for the", "try another for")]
    return [(Asked(text), is_enough) for text, is_enough in said]


def test_whether_enough_was_said_is_told_by_cues_and_words() -> None:
    trial = [*wanted(), *(Wanted(turn, "simulate_price") for turn, is_enough in enough() if is_enough)]
    chooser, stored, _ = fit(trial, enough(), [], None)
    assert auc(chooser.said_enough, enough()) == 1
    # Amounts that it has not seen are amounts all the same.
    assert (
        chooser.said_enough(Asked("try 17,50 for the mug")) > 0 > chooser.said_enough(Asked("try a price for the mug"))
    )
    assert stored["enough"].shape == (chooser.details([Asked("x")]).shape[1],)
    # Without questions that lack something there is nothing to tell.
    only, _, _ = fit(wanted(), [(Asked("price the mug"), True)], [], None)
    assert only.said_enough(Asked("price the mug")) == 0
    assert auc(only.said_enough, [(Asked("price the mug"), True)]) is None


def after_a_call(question: str, answer: str = "Some 40 units.", **arguments: str) -> Example:
    made = {"role": "assistant", "content": "", "calls": [{"name": "draft_product", "arguments": {"name": "Oak mug"}}]}
    turns = (
        user("draft the Oak mug"),
        made,
        {"role": "tool", "name": "draft_product", "content": "Done."},
        assistant(answer),
        user(question),
    )
    return Example("follow_up", "manager", "en", "f", turns, ("x",), call={"name": "x", "arguments": arguments})


def test_a_turn_names_what_it_is_about_or_goes_on() -> None:
    first = Example("call", "manager", "en", "f", (user("price the lamp"),), ("x",),
                    call={"name": "x", "arguments": {"product": "lamp"}})  # fmt: skip
    rows = [
        first,
        after_a_call("price it", product="Oak mug"),
        after_a_call("and the OAK MUG in May", product="Oak mug"),
        after_a_call("and all mugs", category="mugs"),
        after_a_call("the lamp", "Which product?", product="lamp"),
        after_a_call("who should hear of it?"),
    ]
    found = named_in(rows, "manager")
    assert [(turn.question, is_named) for turn, is_named in found] == [
        ("price it", False),
        ("and the OAK MUG in May", True),
        ("and all mugs", True),
        ("price the lamp", True),
        ("price the lamp", True),
        ("price the lamp", True),
    ]
    assert {turn.used for turn, _ in found} == {("draft_product",)}
    # What lacks a product elsewhere means the same one here.
    lacks = Example("ask", "manager", "en", "f", (user("how many should I order?"),), ("x",), text="For which product?")
    other = replace(lacks, text="What budget should I plan with?")
    more = named_in([*rows, lacks, other], "manager")
    assert more[: len(found)] == found
    assert [(turn.question, is_named) for turn, is_named in more[len(found) :]] == [
        (lacks.messages[0]["content"], False)
    ] * 3
    assert named_in([first], "manager") == named_in(rows, "customer") == []


def test_whether_something_is_named_is_learned() -> None:
    told = [(Asked(words, "draft the mug", ("draft_product",)), is_named) for is_named, several in (
        (False, ["price it", "and for 12 weeks", "at 9 then"]), (True, ["price the Luna", "and the Luna", "the Luna"]),
    ) for words in several for _ in range(3)]  # fmt: skip
    chooser, _, _ = fit(wanted(), [], told, None)
    assert auc(chooser.names_subject, told) == 1
    assert chooser.names_subject(Asked("price the Luna lamp", "x", ("draft_product",))) > 0
    shortlist = Shortlist(examples_of(dict.fromkeys(["recommend_price", "plan_inventory"], "")), None, chooser)
    offer = shortlist.offer([HumanMessage("recommend a price for mug")])
    assert offer.settings == {"said_enough": 0.0, "names_subject": offer.names_subject}
    assert offer.names_subject == chooser.names_subject(Asked("recommend a price for mug"))


@pytest.mark.parametrize(
    ("turn", "held"),
    [
        (Asked("hello"), {0}),
        (Asked("try 24.90"), {0, 1, 2, 5}),
        (Asked("at $24.90"), {0, 1, 2}),
        (Asked("a margin of 20 %"), {0, 1, 3}),
        (Asked("for six weeks"), {0, 1, 4, 6}),
        (Asked("30 units"), {0, 1, 5}),
        (Asked("on Friday"), {0, 6, 8}),
        (Asked("D-0012"), {0, 1, 7}),
        (Asked("price the Luna mug"), {0, 8}),
        (Asked("and that?", before="hello"), {0, 10, 12}),
        (Asked("yes", before="price", used=("recommend_price",), answers=True), {0, 10, 11, 13}),
        (Asked("给它定个价"), {0, 12}),
        (Asked("D-0012", before="price", used=("recommend_price",), refused=True), {0, 1, 7, 10, 13, 14}),
    ],
)
def test_cues_of_a_question(turn: Asked, held: set[int]) -> None:
    found = cues(turn)
    assert len(found) == CUES
    # The tenth is how long the question is.
    assert {n for n, value in enumerate(found) if value and n != 9} == held
    assert found[9] > 0 or turn.question == "D-0012"


def test_turns_that_lack_an_argument_are_those_that_say_too_little() -> None:
    ask = Example("ask", "manager", "en", "f", (user("price it"),), ("recommend_price",), text="Which product?")
    call = Example("call", "manager", "en", "f", (user("price the mug"),), ("x",), call={"name": "recommend_price"})
    chat = Example("chat", "manager", "en", "f", (user("hello"),), ("x",), text="Hello.")
    shown = Example("call", "manager", "en", "f", (user("hi"), assistant("ok")), ("x",), call={"name": "x"})
    assert enough_in([ask, call, chat, shown], "manager") == [
        (Asked("price it"), False),
        (Asked("price the mug"), True),
    ]
    assert enough_in([ask], "customer") == []


def test_after_a_refusal_the_call_is_put_right_or_something_else_is_asked() -> None:
    refused = [
        Wanted(Asked(thing, "price it", (tool,), answers=True, refused=True), tool)
        for thing in THINGS for tool in ("recommend_price", "plan_inventory")
    ]  # fmt: skip
    rows = _elsewhere([*wanted(), *refused])
    more = rows[len(wanted()) + len(refused) :]
    assert len(more) == len(refused)
    assert all(each.turn.refused and each.turn.question not in THINGS for each in more)
    chooser, _, _ = fit(rows, [], [], None)
    shortlist = Shortlist(examples_of(dict.fromkeys(["recommend_price", "plan_inventory"], "")), None, chooser)
    for tool in ("recommend_price", "plan_inventory"):
        after = Asked("the wok", "price it", (tool,), answers=True, refused=True)
        assert shortlist.best(after) == tool
        assert shortlist.best(replace(after, question="hello there")) == NOTHING
    assert _elsewhere(wanted()) == wanted()


def test_few_tools_are_shown_where_it_is_sure_and_strange_ones_join() -> None:
    chooser, _, _ = fit(wanted(), [], [], None)
    names = ["recommend_price", "plan_inventory", "score_launch"]
    shortlist = Shortlist(examples_of(dict.fromkeys(names, "")), None, chooser)
    likely = chooser.probabilities(Asked("recommend a price for the mug"))
    assert likely["recommend_price"] > SURE
    # It was never taught `score_launch`, so that stays beside what it is sure of.
    assert shortlist.wanted(Asked("recommend a price for the mug")) == ["recommend_price", "score_launch"]
    assert shortlist.offer([HumanMessage("recommend a price for the mug")]) == Offer(
        ("recommend_price", "score_launch")
    )
    # A model that chooses itself sees as many as may be shown, whatever the chooser holds.
    assert shortlist.choose(Asked("recommend a price for the mug")) == names
    assert shortlist.choose(Asked("recommend a price for the mug"), size=2) == ["recommend_price", "score_launch"]
    assert shortlist.best(Asked("hello there")) == NOTHING
    assert shortlist.best(Asked("reorder point of rug")) == "plan_inventory"
    assert shortlist.rank(Asked("reorder point of rug"))[0] == "plan_inventory"
    assert judge(chooser, wanted())["held"] == 1


def test_an_offer_is_one_tool_until_that_has_answered() -> None:
    chooser, _, _ = fit(wanted(), [], [], None)
    shortlist = Shortlist(examples_of(dict.fromkeys(["recommend_price", "plan_inventory"], "")), None, chooser)
    asked: list[Any] = [HumanMessage("recommend a price for the mug")]
    assert shortlist.offer(asked) == Offer(("recommend_price",))
    call = {"name": "recommend_price", "args": {"product": "mug"}, "id": "1"}
    calls = [*asked, AIMessage("", tool_calls=[call])]
    answered = ToolMessage("12", tool_call_id="1", name="recommend_price")
    assert shortlist.offer([*calls, answered]) == Offer(())
    refused = ToolMessage("No such product.", tool_call_id="1", name="recommend_price", status="error")
    assert shortlist.offer([*calls, refused]).names == ("recommend_price",)
    assert shortlist.offer([*calls, refused, refused]) == Offer(())
    both: list[Any] = [HumanMessage("recommend a price for the mug, how many of mug should we buy")]
    assert shortlist.offer([*both, *calls[1:], answered]) == Offer(("plan_inventory",))
    assert not shortlist.offer([HumanMessage("hello there")]).may_call
    # Without a chooser the examples name the tools, and the model decides.
    assert Shortlist(examples_of({"a": "apples", "z": "zebras"})).offer(asked) == Offer(("a", "z"))


def test_as_many_questions_are_asked_as_lack_something() -> None:
    sure = np.array([0.2, 0.9, 0.7, 0.95, 0.85, 0.99])
    wanted_calls = np.array([False, True, False, True, False, True])
    at, right = threshold(sure, wanted_calls)
    assert at == pytest.approx((0.85 + 0.9) / 2)
    assert right == {"calls": 1, "others": 1}
    mixed = np.array([False, True, False, False, True, True])
    at, right = threshold(sure, mixed)
    assert (sure < at).sum() == (~mixed).sum()
    assert right == {"calls": pytest.approx(2 / 3, abs=1e-4), "others": pytest.approx(2 / 3, abs=1e-4)}
    with pytest.raises(BadInput):
        threshold(sure, np.ones(6, dtype=bool))


def test_the_chooser_has_a_say_as_far_as_it_helps() -> None:
    rng = np.random.default_rng(0)
    wants = np.arange(400) % 5 > 0
    sure = 1 / (1 + np.exp(-(2 * wants + rng.normal(size=400))))
    said = 3 * wants + rng.normal(size=400)
    found = fitted(sure, said, wants)
    assert found["said_weight"] > 0.5
    assert found["auc"] > max(found["auc_model"], found["auc_chooser"])
    held = Sureness(found["least_sure"], found["said_weight"])
    called = np.array([p >= held.needed(s) for p, s in zip(sure, said, strict=True)])
    assert called[wants].mean() == pytest.approx(found["calls"], abs=0.01)
    assert (~called)[~wants].mean() == pytest.approx(found["others"], abs=0.02)
    # What says the wrong thing is not listened to.
    assert fitted(sure, -said, wants)["said_weight"] == 0
    with pytest.raises(BadInput):
        fitted(sure, said, np.ones(400, dtype=bool))


def test_more_said_needs_less_certainty() -> None:
    held = Sureness(0.5, 0.4)
    assert held.needed() == pytest.approx(0.5)
    assert held.needed(3) < 0.5 < held.needed(-3)
    assert Sureness(0.5).needed(100) == pytest.approx(0.5)
    assert 0 <= held.needed(1e6) <= held.needed(-1e6) <= 1


def test_without_vectors_the_examples_decide() -> None:
    assert open_shortlist("manager", {"recommend_price": ""}, None).chooser is None


@pytest.mark.parametrize("folder", [ADAPTERS, ADAPTERS / SHIPPED])
def test_the_ones_that_ship_know_every_tool_of_their_role(folder: Path) -> None:
    reader = Reads() if folder != ADAPTERS else None
    if reader:
        reader.digest = read_adapter(folder, EMBEDDED.sha256).digest
    for role in ROLES:
        chooser = load(folder, role, None, reader)  # type: ignore[arg-type]
        assert chooser is not None, f"{folder / FILE} is missing or not its adapter's; see `./debut finetune choice`"
        names = {each.tool.name for each in ALL if role in each.tool.roles}  # type: ignore[attr-defined]
        # The brief's tool stands on the others, so it is not among those of the floor below.
        assert set(chooser.classes) == {*names, NOTHING} | ({"write_brief"} if role == "manager" else set())
