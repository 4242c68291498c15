"""The agent loop: tool steps, the figure guard, errors that go back to the model, and what ends a turn."""

import pytest
from langchain_core.messages import ToolMessage
from tests_support import FixedShop

from agent.assistant import Answer, Assistant, StepFinished, StepStarted, TextDelta
from agent.guard import NO_ANSWER, faults
from agent.ledger import Ledger, bare_numbers
from agent.models.template import Call
from agent.render import render
from agent.scripted import ScriptedChatModel
from shop import Actor, Figure, Shop, ToolError, ToolResult
from tools.registry import bind, tool


@tool("read", "internal")
def count_stock(shop: Shop, product: str, weeks: int = 4) -> ToolResult:
    """Count what is left of a product.

    Args:
        product: SKU or name.
        weeks: How many weeks to look ahead.
    """
    if product == "nothing":
        raise ToolError("No product is called nothing; the closest are Kettle-1 and Kettle-2.")
    if product == "bug":
        raise RuntimeError("a bug")
    left = Figure(id="stock.left", label="units left", value=40 + weeks, unit="units", low=30, high=60)
    return ToolResult(summary="{{stock.left}} units are left.", figures=(left,))


def assistant(*replies: object, tools: bool = True) -> tuple[Assistant, ScriptedChatModel]:
    model = ScriptedChatModel(replies=list(replies))
    bound = bind([count_stock] if tools else [], FixedShop(), Actor(role="manager"))
    return Assistant(model, bound), model


def call(**arguments: object) -> Call:
    return Call("count_stock", arguments)


def ask(desk: Assistant, text: str = "How many are left?", thread: str = "t") -> tuple[list[object], str]:
    events = list(desk.ask(text, thread))
    assert isinstance(events[-1], Answer)
    return events, render(events[-1].template, desk.ledger(thread))


def test_a_turn_with_one_call() -> None:
    desk, model = assistant(call(product="kettle"), "You have {{stock.left}} left, at least {{stock.left.low}}.")
    events, shown = ask(desk)
    assert shown == "You have 44 left, at least 30."
    assert isinstance(events[0], StepStarted)
    step = events[1]
    assert isinstance(step, StepFinished)
    assert (step.name, step.arguments, step.error) == ("count_stock", {"product": "kettle"}, "")
    assert step.result is not None
    assert desk.ledger("t")["stock.left"].inputs == {"product": "kettle", "weeks": 4}
    told = model.asked[1].messages[-1]
    assert isinstance(told, ToolMessage)
    assert "stock.left: units left = 44" in told.text


@pytest.mark.parametrize(
    "hostile",
    [
        "You have 44 left.",
        "You have {{stock.left}} left, and 3 more on the way.",
        "You have ４４ left, {{stock.left}}.",
        "{{stock.left}}: roughly forty.",
        "还有四十四件，{{stock.left}}。",
        "You have {{stock.right}} left.",
        "You have {{stock.left left.",
        "There is plenty left.",
        "",
    ],
)
def test_a_hostile_answer_never_reaches_the_reader(hostile: str) -> None:
    desk, model = assistant(call(product="kettle"), hostile, hostile)
    events, shown = ask(desk)
    assert shown == "44 units are left."
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert bare_numbers(answer.template) == []
    assert len(model.asked) == 3
    assert not any(isinstance(event, TextDelta) for event in events)


def test_one_rewrite_is_enough() -> None:
    desk, model = assistant(call(product="kettle"), "You have 44 left.", "You have {{stock.left}} left.")
    assert ask(desk)[1] == "You have 44 left."
    assert "'44' has no source" in model.asked[2].messages[-1].text
    # Words are wanted: a call would take its arguments from what the guard says.
    assert [asked.options.get("tool_choice") for asked in model.asked] == ["auto", "auto", "none"]


def test_a_number_without_any_tool_is_refused() -> None:
    desk, _ = assistant("You will sell 900.", "You will sell 900 units.")
    assert ask(desk)[1] == NO_ANSWER


def test_small_talk_passes() -> None:
    desk, _ = assistant("Hello, what are we launching?")
    assert ask(desk)[1] == "Hello, what are we launching?"


def test_a_tool_error_goes_back_to_the_model() -> None:
    desk, model = assistant(call(product="nothing"), call(product="kettle"), "Now {{stock.left}}.")
    events, shown = ask(desk)
    assert shown == "Now 44."
    errors = [event.error for event in events if isinstance(event, StepFinished)]
    assert errors == ["No product is called nothing; the closest are Kettle-1 and Kettle-2.", ""]
    returned = model.asked[1].messages[-1]
    assert isinstance(returned, ToolMessage)
    assert returned.status == "error"


def test_digits_of_a_tool_error_stand_in_the_ledger() -> None:
    desk, _ = assistant(call(product="nothing"), "Try Kettle-1.", "Try Kettle-1.")
    events, shown = ask(desk)
    assert shown == "No product is called nothing; the closest are Kettle-1 and Kettle-2."
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert bare_numbers(answer.template) == []


@pytest.mark.parametrize("arguments", [{}, {"product": "kettle", "colour": "red"}, {"product": "kettle", "weeks": "x"}])
def test_wrong_arguments_are_a_sentence_for_the_model(arguments: dict[str, object]) -> None:
    desk, model = assistant(call(**arguments), call(product="kettle"), "{{stock.left}}")
    ask(desk)
    assert model.asked[1].messages[-1].text.startswith("count_stock ")


def test_a_bug_rises() -> None:
    desk, _ = assistant(call(product="bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        list(desk.ask("?", "t"))


def test_a_loop_ends() -> None:
    desk, model = assistant(*[call(product="kettle", weeks=n) for n in range(30)])
    events = list(desk.ask("?", "t"))
    assert isinstance(events[-1], Answer)
    assert len(model.asked) == 6


def test_threads_keep_their_own_figures_and_follow_ups_keep_theirs() -> None:
    desk, _ = assistant(
        call(product="kettle"), "{{stock.left}}", call(product="kettle", weeks=8), "{{stock2.left}}", "No figures here."
    )
    assert ask(desk)[1] == "44"
    assert ask(desk, "And in eight weeks?")[1] == "48"
    assert list(desk.ledger("t")) == ["stock.left", "stock2.left"]
    assert ask(desk, thread="other")[1] == "No figures here."
    assert len(desk.ledger("other")) == 0


def test_faults_name_what_is_wrong() -> None:
    assert faults("7 {{a.b}} {{", Ledger()) == [
        "the number '7' has no source",
        "{{a.b}} names no figure",
        "a placeholder is not closed or not well formed",
    ]
