"""A tool is a function: its schema, its checks and its stamp come from the signature and the docstring."""

from datetime import date
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop import Actor, Figure, Shop, ToolError, ToolResult
from shop import schema as t
from tools import ALL
from tools.figures import Sheet
from tools.registry import Tool, bind, tool

MANAGER = Actor(role="manager")


@tool("read", "internal")
def count_things(shop: Shop, thing: str, times: int = 1, how: Literal["up", "down"] = "up") -> ToolResult:
    """Count things.

    Args:
        thing: What to count.
        times: How often.
        how: Which way.
    """
    sheet = Sheet()
    sheet.add("things.count", "Things", times, "count")
    sheet.add("things.value", "Worth", 2.5 * times, "money")
    return ToolResult(summary=f"{{{{things.count}}}} of {how}", figures=sheet.figures)


@tool("read", "own")
def own_things(shop: Shop) -> ToolResult:
    """List own things."""
    return ToolResult(summary="none")


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    with empty_shop.begin() as connection:
        connection.execute(t.products.insert(), [{"sku": "A", "name": "A", "attributes": {}, "source": "test"}])
        connection.execute(t.daily.insert(), [{"sku": "A", "day": date(2026, 1, 5), "units": 1, "revenue_cents": 100}])
    return empty_shop


def test_schema_comes_from_signature_and_docstring() -> None:
    schema = count_things.tool.arguments.model_json_schema()  # type: ignore[attr-defined]
    assert schema["required"] == ["thing"]
    assert schema["properties"]["times"] == {
        "default": 1,
        "description": "How often.",
        "title": "Times",
        "type": "integer",
    }
    assert schema["properties"]["how"]["enum"] == ["up", "down"]
    assert "shop" not in schema["properties"]
    assert count_things.tool.signature() == "count_things(thing, times=, how=)"  # type: ignore[attr-defined]


def test_figures_are_stamped_with_their_call(shop: Shop) -> None:
    call = bind([count_things], shop, MANAGER)["count_things"]
    result, again, other = call(thing="x"), call(thing="x", times=1), call(thing="x", times=2)
    count, worth = result.figures
    assert (count.tool, count.inputs["thing"], count.as_of) == ("count_things", "x", date(2026, 1, 5))
    assert count.currency == ""
    assert worth.currency == shop.currency
    assert result.call == again.call != other.call


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "needs thing"),
        ({"thing": "x", "colour": "red"}, "no argument colour"),
        ({"thing": "x", "times": "many"}, "cannot use times"),
        ({"thing": "x", "how": "sideways"}, "cannot use how"),
    ],
)
def test_wrong_arguments_are_one_sentence(shop: Shop, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(ToolError, match=says):
        bind([count_things], shop, MANAGER)["count_things"](**arguments)


@given(st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_a_number_that_is_none_is_refused(value: float) -> None:
    price = next(f.tool for f in ALL if f.__name__ == "forecast_launch")  # type: ignore[attr-defined]
    with pytest.raises(ToolError, match="cannot use price"):
        price.run(None, {"product": "x", "price": value})


def test_a_role_sees_only_its_tools(shop: Shop) -> None:
    assert list(bind([count_things, own_things], shop, Actor(role="customer"))) == ["own_things"]
    assert list(bind([count_things, own_things], shop, MANAGER)) == ["count_things"]


def test_an_undocumented_argument_is_a_bug() -> None:
    def bare(shop: Shop, thing: str) -> ToolResult:
        """Do."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="thing is not documented"):
        Tool(bare, "read", "internal").arguments  # noqa: B018


def test_every_registered_tool_is_documented_and_named_once() -> None:
    tools: list[Tool] = [function.tool for function in ALL]  # type: ignore[attr-defined]
    assert len({each.name for each in tools}) == len(tools)
    for each in tools:
        assert each.summary.endswith(".")
        assert all(field.description for field in each.arguments.model_fields.values())


def test_a_sheet_refuses_an_unknown_without_a_reason() -> None:
    sheet = Sheet()
    with pytest.raises(ValueError, match="no reason"):
        sheet.add("a.b", "A", None, "units")
    assert sheet.add("a.b", "A", None, "units", reason="not counted") == "{{a.b}}"
    assert not sheet.known("a.b")
    assert isinstance(sheet.figures[0], Figure)
