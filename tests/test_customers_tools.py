"""The customer tools on the demo shop: what they say, what they hold back, and what they refuse."""

import datetime
from typing import Any

import pytest
from sqlalchemy import select

from agent.ledger import bare_numbers, placeholders
from shop import Actor, Shop, ToolError, ToolResult
from shop import schema as t
from tools.customers import customer_profile, predict_churn, segment_customers
from tools.customers.read import LEAST_SHOWN, read_base
from tools.customers.risk import find_segment
from tools.registry import bind

TOOLS = (segment_customers, customer_profile, predict_churn)


def run(shop: Shop, name: str, **arguments: Any) -> ToolResult:
    return bind(TOOLS, shop, Actor(role="manager", id="m"))[name](**arguments)


def texts(result: ToolResult) -> list[str]:
    found = [result.summary, *result.warnings]
    for table in result.tables:
        found += [table.title, *table.columns, *(cell for row in table.rows for cell in row)]
    return found


def values(result: ToolResult) -> dict[str, Any]:
    return {figure.id: figure.value for figure in result.figures}


def check(result: ToolResult, shop: Shop) -> None:
    """No number outside a figure; nothing that names or reaches a customer anywhere."""
    for text in texts(result):
        assert not bare_numbers(text), text
        for place in text.split("{{")[1:]:
            assert place.split("}}")[0].removesuffix(".low").removesuffix(".high") in values(result)
    everything = result.model_dump_json()
    c = t.customers
    with shop.engine.connect() as connection:
        names = connection.execute(select(c.c.name, c.c.email, c.c.zip)).all()
    said = [str(value) for value in values(result).values()]
    for name, email, zip_code in names:
        assert name not in everything
        assert email not in everything
        assert zip_code not in said


@pytest.mark.parametrize("by", ["rfm", "behaviour", "value"])
def test_segments_cover_everyone_and_show_no_small_group(demo_shop: Shop, by: str) -> None:
    result = run(demo_shop, "segment_customers", by=by)
    check(result, demo_shop)
    found = values(result)
    shown = [found[f"segments.size_{i + 1}"] for i in range(found["segments.shown"])]
    assert min(shown) >= LEAST_SHOWN
    assert sum(shown) + found.get("segments.hidden", 0) == found["segments.customers"]
    assert sum(found[f"segments.money_{i + 1}"] for i in range(len(shown))) <= 1 + 1e-9
    assert len({found[f"segments.name_{i + 1}"] for i in range(len(shown))}) == len(shown)


def test_those_in_small_groups_are_counted(demo_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = values(run(demo_shop, "segment_customers"))
    sizes = [found[f"segments.size_{i + 1}"] for i in range(found["segments.shown"])]
    monkeypatch.setattr("tools.customers.segments.LEAST_SHOWN", min(sizes) + 1)
    result = run(demo_shop, "segment_customers")
    check(result, demo_shop)
    assert [placeholders(warning) for warning in result.warnings] == [["segments.hidden"]]
    assert values(result)["segments.hidden"] >= min(sizes)


def test_behaviour_tells_stability_paths_and_rules(demo_shop: Shop) -> None:
    result = run(demo_shop, "segment_customers", by="behaviour", segments=4)
    assert values(result)["segments.shown"] <= 5
    titles = {table.title for table in result.tables}
    assert {"How stable the groups are", "Where visits drop off"} <= titles
    chances = [value for name, value in values(result).items() if name.startswith("paths.buys")]
    assert all(0 <= chance <= 1 for chance in chances)
    assert chances[-1] == max(chances)  # who has a cart buys most


def test_value_segments_fall_in_equal_tiers(demo_shop: Shop) -> None:
    found = values(run(demo_shop, "segment_customers", by="value", segments=3))
    sizes = [found[f"segments.size_{i}"] for i in (1, 2, 3)]
    assert max(sizes) - min(sizes) <= 1
    assert found["segments.money_1"] > found["segments.money_3"]


def test_a_profile_tells_habits_value_and_risk_of_one(demo_shop: Shop) -> None:
    best = str(read_base(demo_shop).known["purchases"].idxmax())
    result = run(demo_shop, "customer_profile", customer=best)
    check(result, demo_shop)
    found = values(result)
    assert found["person.id"] == best
    assert 0 < found["person.risk"] < 1
    assert found["person.value"] > 0
    assert found["likes.category_share_1"] <= 1
    by_name = run(demo_shop, "customer_profile", customer=best.lower())
    assert values(by_name) == found


def test_a_stranger_and_a_customer_without_an_order_are_refused(demo_shop: Shop) -> None:
    with pytest.raises(ToolError, match="no customer"):
        run(demo_shop, "customer_profile", customer="zzzz qqqq")
    known = set(read_base(demo_shop).known.index)
    with demo_shop.engine.connect() as connection:
        ids = set(connection.execute(select(t.customers.c.id)).scalars())
    quiet = sorted(ids - known)[0]
    with pytest.raises(ToolError, match="not paid"):
        run(demo_shop, "customer_profile", customer=quiet)


def test_churn_lists_who_still_buys_with_reasons(demo_shop: Shop) -> None:
    result = run(demo_shop, "predict_churn", limit=5)
    check(result, demo_shop)
    found = values(result)
    assert found["churn.lost"] < found["churn.active"]
    stakes = [found[f"churn.stake_{i}"] for i in range(1, 6)]
    assert stakes == sorted(stakes, reverse=True)
    assert all(found[f"churn.away_{i}"] <= found["churn.weeks"] for i in range(1, 6))
    assert "retain.each" in found


def test_churn_of_a_segment_and_its_names(demo_shop: Shop) -> None:
    assert values(run(demo_shop, "predict_churn", segment="loyal customers", limit=3))["churn.segment"] == "loyal"
    assert find_segment("Champions") == "champions"
    assert find_segment("忠诚客户") == "loyal"
    with pytest.raises(ToolError, match="the segments are champions"):
        find_segment("xylophone")


@pytest.mark.parametrize(
    ("name", "arguments"), [("predict_churn", {"limit": 0}), ("segment_customers", {"segments": 1})]
)
def test_limits_are_said(demo_shop: Shop, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="give another"):
        run(demo_shop, name, **arguments)


def test_a_replay_sees_no_later_order(demo_shop: Shop) -> None:
    day = demo_shop.cutoff - datetime.timedelta(days=60)
    base = read_base(demo_shop.as_of(day))
    assert base.orders["at"].max().date() < day


def test_an_empty_shop_says_what_to_do(empty_shop: Shop) -> None:
    with pytest.raises(ToolError, match="import"):
        run(empty_shop, "segment_customers")


@pytest.mark.slow
def test_those_who_leave_in_the_demo_world_are_riskier(demo_shop: Shop) -> None:
    from tools.customers.read import customer_churn

    past = demo_shop.as_of(demo_shop.cutoff.replace(day=1))
    churn = customer_churn(past)
    later = read_base(demo_shop).days
    came = set(later.loc[later["day"] >= str(past.today), "customer"])
    active = churn.known.index[churn.known["recency"] <= churn.weeks]
    away = [who for who in active if who not in came]
    if not away or len(away) == len(active):
        pytest.skip("nobody left in the month after")
    assert churn.risk[away].mean() > churn.risk[[who for who in active if who in came]].mean()
