"""Routing for a model that was not taught the tools: examples pick the tool, the model only fills its arguments."""

from pathlib import Path

import pytest
from tests_support import FixedShop

from agent.assistant import Answer, Assistant, StepFinished
from agent.models.template import Call
from agent.render import render
from agent.routing import NOTHING_FITS
from agent.scripted import ScriptedChatModel
from agent.shortlist import LEAST_FIT_VECTORS, LEAST_FIT_WORDS, Shortlist, examples_of
from shop import Actor, Figure, Shop, ToolError, ToolResult
from tools import ALL
from tools.registry import bind, tool


class Untaught(ScriptedChatModel):
    """A scripted model that stands for a base model."""

    is_tuned: bool = False


@tool("read", "internal")
def plan_inventory(shop: Shop, product: str) -> ToolResult:
    """Plan the first order and the reorder rule for a product.

    Args:
        product: SKU, draft id or name.
    """
    if product == "nothing":
        raise ToolError("No product is called nothing; the closest is Kettle-1.")
    return ToolResult(
        summary="Buy {{buy.first_buy}}.", figures=(Figure(id="buy.first_buy", label="buy", value=76, unit="units"),)
    )


def manager_examples() -> Shortlist:
    return Shortlist(examples_of({f.tool.name: f.tool.summary for f in ALL if "manager" in f.tool.roles}))


def desk(*replies: object) -> tuple[Assistant, Untaught]:
    model = Untaught(replies=list(replies))
    bound = bind([plan_inventory], FixedShop(), Actor(role="manager"))
    return Assistant(model, bound, shortlist=manager_examples()), model


def shown(assistant: Assistant, question: str) -> str:
    *_, answer = assistant.ask(question, "t")
    assert isinstance(answer, Answer)
    return render(answer.template, assistant.ledger("t"))


def test_the_examples_pick_the_tool_and_the_tool_answers() -> None:
    assistant, model = desk(Call("plan_inventory", {"product": "D-0001"}))
    assert shown(assistant, "Plan the first buy of D-0001") == "Buy 76."
    assert len(model.asked) == 1
    assert model.asked[0].tools == ["plan_inventory"]
    assert model.asked[0].options["tool_choice"] == "plan_inventory"


def test_where_nothing_fits_the_model_is_not_asked() -> None:
    assistant, model = desk()
    assert shown(assistant, "xyzzy") == NOTHING_FITS
    assert model.asked == []


def test_an_error_of_the_tool_is_the_answer() -> None:
    assistant, _ = desk(Call("plan_inventory", {"product": "nothing"}))
    events = list(assistant.ask("Plan the first buy of nothing", "t"))
    assert [e.error for e in events if isinstance(e, StepFinished)] == [
        "No product is called nothing; the closest is Kettle-1."
    ]


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Plan the first buy of D-0001", "plan_inventory"),
        ("What should the Aurora gooseneck kettle cost?", "recommend_price"),
        ("Forecast the launch of D-0002 over 12 weeks", "forecast_launch"),
        ("I want to launch a new kettle, cost 21.50", "draft_product"),
        ("首批订多少货合适", "plan_inventory"),
    ],
)
def test_plain_questions_find_their_tool_by_words_alone(question: str, name: str) -> None:
    shortlist = manager_examples()
    assert shortlist.nearest(question)[0] == name
    assert shortlist.scores(question).max() >= LEAST_FIT_WORDS


@pytest.mark.model
@pytest.mark.slow
def test_talk_that_no_tool_answers_stays_below_the_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    from retrieval.embed import open_embedder

    home = Path(tmp_path_factory.getbasetemp()) / "embedder"
    tools = {f.tool.name: f.tool.summary for f in ALL if "manager" in f.tool.roles}
    shortlist = Shortlist(examples_of(tools), open_embedder(home))
    talk = ["hello", "tell me a joke", "who are you", "write me a poem about spring", "what is the capital of France"]
    asked = ["How many kettles should I order first?", "What price should the lamp have?", "Which tents do we sell?"]
    assert max(shortlist.scores(text).max() for text in talk) < LEAST_FIT_VECTORS
    assert min(shortlist.scores(text).max() for text in asked) >= LEAST_FIT_VECTORS
