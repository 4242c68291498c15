"""A refusal that names the tool to use instead is followed, and only where that is safe and possible."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from test_routing import Untaught, manager_examples, shown
from tests_support import FixedShop

from agent.assistant import Assistant
from agent.choice import Asked
from agent.models.template import Call
from agent.refusals import redirected
from agent.scripted import ScriptedChatModel
from agent.shortlist import Shortlist, examples_of
from shop import Actor, Figure, Shop, ToolError, ToolResult
from tools import ALL
from tools.registry import bind, tool

TOOLS = {each.tool.name: each.tool for each in ALL}  # type: ignore[attr-defined]


def refused(said: str, called: str = "forecast_demand", earlier: str = "", **given: object) -> list[object]:
    calls = [ToolCall(name=name, args=given, id=name) for name in (earlier, called) if name]
    return [HumanMessage("How many?"), AIMessage("", tool_calls=calls), ToolMessage(said, tool_call_id=called,
            name=called, status="error")]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "given", "leads"),
    [
        ("Not sold yet; forecast_launch forecasts it.", {"product": "D-1", "weeks": 8}, ("product", "weeks")),
        ("Nothing is called that; search_products finds products.", {"product": "D-1"}, ()),  # it needs a query
        ("No such customer; segment_customers shows who is there.", {"customer": "C-1"}, ()),  # it needs nothing
        ("Too dear; propose_change changes it.", {"change": "price", "product": "D-1"}, ()),  # it does not only read
        ("No; forecast_moon does that.", {"product": "D-1"}, ()),
    ],
)
def test_a_refusal_leads_where_all_that_is_needed_was_given(
    said: str, given: dict[str, object], leads: tuple[str]
) -> None:
    call = redirected(refused(said, **given), TOOLS)  # type: ignore[arg-type]
    assert (tuple(call["args"]) if call else ()) == leads
    assert call is None or call["name"] == "forecast_launch"


def test_no_tool_is_asked_twice_and_an_earlier_turn_leads_nowhere() -> None:
    messages = refused("Not sold yet; forecast_launch forecasts it.", earlier="forecast_launch", product="D-1")
    assert redirected(messages, TOOLS) is None  # type: ignore[arg-type]
    messages = [*refused("Not sold yet; forecast_launch forecasts it.", product="D-1"), HumanMessage("Thanks")]
    assert redirected(messages, TOOLS) is None  # type: ignore[arg-type]


@tool("read", "internal")
def plan_inventory(shop: Shop, product: str) -> ToolResult:
    """Plan the first order and the reorder rule for a product.

    Args:
        product: SKU, draft id or name.
    """
    raise ToolError(f"{product} is no plan; recommend_price prices it.")


@tool("read", "internal")
def recommend_price(shop: Shop, product: str) -> ToolResult:
    """Recommend a price for a product.

    Args:
        product: SKU, draft id or name.
    """
    figure = Figure(id="price.best", label="price", value=19.0, unit="money")
    return ToolResult(summary="Ask {{price.best}}.", figures=(figure,))


def test_the_desk_answers_with_what_the_refusal_led_to() -> None:
    model = Untaught(replies=[Call("plan_inventory", {"product": "D-1"})])
    bound = bind([plan_inventory, recommend_price], FixedShop(), Actor(role="manager"))
    answer = shown(Assistant(model, bound, shortlist=manager_examples()), "Plan the first buy of D-1")
    assert answer == "D-1 is no plan; recommend_price prices it.\n\nAsk $19.00."
    assert len(model.asked) == 1


def test_what_was_refused_is_not_called_again_as_it_was() -> None:
    @tool("read", "internal")
    def plan_inventory(shop: Shop, product: str) -> ToolResult:
        """Plan the first order and the reorder rule for a product.

        Args:
            product: SKU, draft id or name.
        """
        runs.append(product)
        raise ToolError(f"There is no product like “{product}” here.")

    runs: list[str] = []

    call = Call("plan_inventory", {"product": "D-1"})
    bound = bind([plan_inventory, recommend_price], FixedShop(), Actor(role="manager"))
    for second, asked in ((call, ["D-1"]), (Call("plan_inventory", {"product": "D-2"}), ["D-1", "D-2"])):
        model = Taught(replies=[call, second, "Which product?"])
        shortlist = Shortlist(examples_of({name: each.tool.summary for name, each in bound.items()}), chooser=One())  # type: ignore[arg-type]
        answer = shown(Assistant(model, bound, shortlist=shortlist), "Plan the first buy of D-1")
        assert runs == asked
        assert all(f"“{name}”" in answer for name in asked)
        runs.clear()


class Taught(ScriptedChatModel):
    """A scripted model that leaves it to the chooser which tool a question is about."""

    follows_chooser: bool = True


class Both:
    """A chooser that holds two tools for as likely."""

    classes = ("", "plan_inventory", "recommend_price")

    def probabilities(self, _turn: Asked) -> dict[str, float]:
        return {"": 0.0, "plan_inventory": 0.49, "recommend_price": 0.51}

    def said_enough(self, _turn: Asked) -> float:
        return 1.0

    def names_subject(self, _turn: Asked) -> float:
        return 1.0


class One(Both):
    """A chooser that is sure of one."""

    def probabilities(self, _turn: Asked) -> dict[str, float]:
        return {"": 0.0, "plan_inventory": 0.99, "recommend_price": 0.01}


def test_words_after_an_answer_give_way_to_the_tools_own() -> None:
    model = Taught(replies=[Call("recommend_price", {"product": "D-1"}), "{{price.best}} {{price.best}}."])
    bound = bind([plan_inventory, recommend_price], FixedShop(), Actor(role="manager"))
    shortlist = Shortlist(examples_of({name: each.tool.summary for name, each in bound.items()}), chooser=Both())  # type: ignore[arg-type]
    assert shown(Assistant(model, bound, shortlist=shortlist), "Price D-1") == "Ask $19.00."
    assert len(model.asked) == 2  # it might have called the other tool as well
