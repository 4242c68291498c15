"""A brief that is killed while it is written: started again, it makes no call twice and comes out the same."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from brief_tools import add_market, small_tools
from sqlalchemy import Insert, event, func, insert, select

from agent.brief import Brief, BriefSettings, Cancelled, compile_brief
from agent.brief.types import Section
from shop import Figure, Shop, ToolResult
from shop import schema as t
from shop.brief_steps import brief_steps
from tools.registry import BoundTool

MADE_BY = {"price": {"recommend_price"}, "buy": {"recommend_price", "forecast_launch", "plan_inventory"}}


class Counted(BoundTool):
    """A bound tool that writes its name to a file whenever it has answered."""

    def __init__(self, bound: BoundTool, log: Path) -> None:
        super().__init__(bound.tool, bound.shop)
        object.__setattr__(self, "tool", _Logged(bound, log))


class _Logged:
    def __init__(self, bound: BoundTool, log: Path) -> None:
        self._tool, self._log = bound.tool, log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tool, name)

    def run(self, shop: Shop, arguments: dict[str, Any]) -> ToolResult:
        result = self._tool.run(shop, arguments)
        with self._log.open("a") as log:
            log.write(f"{self._tool.name}\n")
        return result


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    shop = Shop.open(url, create=True)
    with shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="K-1", category="Kitchen > Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    add_market(shop)
    shop.engine.dispose()
    return url


def write(url: str, log: Path, die_after: str = "", watch: Callable[[Shop], None] = lambda _: None) -> Brief:
    shop = Shop.open(url)
    watch(shop)

    def finished(section: Section, _: Mapping[str, Figure]) -> None:
        if section.id == die_after:
            os._exit(9)

    draft = shop.add_draft("Aurora kettle", "Kitchen > Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    tools = {name: Counted(bound, log) for name, bound in small_tools(shop, {}).items()}
    return compile_brief(tools, shop, draft, settings=BriefSettings(), finished=finished)


@pytest.mark.parametrize("section", ["price", "buy"])
def test_a_killed_run_goes_on_where_it_stopped(url: str, tmp_path: Path, section: str) -> None:
    log = tmp_path / "calls"
    child = os.fork()
    if child == 0:
        try:
            write(url, log, die_after=section)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    resumed = write(url, log)
    calls = Counter(log.read_text().split())
    assert all(calls[name] == 1 for name in MADE_BY[section])
    assert resumed.plan_hash == write(url, tmp_path / "other").plan_hash
    with Shop.open(url).engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(brief_steps)).scalar_one() == 0


def die_when_stored(shop: Shop, point: str) -> None:
    """Let this process end as by kill −9 with the brief's row written, or a moment after it was committed."""
    stored: list[bool] = []

    def written(_c: Any, statement: Any, *_: Any) -> None:
        if isinstance(statement, Insert) and statement.table is t.briefs:
            stored.append(True)
            if point == "before the commit":
                os._exit(9)

    def given_back(*_: Any) -> None:
        if stored:
            os._exit(9)

    event.listen(shop.engine, "after_execute", written)
    event.listen(shop.engine, "checkin", given_back)


@pytest.mark.parametrize("point", ["before the commit", "after the commit"])
def test_a_run_killed_while_it_stores_leaves_one_brief(url: str, tmp_path: Path, point: str) -> None:
    log = tmp_path / "calls"
    child = os.fork()
    if child == 0:
        try:
            write(url, log, watch=lambda shop: die_when_stored(shop, point))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    made = Counter(log.read_text().split())
    with Shop.open(url).engine.connect() as connection:
        briefs, steps = (select(func.count()).select_from(table) for table in (t.briefs, brief_steps))
        stored = connection.execute(briefs).scalar_one()
        assert stored == (point == "after the commit")
        assert (connection.execute(steps).scalar_one() == 0) == stored  # never a brief beside its steps
        again = write(url, log)
        assert again.id == "B-0001"
        assert stored or Counter(log.read_text().split()) == made  # from the steps alone
        assert [connection.execute(count).scalar_one() for count in (briefs, steps)] == [1, 0]


def test_who_asks_again_gets_the_same_brief_until_something_differs(url: str, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    first = write(url, log)
    assert write(url, log) == first
    with Shop.open(url).begin() as connection:
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 6, 3), units=1, revenue_cents=100))
    assert write(url, log).id == "B-0002"


def test_a_cancelled_run_keeps_its_steps_until_the_data_change(url: str, tmp_path: Path) -> None:
    shop, log = Shop.open(url), tmp_path / "calls"
    draft = shop.add_draft("Aurora kettle", "Kitchen > Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    tools = {name: Counted(bound, log) for name, bound in small_tools(shop, {}).items()}
    asked = iter([False] * 12 + [True] * 1000)
    with pytest.raises(Cancelled):
        compile_brief(tools, shop, draft, cancelled=lambda: next(asked))
    before = Counter(log.read_text().split())
    assert before
    with shop.begin() as connection:
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 6, 3), units=1, revenue_cents=100))
    compile_brief(tools, shop, draft)
    assert Counter(log.read_text().split())["recommend_price"] == before["recommend_price"] + 1
