"""The demo shop keeps its promises: the same seed gives the same rows, and sales follow the hidden truth."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import BigInteger, Integer, select
from sqlalchemy import func as sql

from shop import schema as t
from shop.demo import Truth, build
from shop.demo.market import seasons
from shop.demo.truth import ChannelTruth, Curve
from shop.demo.words import Words, load
from shop.errors import BadInput
from shop.store import Shop


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Truth]:
    url = f"sqlite:///{tmp_path_factory.mktemp('made') / 'shop.db'}"
    return Shop.open(url, create=True), build(url, seed=7, small=True)


@pytest.fixture(scope="module")
def shop(made: tuple[Shop, Truth]) -> Shop:
    return made[0]


@pytest.fixture(scope="module")
def truth(made: tuple[Shop, Truth]) -> Truth:
    return made[1]


@pytest.fixture(scope="module")
def words() -> Words:
    return load(small=True)


def frame(shop: Shop, query: Any) -> pd.DataFrame:
    with shop.engine.connect() as connection:
        result = connection.execute(query)
        return pd.DataFrame(result.fetchall(), columns=list(result.keys()))


def count(shop: Shop, table: Any) -> int:
    return int(frame(shop, select(sql.count()).select_from(table)).iloc[0, 0])


def fingerprint(shop: Shop) -> str:
    digest = hashlib.sha256()
    with shop.engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            for row in connection.execute(select(table).order_by(*table.primary_key.columns)):
                digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def units_by_day(shop: Shop) -> pd.Series:
    """Units from the order lines, by (sku, day)."""
    day = sql.date(t.orders.c.placed_at).label("day")
    query = (
        select(t.order_lines.c.sku, day, sql.sum(t.order_lines.c.units).label("units"))
        .join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
        .group_by(t.order_lines.c.sku, day)
    )
    lines = frame(shop, query)
    return lines.assign(day=pd.to_datetime(lines["day"])).set_index(["sku", "day"])["units"]


# -- building ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_rows_and_another_seed_does_not(shop: Shop, truth: Truth, tmp_path: Path) -> None:
    again = build(f"sqlite:///{tmp_path / 'again.db'}", seed=7, small=True)
    other = build(f"sqlite:///{tmp_path / 'other.db'}", seed=8, small=True)
    assert fingerprint(Shop.open(f"sqlite:///{tmp_path / 'again.db'}")) == fingerprint(shop)
    assert again == truth
    assert fingerprint(Shop.open(f"sqlite:///{tmp_path / 'other.db'}")) != fingerprint(shop)
    assert other != truth


def test_a_filled_shop_is_refused_and_left_alone(shop: Shop) -> None:
    before = fingerprint(shop)
    with pytest.raises(BadInput, match="fresh database"):
        build(shop.engine.url.render_as_string(), small=True)
    assert fingerprint(shop) == before


def test_a_build_that_stops_leaves_an_empty_shop_that_can_be_built(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'stopped.db'}"

    def stop(what: str, share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(url, small=True, progress=stop)
    assert all(count(Shop.open(url), table) == 0 for table in t.metadata.sorted_tables)
    build(url, small=True)
    assert count(Shop.open(url), t.products) > 0


def test_progress_runs_from_nothing_to_done(tmp_path: Path) -> None:
    seen: list[tuple[str, float]] = []
    build(f"sqlite:///{tmp_path / 'seen.db'}", small=True, progress=lambda what, share: seen.append((what, share)))
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_the_truth_survives_its_file(truth: Truth, tmp_path: Path) -> None:
    truth.save(tmp_path / "a.json.gz")
    truth.save(tmp_path / "b.json.gz")
    assert Truth.load(tmp_path / "a.json.gz") == truth
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


def test_the_truth_stands_in_no_table(shop: Shop, truth: Truth) -> None:
    names = {column.name for table in t.metadata.sorted_tables for column in table.columns}
    assert not names & {"level", "elasticity", "quality", "curve", "expected", "lift", "kind_of_customer"}
    attributes = [*frame(shop, select(t.products.c.attributes))["attributes"]]
    attributes += [*frame(shop, select(t.customers.c.attributes))["attributes"]]
    keys = {key for entry in attributes for key in entry}
    assert not {key for key in keys if key.lower() in {"level", "elasticity", "quality", "class", "gone_on", "rate"}}
    classes = {customer.kind for customer in truth.customers.values()}
    assert not {str(value) for entry in attributes for value in entry.values()} & classes


# -- what is there ----------------------------------------------------------------------------------------------------


def test_the_small_shop_is_rich_enough_for_tests(shop: Shop) -> None:
    products = shop.products()
    assert 55 <= len(products) <= 70
    assert products["category"].nunique() >= 8
    assert products["category"].str.contains(" > ").all()
    weeks = shop.launch_weeks(12)
    assert (weeks.groupby("sku")["week"].max() == 12).sum() >= 40
    assert shop.currency == "USD"
    assert shop.cutoff == date(2026, 11, 1)
    assert shop.cutoff.isoweekday() == 7
    drafts = shop.drafts()
    assert drafts[0].name == "Aurora gooseneck kettle"
    assert all(draft.launch_date is None or draft.launch_date > shop.cutoff for draft in drafts)
    assert {draft.category for draft in drafts} <= set(products["category"])


def test_every_product_has_a_distinct_name_and_text_in_two_languages(shop: Shop) -> None:
    rows = frame(shop, select(t.products))
    for column in ("name", "name_zh", "description", "description_zh"):
        assert rows[column].is_unique, column
    for column in ("name_zh", "description_zh"):
        assert rows[column].str.contains(r"[\u4e00-\u9fff]{2}").all(), column
    texts = pd.concat([rows["description"], rows["description_zh"]])
    assert not texts.str.contains(r"[{}]").any()
    assert (rows["description"].str.len() > 100).all()
    assert rows["attributes"].map(lambda entry: {"Colour", "Warranty"} <= set(entry)).all()


def test_money_is_whole_cents_and_margins_are_believable(shop: Shop) -> None:
    for table in t.metadata.sorted_tables:
        for column in (c for c in table.columns if c.name.endswith("_cents")):
            assert isinstance(column.type, BigInteger | Integer)
            values = frame(shop, select(column).where(column.is_not(None)))[column.name]
            assert all(isinstance(value, int) and value >= 0 for value in values.tolist()), column
    rows = shop.products()
    margin = 1 - rows["cost"] / rows["list_price"]
    assert margin.between(0.25, 0.8).all()
    assert 0.45 < margin.mean() < 0.65
    lines = frame(shop, select(t.order_lines))
    assert (lines["price_cents"] > 0).all()
    assert (lines.loc[lines["promotion_id"].notna(), "discount_cents"] > 0).all()
    assert (lines.loc[lines["promotion_id"].isna(), "discount_cents"] == 0).all()


def test_full_price_lines_are_sold_at_the_list_price_of_their_day(shop: Shop) -> None:
    query = select(t.order_lines, t.orders.c.placed_at).join(t.orders, t.orders.c.id == t.order_lines.c.order_id)
    lines = frame(shop, query).sort_values("placed_at")
    prices = frame(shop, select(t.prices)).sort_values("valid_from")
    prices["valid_from"] = pd.to_datetime(prices["valid_from"])
    prices = prices.rename(columns={"price_cents": "list_cents"})
    merged = pd.merge_asof(lines, prices, left_on="placed_at", right_on="valid_from", by="sku")
    assert (merged["price_cents"] + merged["discount_cents"] == merged["list_cents"]).all()


# -- sales ------------------------------------------------------------------------------------------------------------


def test_the_roll_up_equals_the_order_lines(shop: Shop) -> None:
    daily = shop.daily().set_index(["sku", "day"])["units"]
    lines = units_by_day(shop)
    assert daily[daily > 0].sort_index().astype(int).to_dict() == lines.sort_index().astype(int).to_dict()


def test_nothing_sells_before_launch_or_from_delisting_or_without_stock(shop: Shop) -> None:
    sold = units_by_day(shop).reset_index().merge(frame(shop, select(t.products)), on="sku")
    launch, end = pd.to_datetime(sold["launch_date"]), pd.to_datetime(sold["delisted_date"])
    assert not (sold["day"] < launch).any()
    assert not (sold["day"] >= end).any()
    daily = shop.daily()
    empty = daily[daily["in_stock"].eq(False)]
    assert len(empty) > 0
    assert (empty["units"] == 0).all()


def test_units_are_lost_only_where_stock_ran_out(shop: Shop, truth: Truth) -> None:
    ended = frame(
        shop,
        select(t.stock.c.sku, t.stock.c.day, sql.sum(t.stock.c.on_hand).label("left")).group_by(
            t.stock.c.sku, t.stock.c.day
        ),
    )
    empty = set(ended.loc[ended["left"] == 0, ["sku", "day"]].itertuples(index=False, name=None))
    lost = {(sku, day) for sku, product in truth.products.items() for day in product.lost}
    assert lost
    assert lost <= empty


def test_launches_follow_their_true_curves(shop: Shop, truth: Truth) -> None:
    launches = shop.products().dropna(subset=["launch_date"]).set_index("sku")["launch_date"]
    whole = launches[launches + timedelta(days=83) <= shop.cutoff]
    expected, shape = np.zeros(12), np.zeros(12)
    for sku, launch in whole.items():
        product, start = truth.products[str(sku)], (launch - truth.first_day).days
        lost = [product.lost.get(launch + timedelta(days=i), 0) for i in range(84)]
        expected += (np.array(product.expected[start : start + 84]) - lost).reshape(12, 7).sum(axis=1)
        shape += product.level * product.curve.at(np.arange(84.0)).reshape(12, 7).sum(axis=1)
    weeks = shop.launch_weeks(12)
    sold = weeks[weeks["sku"].isin(whole.index)].groupby("week")["units"].sum().to_numpy(float)
    assert sold / expected == pytest.approx(np.ones(12), abs=0.3)
    assert sold.sum() / expected.sum() == pytest.approx(1.0, abs=0.07)
    # Season, price and campaigns move single launches, but not far on average.
    assert expected.sum() / shape.sum() == pytest.approx(1.0, abs=0.25)


def test_cheaper_weeks_sell_more_as_the_true_elasticity_says(truth: Truth, shop: Shop) -> None:
    promoted = frame(
        shop, select(t.promotions).where(t.promotions.c.mechanic == "percentage", t.promotions.c.sku.is_not(None))
    )
    gains = []
    for row in promoted.itertuples():
        product = truth.products[row.sku]
        start, length = (row.starts - truth.first_day).days, (row.ends - row.starts).days + 1
        before = np.mean(product.expected[start - 7 : start])
        gain = np.log(np.mean(product.expected[start : start + min(length, 7)]) / before)
        gains.append(gain - product.elasticity * np.log(1 - row.depth) - truth.promotions[row.id].uplift)
    assert np.mean(gains) == pytest.approx(0.0, abs=0.1)
    assert all(-4.0 <= product.elasticity <= -1.2 for product in truth.products.values())


# -- the parts --------------------------------------------------------------------------------------------------------


def test_a_curve_starts_low_peaks_and_fades() -> None:
    fad = Curve(kind="fad", floor=0.6, ramp=5, peak=2.5, peak_day=20, hold=40, fade=50, tail=0.1)
    ages = np.array([-1.0, 0.0, 20.0, 400.0])
    values = fad.at(ages)
    assert values[0] == 0
    assert values[1] == pytest.approx(0.6 + 0.4 * (1 - np.exp(-1 / 5)))
    assert values[2] == pytest.approx((0.6 + 0.4 * (1 - np.exp(-21 / 5))) * 2.5)
    assert values[3] < 0.2


def test_campaign_response_carries_over_and_saturates() -> None:
    from shop.demo.media import respond

    truth = ChannelTruth(carry_over=0.5, half=100.0, strength=0.2)
    effect = respond(np.array([[100.0], [0.0], [0.0], [1e9]]), truth)[:, 0]
    assert effect[:3] == pytest.approx([0.1, 0.2 * 50 / 150, 0.2 * 25 / 125])
    assert effect[3] == pytest.approx(0.2, abs=1e-6)


def test_seasons_average_to_one(words: Words) -> None:
    assert seasons(words).mean(axis=0) == pytest.approx(np.ones(len(words.departments)))


def test_cannibals_take_from_earlier_products_of_their_category(shop: Shop, truth: Truth) -> None:
    rows = shop.products().set_index("sku")
    assert truth.cannibals
    for pair in truth.cannibals:
        launch, victim = rows.loc[pair.launch], rows.loc[pair.victim]
        assert launch["category"] == victim["category"]
        assert victim["launch_date"] is None or victim["launch_date"] < launch["launch_date"]
        assert 0 < pair.share <= 0.12


def test_baskets_are_believable(shop: Shop) -> None:
    lines = frame(shop, select(t.order_lines))
    sizes = lines.groupby("order_id").size()
    assert sizes.between(1, 4).all()
    assert 0.2 < (sizes > 1).mean() < 0.6
    assert not lines.duplicated(["order_id", "sku"]).any()
    orders = frame(shop, select(t.orders))
    assert 0.04 < orders["customer_id"].isna().mean() < 0.15
    joined = orders.merge(frame(shop, select(t.customers)), left_on="customer_id", right_on="id")
    assert (joined["placed_at"].dt.date >= joined["joined_on"]).all()


def test_customers_stop_when_the_truth_says_they_are_gone(shop: Shop, truth: Truth) -> None:
    last = frame(
        shop, select(t.orders.c.customer_id, sql.max(t.orders.c.placed_at).label("at")).group_by("customer_id")
    )
    gone = {key: value.gone_on for key, value in truth.customers.items() if value.gone_on}
    assert len(gone) > 50
    late = [row for row in last.itertuples() if row.customer_id in gone and row.at.date() >= gone[row.customer_id]]
    assert late == []


def test_coupons_have_a_holdout_that_received_none(shop: Shop) -> None:
    sent = frame(shop, select(t.coupons))
    customers = frame(shop, select(t.customers.c.id, t.customers.c.attributes))
    held = {(row.id, code) for row in customers.itertuples() for code in row.attributes.get("coupon_holdout", [])}
    got = set(sent[["customer_id", "promotion_id"]].itertuples(index=False, name=None))
    assert held
    assert not held & got
    assert len(held) / (len(held) + len(got)) == pytest.approx(0.2, abs=0.05)
    redeemed = sent.dropna(subset=["order_id"])
    lines = frame(shop, select(t.order_lines))
    paid = set(lines[["order_id", "promotion_id"]].itertuples(index=False, name=None))
    assert set(redeemed[["order_id", "promotion_id"]].itertuples(index=False, name=None)) <= paid


def test_events_lead_to_the_orders_of_the_last_weeks(shop: Shop) -> None:
    events = frame(shop, select(t.events))
    assert set(events["kind"]) == {"view", "search", "cart"}
    assert events.loc[events["kind"] == "search", "query"].str.len().gt(0).all()
    assert events.loc[events["kind"] != "search", "sku"].notna().all()
    since = events["at"].min() + timedelta(days=1)
    query = select(t.orders.c.id, t.orders.c.customer_id, t.order_lines.c.sku, t.orders.c.placed_at).join(
        t.order_lines, t.order_lines.c.order_id == t.orders.c.id
    )
    lines = frame(shop, query.where(t.orders.c.placed_at >= since, t.orders.c.customer_id.is_not(None)))
    carts = events.loc[events["kind"] == "cart", ["customer_id", "sku", "at"]].merge(lines, on=["customer_id", "sku"])
    led = carts[(carts["placed_at"] > carts["at"]) & (carts["placed_at"] - carts["at"] < pd.Timedelta(hours=1))]
    assert set(led["id"]) == set(lines["id"])


# -- words ------------------------------------------------------------------------------------------------------------


def said(words: Words, category: str, attribute: str, value: str) -> tuple[str, ...]:
    sub = next(sub for number, sub in enumerate(words.subs) if words.category(number) == category)
    fact = next(fact for fact in sub.facts[attribute] if fact.value == value)
    return (*fact.said, fact.said_zh) if fact.said else ()


def test_reviews_speak_of_facts_of_their_product_and_of_no_other(shop: Shop, words: Words) -> None:
    products = shop.products().set_index("sku")
    reviews = shop.reviews()
    every: dict[str, set[str]] = {}
    for number, sub in enumerate(words.subs):
        facts = [fact for options in sub.facts.values() for fact in options if fact.sign]
        every[words.category(number)] = {sentence for fact in facts for sentence in (*fact.said, fact.said_zh)}
    speaking = 0
    for review in reviews.itertuples():
        product = products.loc[review.sku]
        own = {
            s
            for a, v in product["attributes"].items()
            if a not in ("Colour", "Warranty")
            for s in said(words, product["category"], a, v)
        }
        spoken = {sentence for sentence in every[product["category"]] if sentence in review.text}
        assert spoken <= own
        speaking += bool(spoken)
    assert speaking / len(reviews) > 0.6
    assert set(reviews["language"]) == {"en", "zh"}


def test_better_products_are_rated_higher(shop: Shop, truth: Truth) -> None:
    rating = shop.reviews().groupby("sku")["rating"].mean()
    quality = rating.index.map(lambda sku: truth.products[sku].quality)
    assert np.corrcoef(rating, quality)[0, 1] > 0.5


def test_a_short_cord_brings_complaints_about_the_cord() -> None:
    from shop.demo.catalogue import SMALL, make_items
    from shop.demo.voices import write

    words = load(small=True)
    items = make_items(words, SMALL, np.random.default_rng(3))
    short = next(item for item in items if any(fact.value == "60 cm" for fact in item.facts))
    cord = said(words, words.category(short.sub), "Cord", "60 cm")
    rng = np.random.default_rng(0)
    bad = [write(words, short, 1, "en", rng)[1] for _ in range(60)]
    assert sum(any(sentence in text for sentence in cord) for text in bad) >= 10


def test_policies_have_both_languages_and_a_version_that_was_replaced(shop: Shop) -> None:
    rows = frame(shop, select(t.policies))
    assert {"Shipping", "Returns", "Warranty", "Price match", "Privacy"} <= set(rows["title"])
    assert (rows["language"] == "zh").sum() == (rows["language"] == "en").sum()
    old = rows[rows["effective_to"].notna()]
    assert set(old["id"]) == {"RET-1-2023", "RET-1-2023-ZH"}
    new = rows.set_index("id").loc["RET-1"]
    assert new["effective_from"] == old["effective_to"].iloc[0] + timedelta(days=1)


@pytest.mark.slow
def test_the_full_shop_holds_what_was_promised(tmp_path: Path) -> None:
    path = tmp_path / "full.db"
    truth = build(f"sqlite:///{path}")
    shop = Shop.open(f"sqlite:///{path}")
    least = {
        t.products: 300,
        t.customers: 4_000,
        t.reviews: 5_000,
        t.orders: 50_000,
        t.events: 50_000,
        t.campaigns: 5_000,
    }
    assert {table.name: count(shop, table) for table in least if count(shop, table) < least[table]} == {}
    products = shop.products()
    assert products["category"].str.split(" > ").str[0].nunique() >= 8
    launches = pd.to_datetime(products["launch_date"].dropna())
    years = (launches - pd.Timestamp(truth.first_day)).dt.days // 365
    assert years.value_counts().min() >= 40
    assert (truth.last_day - truth.first_day).days >= 3 * 365
    assert products["delisted_date"].notna().sum() >= 20
    assert frame(shop, select(t.orders.c.customer_id).distinct())["customer_id"].nunique() >= 4_000
    assert frame(shop, select(t.products.c.name))["name"].is_unique
    rivals = frame(shop, select(t.competitor_prices.c.competitor, t.competitor_prices.c.sku).distinct())
    assert rivals["competitor"].nunique() >= 2
    assert path.stat().st_size < 80_000_000
    held, sent = coupon_rates(shop)
    # The classes' lifts average to about a third; the holdout is small, so the bounds are wide.
    assert 1.05 < sent / held < 1.6


def coupon_rates(shop: Shop) -> tuple[float, float]:
    """The share of held-out and of treated customers who ordered from the coupon's department while it ran."""
    customers = frame(shop, select(t.customers.c.id, t.customers.c.attributes))
    held = [(code, row.id) for row in customers.itertuples() for code in row.attributes.get("coupon_holdout", [])]
    sent = frame(shop, select(t.coupons.c.promotion_id, t.coupons.c.customer_id)).itertuples(index=False, name=None)
    query = (
        select(t.orders.c.customer_id, t.orders.c.placed_at, t.products.c.category)
        .join(t.order_lines, t.order_lines.c.order_id == t.orders.c.id)
        .join(t.products, t.products.c.sku == t.order_lines.c.sku)
    )
    bought = frame(shop, query)
    day, department = bought["placed_at"].dt.date, bought["category"].str.split(" > ").str[0]
    buyers = {
        row.id: set(bought.loc[day.between(row.starts, row.ends) & (department == row.category), "customer_id"])
        for row in frame(shop, select(t.promotions).where(t.promotions.c.mechanic == "coupon")).itertuples()
    }
    treated = [customer in buyers[code] for code, customer in sent]
    return float(np.mean([customer in buyers[code] for code, customer in held])), float(np.mean(treated))
