"""Promotion: effects on a made-up panel, contribution against a loop, bundles against Fisher, coupons, the tool."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact
from sqlalchemy import insert
from test_launch import check_templates, world

from shop import Actor, Shop, ToolError
from shop import schema as t
from tools import ALL
from tools.promotion.bundles import rules
from tools.promotion.contribution import AFTER, Ground, breakeven_lift, promote
from tools.promotion.coupons import CouponEvidence, coupon_evidence, trials
from tools.promotion.plan import Cut, best_cut, coupon_plan
from tools.promotion.read import overlapping, promotion_panel
from tools.promotion.response import TERMS, PromotionPanel, columns, effects
from tools.registry import bind
from tools.standing import FEATURES


def panel(seed: int = 0, products: int = 60, weeks: int = 100, slope: float = 2.0) -> PromotionPanel:
    """Two categories; cuts of 10 to 30 % for two weeks, +20 % for the fact of it, a dip of 15 % in two weeks after."""
    rng = np.random.default_rng(seed)
    rows = []
    shock = rng.normal(0, 0.3, weeks)
    for product in range(products):
        depth, dip = np.zeros(weeks), np.zeros(weeks)
        for start in range(8 + product % 7, weeks - 8, 20):
            depth[start : start + 2] = rng.choice([0.1, 0.2, 0.3])
            dip[start + 2 : start + 4] = 1
        log = 3 + rng.normal(0, 0.5) + shock - slope * np.log1p(-depth) + 0.18 * (depth > 0) - 0.16 * dip
        units = rng.poisson(np.exp(log)).astype(float)
        usual = np.median(units[depth == 0])
        rows.append(np.column_stack([units, depth, np.full(weeks, product), np.arange(weeks), np.full(weeks, usual)]))
    units, depth, product, week, usual = np.concatenate(rows).T
    codes = product.astype(np.int64)
    paths = ("Kitchen > Kettles", "Kitchen > Mugs")
    whole = np.zeros(len(units), dtype=bool)
    return PromotionPanel(units, depth, codes, week.astype(np.int64), codes % 2, usual, whole, paths)


# -- kernels ----------------------------------------------------------------------------------------------------------


def test_effects_are_found_with_their_spread() -> None:
    found = effects(panel(), "Kitchen > Kettles")
    assert found is not None
    assert found.source == "Kitchen > Kettles"
    truth = {"depth": 2.0, "flag": 0.18, "after": -0.16, "later": 0.0}
    sd = np.sqrt(np.diag(found.cov))
    for name, value in truth.items():
        k = TERMS.index(name)
        assert abs(found.mean[k] - value) < max(3.5 * sd[k], 0.05), name
    assert (found.low, found.high) == pytest.approx((0.1, 0.3))


def test_a_category_without_promotions_takes_its_parents() -> None:
    data = panel()
    bare = replace(data, paths=("Kitchen > Kettles", "Garden"))
    found = effects(bare, "Garden > Hoses")
    assert found is not None
    assert found.source == "Garden"
    none = effects(bare, "Toys")
    assert none is not None
    assert none.source == ""


def test_a_week_that_was_promoted_in_part_is_not_judged() -> None:
    data = panel()
    first = np.flatnonzero((data.depth > 0) & (np.arange(len(data.depth)) % 2 == 0))
    units, partial = data.units.copy(), data.partial.copy()
    units[first], partial[first] = 1e5, True
    found, clean = effects(replace(data, units=units, partial=partial), ""), effects(data, "")
    assert found is not None
    assert clean is not None
    assert found.mean[1] == pytest.approx(clean.mean[1], abs=0.15)


def test_without_promotions_nothing_is_said() -> None:
    data = panel()
    calm = replace(data, depth=0 * data.depth)
    assert effects(calm, "Kitchen > Kettles") is None


def test_columns_mark_the_weeks_after_and_the_rest_of_the_category() -> None:
    depth = np.zeros((3, 10))
    depth[0, 4:6] = 0.2
    product, week = np.divmod(np.arange(30), 10)
    ones = np.ones(30)
    data = PromotionPanel(ones, depth.ravel(), product, week, np.zeros(30, dtype=np.int64), ones, ones > 1, ("A",))
    found = {name: columns(data)[:, k].reshape(3, 10) for k, name in enumerate(TERMS)}
    assert np.flatnonzero(found["flag"][0]).tolist() == [4, 5]
    assert found["depth"][0, 4] == pytest.approx(-np.log(0.8))
    assert np.flatnonzero(found["after"][0]).tolist() == [6, 7]
    assert np.flatnonzero(found["later"][0]).tolist() == [8, 9]
    assert np.flatnonzero(found["before"][0]).tolist() == [2, 3]
    # One of the two others is on promotion.
    assert found["halo"][1, 4] == pytest.approx(0.5)
    assert found["halo"][0, 4] == 0.0


def test_contribution_is_the_naive_sum() -> None:
    rng = np.random.default_rng(0)
    units = rng.gamma(5.0, 2.0, (3, 2 + AFTER))
    base = Ground(units, price=20.0, cost=8.0, rest=500.0, share=0.1)
    drawn = np.array([[1.5, 0.2, -0.1, -0.05, 0.03, 0.0]] * 3)
    found = promote(base, drawn, 0.2, 2)
    for i in range(3):
        lift = 0.8**-1.5 * np.exp(0.2)
        total = sum(units[i, w] * (lift * (16.0 - 8.0) - 12.0) for w in range(2))
        total += sum(units[i, 2 + k] * 12.0 * (np.exp(-0.1 if k < 2 else -0.05) - 1) for k in range(AFTER))
        total += 500.0 * 2 * (np.exp(0.03 * 0.1) - 1)
        assert found.contribution[i] == pytest.approx(total)
        assert found.given[i] == pytest.approx(units[i, :2].sum() * lift * 4.0)


def test_at_the_breakeven_lift_nothing_is_left() -> None:
    base = Ground(np.full((1, 2 + AFTER), 10.0), price=20.0, cost=8.0, rest=0.0, share=0.0)
    needed = breakeven_lift(base, np.array([[1.0, 0.1, -0.1, 0.0, 0.0, 0.0]]), 0.2, 2)
    assert needed is not None
    there = np.array([[0.0, np.log1p(needed), -0.1, 0.0, 0.0, 0.0]])
    assert promote(base, there, 0.2, 2).contribution[0] == pytest.approx(0.0, abs=1e-9)
    assert breakeven_lift(base, there, 0.7, 2) is None


def test_the_best_cut_fits_the_budget() -> None:
    base = Ground(np.full((1, 2 + AFTER), 10.0), price=20.0, cost=2.0, rest=0.0, share=0.0)
    drawn = np.array([[3.0, 0.1, -0.1, 0.0, 0.0, 0.0]])
    tried = [Cut(depth, promote(base, drawn, depth, 2)) for depth in (0.05, 0.1, 0.2, 0.3)]
    free = best_cut(tried, None)
    assert free is max(tried, key=lambda cut: cut.expected)
    tight = best_cut(tried, tried[1].given)
    assert tight is tried[1]
    assert best_cut(tried, 0.01) is None


def test_bundles_are_fishers_pairs() -> None:
    rng = np.random.default_rng(0)
    baskets = []
    for _ in range(800):
        items = [name for name in "abcdef" if rng.random() < 0.2]
        if "a" in items and rng.random() < 0.6:
            items.append("b")
        baskets.append(items)
    found = rules(baskets)
    assert [{rule.first, rule.second} for rule in found] == [{"a", "b"}]
    has = np.array([["a" in set(x), "b" in set(x)] for x in baskets])
    both = int(has.all(axis=1).sum())
    grid = [[both, int(has[:, 0].sum()) - both], [int(has[:, 1].sum()) - both, int((~has).all(axis=1).sum())]]
    assert found[0].p == pytest.approx(fisher_exact(grid, alternative="greater")[1])
    assert found[0].lift == pytest.approx(both * 800 / has[:, 0].sum() / has[:, 1].sum())
    assert found[0].q >= found[0].p


def test_independent_baskets_hold_no_bundle() -> None:
    rng = np.random.default_rng(1)
    assert rules([[name for name in "abcdefgh" if rng.random() < 0.3] for _ in range(1000)]) == []
    assert rules([]) == []
    assert false_discovery_control([0.01, 0.5]).tolist() == [0.02, 0.5]


def test_coupons_go_where_the_effect_is_sure() -> None:
    pairs = ((5.0, 1.0), (3.0, 0.5), (2.0, 0.5), (1.0, 0.5), (0.5, 0.5), (0.2, 0.5))
    seen = CouponEvidence(4, 1000, 200, 0.15, (0.02, 0.005), (0.2, 0.5), 0.5, pairs, "blend", 3.0)
    free = coupon_plan(seen, 1000, None)
    assert free is not None
    assert free.sure
    assert free.customers == 200
    tight = coupon_plan(seen, 1000, 60.0)
    assert tight is not None
    assert tight.customers == 100
    assert coupon_plan(seen, 1000, 10.0) is None
    assert coupon_plan(None, 1000, None) is None


# -- on the demo shop -------------------------------------------------------------------------------------------------


def test_coupon_trials_compare_random_halves(demo_shop: Shop) -> None:
    rows = trials(demo_shop)
    assert 0.1 < 1 - rows["treated"].mean() < 0.3
    assert (rows.loc[~rows["treated"], "given"] == 0).all()
    # Drawn at random, so what was known before says nothing about who was held out.
    for name in FEATURES[:-1]:
        a, b = (rows.loc[rows["treated"] == side, name].dropna() for side in (True, False))
        gap = abs(a.mean() - b.mean()) / np.sqrt(a.var() / len(a) + b.var() / len(b))
        assert gap < 4, name
    last = rows["promotion"].map(dict(demo_coupons(demo_shop)))
    assert (last + timedelta(weeks=AFTER) <= demo_shop.cutoff).all()


def demo_coupons(shop: Shop) -> list[tuple[str, object]]:
    with shop.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(t.promotions.select().with_only_columns(
            t.promotions.c.id, t.promotions.c.ends).where(t.promotions.c.mechanic == "coupon"))]  # fmt: skip


@pytest.mark.slow
def test_the_tool_gives_figures_for_all_it_says(demo_shop: Shop) -> None:
    call = bind(ALL, demo_shop, Actor(role="manager"))["plan_promotion"]
    ledger = check_templates(call(product=demo_shop.drafts()[0].id, weeks=2))
    for name in ("depth", "uplift", "contribution", "dip", "halo", "given", "needed", "coupon_effect", "episodes"):
        assert f"promo.{name}" in ledger
    parts = [ledger[f"promo.{name}"] for name in ("contribution", "own", "dip", "halo")]
    assert all(figure.low is not None and figure.low <= figure.high for figure in parts)  # type: ignore[operator]
    assert ledger["promo.gift_value"].value is None
    assert "never ran one" in ledger["promo.gift_value"].reason
    assert float(str(ledger["promo.depth"].value)) <= float(str(ledger["promo.seen_high"].value)) + 1e-9


def test_overlaps_with_promotions_on_record_are_told(demo_shop: Shop) -> None:
    with demo_shop.engine.connect() as connection:
        row = connection.execute(t.promotions.select().where(t.promotions.c.sku.is_not(None))).mappings().first()
    assert row is not None
    found = overlapping(demo_shop, row["sku"], row["category"], row["ends"], row["ends"] + timedelta(days=9))
    assert row["id"] in set(found["id"])
    before = overlapping(
        demo_shop, row["sku"], row["category"], row["ends"] + timedelta(days=1), row["ends"] + timedelta(days=1)
    )
    assert row["id"] not in set(before["id"])


@pytest.mark.slow
def test_the_budget_bounds_what_is_given_away(demo_shop: Shop) -> None:
    call = bind(ALL, demo_shop, Actor(role="manager"))["plan_promotion"]
    draft = demo_shop.drafts()[0].id
    free = {figure.id: figure for figure in call(product=draft).figures}
    least = float(str(free["promo.depth_1_given"].value))
    with pytest.raises(ToolError, match="raise the budget"):
        call(product=draft, budget=least / 100)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"budget": 0.0}, "above zero"),
        ({"budget": -3.0}, "above zero"),
        ({"weeks": 0}, "weeks"),
        ({"start": "2001-01-01"}, "is before"),
    ],
)
def test_bad_input_is_refused_with_the_next_step(demo_shop: Shop, arguments: dict[str, object], said: str) -> None:
    draft = demo_shop.drafts()[0].id
    with pytest.raises(ToolError, match=said):
        bind(ALL, demo_shop, Actor(role="manager"))["plan_promotion"](product=draft, **arguments)


def test_a_shop_that_never_promoted_is_refused(empty_shop: Shop) -> None:
    shop = world(empty_shop)
    draft = shop.add_draft("Beech kettle", "Kitchen > Kettles", cost=8.0, price=22.0)
    with pytest.raises(ToolError, match="nor the whole shop ran enough promotions"):
        bind(ALL, shop, Actor(role="manager"))["plan_promotion"](product=draft.id)
    bare = shop.add_draft("Beech mug", "Kitchen > Kettles", price=22.0)
    with pytest.raises(ToolError, match="cost of Beech mug is not known"):
        bind(ALL, shop, Actor(role="manager"))["plan_promotion"](product=bare.id)


def test_without_hold_outs_coupons_say_nothing(empty_shop: Shop) -> None:
    shop = world(empty_shop)
    assert coupon_evidence(shop) is None


def test_single_coupons_are_not_depth(any_shop: Shop) -> None:
    shop = world(any_shop)
    with shop.begin() as connection:
        day = shop.cutoff - timedelta(days=3)
        offer = {"id": "CP-1", "name": "Thanks", "mechanic": "coupon", "category": "Kitchen", "depth": 0.2}
        connection.execute(insert(t.promotions), [offer | {"starts": day, "ends": day}])
        connection.execute(insert(t.orders), [{"id": "O-1", "placed_at": day}])
        line = {"order_id": "O-1", "line": 1, "sku": "P000", "units": 1, "price_cents": 1600, "discount_cents": 400}
        connection.execute(insert(t.order_lines), [line | {"promotion_id": "CP-1"}])
        where = (t.daily.c.sku == "P000") & (t.daily.c.day == day)
        connection.execute(t.daily.delete().where(where))
        row = {"sku": "P000", "day": day, "units": 1, "revenue_cents": 1600, "discount_cents": 400}
        connection.execute(insert(t.daily), [row])
    assert promotion_panel(shop).depth.max() == 0.0
