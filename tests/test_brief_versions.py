"""Versions of a brief: who did what with one, the frozen plan, figures set by hand, the difference between two."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from brief_tools import small_tools
from sqlalchemy import insert, update

from agent.brief import Brief, BriefSettings, briefs_of, compile_brief, load_brief
from agent.brief.archive import store_brief
from agent.brief.differences import cause_name, diff
from agent.brief.versions import (
    OFFICES,
    approve,
    frozen_plan,
    history,
    lift,
    override,
    sign,
    signatures,
    withdraw,
)
from shop import Draft, Shop, ToolError, audit
from shop import schema as t
from shop.brief_log import acts, approved_briefs, overrides_of
from shop.session import Session
from ui.cli import main

NOW = datetime(2026, 6, 1, 9, 30)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose today is 2026-06-01, in the hands of the manager m-1."""
    return acting(with_sales(Shop.open(f"sqlite:///{tmp_path / 'shop.db'}", create=True)))


def with_sales(shop: Shop) -> Shop:
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Old kettle", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    return shop


def acting(shop: Shop, person: str = "m-1", role: Any = "manager") -> Shop:
    return shop.acting_as(Session(role, person, now=lambda: NOW))


@pytest.fixture
def draft(shop: Shop) -> Draft:
    return shop.add_draft("Aurora kettle", "Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))


Compile = Callable[..., Brief]


@pytest.fixture
def compiled(shop: Shop, draft: Draft) -> Compile:
    def run(overrides: dict[str, dict[str, Any]] | None = None, **kwargs: Any) -> Brief:
        return compile_brief(small_tools(shop, overrides or {}), kwargs.pop("shop", shop), draft, **kwargs)

    return run


# -- who did what -----------------------------------------------------------------------------------------------------


def test_the_history_names_authors_and_what_was_done_with_each_version(
    shop: Shop, draft: Draft, compiled: Compile
) -> None:
    first = compiled()
    second = compiled(shop=acting(shop, "m-2"), settings=BriefSettings(lead_time_days=20))
    sign(shop, first.id, "finance")
    told = history(shop, draft.id)
    assert [(v.number, v.brief_id, v.plan_hash, v.verdict) for v in told] == [
        (1, first.id, first.plan_hash, first.verdict),
        (2, second.id, second.plan_hash, second.verdict),
    ]
    assert [v.author.id for v in told if v.author] == ["m-1", "m-2"]
    assert [(act.kind, act.part) for act in told[0].acts] == [("sign", "finance")]
    assert told[1].acts == ()
    assert {v.status for v in told} == {"open"}


def test_every_act_is_a_row_of_the_audit(shop: Shop, compiled: Compile) -> None:
    brief = compiled()
    approve(shop, brief.id, "Sizes are checked.")
    override(shop, brief.id, "buy.first_buy", 400, "The supplier's container holds no more.")
    with shop.engine.connect() as connection:
        rows = connection.execute(t.audit.select().order_by(t.audit.c.number)).mappings().all()
        assert audit.first_broken(connection) is None
        assert audit.unrecorded(connection) == []
    assert [row["tool"] for row in rows] == ["brief_write", "brief_approve", "brief_override"]
    assert {(row["actor_id"], row["action_id"], row["version"]) for row in rows} == {("m-1", brief.id, brief.plan_hash)}


def test_a_brief_that_nobody_wrote_has_no_author(shop: Shop, draft: Draft) -> None:
    nobody = Shop(shop.engine)
    compile_brief(small_tools(shop, {}), nobody, draft)
    assert history(shop, draft.id)[0].author is None
    with pytest.raises(ToolError, match="Nobody is signed in"):
        approve(nobody, "B-0001")


@pytest.mark.parametrize("role", ["support", "customer"])
def test_only_a_manager_decides(shop: Shop, compiled: Compile, role: str) -> None:
    brief = compiled()
    with pytest.raises(ToolError, match="Only a manager"):
        approve(acting(shop, "x-1", role), brief.id)


# -- the frozen plan --------------------------------------------------------------------------------------------------


def test_an_approved_brief_is_the_frozen_plan_until_a_later_one_is(shop: Shop, draft: Draft, compiled: Compile) -> None:
    first, other = compiled(), compiled(budget=100.0)
    assert frozen_plan(shop, draft.id) is None
    held = approve(shop, other.id, "Agreed.")
    assert (held.plan_hash, held.since, held.until) == (other.plan_hash, date(2026, 6, 1), None)
    assert frozen_plan(shop, draft.id) == other
    assert approve(shop, other.id, "Agreed.") == held
    with pytest.raises(ToolError, match=f"{other.id} is a later version"):
        approve(shop, first.id)
    approve(shop, first.id, "The budget was not granted.")
    assert frozen_plan(shop, draft.id) == first
    assert [v.status for v in history(shop, draft.id)] == ["approved", "replaced"]
    assert [each.brief_id for each in approved_briefs(shop)] == [first.id]


def test_an_approval_is_seen_from_its_day_on_and_ends_when_it_is_taken_back(shop: Shop, compiled: Compile) -> None:
    brief = compiled()
    later = shop.as_of(date(2026, 6, 10))
    approve(later, brief.id, "Agreed.")
    assert approved_briefs(shop.as_of(date(2026, 6, 9))) == []
    assert [each.until for each in approved_briefs(later)] == [None]
    end = shop.as_of(date(2026, 6, 20))
    with pytest.raises(ToolError, match="Say why"):
        withdraw(end, brief.id, " ")
    withdraw(end, brief.id, "The supplier is bankrupt.")
    assert approved_briefs(end) == []
    assert [each.until for each in approved_briefs(end, date(2026, 6, 15))] == [date(2026, 6, 20)]
    assert [each.until for each in approved_briefs(shop.as_of(date(2026, 6, 15)))] == [None]
    with pytest.raises(ToolError, match="not approved"):
        withdraw(end, brief.id, "again")


def test_a_frozen_plan_that_was_changed_in_the_database_is_not_used(
    shop: Shop, draft: Draft, compiled: Compile
) -> None:
    brief = compiled()
    approve(shop, brief.id, "Agreed.")
    document = brief.model_dump(mode="json") | {"verdict": "no-go"}
    with shop.begin() as connection:
        connection.execute(update(t.briefs).where(t.briefs.c.id == brief.id).values(document=document))
    with pytest.raises(ToolError, match="not the document that was approved"):
        frozen_plan(shop, draft.id)


def test_what_speaks_against_a_brief_needs_a_reason(shop: Shop) -> None:
    draft = shop.add_draft("Cup", "Kettles", price=25.0, launch_date=date(2026, 9, 1))
    brief = compile_brief(small_tools(shop, {}), shop, draft)
    sign(shop, brief.id, "legal", agrees=False, reason="The claim is not proven.")
    with pytest.raises(ToolError, match=r"figures are missing in .*legal refused to sign"):
        approve(shop, brief.id)
    sign(shop, brief.id, "legal")
    approve(shop, brief.id, "The floor is agreed by telephone.")
    assert acts(shop, brief_id=brief.id)[-1].detail["against"][0].startswith("figures are missing")


def test_offices_sign_and_the_latest_word_counts(shop: Shop, compiled: Compile) -> None:
    brief = compiled()
    with pytest.raises(ToolError, match="No office is called 'board'"):
        sign(shop, brief.id, "board")
    with pytest.raises(ToolError, match="Say why a signature is refused"):
        sign(shop, brief.id, "supply", agrees=False)
    sign(shop, brief.id, "supply", agrees=False, reason="No container before May.")
    sign(shop, brief.id, "supply")
    found = signatures(shop, brief.id)
    assert tuple(found) == OFFICES
    assert found["supply"] is not None
    assert found["supply"].kind == "sign"
    assert found["legal"] is None


# -- figures set by hand ----------------------------------------------------------------------------------------------


def test_a_figure_set_by_hand_stands_in_the_next_version_and_what_follows_from_it(
    shop: Shop, draft: Draft, compiled: Compile
) -> None:
    first = compiled()
    override(shop, first.id, "launch.units_12w", 700, "The chain has promised a window.")
    assert load_brief(shop, first.id) == first
    second = compiled()
    units = second.figures["launch.units_12w"]
    assert (units.value, units.low, units.high) == (700, 400.0, 900.0)  # inside the interval, which stays
    assert units.inputs["by_hand"] == {
        "was": 600.0,
        "by": "m-1",
        "on": "2026-06-01",
        "because": "The chain has promised a window.",
    }
    assert second.figures["economics.contribution_12w"].value == pytest.approx(700 * 15)
    assert [each.figure for each in second.overrides] == ["launch.units_12w"]
    assert second.figures["override.figure_1_was"].value == 600.0
    assert second.plan_hash != first.plan_hash
    assert second.unbacked == ()


def test_beyond_the_interval_the_method_has_nothing_to_say(shop: Shop, compiled: Compile) -> None:
    override(shop, compiled().id, "launch.units_12w", 2000, "A television spot.")
    units = compiled().figures["launch.units_12w"]
    assert (units.value, units.low, units.high) == (2000, None, None)


def test_an_input_set_by_hand_reaches_the_tools(shop: Shop, draft: Draft, compiled: Compile) -> None:
    brief = compiled()
    override(shop, brief.id, "buy.lead_time", 45, "The supplier says so.")
    override(shop, brief.id, "item.cost", 12.0, "A new offer.")
    second = compiled()
    calls = {call["tool"]: call["inputs"] for call in second.calls}
    assert calls["plan_inventory"]["lead_time_days"] == 45
    assert calls["recommend_price"]["cost"] == 12.0
    assert second.figures["economics.unit_contribution"].value == pytest.approx(13.0)
    assert second.figures["item.cost"].inputs["by_hand"]["was"] == 10.0
    assert second.subject.cost == 12.0


def test_an_unknown_figure_can_be_supplied_by_hand_and_lifted_again(shop: Shop) -> None:
    draft = shop.add_draft("Cup", "Kettles", price=25.0, launch_date=date(2026, 9, 1))

    def compiled() -> Brief:
        return compile_brief(small_tools(shop, {}), shop, draft)

    first = compiled()
    assert first.figures["item.cost"].value is None
    override(shop, first.id, "item.cost", 9.0, "By telephone.")
    assert compiled().figures["economics.unit_contribution"].value == pytest.approx(16.0)
    lift(shop, first.id, "item.cost")
    assert overrides_of(shop, draft.id) == {}
    assert compiled().figures["item.cost"].value is None
    with pytest.raises(ToolError, match="nothing to lift"):
        lift(shop, first.id, "item.cost")


@pytest.mark.parametrize(
    ("figure", "value", "said"),
    [
        ("launch.nothing", 1, "has no figure"),
        ("decision.verdict", 1, "follows from others"),
        ("item.name", 1, "follows from others"),
        ("launch.date", 5, "is a date"),
        ("launch.units_12w", date(2026, 1, 1), "is a number"),
        ("launch.units_12w", -1, "cannot be -1"),
        ("launch.units_12w", float("nan"), "cannot be nan"),
        ("buy.service_level", 1.5, "less than or equal to 0.999"),
        ("buy.lead_time", 10.5, "valid integer"),
        ("launch.units_12w", 5, "Say why"),
    ],
)
def test_what_cannot_be_set_by_hand(shop: Shop, compiled: Compile, figure: str, value: Any, said: str) -> None:
    brief = compiled()
    with pytest.raises(ToolError, match=said):
        override(shop, brief.id, figure, value, "" if said == "Say why" else "because")
    assert overrides_of(shop, brief.subject.id) == {}


def test_a_what_if_keeps_what_is_set_by_hand(shop: Shop, compiled: Compile) -> None:
    from agent.brief.whatif import Inputs, WhatIf

    first = compiled()
    override(shop, first.id, "launch.units_12w", 700, "A window.")
    override(shop, first.id, "item.price", 26.0, "A round price.")
    brief = compiled()
    ask = WhatIf(small_tools(shop, {}), shop, brief).ask
    assert ask(Inputs()).changed == ()
    plan = ask(Inputs(price=30.0)).plan
    assert (plan.number("item.price"), plan.number("launch.units_12w")) == (30.0, 700.0)


# -- the difference of two versions -----------------------------------------------------------------------------------


def changes(old: Brief, new: Brief) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {change.figure: (change.kind, change.causes) for change in diff(old, new).figures}


def test_the_same_plan_differs_in_nothing(compiled: Compile) -> None:
    first = compiled()
    found = diff(first, compiled())
    assert (found.figures, found.inputs, found.sections, found.findings_new) == ((), (), (), ())
    assert diff(first, compiled(settings=BriefSettings(locale="zh"))).figures == ()


def test_each_changed_figure_names_the_input_that_caused_it(compiled: Compile) -> None:
    old = compiled(budget=100.0)
    new = compiled(budget=200.0, settings=BriefSettings(lead_time_days=45))
    found = diff(old, new)
    assert {change.name: (change.was, change.now) for change in found.inputs} == {
        "lead_time_days": (None, 45),
        "budget": (100.0, 200.0),
    }
    caused = changes(old, new)
    assert caused["item.budget"] == ("changed", ("budget",))
    assert caused["buy.lead_time"] == ("changed", ("lead_time_days",))
    assert caused["decision.cash_at_risk"] == ("changed", ("budget",))
    assert "launch.units_12w" not in caused
    cash = next(change for change in found.figures if change.figure == "decision.cash_at_risk")
    assert cash.before is not None
    assert cash.after is not None
    assert (cash.before.value, cash.after.value) == (5100.0, 5200.0)


def test_causes_are_traced_through_the_recommended_price(shop: Shop) -> None:
    draft = shop.add_draft("Cup", "Kettles", cost=10.0, launch_date=date(2026, 9, 1))
    old = compile_brief(small_tools(shop, {}), shop, draft)
    dearer = {"recommend_price": {"price.recommended": 26.0}}
    new = compile_brief(small_tools(shop, dearer), shop, draft.model_copy(update={"cost": 11.0}))
    caused = changes(old, new)
    assert caused["price.recommended"] == ("changed", ("cost",))
    assert caused["launch.revenue_12w"] == ("changed", ("cost",))
    assert caused["economics.unit_contribution"] == ("changed", ("cost",))


def test_other_data_and_a_hand_are_causes_too(shop: Shop, compiled: Compile) -> None:
    old = compiled()
    other = compiled({"forecast_launch": {"launch.units_12w": 500.0}})
    assert changes(old, other)["launch.units_12w"] == ("changed", ("data",))
    override(shop, old.id, "launch.units_12w", 700, "A window.")
    by_hand = changes(old, compiled())
    assert by_hand["launch.units_12w"] == ("changed", ("by_hand",))
    assert by_hand["economics.contribution_12w"] == ("changed", ("by_hand",))
    assert "override.figure_1_now" not in by_hand


def test_figures_come_and_go(shop: Shop, compiled: Compile) -> None:
    old = compiled({"forecast_launch": {"refuse": "No season is known; import more sales."}})
    new = compiled()
    kinds = {name: kind for name, (kind, _) in changes(old, new).items()}
    assert kinds["launch.units_12w"] == "new"
    assert kinds["economics.contribution_12w"] == "changed"  # it was unknown
    assert {kind for name, (kind, _) in changes(new, old).items() if name == "launch.units_12w"} == {"gone"}
    assert cause_name("data", "zh") == "店铺数据"
    assert cause_name("lead_time_days") == "lead time days"


# -- two at once ------------------------------------------------------------------------------------------------------


def test_two_connections_never_take_the_same_id(shop: Shop, draft: Draft, compiled: Compile) -> None:
    brief = compiled()

    def store_some(_: int) -> list[str]:
        own = Shop.open(str(shop.engine.url))  # an engine of its own, as another process has
        return [store_brief(own, brief).id for _ in range(8)]

    with ThreadPoolExecutor(2) as pool:
        ids = [each for taken in pool.map(store_some, range(2)) for each in taken]
    assert sorted(ids) == [f"B-{n:04d}" for n in range(2, 18)]
    assert briefs_of(shop, draft.id) == [f"B-{n:04d}" for n in range(1, 18)]


def test_acts_on_postgres_as_on_sqlite(any_shop: Shop) -> None:
    shop = acting(with_sales(any_shop))
    draft = shop.add_draft("Aurora kettle", "Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    brief = compile_brief(small_tools(shop, {}), shop, draft)
    override(shop, brief.id, "launch.units_12w", 700, "A window.")
    approve(shop, brief.id, "Agreed.")
    assert frozen_plan(shop, draft.id) == brief
    assert history(shop, draft.id)[0].status == "approved"
    assert overrides_of(shop, draft.id)["launch.units_12w"].value == 700


# -- the command line -------------------------------------------------------------------------------------------------


def test_the_commands(
    shop: Shop, draft: Draft, compiled: Compile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = compiled()

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["briefs", *arguments], {"DEBUT_SHOP": str(shop.engine.url), "DEBUT_HOME": str(tmp_path)})
        return code, capsys.readouterr().out

    assert run("set", first.id, "buy.lead_time", "45", "--because", "The supplier says so.")[0] == 0
    assert run("set", first.id, "buy.lead_time", "soon")[0] == 2
    second = compiled()
    assert run("approve", second.id.lower(), "--because", "Agreed.")[0] == 0
    assert run("sign", second.id, "finance")[0] == 0
    told = json.loads(run("history", draft.id, "--json")[1])
    assert [each["status"] for each in told] == ["open", "approved"]
    assert "approve, because Agreed." in run("history", draft.id)[1]
    changed = json.loads(run("diff", first.id, second.id, "--json")[1])
    lead = next(each for each in changed["figures"] if each["figure"] == "buy.lead_time")
    assert (lead["old"][0], lead["new"][0]) == (30, 45)
    assert run("diff", first.id, second.id)[1].startswith("B-0001 → B-0002")
    assert run("export", second.id, "--as", "calendar", "--out", str(tmp_path / "out"))[0] == 0
    assert (tmp_path / "out" / "B-0002.ics").read_bytes().startswith(b"BEGIN:VCALENDAR")
    assert run("history", "D-0099")[0] == 1
