"""What an approved brief tells the service assistant: from the launch on, while the approval holds, and no longer."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from tiny_embedder import TinyEmbedder

from agent.brief.archive import store_brief
from agent.brief.types import Brief, BriefSettings
from agent.brief.versions import approve, withdraw
from agent.ledger import bare_numbers
from retrieval.briefs import brief_passages
from retrieval.collect import collect
from retrieval.index import Index
from retrieval.search import Texts
from shop import Actor, Draft, Figure, Rows, Shop, ToolError, ToolResult
from shop import schema as t
from shop.brief_log import approvals
from shop.passages import Scope
from shop.session import Session
from tools.policies import search_policies
from tools.registry import bind

TODAY = date(2026, 6, 1)
LAUNCH = date(2026, 7, 1)
RETURNS = "You may return any item within a month of delivery."


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """A shop with a product that a draft became, a policy, and sales up to the day before `TODAY`."""
    with empty_shop.begin() as connection:
        product = {"sku": "K-1", "name": "Aurora", "attributes": {"draft": "D-0001"}, "launch_date": LAUNCH}
        connection.execute(insert(t.products).values(**product))
        connection.execute(insert(t.products).values(sku="K-0", name="Old kettle", attributes={}))
        connection.execute(insert(t.daily).values(sku="K-0", day=date(2026, 5, 31), units=1))
        policy = {"title": "Returns", "section": "Window", "language": "en", "effective_from": date(2025, 1, 1)}
        connection.execute(insert(t.policies).values(id="RET-1", text=RETURNS, **policy))
    empty_shop.add_draft("Aurora kettle", launch_date=LAUNCH)
    return empty_shop.as_of(TODAY).acting_as(Session("manager", "m-1"))


def figure(name: str, value: str, tool: str, **more: Any) -> Figure:
    return Figure(id=name, label=name, value=value, unit="text", tool=tool, **more)


def stored(
    shop: Shop, launch: date | None = LAUNCH, claim: str = "A walnut handle stays cool.", more: tuple[Figure, ...] = ()
) -> str:
    rows = Rows(table="policies", where={"id": ("RET-1",)}, count=1)
    asked = {"question": "How long may an item be returned?"}
    figures = [
        figure("policy_returns.item_1_text", RETURNS, "search_policies", rows=rows, inputs=asked),
        figure("copy_bullets_en.claim_1", claim, "write_copy"),
        figure("copy_bullets_en.claim_1_source", "draft D-0001, description", "write_copy"),
        figure("copy_email_en.claim_1", claim, "write_copy"),
        figure("copy_email_en.claim_1_source", "draft D-0001, description", "write_copy"),
        figure("copy_email_zh.claim_2", "胡桃木手柄，不烫手。", "write_copy"),
        figure("copy_email_zh.claim_2_source", "draft D-0001, description", "write_copy"),
        *more,
    ]
    brief = Brief(
        id="",
        plan_hash="0" * 64,
        data_cutoff=date(2026, 5, 31),
        created_on=TODAY,
        verdict="go",
        subject=Draft(id="D-0001", name="Aurora kettle", launch_date=launch),
        settings=BriefSettings(),
        sections=(),
        figures={each.id: each for each in figures},
    )
    return store_brief(shop, brief).id


def found(shop: Shop) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in brief_passages(shop.engine)}


def on(day: int) -> date:
    return date.fromordinal(day)


def test_nothing_is_told_before_a_person_has_approved_it(shop: Shop) -> None:
    stored(shop)
    assert found(shop) == {}


def test_an_approved_brief_tells_its_answers_and_claims_from_the_launch_on(shop: Shop) -> None:
    brief = stored(shop)
    approve(shop, brief, reason="ready")
    rows = found(shop)
    assert set(rows) == {
        f"faq:{brief}:policy_returns",
        f"claim:{brief}:copy_bullets_en:claim_1",
        f"claim:{brief}:copy_email_zh:claim_2",
    }, "each claim once a language"
    assert {on(row["day"]) for row in rows.values()} == {LAUNCH}
    assert {row["sku"] for row in rows.values()} == {"K-1"}
    assert rows[f"faq:{brief}:policy_returns"]["text"].endswith(RETURNS)


def test_no_reason_lets_a_claim_through_that_nothing_backs(shop: Shop) -> None:
    brief = stored(shop, more=(figure("copy_ad_en.claim_3", "It cures colds.", "write_copy"),))
    with pytest.raises(ToolError, match=r"nothing backs the claim “It cures colds\.”; add the fact to the draft or"):
        approve(shop, brief, reason="ready")
    assert approvals(shop) == []
    assert found(shop) == {}


def test_it_ends_with_its_approval_and_a_later_version_takes_its_place(shop: Shop) -> None:
    first = stored(shop)
    approve(shop, first, reason="ready")
    later = shop.as_of(date(2026, 8, 1))
    second = stored(later, claim="A steel handle.")
    approve(later, second, reason="new handle")
    rows = found(shop.as_of(date(2026, 8, 2)))
    old, new = f"claim:{first}:copy_bullets_en:claim_1", f"claim:{second}:copy_bullets_en:claim_1"
    assert (on(rows[old]["until"]), on(rows[new]["day"])) == (date(2026, 7, 31), date(2026, 8, 1))


def test_what_is_taken_back_before_the_launch_is_never_told(shop: Shop) -> None:
    brief = stored(shop)
    approve(shop, brief, reason="ready")
    withdraw(shop, brief, "not this year")
    assert found(shop) == {}


def test_deletion_follows_the_source(shop: Shop) -> None:
    brief = stored(shop)
    approve(shop, brief, reason="ready")
    with shop.begin() as connection:
        connection.execute(update(t.policies).values(effective_to=date(2026, 9, 30)))
    assert on(found(shop)[f"faq:{brief}:policy_returns"]["until"]) == date(2026, 9, 30)
    with shop.begin() as connection:
        connection.execute(delete(t.policies))
    assert not any(row["kind"] == "faq" for row in found(shop).values())
    with shop.begin() as connection:
        connection.execute(update(t.briefs).values(document={"subject": {"name": "forged"}, "figures": {}}))
    assert found(shop) == {}, "a document that was changed after the approval tells nothing"


def test_a_brief_without_a_launch_date_tells_nothing(shop: Shop) -> None:
    approve(shop, stored(shop, launch=None), reason="ready")
    assert found(shop) == {}


def test_the_service_assistant_answers_from_it_once_the_product_is_there(shop: Shop, tmp_path: Path) -> None:
    approve(shop, stored(shop), reason="ready")
    index = Index(tmp_path / "index", TinyEmbedder())
    index.update(collect(shop.engine))

    def ask(question: str, day: date) -> ToolResult:
        seen = Shop(shop.engine, today=day).searched_by(Texts(shop.engine, index))
        return bind([search_policies], seen, Actor(role="customer"))["search_policies"](question=question)

    asked = "Does the walnut handle of the Aurora kettle stay cool?"
    before, after = ask(asked, date(2026, 6, 15)), ask(asked, date(2026, 7, 15))
    assert "not in the policies" in before.summary
    values = {figure.id: figure for figure in after.figures}
    assert values["policies.launch_1_text"].value == "Aurora kettle: A walnut handle stays cool."
    assert values["policies.launch_1_text"].untrusted
    assert values["policies.launch_1_from"].value == LAUNCH
    assert "{{policies.launch_1_text}}" in after.summary
    assert not bare_numbers(after.summary)
    returns = ask("How long may an item be returned?", date(2026, 7, 15))
    assert "{{policies.item_1_text}}" in returns.summary, "a policy answers before a launch does"
    assert not any(figure.id.startswith("policies.launch") for figure in returns.figures)
    hits = Texts(shop.engine, index).search(asked, Scope(kinds=("claim",), in_force=LAUNCH)).hits
    assert {hit.kind for hit in hits} == {"claim"}


@pytest.mark.parametrize("is_indexed", [True, False], ids=["index", "words alone"])
def test_an_approval_is_answered_from_at_once_and_its_end_too(shop: Shop, tmp_path: Path, is_indexed: bool) -> None:
    index = Index(tmp_path / "index", TinyEmbedder())
    if is_indexed:
        index.update(collect(shop.engine))
    texts, elsewhere = Texts(shop.engine, index), Texts(shop.engine, Index(tmp_path / "index", TinyEmbedder()))
    scope = Scope(kinds=("faq", "claim"), in_force=LAUNCH)

    def answers(searcher: Texts) -> set[str]:
        return {hit.passage.text for hit in searcher.search("walnut handle of the Aurora kettle", scope).hits}

    assert answers(texts) == answers(elsewhere) == set()
    brief = stored(shop)
    approve(shop, brief, reason="ready")
    said = "Aurora kettle: A walnut handle stays cool."
    assert said in answers(texts)
    assert said in answers(elsewhere)
    assert bool(index.exists) == is_indexed
    withdraw(shop, brief, "not this year")
    assert answers(elsewhere) == answers(texts) == set()


def test_only_what_briefs_tell_is_taken_in(shop: Shop, tmp_path: Path) -> None:
    index = Index(tmp_path / "index", TinyEmbedder())
    index.update(collect(shop.engine))
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-2", name="Walnut tray", attributes={}))
    approve(shop, stored(shop), reason="ready")
    frame = Texts(shop.engine, index).snapshot().frame
    assert set(frame["kind"]) == {"product", "policy", "faq", "claim"}
    assert "K-2" not in set(frame["sku"]), "a new product waits for `./debut index`"
    assert index.replace(("faq", "claim"), frame[frame["kind"].isin(["faq", "claim"])]) is False
    assert index.update(collect(shop.engine)).embedded == 1
