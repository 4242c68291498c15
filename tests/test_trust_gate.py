"""The gate: the table of roles and reaches, what untrusted text may not become, and that every call passes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from service_shop import acting, call, everything, fill, rows
from tests_support import FixedShop

from agent.brief.write import brief_writer
from shop import Actor, Shop, ToolError, ToolResult
from shop import schema as t
from shop.authorize import (
    CLEAN,
    MAY,
    NOT_IDENTIFIED,
    Capability,
    Denied,
    Labels,
    Reach,
    Standing,
    authorize,
    require,
    standing_of,
)
from shop.session import Session
from shop.types import Effect, Role
from tools import ALL
from tools.registry import BoundTool, Tool, bind, tool

CONTRACT = Path(__file__).parents[2] / "shared" / "TOOLS.md"
TOOLS: list[Tool] = [function.tool for function in (*ALL, brief_writer({}))]  # type: ignore[attr-defined]
ACTORS: dict[Standing, Actor] = {
    "anonymous": Actor(role="customer"),
    "customer": Actor(role="customer", id="anna"),
    "support": Actor(role="support", id="sam"),
    "manager": Actor(role="manager", id="mia"),
    "approver": Actor(role="approver", id="eve"),
}
# What each standing may do, written out a second time: reach → verdict for reading.
TABLE: dict[Standing, set[Reach]] = {
    "anonymous": {"public", "service"},
    "customer": {"public", "service", "own"},
    "support": {"public", "tickets"},
    "manager": {"public", "tickets", "internal"},
    "approver": {"public", "tickets", "internal"},
}
TAINTED = Labels(said=("cancel order #W1 please", "two hundred units"), known=(24.9,), is_tainted=True)


@pytest.mark.parametrize("standing", get_args(Standing))
@pytest.mark.parametrize("reach", get_args(Reach))
@pytest.mark.parametrize("effect", get_args(Effect))
def test_the_table_of_standings_and_reaches(standing: Standing, reach: Reach, effect: Effect) -> None:
    decision = authorize(ACTORS[standing], Capability("x", effect, reach))
    wanted = {"read": "allow", "propose": "propose", "write": "allow"}[effect]
    assert decision.verdict == (wanted if reach in TABLE[standing] else "deny")
    assert standing_of(ACTORS[standing]) == standing
    assert bool(decision.sentence) == (decision.verdict == "deny")


def contracted(role: str) -> set[str]:
    """The tools that the contract gives a role."""
    if not CONTRACT.is_file():
        pytest.skip("the tool contract is not beside this checkout")
    part = CONTRACT.read_text().split(f"## {role.capitalize()} role")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))


@pytest.mark.parametrize("role", ["manager", "customer"])
def test_a_role_has_the_tools_of_the_contract_and_no_other(role: Role) -> None:
    assert {each.name for each in TOOLS if role in each.roles} == contracted(role)


def test_support_reads_what_everybody_reads_and_an_approver_what_a_manager_does() -> None:
    by_role = {role: {each.name for each in TOOLS if role in each.roles} for role in get_args(Role)}
    assert by_role["support"] == {"search_products", "search_policies"}
    assert by_role["approver"] == by_role["manager"]


@pytest.mark.parametrize("standing", get_args(Standing))
@pytest.mark.parametrize("each", TOOLS, ids=lambda each: each.name)
def test_a_tool_that_is_not_of_the_role_runs_for_nobody(standing: Standing, each: Tool) -> None:
    actor = ACTORS[standing]
    bound = BoundTool(each, FixedShop().acting_as(Session(actor.role, actor.id)))  # past `bind`, as a bug might
    if each.reach in TABLE[standing]:
        assert authorize(actor, each.capability).verdict != "deny"
        return
    with pytest.raises(Denied) as error:
        bound.call({})
    assert error.value.rule == ("identify" if (standing, each.reach) == ("anonymous", "own") else "role")


def test_who_acts_comes_from_the_session_whoever_binds(any_shop: Shop) -> None:
    tools = bind(ALL, acting(fill(any_shop)), Actor(role="manager", id="mia"))
    assert "recommend_price" not in tools
    assert "list_orders" in tools


def test_an_undeclared_tool_does_not_start() -> None:
    def bare(shop: Shop) -> ToolResult:
        """Do."""
        raise NotImplementedError

    with pytest.raises(TypeError):
        tool("read")(bare)  # type: ignore[call-arg]
    for effect, reach in (("read", "everything"), ("delete", "internal")):
        with pytest.raises(TypeError, match="no capability class"):
            tool(effect, reach)(bare)  # type: ignore[arg-type]
    assert all(each.reach in MAY for each in TOOLS)


def test_a_customer_is_asked_who_she_is_before_anything_of_hers(any_shop: Shop) -> None:
    with pytest.raises(ToolError, match=re.escape(NOT_IDENTIFIED)):
        call(acting(fill(any_shop), ""), "list_orders")


@pytest.mark.parametrize("seen", [("internal", ""), ("own", "ben"), ("tickets", "")])
def test_a_conversation_with_what_is_not_hers_is_closed_to_a_customer(seen: tuple[Reach, str]) -> None:
    public = Capability("search_products", "read", "public")
    assert authorize(ACTORS["customer"], public, {}, Labels(seen=frozenset([seen]))).rule == "context"
    assert authorize(ACTORS["manager"], public, {}, Labels(seen=frozenset([seen]))).verdict == "allow"
    assert authorize(ACTORS["customer"], public, {}, Labels(seen=frozenset([("own", "anna")]))).verdict == "allow"


PROPOSE = Capability("change", "propose", "own", frozenset(("reason",)), frozenset(("order", "items")))
NOTE = Capability("pass on", "write", "service", noted=frozenset(("summary",)))
WRITE = Capability("draft", "write", "internal", frozenset(("channel",)), frozenset(("product",)))


@pytest.mark.parametrize(
    ("capability", "arguments", "is_denied"),
    [
        (PROPOSE, {"order": "#W9", "items": ["A", "B"], "reason": "anything"}, False),  # looked up, or a choice
        (PROPOSE, {"note": "cancel the order"}, True),  # "the" was never said
        (PROPOSE, {"note": "Please CANCEL #w1"}, False),
        (PROPOSE, {"note": None, "sure": True}, False),
        (PROPOSE, {"value": 24.9}, False),  # computed
        (PROPOSE, {"value": "24.90"}, False),
        (PROPOSE, {"value": 200}, False),  # said in words
        (PROPOSE, {"value": 1}, False),  # the one of "#W1": it was said
        (PROPOSE, {"value": 3.5}, True),
        (PROPOSE, {"value": "3.50"}, True),
        (PROPOSE, {"facts": {"order": "please"}}, False),
        (PROPOSE, {"facts": {"supplier": "please"}}, True),
        (PROPOSE, {"facts": {"order": "wire"}}, True),
        (PROPOSE, {"facts": {"order": {"please": "cancel"}}}, False),
        (PROPOSE, {"notes": ["cancel", "wire it to me"]}, True),
        (PROPOSE, {"notes": ["cancel", ["order", "please"]]}, False),
        (WRITE, {"product": "order #W1", "channel": "anything"}, False),
        (NOTE, {"summary": "whatever a review says"}, False),  # for a person alone, and marked
        (NOTE, {"summary": "whatever a review says", "to": "mallory"}, True),
        (WRITE, {"product": "D-0002"}, True),  # it would happen at once, so even an id must have been said
        (Capability("look", "read", "own"), {"query": "whatever a review says"}, False),
    ],
)
def test_text_of_others_becomes_no_argument_of_a_change(
    capability: Capability, arguments: dict[str, object], is_denied: bool
) -> None:
    actor = ACTORS["manager" if capability.reach == "internal" else "customer"]
    decision = authorize(actor, capability, arguments, TAINTED)
    assert (decision.rule == "untrusted") == is_denied
    assert authorize(actor, capability, arguments, CLEAN).verdict != "deny", (
        "nothing is held back without text of others"
    )


def test_chinese_is_held_character_by_character() -> None:
    labels = Labels(said=("把价格改成二十块",), is_tainted=True)
    capability = Capability("change", "propose", "own")
    assert authorize(ACTORS["customer"], capability, {"note": "价格改成"}, labels).verdict == "propose"
    assert authorize(ACTORS["customer"], capability, {"note": "免费送货"}, labels).verdict == "deny"


def test_a_refusal_is_an_error_with_its_rule() -> None:
    assert require(ACTORS["manager"], Capability("page", "read", "internal")).verdict == "allow"
    with pytest.raises(Denied, match="not for your role") as error:
        require(ACTORS["customer"], Capability("page", "read", "internal"))
    assert error.value.rule == "role"


@pytest.mark.parametrize(
    ("standing", "capability", "labels", "decided"),
    [
        ("anonymous", Capability("orders", "read", "own"), CLEAN, ("deny", "identify", NOT_IDENTIFIED)),
        (
            "anonymous",
            Capability("plans", "read", "internal"),
            CLEAN,
            ("deny", "role", "plans is not for your role; ask for something else."),
        ),
        (
            "support",
            Capability("orders", "read", "own"),
            CLEAN,
            ("deny", "role", "orders is not for your role; ask for something else."),
        ),
        (
            "customer",
            Capability("orders", "read", "own"),
            Labels(seen=frozenset([("internal", "")])),
            (
                "deny",
                "context",
                "This conversation holds what is not yours; start a new one and ask for it there.",
            ),
        ),
        (
            "customer",
            PROPOSE,
            TAINTED,
            (
                "deny",
                "untrusted",
                "What change would take as note is not what you wrote, and texts of others were read before it; "
                "write it in your own words, and ask again.",
            ),
        ),
        ("customer", PROPOSE, CLEAN, ("propose", "propose", "")),
        ("manager", WRITE, CLEAN, ("allow", "write", "")),
        ("manager", Capability("plans", "read", "internal"), TAINTED, ("allow", "read", "")),
    ],
)
def test_what_is_decided_by_which_rule_and_in_which_words(
    standing: Standing, capability: Capability, labels: Labels, decided: tuple[str, str, str]
) -> None:
    decision = authorize(ACTORS[standing], capability, {"order": "#W9", "note": "wire it to me"}, labels)
    assert (decision.verdict, decision.rule, decision.sentence) == decided


@pytest.mark.parametrize(("value", "is_known"), [(24.904, True), (24.91, False), ("24.904", True), ("24.91", False)])
def test_a_number_is_known_to_half_a_cent(value: object, is_known: bool) -> None:
    labels = Labels(known=(24.9,), is_tainted=True)
    assert (authorize(ACTORS["customer"], PROPOSE, {"value": value}, labels).verdict == "propose") == is_known


@pytest.mark.parametrize("value", [0.005, "0.005"])
def test_half_a_cent_is_the_same_amount(value: object) -> None:
    labels = Labels(known=(0.0,), is_tainted=True)
    assert authorize(ACTORS["customer"], PROPOSE, {"value": value}, labels).verdict == "propose"


def test_every_word_she_said_is_hers() -> None:
    labels = Labels(said=("cancel it",), is_tainted=True)
    assert authorize(ACTORS["customer"], PROPOSE, {"note": "Cancel it!"}, labels).verdict == "propose"


def test_a_change_without_arguments_holds_nothing_of_others() -> None:
    assert authorize(ACTORS["customer"], PROPOSE, None, TAINTED).verdict == "propose"
    assert authorize(ACTORS["customer"], PROPOSE, {}, TAINTED).verdict == "propose"


def test_a_refused_call_leaves_no_row(any_shop: Shop) -> None:
    shop = fill(any_shop)
    before = everything(shop)
    tools = bind(ALL, acting(shop), Actor(role="customer"))
    with pytest.raises(Denied):
        tools["change_address"].call({"order": "#W1", "address": "5 Attacker Lane, Reno, NV 89501"}, TAINTED)
    assert everything(shop) == before
    assert rows(shop, t.pending_actions) == rows(shop, t.tickets) == []
    tools["hand_over"].call({"summary": "wants a refund to another card"}, TAINTED)
    assert len(rows(shop, t.tickets)) == 1, "what only a person will read may be put into other words"


def test_the_tools_enumerations_and_looked_up_arguments_are_known_to_the_gate() -> None:
    by_name = {each.name: each.capability for each in TOOLS}
    assert by_name["propose_change"].closed == {"change"}
    assert by_name["cancel_order"].closed == {"reason"}
    assert by_name["propose_change"].resolved == {"product"}
    assert {name: capability.noted for name, capability in by_name.items() if capability.noted} == {
        "hand_over": {"summary"}
    }, "nothing else may hold words that nobody vouches for"
    for each in TOOLS:
        assert each.capability.resolved <= each.arguments.model_fields.keys()
