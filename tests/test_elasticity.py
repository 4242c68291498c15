"""Elasticities: regressions against dummies and statsmodels, pooling and estimates against what is known."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from shop import Shop
from shop import schema as t
from tools.elasticity.cross import cross_price, substitute_prices, telling
from tools.elasticity.estimate import Elasticities, Elasticity, Second, as_plain, from_plain
from tools.elasticity.fit import fit_elasticities
from tools.elasticity.observations import Observations
from tools.elasticity.offers import weekly_offers
from tools.elasticity.orthogonal import second_opinion
from tools.elasticity.poisson import fit_poisson
from tools.elasticity.pool import moderate, pull
from tools.elasticity.read import observations, shop_elasticities
from tools.elasticity.substitutes import likeness, shares
from tools.elasticity.within import naive_slope, take_out_effects, within_slope


def panel(
    slopes: dict[str, float],
    products: int = 12,
    weeks: int = 60,
    seed: int = 0,
    moves: float = 0.15,
    level: float = 1.5,
    follows: float = 0.0,
) -> pd.DataFrame:
    """Weekly counts with a slope per category; shocks last some weeks, and prices follow what the last week sold."""
    rng = np.random.default_rng(seed)
    season = rng.normal(0, 0.3, weeks)
    rows = []
    for category, slope in slopes.items():
        for number in range(products):
            usual, own = np.exp(rng.normal(3, 0.3)), np.exp(level + rng.normal(0, 0.4) + season)
            shock, seen_last = 0.0, 0.0
            price, units = np.empty(weeks), np.empty(weeks)
            for week in range(weeks):
                shock = 0.7 * shock + rng.normal(0, 0.25)
                move = rng.normal(0, moves) + follows * seen_last
                price[week] = usual * np.exp(move)
                units[week] = rng.poisson(own[week] * np.exp(slope * move + shock))
                seen_last = np.log((units[week] + 1) / (own[week] * np.exp(slope * move) + 1))
            rows.append(
                pd.DataFrame(
                    {
                        "sku": f"{category}{number}",
                        "week": np.arange(weeks),
                        "units": units,
                        "price": price,
                        "promotion": 0.0,
                        "after_promotion": 0.0,
                        "rivals": 0.0,
                        "exposure": 1.0,
                        "category": category,
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def seen(frame: pd.DataFrame) -> Observations:
    return observations(frame)[0]


# -- kernels ----------------------------------------------------------------------------------------------------------


def test_effects_are_the_residuals_of_dummies() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, 60), rng.integers(0, 7, 60)
    values = rng.normal(size=60)
    dummies = np.hstack([np.eye(5)[first], np.eye(7)[second]])
    solved = values - dummies @ np.linalg.lstsq(dummies, values, rcond=None)[0]
    assert take_out_effects(values, first, second, rounds=200) == pytest.approx(solved, abs=1e-8)


def test_poisson_with_effects_is_the_glm_with_dummies() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    first, second = np.repeat(np.arange(6), 20), np.tile(np.arange(20), 6)
    x = rng.normal(size=(120, 2))
    units = rng.poisson(np.exp(1 + 0.2 * first + x @ [-1.5, 0.4])).astype(float)
    found = fit_poisson(units, x, (first, second))
    dummies = np.hstack([np.eye(6)[first], np.eye(20)[second][:, 1:]])
    known = sm.GLM(units, np.hstack([x, dummies]), family=sm.families.Poisson()).fit()
    assert found.slopes == pytest.approx(known.params[:2], abs=2e-3)
    assert found.mean == pytest.approx(known.fittedvalues, rel=0.02)


def test_pulling_goes_by_how_well_each_is_known() -> None:
    slopes, sds = np.array([-4.0, -4.0, np.nan]), np.array([0.05, 3.0, np.nan])
    mean, sd = pull(slopes, sds, np.full(3, -2.0), np.full(3, 0.2))
    assert mean[0] == pytest.approx(-4.0, abs=0.1)
    assert -2.6 < mean[1] < -2.0
    assert mean[2] == pytest.approx(-2.0)
    assert sd[0] < 0.06 < sd[1] <= sd[2]


def test_pulled_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(40):
        true = rng.normal(-2, 0.4, 20)
        noise = rng.uniform(0.2, 1.0, 20)
        mean, sd = pull(true + rng.normal(0, noise), noise, np.full(20, -2.0), np.full(20, 0.01))
        inside.append((np.abs(mean - true) < 1.2816 * sd).mean())
    assert np.mean(inside) == pytest.approx(0.8, abs=0.05)


def test_flattering_errors_are_moderated() -> None:
    rng = np.random.default_rng(3)
    power = np.full(200, 4.0)
    lucky = 0.5 * np.sqrt(rng.chisquare(3, 200) / 3)
    made = moderate(lucky, power, np.full(200, 3.0))
    assert made.std() < 0.4 * lucky.std()
    assert np.sqrt((made**2).mean()) == pytest.approx(0.5, rel=0.1)


def test_semilog_and_log_log_agree_on_a_small_range() -> None:
    frame = panel({"A": -2.0}, level=7.0, moves=0.05)
    data = seen(frame)
    log, semi = (
        within_slope(data.units, data.price, data.series, data.period, data.product, semilog=form)
        for form in (False, True)
    )
    assert log is not None
    assert semi is not None
    assert log.value == pytest.approx(-2.0, abs=0.3)
    # Prices differ between products, so the slope at the mean price is a mean of theirs.
    assert semi.value == pytest.approx(log.value, abs=0.5)


def test_prices_that_never_moved_have_no_slope() -> None:
    data = seen(panel({"A": -2.0}, moves=0.0))
    assert within_slope(data.units, data.price, data.series, data.period, data.product) is None
    with pytest.raises(ValueError, match="no price ever moved"):
        fit_elasticities(data)


# -- estimates --------------------------------------------------------------------------------------------------------


def test_each_categorys_slope_is_found_where_units_are_few() -> None:
    frame = panel({"A > a": -3.0, "B > b": -1.5}, products=20)
    fitted = fit_elasticities(seen(frame))
    for name, slope in (("A > a", -3.0), ("B > b", -1.5)):
        assert fitted.groups[name].identified
        assert fitted.groups[name].value == pytest.approx(slope, abs=0.25)


def test_logs_flatten_the_slope_where_weeks_without_a_sale_are_many() -> None:
    data = seen(panel({"A": -2.5}, products=40, level=0.0, moves=0.25))
    dropped = within_slope(data.units, data.price, data.series, data.period, data.product)
    assert dropped is not None
    assert dropped.value > -2.5 + 0.8
    assert fit_elasticities(data).groups[""].value == pytest.approx(-2.5, abs=0.3)


def test_discounts_that_follow_slow_weeks_do_not_hide_the_slope() -> None:
    values, plain = [], []
    for seed in range(4):
        data = seen(panel({"A": -2.0}, products=20, weeks=80, seed=seed, moves=0.05, follows=0.3, level=3.0))
        values.append(fit_elasticities(data).groups[""].value)
        plain.append(fit_poisson(data.units, np.log(data.price)[:, None], (data.series, data.period)).slopes[0])
    assert np.mean(values) == pytest.approx(-2.0, abs=0.2)
    assert abs(np.mean(plain) + 2.0) > 2 * abs(np.mean(values) + 2.0)


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    inside = []
    for seed in range(25):
        found = fit_elasticities(seen(panel({"A": -2.0}, weeks=40, seed=seed))).groups[""]
        inside.append(found.low <= -2.0 <= found.high)
    assert 0.6 <= np.mean(inside) <= 0.98


def test_a_product_without_moves_takes_its_groups_slope_with_a_wider_interval() -> None:
    frame = panel({"A": -3.0, "B": -1.5})
    still = panel({"A": -3.0}, products=1, moves=0.0, seed=9).assign(sku="still")
    data, skus, _ = observations(pd.concat([frame, still], ignore_index=True))
    fitted = fit_elasticities(data)
    own, group = fitted.products[skus.index("still")], fitted.groups[data.chains[skus.index("still")][-1]]
    assert own.value == pytest.approx(group.value, abs=0.3)
    assert own.sd > group.sd


def test_a_cost_undoes_prices_that_follow_demand_at_once() -> None:
    rng = np.random.default_rng(4)
    n, weeks = 30, 60
    product, week = np.repeat(np.arange(n), weeks), np.tile(np.arange(weeks), n)
    shock, cost = rng.normal(0, 0.3, n * weeks), np.exp(rng.normal(2, 0.15, n * weeks))
    price = cost * np.exp(0.5 + 0.6 * shock)
    units = rng.poisson(np.exp(8 - 2.0 * np.log(price) + shock)).astype(float)
    none = np.empty((n * weeks, 0))
    data = Observations(
        product, product, week, np.zeros(n * weeks, dtype=int), units, price, none, (), [("",)] * n, cost
    )
    fitted = fit_elasticities(data)
    naive = naive_slope(units, price, product)
    assert fitted.instrumented
    assert fitted.groups[""].value == pytest.approx(-2.0, abs=0.15)
    assert naive is not None
    assert naive.value > -1.7
    free = rng.poisson(np.exp(8 - 2.0 * np.log(cost * np.exp(0.5 + 0.6 * rng.normal(0, 0.3, n * weeks))) + shock))
    assert not fit_elasticities(
        Observations(product, product, week, data.market, free.astype(float), cost, none, (), data.chains, cost)
    ).instrumented


@pytest.mark.slow
def test_double_machine_learning_agrees_on_clean_prices() -> None:
    data = seen(panel({"A": -2.0}, products=30, weeks=90, level=3.0))
    found = second_opinion(data, fit_elasticities(data))
    assert found is not None
    assert found.value == pytest.approx(-2.0, abs=4 * found.sd)
    assert found.sd < 0.2
    assert found.first == pytest.approx(-2.0, abs=0.15)
    assert abs(found.apart) < 0.15


def test_methods_that_disagree_widen_the_interval() -> None:
    own = Elasticity(-2.0, 0.3, "", True, 9, 900)
    agreed = Elasticities({"": own}, {}, {}, {}, Second(-2.1, 0.1, -2.0, 0.1))
    apart = Elasticities({"": own}, {}, {}, {}, Second(-1.2, 0.1, -2.0, 0.1))
    assert agreed.of("") == own
    found = apart.of("")
    assert found is not None
    assert (found.value, found.sd) == (-2.0, pytest.approx(np.hypot(0.3, 0.8)))
    assert from_plain(as_plain(apart)) == apart


def substitutes(count: int) -> np.ndarray:
    return shares(likeness([{"name": "kettle"}] * count, np.exp(np.linspace(2.6, 3.4, count))))


@pytest.mark.parametrize("truth", [0.0, 0.8])
def test_cross_prices_are_found_and_told_from_none(truth: float) -> None:
    data = seen(panel({"A": -2.0}, products=24, weeks=104, level=3.0, seed=4))
    weights = substitutes(24)
    rng = np.random.default_rng(5)
    moved = rng.poisson(data.units * np.exp(truth * substitute_prices(data, weights))).astype(float)
    data = replace(data, units=moved)
    value, sd = cross_price(data, fit_elasticities(data), weights)[""]
    assert value == pytest.approx(truth, abs=2.5 * sd)
    assert sd < 0.2
    assert telling((value, sd)) == (truth > 0)


def test_substitutes_are_the_nearest_in_words_and_price() -> None:
    names = ["steel kettle", "steel kettle small", "wool blanket", "glass kettle"]
    alike = likeness([{"name": name} for name in names], np.array([20.0, 21.0, 20.0, 60.0]))
    assert alike[0].argmax() == 1
    assert np.diag(alike).tolist() == [0.0] * 4
    weights = shares(likeness([{"name": "x"}] * 8, np.exp(np.arange(8.0))))
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert ((weights > 0).sum(axis=1) >= 5).all()
    assert shares(np.zeros((1, 1))).tolist() == [[0.0]]


def test_substitute_prices_are_a_naive_mean_over_those_on_sale() -> None:
    data = seen(panel({"A": -2.0}, products=4, weeks=12))
    keep = (data.product != 2) | (data.period > 5)
    data = replace(
        data,
        **{n: getattr(data, n)[keep] for n in ("product", "series", "period", "market", "units", "price", "controls")},
        exposure=None,
    )
    weights = substitutes(4)
    found = substitute_prices(data, weights)
    usual = [np.log(data.price[data.product == k]).mean() for k in range(4)]
    for row in range(0, len(found), 7):
        parts = [
            (weights[data.product[row], data.product[j]], np.log(data.price[j]) - usual[data.product[j]])
            for j in range(len(found))
            if data.period[j] == data.period[row]
        ]
        assert found[row] == pytest.approx(sum(w * x for w, x in parts) / sum(w for w, _ in parts))


def test_draws_are_never_positive_and_never_absurd() -> None:
    draws = Elasticity(-1.0, 3.0, "", True, 3, 90).draws(5000, np.random.default_rng(0))
    assert draws.max() <= 0
    assert draws.min() >= -8


# -- from a shop ------------------------------------------------------------------------------------------------------


def shop_with_lines(shop: Shop, slope: float = -2.0, weeks: int = 40) -> Shop:
    """Six products whose prices move by the month; each third week holds one huge order at half the price."""
    rng = np.random.default_rng(5)
    start = pd.Timestamp("2024-01-01").date()
    products, lines, orders, daily = [], [], [], []
    for number in range(6):
        sku = f"Q{number}"
        products.append({"sku": sku, "name": sku, "category": "Gifts", "launch_date": start})
        for week in range(weeks):
            price = round(1000 * float(np.exp(0.15 * rng.normal()))) if week % 4 == 0 else price  # noqa: F821
            day = start + timedelta(weeks=week)
            sold = [(1, price)] * int(rng.poisson(20 * (price / 1000) ** slope))
            sold += [(200, price // 2)] if week % 3 == 0 else []
            for units, paid in sold:
                order = f"{sku}-{week}-{len(orders)}"
                orders.append({"id": order, "placed_at": pd.Timestamp(day).to_pydatetime()})
                lines.append({"order_id": order, "line": 1, "sku": sku, "units": units, "price_cents": paid})
            total = sum(units for units, _ in sold)
            revenue = sum(units * paid for units, paid in sold)
            daily.append({"sku": sku, "day": day, "units": total, "revenue_cents": revenue})
            daily.append({"sku": sku, "day": day + timedelta(days=6), "units": 0, "revenue_cents": 0})
    with shop.begin() as connection:
        for table, rows in ((t.products, products), (t.orders, orders), (t.order_lines, lines), (t.daily, daily)):
            connection.execute(table.insert(), rows)
    return shop


def test_the_price_asked_is_not_revenue_over_units(empty_shop: Shop) -> None:
    shop_with_lines(empty_shop)
    offers = weekly_offers(empty_shop)
    paid = empty_shop.weekly_prices()
    asked = offers.groupby("sku")["price"].std()
    # Large orders at half the price would look like forty-per-cent swings.
    assert asked.max() < 3
    assert paid["price"].std() > asked.max()
    large = offers[offers["week"] % 3 == offers["week"].min() % 3]
    assert large["price"].mean() == pytest.approx(offers["price"].mean(), rel=0.1)


def test_promotions_of_a_category_count_for_products_whose_buyers_got_them(demo_shop: Shop) -> None:
    offers = weekly_offers(demo_shop)
    share = (offers["promotion"] > 0).mean()
    assert 0.01 < share < 0.2
    assert offers.loc[offers["promotion"] == 1, "price"].notna().all()
    assert (offers["units"] == 0).any()
    assert not offers.duplicated(["sku", "week"]).any()


@pytest.mark.slow
def test_the_demo_shops_elasticities_are_near_the_truth(demo_shop: Shop) -> None:
    found = shop_elasticities(demo_shop)
    assert found is not None
    assert found.of("", None).value == pytest.approx(-2.2, abs=0.9)
    again = from_plain(as_plain(found))
    assert again == found
    kettle = found.of("Kitchen > Kettles", 40.0)
    assert kettle is not None
    assert kettle.sd < 1.5
    assert demo_shop.learned("elasticities", lambda: None) is found


def test_a_replay_sees_no_later_price(empty_shop: Shop) -> None:
    shop_with_lines(empty_shop)
    day = empty_shop.cutoff - timedelta(weeks=20)
    past = weekly_offers(empty_shop.as_of(day))
    assert past["week"].nunique() <= 20
    assert past["units"].sum() < weekly_offers(empty_shop)["units"].sum()
