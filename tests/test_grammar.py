"""What the grammar lets through and what it stops, byte by byte, with llguidance as the judge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.utils.function_calling import convert_to_openai_tool
from llguidance import LLMatcher, LLTokenizer
from pydantic import BaseModel
from tiny_model import accepts

from agent.ledger import bare_numbers
from agent.models.grammar import reply_grammar
from agent.models.said import Talk, day_spans
from agent.models.template import Call, parse_reply, render_reply
from agent.models.values import MAX_TEXT


def recommend_price(
    product: str,
    cost: float | None = None,
    strategy: Literal["cost", "market", "value"] = "market",
    weeks: int = 12,
) -> None:
    """Recommend a price."""


def list_orders() -> None:
    """List orders."""


class Line(BaseModel):
    sku: str
    amount: int


def place_order(lines: list[Line], gift: bool, address: dict[str, Any], note: str | None = None) -> None:
    """A foreign tool with nested arguments."""


TOOLS = [convert_to_openai_tool(tool) for tool in (recommend_price, list_orders, place_order)]
FIGURES = ["price.floor", "price.recommended", "price.recommended.low"]


def call(name: str, **arguments: Any) -> str:
    return render_reply("", [Call(name, arguments)])


GOOD_CALLS = [
    call("recommend_price", product="Aurora kettle"),
    call("recommend_price", product="Aurora kettle", cost=12.5),
    call("recommend_price", product='the "big" one', cost=-3, strategy="value", weeks=26),
    call("recommend_price", product="小红书 水壶", weeks=3),
    call("list_orders"),
    call("place_order", lines=[{"sku": "A-1", "amount": 2}], gift=True, address={}),
    call("place_order", lines=[], gift=False, address={"zip": "90210", "floor": 3}, note="ring twice"),
]
BAD_CALLS = {
    "unknown tool": call("drop_table"),
    "missing argument": call("recommend_price"),
    "unknown argument": call("recommend_price", product="x", discount=1),
    "not in the enumeration": call("recommend_price", product="x", strategy="free"),
    "wrong type": call("recommend_price", product=3),
    "fraction of a week": call("recommend_price", product="x", weeks=1.5),
    "other order": call("recommend_price", cost=1, product="x"),
    "null for a left out argument": call("recommend_price", product="x", cost=None),
    "white space": '<tool_call>{"name": "list_orders", "arguments": {}}</tool_call>',
    "text without end": call("recommend_price", product="a" * (MAX_TEXT + 1)),
    "run of blanks": call("recommend_price", product="a  b"),
    "blank at the end": call("recommend_price", product="kettle "),
    "empty text": call("recommend_price", product=""),
    "number without end": call("recommend_price", product="x", cost=10**12),
    "decimals without end": call("recommend_price", product="x").replace('"x"', '"x","cost":0.123456789'),
    "unknown nested argument": call("place_order", lines=[{"sku": "A", "amount": 1, "x": 1}], gift=True, address={}),
    "missing nested argument": call("place_order", lines=[{"sku": "A"}], gift=True, address={}),
    "two calls": call("list_orders") * 2,
    "words before": "Sure. " + call("list_orders"),
    "words after": call("list_orders") + " Done.",
    "cut off": call("list_orders")[:-3],
}


@pytest.mark.parametrize("text", GOOD_CALLS)
def test_a_valid_call_is_accepted_and_parses_back(tokens: LLTokenizer, text: str) -> None:
    assert accepts(tokens, reply_grammar(TOOLS, "any"), text)
    content, calls = parse_reply(text)
    assert (content, render_reply("", calls)) == ("", text)


@pytest.mark.parametrize("text", BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_wrong_call_is_refused(tokens: LLTokenizer, text: str) -> None:
    assert not accepts(tokens, reply_grammar(TOOLS), text)


GOOD_TEXTS = [
    "We expect a good season.",
    "Sell it at {{price.recommended}}, never below {{price.floor}}.",
    "At least {{price.recommended.low}} (P10), P50; and P90.",
    "两款水壶，建议售价 {{price.recommended}}。",
    "First point:\n- one\n- ten\n\nMore: **bold**, 50".replace("50", "fine"),
    "{{price.floor}}",
]
BAD_TEXTS = [
    "Sell it at 24.90.",
    "Only ３ left",
    "a ² b",
    "① first",
    "Ⅳ",
    "½ off",
    "٣ units",
    "xP50",
    "P500",
    "P50x",
    "{{price.unknown}}",
    "{{price.floor.high}}",
    "{{price.floor}",
    "{{ price.floor }}",
    "{price.floor}",
    "twelve weeks",
    "Two Hundred units",
    "三百件",
    "百分之十",
    "a  b",
    "a\n\n\nb",
    " a",
    "a ",
    "",
    "<tool_call>",
    "<|im_end|>",
    "a\tb",
    "x\u200b1",
]


@pytest.mark.parametrize("text", GOOD_TEXTS)
def test_text_with_known_figures_is_accepted(tokens: LLTokenizer, text: str) -> None:
    assert accepts(tokens, reply_grammar(TOOLS, "auto", FIGURES), text)
    assert bare_numbers(text) == []


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_text_with_a_figure_of_its_own_is_refused(tokens: LLTokenizer, text: str) -> None:
    assert not accepts(tokens, reply_grammar(TOOLS, "auto", FIGURES), text)


def test_without_figures_no_placeholder_is_possible(tokens: LLTokenizer) -> None:
    assert accepts(tokens, reply_grammar(), "Which product do you mean?")
    assert not accepts(tokens, reply_grammar(), "{{price.floor}}")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_whatever_the_grammar_accepts_has_no_bare_number(tokens: LLTokenizer, text: str) -> None:
    if accepts(tokens, reply_grammar(figures=FIGURES), text):
        assert bare_numbers(text) == []


@pytest.mark.parametrize(
    ("choice", "text", "called", "other"),
    [
        ("auto", True, True, True),
        ("none", True, False, False),
        ("any", False, True, True),
        ("list_orders", False, True, False),
    ],
)
def test_the_tool_choice_is_kept(tokens: LLTokenizer, choice: str, text: bool, called: bool, other: bool) -> None:
    grammar = reply_grammar(TOOLS, choice)
    assert accepts(tokens, grammar, "Which one?") == text
    assert accepts(tokens, grammar, call("list_orders")) == called
    assert accepts(tokens, grammar, call("recommend_price", product="x")) == other


def test_a_choice_that_names_no_tool_is_an_error() -> None:
    with pytest.raises(ValueError, match="drop_table"):
        reply_grammar(TOOLS, "drop_table")
    with pytest.raises(ValueError, match="any"):
        reply_grammar([], "any")


def schema_tool(**properties: Any) -> list[dict[str, Any]]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return [{"type": "function", "function": {"name": "f", "description": "", "parameters": parameters}}]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "number", "minimum": 0.5, "maximum": 0.999}, [0.5, 0.95, 0.999], [0.4, 1, 0.9995555]),
        ({"type": "integer", "minimum": 1}, [1, 52], [0, -3, 10**12]),
        (
            {"type": "array", "items": {"enum": ["search", "社交"]}, "minItems": 1},
            [["search"], ["社交", "search"]],
            [[], ["tv"]],
        ),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["x", 7], [True, None]),
        ({"type": ["string", "null"]}, ["x", None], [1]),
        ({"const": "yes"}, ["yes"], ["no"]),
        ({"type": "string", "pattern": "^[A-Z]-[0-9]{4}$"}, ["D-0001"], ["D-1", "x"]),
        ({"type": "string", "format": "date"}, ["2027-03-01"], ["March"]),
        ({"type": "string", "maxLength": 3}, ["abc"], ["abcd"]),
        ({}, ["x", 1, True, None], [{"a": 1}]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"a": 1, "b": 2}], [{"a": "x"}]),
    ],
)
def test_schemas_of_any_tool_hold(tokens: LLTokenizer, schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    grammar = reply_grammar(schema_tool(x=schema), "any")
    assert [value for value in good if not accepts(tokens, grammar, call("f", x=value))] == []
    assert [value for value in bad if accepts(tokens, grammar, call("f", x=value))] == []


def test_a_schema_that_refers_to_itself_ends(tokens: LLTokenizer) -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "child": {"$ref": "#/$defs/Node"}},
        "required": ["name"],
    }
    tools = schema_tool(root={"$ref": "#/$defs/Node"})
    tools[0]["function"]["parameters"]["$defs"] = {"Node": node}
    grammar = reply_grammar(tools, "any")
    assert accepts(tokens, grammar, call("f", root={"name": "a", "child": {"name": "b"}}))
    assert not accepts(tokens, grammar, call("f", root={"child": {"name": "b"}}))


@settings(max_examples=60, deadline=None)
@given(
    product=st.text(st.characters(categories=["L", "P", "S", "Nd"]), min_size=1, max_size=20),
    cost=st.none() | st.integers(-(10**6), 10**6) | st.decimals(0, 10**5, places=2).map(float),
)
def test_any_plain_argument_value_can_be_written(tokens: LLTokenizer, product: str, cost: float | None) -> None:
    arguments = {"product": product} | ({} if cost is None else {"cost": cost})
    assert accepts(tokens, reply_grammar(TOOLS, "any"), call("recommend_price", **arguments))
    assert json.loads(call("recommend_price", **arguments)[11:-12])["arguments"] == arguments


SAID = [
    "Price the Aurora kettle GK-200, it costs 24,90 \u20ac, in three weeks. 小红书水壶！",
    'Or the "big" one\nfrom May',
]


@pytest.mark.parametrize(
    ("arguments", "possible"),
    [
        ({"product": "Aurora kettle"}, True),
        ({"product": "kettle GK-200"}, True),
        ({"product": "水壶"}, True),
        ({"product": '"big" one'}, True),
        ({"product": "one from"}, True),
        ({"product": "aurora"}, False),
        ({"product": "Aurora kettl"}, False),
        ({"product": "Borealis"}, False),
        ({"product": " kettle"}, False),
        ({"product": "！ Or"}, False),
        ({"product": "kettle", "cost": 24.9}, True),
        ({"product": "kettle", "cost": 24.91}, False),
        ({"product": "kettle", "weeks": 3}, True),
        ({"product": "kettle", "weeks": 21}, True),
        ({"product": "kettle", "weeks": 12}, False),
        ({"product": "kettle", "strategy": "value"}, True),
    ],
)
def test_texts_are_copied_and_numbers_were_said(tokens: LLTokenizer, arguments: dict[str, Any], possible: bool) -> None:
    grammar = reply_grammar(TOOLS, "auto", said=SAID)
    assert accepts(tokens, grammar, call("recommend_price", **arguments)) == possible


def test_a_tool_whose_number_nobody_said_waits_for_it_unless_it_is_forced(tokens: LLTokenizer) -> None:
    tools = schema_tool(budget={"type": "number", "minimum": 1})
    assert not accepts(tokens, reply_grammar(tools, "auto", said=["Plan ads"]), call("f", budget=500))
    assert accepts(tokens, reply_grammar(tools, "auto", said=["Plan ads"]), "What is the budget?")
    assert accepts(tokens, reply_grammar(tools, "auto", said=["Plan ads for 500"]), call("f", budget=500))
    assert accepts(tokens, reply_grammar(tools, "any", said=["Plan ads"]), call("f", budget=500))
    bounded = schema_tool(share={"type": "number", "maximum": 1})
    grammar = reply_grammar(bounded, "any", said=["a margin of 15 %, or 40"])
    assert [accepts(tokens, grammar, call("f", share=share)) for share in (0.15, 15, 0.4)] == [True, False, False]


def test_text_that_the_model_writes_and_formats_are_no_spans(tokens: LLTokenizer) -> None:
    said = ["I want a person"]
    free = schema_tool(summary={"type": "string", "x-free": True})
    assert accepts(tokens, reply_grammar(free, "auto", said=said), call("f", summary="The customer is angry."))
    dated = schema_tool(day={"type": "string", "format": "date"})
    assert accepts(tokens, reply_grammar(dated, "auto", said=said), call("f", day="2027-03-01"))
    short = schema_tool(word={"type": "string", "maxLength": 4})
    grammar = reply_grammar(short, "auto", said=said)
    assert [accepts(tokens, grammar, call("f", word=word)) for word in ("want", "person")] == [True, False]


def test_a_name_ends_before_its_s(tokens: LLTokenizer) -> None:
    grammar = reply_grammar(
        schema_tool(product={"type": "string"}), "auto", said=["the Oak lamp's price, I don't know"]
    )
    found = {name: accepts(tokens, grammar, call("f", product=name)) for name in ("Oak lamp", "Oak lamp's", "don")}
    assert found == {"Oak lamp": True, "Oak lamp's": True, "don": False}


def test_a_text_with_words_of_its_own_holds_one_of_them(tokens: LLTokenizer) -> None:
    said = ["launch a lunch box in the Kitchen range, or with the coffee makers", "属于厨房用品那边"]
    words = ["kitchen", "coffee", "maker", "厨房", "房用", "用品"]
    tools = schema_tool(category={"type": "string", "x-words": words})
    grammar = reply_grammar(tools, "auto", said=said)
    names = ("Kitchen", "the Kitchen range", "coffee makers", "厨房", "厨房用品", "lunch box", "那边")
    assert [accepts(tokens, grammar, call("f", category=name)) for name in names] == [True] * 5 + [False] * 2
    tools[0]["function"]["parameters"]["required"] = []
    for nothing in ("a lamp", "kitchenware"):
        grammar = reply_grammar(tools, "auto", said=[nothing])
        assert accepts(tokens, grammar, call("f"))
        assert not accepts(tokens, grammar, call("f", category=nothing))


def test_lists_and_alternatives_keep_what_fits(tokens: LLTokenizer) -> None:
    tools = schema_tool(
        items={"type": "array", "items": {"type": "string"}}, sizes={"type": "array", "items": {"type": "integer"}}
    )
    grammar = reply_grammar(tools, "auto", said=["the mug and the pan"])
    assert accepts(tokens, grammar, call("f", items=["mug", "pan"], sizes=[]))
    assert not accepts(tokens, grammar, call("f", items=["pot"], sizes=[]))
    assert not accepts(tokens, grammar, call("f", items=["mug"], sizes=[1]))
    either = schema_tool(value={"anyOf": [{"type": "number"}, {"type": "string"}]})
    assert accepts(tokens, reply_grammar(either, "auto", said=["until May"]), call("f", value="May"))


@pytest.mark.parametrize("said", [[], [""], [" \n "]])
def test_an_empty_conversation_leaves_texts_free(tokens: LLTokenizer, said: list[str]) -> None:
    assert accepts(tokens, reply_grammar(TOOLS, "auto", said=said), call("recommend_price", product="kettle"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1, max_size=3))
def test_whatever_was_said_the_grammar_holds(tokens: LLTokenizer, said: list[str]) -> None:
    matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(reply_grammar(TOOLS, "auto", said=said)))
    assert not matcher.is_error(), matcher.get_error()
    for word in (word for text in said for word in text.split() if word.isalpha() and word.isascii()):
        # A word that another kind of character touches may be part of a longer chunk.
        if f" {word} " in f" {' '.join(said)} ":
            assert accepts(tokens, reply_grammar(TOOLS, "auto", said=said), call("recommend_price", product=word))


def test_an_argument_that_measures_something_takes_no_other_number(tokens: LLTokenizer) -> None:
    measured = {"weeks": {"type": "integer", "x-measure": "weeks"}, "budget": {"type": "number", "x-measure": "money"}}
    said = ["a 6 week campaign for the 65W lamp, 900 euros"]
    assert accepts(tokens, reply_grammar(schema_tool(**measured), "any", said=said), call("f", weeks=6, budget=900))
    for name, wrong in (("weeks", 65), ("weeks", 900), ("budget", 6), ("budget", 65)):
        grammar = reply_grammar(schema_tool(**{name: measured[name]}), "any", said=said)
        assert not accepts(tokens, grammar, call("f", **{name: wrong}))


def test_what_the_user_calls_weeks_comes_before_what_was_said_earlier(tokens: LLTokenizer) -> None:
    measured = {"weeks": {"type": "integer", "x-measure": "weeks"}, "units": {"type": "integer", "x-measure": "count"}}
    tools, said = schema_tool(**measured), ["buy 114 now", "my supplier needs six weeks"]
    grammar = reply_grammar(tools, "auto", said=said)
    assert accepts(tokens, grammar, call("f", weeks=6, units=114))
    assert not accepts(tokens, grammar, call("f", weeks=114, units=114))
    # After a tool's answer the user's words are no longer the last.
    grammar = reply_grammar(tools, "auto", said=Talk([*said, "30 days of stock"], said[1], [*said, "30 days of stock"]))
    assert accepts(tokens, grammar, call("f", weeks=6, units=114))
    assert not accepts(tokens, grammar, call("f", weeks=30, units=114))
    # Words that say nothing of weeks leave it to the model.
    assert accepts(tokens, reply_grammar(tools, "auto", said=["over 8 weeks", "and 40?"]), call("f", weeks=8, units=40))


def test_the_only_share_or_sum_of_the_latest_words_is_not_left_out(tokens: LLTokenizer) -> None:
    measured = {"margin": {"type": "number", "x-measure": "share"}, "budget": {"type": "number", "x-measure": "money"}}
    tools = schema_tool(**measured)
    tools[0]["function"]["parameters"]["required"] = []
    grammar = reply_grammar(tools, "auto", said=["a margin of 20 % on $900"])
    calls = [{"margin": 0.2, "budget": 900}, {"margin": 0.2}, {"budget": 900}, {}]
    assert [accepts(tokens, grammar, call("f", **given)) for given in calls] == [True, False, False, False]
    # Of several numbers, of one that may measure anything, or between two arguments the model is to choose.
    for said in ("20 % or 30 %", "20 of them", "a margin"):
        assert accepts(tokens, reply_grammar(tools, "auto", said=[said]), call("f"))
    two = schema_tool(low=measured["budget"], high=measured["budget"])
    two[0]["function"]["parameters"]["required"] = []
    assert accepts(tokens, reply_grammar(two, "auto", said=["for $900"]), call("f", high=900))


def going_on(said: Sequence[str], **before: Any) -> str:
    """The grammar of a tool that was called before and is asked of again."""
    optional = {"price": {"type": "number", "x-measure": "money"}, "weeks": {"type": "integer", "x-measure": "weeks"}}
    tools = schema_tool(product={"type": "string"}, region={"type": "string"}, **optional)
    tools[0]["function"]["parameters"]["required"] = ["product"]
    return reply_grammar(tools, "auto", said=Talk(said, said[-1], said, Call("f", before)))


def test_what_a_call_goes_on_from_is_kept_or_said_anew(tokens: LLTokenizer) -> None:
    said = ["Forecast the mug at $9 in Spain", "Some 40 units of the mug.", "the same for 12 weeks"]
    grammar = going_on(said, product="the mug", region="Spain", price=9)
    kept = {"product": "the mug", "region": "Spain", "price": 9}
    assert accepts(tokens, grammar, call("f", **kept, weeks=12))
    assert accepts(tokens, grammar, call("f", **kept))
    for wrong in ({"product": "mug"}, {"region": "mug"}, {"price": 40}, {"weeks": 40}):
        assert not accepts(tokens, grammar, call("f", **{**kept, **wrong}))
    for dropped in kept:
        assert not accepts(tokens, grammar, call("f", **{name: kept[name] for name in kept if name != dropped}))


def test_of_another_thing_what_was_said_need_not_hold(tokens: LLTokenizer) -> None:
    said = ["Forecast the mug at $9 in Spain", "Some 40 units.", "and the lamp in Malta?"]
    grammar = going_on(said, product="the mug", region="Spain", price=9)
    for region in ({}, {"region": "Spain"}, {"region": "Malta"}):
        for price in ({}, {"price": 9}):
            assert accepts(tokens, grammar, call("f", product="the lamp", **region, **price))
    assert accepts(tokens, grammar, call("f", product="the mug", region="Malta", price=9))
    assert not accepts(tokens, grammar, call("f", product="the mug", region="Malta"))
    assert not accepts(tokens, grammar, call("f", product="the lamp", region="mug"))


def test_another_tool_takes_the_names_of_the_call_before(tokens: LLTokenizer) -> None:
    tools = schema_tool(product={"type": "string"}, price={"type": "number"})
    tools[0]["function"]["parameters"]["required"] = ["product"]
    said = ["Forecast the mug at 9 with lid", "40 units.", "price it"]
    before = Call("other", {"product": "the mug", "price": 9})
    grammar = reply_grammar(tools, "auto", said=Talk(said, said[-1], said, before))
    assert accepts(tokens, grammar, call("f", product="the mug"))
    assert accepts(tokens, grammar, call("f", product="it"))
    assert accepts(tokens, grammar, call("f", product="the mug", price=40))
    assert not accepts(tokens, grammar, call("f", product="lid"))
    # Several tools may go on from one call.
    both = reply_grammar([*tools, *TOOLS], "auto", said=Talk(said, said[-1], said, before))
    assert accepts(tokens, both, call("f", product="the mug"))
    assert accepts(tokens, both, call("recommend_price", product="the mug"))
    assert not accepts(tokens, both, call("recommend_price", product="lid"))
    # Words that say nothing name no other product, and leave the model no text of its own.
    silent = reply_grammar(tools, "auto", said=Talk([*said[:2], ""], "", said[:2], before))
    assert accepts(tokens, silent, call("f", product="the mug"))
    assert not accepts(tokens, silent, call("f", product="lid"))
    assert not accepts(tokens, silent, call("f", product="something else"))
    # What is new comes from the latest words, or from where they point.
    for words, counted, prices in (
        ("price it", [0, 2], {}),
        ("price it at 7", [0, 2], {7}),
        ("at that price", [0, 1, 2], {9, 40}),
    ):
        talk = [*said[:2], words]
        new = Talk(talk, words, [talk[n] for n in counted], Call("other", {"product": "the mug"}))
        grammar = reply_grammar(tools, "auto", said=new)
        assert {n for n in (7, 9, 40) if accepts(tokens, grammar, call("f", product="the mug", price=n))} == set(prices)
        assert accepts(tokens, grammar, call("f", product="the mug"))
    # Numbers of tools are not the user's.
    grammar = reply_grammar(tools, "auto", said=Talk(said, said[-1], [said[0], said[2]], before))
    assert accepts(tokens, grammar, call("f", product="the mug", price=9))
    assert not accepts(tokens, grammar, call("f", product="the mug", price=40))


@pytest.mark.parametrize("given", ["product", "name"])
def test_a_product_stays_where_none_is_named(tokens: LLTokenizer, given: str) -> None:
    tools = schema_tool(product={"type": "string"}, region={"type": "string"})
    tools[0]["function"]["parameters"]["required"] = ["product"]
    said = ["Draft the mug in Spain", "Done: D-0001.", "the first buy for Malta"]
    for tool in ("f", "other"):
        before = Call(tool, {given: "the mug", "region": "Spain"})
        stays, named, open_ = (
            reply_grammar(tools, "auto", said=Talk(said, said[-1], said, before, is_named))
            for is_named in (False, True, None)
        )
        for grammar, products in ((stays, {"the mug"}), (named, {"Malta"}), (open_, {"the mug", "Malta"})):
            for product in ("the mug", "Malta", "Spain", "D-0001"):
                found = accepts(tokens, grammar, call("f", product=product, region="Malta"))
                assert found is (product in products), (tool, product)
    # So does a category, where a tool is asked about one.
    trend = schema_tool(category={"type": "string"}, region={"type": "string"})
    said = ["The trend of mugs in Spain", "Up.", "the whole of Malta"]
    before = Call("f", {"category": "mugs", "region": "Spain"})
    grammar = reply_grammar(trend, "auto", said=Talk(said, said[-1], said, before, False))
    assert accepts(tokens, grammar, call("f", category="mugs", region="Malta"))
    assert not accepts(tokens, grammar, call("f", category="Malta", region="Malta"))
    # Where nothing new is said, it stays whatever is held of the words; and a first call names its own.
    silent = [*said[:2], ""]
    before = Call("f", {"product": "the mug"})
    assert accepts(
        tokens, reply_grammar(tools, "auto", said=Talk(silent, "", silent, before, True)), call("f", product="the mug")
    )
    assert accepts(
        tokens, reply_grammar(tools, "auto", said=Talk(said, said[-1], said, None, False)), call("f", product="Malta")
    )


def test_a_day_is_a_stretch_around_what_days_are_said_with(tokens: LLTokenizer) -> None:
    said = ["launch the oak lamp on 3 March at 24.90", "下周一上市"]
    assert {"3 March", "下周一"} <= set(day_spans(said))
    assert not {"24.90", "oak lamp", "launch", "上市"} & set(day_spans(said))
    tools = schema_tool(day={"type": "string", "x-measure": "day"})
    assert accepts(tokens, reply_grammar(tools, "auto", said=said), call("f", day="3 March"))
    assert not accepts(tokens, reply_grammar(tools, "auto", said=said), call("f", day="oak lamp"))
    assert not accepts(tokens, reply_grammar(tools, "auto", said=["it costs 24.90"]), call("f", day="24.90"))


def test_what_is_called_a_cost_is_not_left_out(tokens: LLTokenizer) -> None:
    money = {kind: {"anyOf": [{"type": "number", "x-measure": kind}, {"type": "null"}]} for kind in ("cost", "price")}
    tools = schema_tool(**money)
    tools[0]["function"]["parameters"]["required"] = []
    grammar = reply_grammar(tools, "auto", said=["a lunch box at 24.90 in March, it costs 9"])
    calls = [{"cost": 9, "price": 24.9}, {"cost": 9}, {"price": 24.9}, {}]
    assert [accepts(tokens, grammar, call("f", **given)) for given in calls] == [True, True, False, False]
    # Of several, or of what was said before, the model is to choose.
    for said in (["it costs 9, or costs 8 from May"], ["it costs 9", "and now?"]):
        assert accepts(tokens, reply_grammar(tools, "auto", said=said), call("f"))
    # A tool's answer in between changes nothing.
    grammar = reply_grammar(tools, "auto", said=Talk(["it costs 9", "Product D-1."], "it costs 9", ["it costs 9"]))
    assert not accepts(tokens, grammar, call("f"))
