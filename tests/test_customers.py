"""Customers' kernels: likelihoods against simulation and quadrature, chains, sequences, clusters, churn."""

import numpy as np
import pandas as pd
import pytest
from customer_sets import START, shoppers
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1

from tools.customers.churn import lost_after, predict_lost
from tools.customers.clusters import cluster, group_names, standard_scores
from tools.customers.features import FEATURES, counts, features, outcome, purchase_days, sampled
from tools.customers.lifetime import (
    BetaGeometric,
    Counts,
    GammaGamma,
    Pareto,
    fit_beta_geometric,
    fit_gamma_gamma,
    fit_pareto,
)
from tools.customers.odds import chance, fit_odds, surely_best
from tools.customers.paths import absorbing_chain
from tools.customers.profile import due, taste
from tools.customers.reasons import ONCE, reasons
from tools.customers.rfm import SEGMENTS, rfm_names, rfm_scores
from tools.customers.sequences import sequels
from tools.customers.value import blend, predict_value


def drawn_counts(n: int, weeks: float, seed: int) -> tuple[Counts, np.ndarray]:
    """BG/NBD with r .24, alpha 4.4, a .8, b 2.4 watched so long, and purchases in as many weeks more."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(0.24, 1 / 4.4, n), rng.beta(0.8, 2.4, n)
    x, last, later = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        at = rng.exponential(1 / rate[i]) if rate[i] > 1e-9 else 9 * weeks
        while at < 2 * weeks:
            if at < weeks:
                x[i], last[i] = x[i] + 1, at
            else:
                later[i] += 1
            if rng.random() < leave[i]:
                break
            at += rng.exponential(1 / rate[i])
    return Counts(x, last, np.full(n, float(weeks))), later


def test_bg_nbd_finds_the_parameters_it_was_drawn_from() -> None:
    seen, later = drawn_counts(5000, 39.0, 3)
    model = fit_beta_geometric(seen)
    assert [model.r, model.alpha] == pytest.approx([0.24, 4.4], rel=0.2)
    # Beta's a and b lie on a ridge; the mean chance to leave does not.
    assert model.a / (model.a + model.b) == pytest.approx(0.25, abs=0.05)
    assert model.expected(seen, 39.0).sum() == pytest.approx(later.sum(), rel=0.1)


def test_bg_nbd_likelihood_is_the_published_formula() -> None:
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    x, last, span = 2.0, 30.43, 38.86
    first = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    second = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    third = (alpha + span) ** -(r + x) + a / (b + x - 1) * (alpha + last) ** -(r + x)
    model, one = BetaGeometric(r, alpha, a, b), Counts(np.array([x]), np.array([last]), np.array([span]))
    assert model.log_likelihood(one)[0] == pytest.approx(first + second + np.log(third))
    # The worked example of Fader, Hardie and Lee: 1.226 purchases in the next 39 weeks.
    assert model.expected(one, 39.0)[0] == pytest.approx(1.226, abs=1e-3)
    top = (
        (a + b + x - 1)
        / (a - 1)
        * (
            1
            - ((alpha + span) / (alpha + span + 39)) ** (r + x)
            * hyp2f1(r + x, b + x, a + b + x - 1, 39 / (alpha + span + 39))
        )
    )
    assert model.expected(one, 39.0)[0] == pytest.approx(top * model.alive(one)[0])


@pytest.mark.parametrize(("alpha", "beta"), [(10.6, 11.7), (11.7, 3.0), (0.5, 400.0)])
@pytest.mark.parametrize("x", [0.0, 3.0, 250.0])
def test_pareto_nbd_likelihood_is_its_integral(alpha: float, beta: float, x: float) -> None:
    model, last, span = Pareto(0.55, alpha, 0.61, beta), 0.0 if x == 0 else 5.0, 30.0
    one = Counts(np.array([x]), np.array([last]), np.array([span]))
    level = -(0.55 + x) * np.log(alpha + last)  # taken out, so that the quadrature does not underflow

    def gone(u: float) -> float:
        return float(0.61 * np.exp(-(0.55 + x) * np.log(alpha + u) - level) * (beta + u) ** -1.61)

    here = np.exp(-(0.55 + x) * np.log(alpha + span) - level) * (beta + span) ** -0.61
    points = [last + (span - last) / 50] if x > 100 else None
    integral = quad(gone, last, span, points=points, epsabs=0, epsrel=1e-10, limit=500)[0]
    constant = gammaln(0.55 + x) - gammaln(0.55) + 0.55 * np.log(alpha) + 0.61 * np.log(beta)
    assert model.log_likelihood(one)[0] == pytest.approx(constant + level + np.log(here + integral), rel=1e-6)
    assert model.alive(one)[0] == pytest.approx(here / (here + integral), rel=1e-5)


def test_pareto_nbd_finds_the_parameters_it_was_drawn_from() -> None:
    rng = np.random.default_rng(1)
    n, span = 5000, 52.0
    rate, stay = rng.gamma(0.9, 1 / 6.0, n), rng.exponential(1 / rng.gamma(1.2, 1 / 20.0, n))
    x = rng.poisson(rate * np.minimum(stay, span)).astype(float)
    # The last of x uniform times.
    last = np.where(x > 0, np.minimum(stay, span) * rng.random(n) ** (1 / np.maximum(x, 1)), 0.0)
    model = fit_pareto(Counts(x, last, np.full(n, span)))
    assert [model.r, model.alpha] == pytest.approx([0.9, 6.0], rel=0.15)
    assert model.beta / model.s == pytest.approx(20 / 1.2, rel=0.3)


def test_gamma_gamma_finds_the_parameters_and_shrinks_to_the_mean() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(1, 9, 6000).astype(float)
    scale = rng.gamma(4.0, 1 / 15.0, 6000)
    mean = rng.gamma(6.0 * x, 1 / (scale * x))
    model = fit_gamma_gamma(x, mean)
    # p and gamma lie on a ridge: their product, and so the mean, is what the data tell.
    assert [model.p * model.gamma, model.q] == pytest.approx([90.0, 4.0], rel=0.1)
    once, often = GammaGamma(6.0, 4.0, 15.0).expected(np.array([1.0, 50.0]), np.array([100.0, 100.0]))
    assert 30.0 < once < often < 100.0  # the mean of all is 30


def test_models_hold_for_very_many_purchases_and_refuse_nonsense() -> None:
    many = Counts(np.array([2000.0]), np.array([51.9]), np.array([52.0]))
    for model in (BetaGeometric(0.5, 4.0, 0.8, 2.5), BetaGeometric(0.5, 4.0, 1.0, 2.5), Pareto(0.5, 4.0, 1.0, 9.0)):
        assert 1000 < model.expected(many, 52.0)[0] < 2100
        assert np.isfinite(model.log_likelihood(many)).all()
    with pytest.raises(ValueError, match="last <= span"):
        Counts(np.array([1.0]), np.array([5.0]), np.array([4.0]))
    with pytest.raises(ValueError, match="too few"):
        fit_beta_geometric(many)
    with pytest.raises(ValueError, match="too few"):
        fit_gamma_gamma(np.ones(3), np.ones(3))


def test_features_see_nothing_later_and_count_a_day_once() -> None:
    frame = pd.DataFrame(
        {
            "customer": ["a", "a", "a", "b", "a", "c"],
            "date": pd.to_datetime(
                ["2024-01-01", "2024-01-01", "2024-01-15", "2024-01-08", "2024-02-01", "2024-01-02"]
            ),
            "amount": [10.0, 5.0, 20.0, 7.0, 99.0, -3.0],
        }
    )
    days = purchase_days(frame)
    assert len(days) == 4  # two orders of a day are one, and money given back is no purchase
    known = features(days, pd.Timestamp("2024-01-22"))
    assert list(known.columns) == list(FEATURES)
    assert known.loc["a", ["purchases", "spent", "recency", "age", "gap"]].tolist() == [2, 35, 1, 3, 2]
    assert np.isnan(known.loc["b", "gap"])
    seen = counts(known)
    assert (seen.x.tolist(), seen.last.tolist(), seen.span.tolist()) == ([1, 0], [2, 0], [3, 2])
    assert outcome(days, known.index, pd.Timestamp("2024-01-22"), 2)["spent"].tolist() == [99, 0]
    later = days.assign(amount=days["amount"].where(days["day"] < "2024-01-22", 1e6))
    pd.testing.assert_frame_equal(known, features(later, pd.Timestamp("2024-01-22")))
    assert sampled(days, 1)["customer"].nunique() == 1


def test_rfm_scores_and_names() -> None:
    frame = pd.DataFrame(
        {"recency": np.arange(10, dtype=float), "purchases": np.arange(10, 0, -1), "spent": np.arange(10, 0, -1) * 9.0}
    )
    scores = rfm_scores(frame)
    assert scores.iloc[0].tolist() == [5, 5, 5]
    assert scores.iloc[-1].tolist() == [1, 1, 1]
    names = rfm_names(frame)
    assert names.iloc[0] == "champions"
    assert names.iloc[-1] == "lapsed"
    assert set(names) <= set(SEGMENTS)


def test_value_beats_the_line_on_a_shop_drawn_from_the_model() -> None:
    days = purchase_days(shoppers(1500, 60))
    until = START + pd.Timedelta(weeks=40)
    values = predict_value(days[days["day"] < until], until, 15.0)
    actual = outcome(days, values.by_method.index, until, 15.0)["spent"]
    errors = values.by_method.sub(actual, axis=0).abs().mean()
    assert errors[values.chosen] < errors["linear"]
    assert values.expected.sum() == pytest.approx(actual.sum(), rel=0.3)
    pd.testing.assert_frame_equal(values.by_method, predict_value(days, until, 15.0).by_method)
    with pytest.raises(ValueError, match="too few"):
        predict_value(days[days["customer"].isin([f"C{i}" for i in range(40)])], until, 15.0)


def test_a_blend_keeps_the_level_of_its_first_part() -> None:
    mixed = blend([np.array([1.0, 3.0]), np.array([40.0, 40.0]), np.array([-5.0, 10.0])])
    assert mixed.sum() == pytest.approx(4.0)
    assert mixed.tolist() == pytest.approx([(1 + 2 + 0) / 3, (3 + 2 + 4) / 3])


def test_lost_after_is_four_fifths_of_the_returns() -> None:
    rows = []
    for who in range(200):  # everyone comes back after one to ten weeks, evenly, then stays away
        for week in (0, 1 + who % 10):
            rows.append((who, START + pd.Timedelta(weeks=week), 9.0))
    days = purchase_days(pd.DataFrame(rows, columns=["customer", "date", "amount"]))
    assert lost_after(days, START + pd.Timedelta(weeks=60)) == 8
    with pytest.raises(ValueError, match="twice"):
        lost_after(days.drop_duplicates("customer"), START + pd.Timedelta(weeks=60))


def test_churn_is_calibrated_better_than_its_base_rate_and_reasons_add_up() -> None:
    days = purchase_days(shoppers(1500, 60, seed=4))
    until = START + pd.Timedelta(weeks=44)
    churn = predict_lost(days[days["day"] < until], until, 10)
    lost = outcome(days, churn.known.index, until, 10)["purchases"] == 0
    base = lost.mean() * (1 - lost.mean())
    assert ((churn.risk - lost) ** 2).mean() < 0.8 * base
    assert churn.risk.mean() == pytest.approx(lost.mean(), abs=0.1)
    first = churn.terms.index[0]
    said = reasons(churn, first)
    assert len(said) <= 2
    once = churn.known.index[churn.known["gap"].isna()][0]
    assert all(isinstance(each, str) and not any(c.isdigit() for c in each) for each in reasons(churn, once, 9))
    assert ONCE in {each for who in churn.known.index[:300] for each in reasons(churn, who, 9)}


def test_terms_of_the_odds_add_up_to_the_chance() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.exponential(size=400)})
    frame.iloc[5, 0] = np.nan
    happened = (rng.random(400) < 1 / (1 + np.exp(-frame["a"].fillna(0)))).to_numpy()
    models = fit_odds(frame, happened)
    for model in models.values():
        total = model.terms(frame).sum(axis=1)
        np.testing.assert_allclose(1 / (1 + np.exp(-total)), chance(model, frame), rtol=1e-6)
    with pytest.raises(ValueError, match="same outcome"):
        fit_odds(frame, np.ones(400, dtype=bool))


def test_only_a_sure_difference_overrules_the_default() -> None:
    rng = np.random.default_rng(0)
    usual = rng.random(500)
    assert surely_best({"usual": usual, "better": usual - 0.1}, "usual") == "better"
    assert surely_best({"usual": usual, "luck": usual - 0.001 * rng.normal(size=500)}, "usual") == "usual"


def test_an_absorbing_chain_has_the_closed_form_of_a_funnel() -> None:
    visits = [(["view", "cart"], True)] * 30 + [(["view", "cart"], False)] * 20 + [(["view"], False)] * 50
    chain = absorbing_chain(visits)
    assert chain.steps == ("view", "cart")
    np.testing.assert_allclose(chain.buys, [0.5 * 0.6, 0.6])
    np.testing.assert_allclose(chain.drops, [0.5, 0.4])
    np.testing.assert_allclose(chain.passes, [1.0, 0.5])
    np.testing.assert_allclose(chain.moves.sum(axis=1), 1)
    # Going back and forth: half of the views lead to a cart and half of the carts back to a view.
    looped = absorbing_chain([(["view", "cart", "view"], False), (["view", "cart"], True)] * 5)
    assert looped.buys[0] == pytest.approx(looped.moves[0, 1] * looped.buys[1])
    with pytest.raises(ValueError, match="no visit"):
        absorbing_chain([([], False)])


def test_sequences_find_an_order_and_no_other() -> None:
    rng = np.random.default_rng(0)
    histories = []
    for _ in range(300):
        rest = [[x] for x in rng.permutation(["soap", "soap", "tea", "lamp"])]
        histories.append([["machine"], *rest, ["descaler"]] if rng.random() < 0.3 else rest)
    found = sequels(histories)
    assert [(each.first, each.then) for each in found if "machine" in each.first and each.then == "descaler"]
    assert not [each for each in found if {each.first, each.then} <= {"soap", "tea", "lamp"}]
    assert found[0].lift > 1
    assert sequels([]) == []


def test_clusters_find_groups_that_are_there_and_name_them() -> None:
    rng = np.random.default_rng(0)
    places = np.repeat([[0, 0], [8, 0], [0, 8]], 60, axis=0)
    habits = pd.DataFrame(places + rng.normal(size=(180, 2)), columns=["basket", "evening"])
    found = cluster(habits)
    assert found.stability > 0.9
    assert len(set(found.labels[:60])) == 1
    assert len(found.judged) > 3
    names = group_names(habits, found.labels)
    assert len(set(names)) == len(names) == 3
    assert any("big baskets" in name for name in names)
    with pytest.raises(ValueError, match="too few"):
        cluster(habits.head(8))
    assert standard_scores(pd.DataFrame({"same": [1.0, 1.0, 1.0]})).tolist() == [[0.0]] * 3


def test_taste_and_what_is_due() -> None:
    at = pd.to_datetime(["2024-01-06 19:00", "2024-01-16 20:00", "2024-01-26 20:30", "2024-01-27 09:00"])
    lines = pd.DataFrame(
        {
            "at": at,
            "channel": ["app", "app", "web", "app"],
            "sku": ["a", "a", "b", "c"],
            "category": ["Tea", "Tea", "Tea", "Lamps"],
            "brand": ["x", "x", "y", ""],
            "units": [1, 2, 1, 1],
            "price": [10.0, 10.0, 20.0, 50.0],
        }
    )
    prices = pd.DataFrame({"sku": ["a", "b", "d"], "category": ["Tea"] * 3, "list_price": [10.0, 20.0, 90.0]})
    liked = taste(lines, prices)
    assert liked.categories == (("Lamps", 0.5), ("Tea", 0.5))
    assert liked.brands == (("x", 0.6), ("y", 0.4))
    assert liked.band == ("middle", 0.75) or liked.band == ("low", 0.75)
    assert liked.channel == ("app", 0.75)
    assert liked.hours[0] <= 19 <= 20 <= liked.hours[1]
    assert [(each.category, each.every) for each in due(lines, pd.Timestamp("2024-02-10"))] == [("Tea", 10.0)]
    assert due(lines, pd.Timestamp("2024-01-28")) == []
    assert due(lines, pd.Timestamp("2025-01-28")) == []
