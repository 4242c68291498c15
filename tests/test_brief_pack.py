"""Stored briefs: packed figures come back as they were, in any state, and take much less room."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from brief_tools import small_tools
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from agent.brief import Brief, compile_brief, load_brief
from shop import Shop
from shop import schema as t
from shop.brief_pack import pack, unpack

_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just({"of": ["a.b"]})


@pytest.fixture
def brief(empty_shop: Shop) -> Brief:
    with empty_shop.begin() as connection:
        connection.execute(insert(t.products).values(sku="K-1", name="Old kettle", category="Kettles"))
        connection.execute(insert(t.daily).values(sku="K-1", day=date(2026, 5, 31), units=1, revenue_cents=100))
    draft = empty_shop.add_draft("Aurora kettle", "Kettles", cost=10.0, price=25.0, launch_date=date(2026, 9, 1))
    return compile_brief(small_tools(empty_shop, {}), empty_shop, draft)


def raw(shop: Shop) -> str:
    with shop.engine.connect() as connection:
        return str(connection.execute(text("SELECT document FROM briefs")).scalar_one())


def test_a_brief_comes_back_as_it_was_and_takes_less_room(empty_shop: Shop, brief: Brief) -> None:
    assert load_brief(empty_shop, brief.id) == brief
    assert len(raw(empty_shop)) < len(json.dumps(brief.model_dump(mode="json"))) / 2


def test_a_brief_stored_before_figures_were_packed_is_read(empty_shop: Shop, brief: Brief) -> None:
    with empty_shop.begin() as connection:
        plain = json.dumps(brief.model_dump(mode="json"))
        connection.execute(text("UPDATE briefs SET document = :plain"), {"plain": plain})
    assert load_brief(empty_shop, brief.id) == brief


def test_a_part_of_a_document_can_be_asked_for(empty_shop: Shop, brief: Brief) -> None:
    with empty_shop.engine.connect() as connection:
        verdict = connection.execute(select(t.briefs.c.document["verdict"].as_string())).scalar_one()
    assert verdict == brief.verdict


def test_a_document_without_alike_figures_is_kept_as_it_is(empty_shop: Shop, brief: Brief) -> None:
    forged: dict[str, Any] = {"subject": {"name": "forged"}, "figures": {"a.b": {"id": "a.c"}, "a.d": {"id": "a.d"}}}
    with empty_shop.begin() as connection:
        connection.execute(update(t.briefs).values(document=forged))
    assert json.loads(raw(empty_shop)) == forged


@given(st.lists(st.tuples(_VALUES, _VALUES), max_size=6))
def test_packing_keeps_every_value_apart(pairs: list[tuple[Any, Any]]) -> None:
    figures = {f"a.b{n}": {"id": f"a.b{n}", "value": one, "inputs": two} for n, (one, two) in enumerate(pairs)}
    document = {"verdict": "go", "figures": figures}
    back = unpack(json.loads(json.dumps(pack(document))))
    assert json.dumps(back) == json.dumps(document), "equal as text: True is not one, nor is 1.0"
