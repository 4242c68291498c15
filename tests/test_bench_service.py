"""The service benchmark: a set in the layout is replayed exactly, and what is wrong in it is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmarks.service import DAY, main, replay
from benchmarks.service_set import read_tasks, same
from shop import BadInput, Shop
from shop import schema as t
from shop.importers import tau_retail

HOME = {"address1": "1 Elm Street", "address2": "", "city": "Denver", "state": "CO", "country": "USA", "zip": "80279"}
AWAY = {**HOME, "address1": "9 Oak Road", "address2": "Suite 2, rear", "city": "St. Paul", "zip": "80301"}
KEYS = {"tasks", "matched", "writes", "refused_ok", "foreign_tried", "foreign_refused", "double_tried"}


def item(sku: str, price: float, **options: str) -> dict[str, Any]:
    return {"name": "Mug", "product_id": "P1", "item_id": sku, "price": price, "options": options}


def make_set() -> tuple[dict[str, Any], list[Any], list[Any]]:
    """A shop of two, two tasks, and the states they lead to, worked out by hand."""
    variants = {"1": ("red", 10.0, True), "2": ("blue", 12.5, True), "3": ("grey", 9.0, False)}
    order = {
        "order_id": "#W1",
        "user_id": "ann",
        "address": HOME,
        "items": [item("1", 10.0, colour="red"), item("1", 10.0, colour="red")],
        "status": "pending",
        "fulfillments": [],
        "payment_history": [{"transaction_type": "payment", "amount": 20.0, "payment_method_id": "gift"}],
    }
    user = {
        "user_id": "ann",
        "name": {"first_name": "Ann Marie", "last_name": "de Berg"},
        "address": HOME,
        "email": "ann@example.com",
        "payment_methods": {"gift": {"source": "gift_card", "id": "gift", "balance": 3.1}},
        "orders": ["#W1"],
    }
    other = {**user, "user_id": "bob", "email": "bob@example.com", "payment_methods": {}, "orders": []}
    db = {
        "products": {
            "P1": {
                "name": "Mug",
                "product_id": "P1",
                "variants": {
                    sku: {"item_id": sku, "options": {"colour": colour}, "available": free, "price": price}
                    for sku, (colour, price, free) in variants.items()
                },
            }
        },
        "users": {"ann": user, "bob": other},
        "orders": {"#W1": order},
    }
    swap = {"order_id": "#W1", "item_ids": ["1"], "new_item_ids": ["2"], "payment_method_id": "gift"}
    tasks = [
        {
            "user_id": "ann",
            "actions": [
                {"name": "find_user_id_by_email", "kwargs": {"email": "ann@example.com"}},
                {"name": "modify_user_address", "kwargs": {"user_id": "ann", **AWAY}},
                {"name": "modify_pending_order_address", "kwargs": {"order_id": "#W1", **AWAY}},
                {"name": "modify_pending_order_items", "kwargs": swap},
                {"name": "cancel_pending_order", "kwargs": {"order_id": "#W1", "reason": "no longer needed"}},
            ],
        },
        {"user_id": "nobody", "actions": []},
    ]
    paid = [*order["payment_history"], {"transaction_type": "payment", "amount": 2.5, "payment_method_id": "gift"}]
    changed = {
        **order,
        "address": AWAY,
        "items": [item("2", 12.5, colour="blue"), item("1", 10.0, colour="red")],
        "status": "pending (item modified)",
        "payment_history": paid,
    }
    gift = {"gift": {"source": "gift_card", "id": "gift", "balance": 0.6}}
    expected = [
        {
            "task": "0",
            "changed": {
                "orders": {"#W1": changed},
                "users": {"ann": {**user, "address": AWAY, "payment_methods": gift}},
            },
            "refused_gold_actions": [{"index": 4, "name": "cancel_pending_order", "message": "not pending"}],
            "n_writes": 4,
            "acting_user": "ann",
        },
        {"task": "1", "changed": {}, "refused_gold_actions": [], "n_writes": 0, "acting_user": None},
    ]
    return db, tasks, expected


def run(folder: Path, spoil: Callable[[Any, Any, Any], None] = lambda *_: None) -> dict[str, Any]:
    """The report on the little set, spoiled first."""
    parts = make_set()
    spoil(*parts)
    paths = [folder / name for name in ("db.json", "tasks.json", "states.json")]
    for path, part in zip(paths, parts, strict=True):
        path.write_text(json.dumps(part))
    return main(paths[1], paths[0], paths[2])


def test_a_set_that_is_right_matches(tmp_path: Path) -> None:
    found = run(tmp_path)
    assert found["mismatches"] == []
    assert set(found) == KEYS | {"double_single_effect", "seconds", "mismatches"}
    assert {key: found[key] for key in KEYS} == {
        "tasks": 2,
        "matched": 2,
        "writes": 4,
        "refused_ok": 1,
        "foreign_tried": 3,  # nobody can name another person's profile
        "foreign_refused": 3,
        "double_tried": 3,
    }
    assert found["double_single_effect"] == 3


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _d, _t, e: e[0]["changed"]["users"]["ann"]["payment_methods"]["gift"].update(balance=0.7), "user ann"),
        (lambda _d, _t, e: e[0]["changed"]["orders"]["#W1"]["items"].reverse(), "order #W1"),
        (lambda _d, _t, e: e[0]["changed"].pop("users"), "changed"),
        (lambda _d, _t, e: e[0].update(refused_gold_actions=[]), "refusal"),
        (lambda d, _t, _e: d["orders"]["#W1"].update(status="processed"), "refusal"),
    ],
)
def test_what_is_not_as_expected_is_found(tmp_path: Path, spoil: Callable[..., None], said: str) -> None:
    found = run(tmp_path, spoil)
    assert found["matched"] == 1
    assert said in " ".join(found["mismatches"][0]["what"])


def test_files_that_are_no_set_get_a_sentence(tmp_path: Path) -> None:
    for spoil in (
        lambda d, _t, _e: d.pop("users"),
        lambda d, _t, _e: d["orders"]["#W1"].pop("items"),
        lambda _d, t, _e: t.pop(),
        lambda _d, t, _e: t[0]["actions"][3].pop("kwargs"),
    ):
        with pytest.raises(BadInput):
            run(tmp_path, spoil)


def test_a_set_goes_into_an_empty_shop_from_a_file_that_is_one(empty_shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "db.json"
    path.write_text("{")
    with pytest.raises(BadInput, match="cannot be read as JSON"):
        tau_retail.load(empty_shop, path, DAY)
    path.write_text(json.dumps(make_set()[0]))
    tau_retail.load(empty_shop, path, DAY)
    with pytest.raises(BadInput, match="goes into an empty shop"):
        tau_retail.load(empty_shop, path, DAY)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, None),
        ({"return_items": ["1"], "return_payment_method_id": "gift"}, ("return", "", ["1"], [], "gift", None)),
        (
            {
                "exchange_items": ["1"],
                "exchange_new_items": ["2"],
                "exchange_payment_method_id": "gift",
                "exchange_price_difference": 2.5,
            },
            ("exchange", "", ["1"], ["2"], "gift", 250),
        ),
        ({"cancel_reason": "no longer needed"}, ("cancel", "no longer needed", [], [], "", None)),
        ({"cancel_reason": "no idea"}, None),
    ],
)
def test_what_was_asked_and_sent_before_the_snapshot_is_kept(
    empty_shop: Shop, tmp_path: Path, asked: dict[str, Any], kept: tuple[object, ...] | None
) -> None:
    db = make_set()[0]
    db["orders"]["#W1"].update(asked, fulfillments=[{"tracking_id": ["9"], "item_ids": ["1"]}])
    (tmp_path / "db.json").write_text(json.dumps(db))
    tau_retail.load(empty_shop, tmp_path / "db.json", DAY)
    r, s = t.requests.c, t.shipments.c
    with empty_shop.engine.connect() as connection:
        query = select(r.kind, r.reason, r["items"], r.new_items, r.method_id, r.difference_cents)
        assert [tuple(row) for row in connection.execute(query)] == ([] if kept is None else [kept])
        assert connection.execute(select(s.tracking, s.skus)).one() == (["9"], ["1"])


def test_money_is_compared_at_two_places_and_a_missing_key_is_null() -> None:
    assert same({"a": 1, "b": None}, {"a": 1.0001})
    assert not same({"a": 1.01}, {"a": 1.0})
    assert not same([1], [1, 2])


@pytest.mark.slow
def test_every_task_of_the_public_set_matches(any_shop: Shop, shared_data: Path) -> None:
    folder = shared_data / "tau_retail_train"
    tau_retail.load(any_shop, folder / "db.json", DAY)
    # A fifth of the tasks on each database: the whole set is the command's own work.
    tasks = read_tasks(folder / "tasks.json", folder / "expected_end_states.json")[::5]
    score = replay(any_shop, tasks)
    assert score.mismatches == []
    assert score.counts["matched"] == len(tasks)
    assert score.counts["foreign_refused"] == score.counts["foreign_tried"] > 100
    assert score.counts["double_single_effect"] == score.counts["double_tried"] > 100
