"""What customers will spend and who will be lost: Debut against a line, the RFM score and logistic regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.customers_layout import Labels, Transactions
from benchmarks.result import Result
from tools.customers.churn import predict_lost
from tools.customers.features import outcome, purchase_days
from tools.customers.lifetime import Counts, fit_beta_geometric
from tools.customers.odds import chance, choose_odds, fit_odds
from tools.customers.rfm import rfm_risk
from tools.customers.value import predict_value

Array = NDArray[np.float64]
Score = Callable[[Array, Array], float]
_DRAWS = 200
_PUBLISHED = 2357  # customers of the sample that the BG/NBD paper fits
_SUBSETS = 20


def measure_value(data: Transactions) -> tuple[list[Result], str]:
    """Value of each customer in the weeks ahead, by every method; and the method chosen.

    `holdout` is money predicted over money spent, of all customers together.

    Raises:
        ValueError: There are too few customers, or none came again.
    """
    days = purchase_days(data.frame)
    values = predict_value(days, data.split, data.weeks, data.since)
    actual = outcome(days, values.by_method.index, data.split, data.weeks)["spent"].to_numpy()
    predicted = {str(name): values.by_method[name].to_numpy() for name in values.by_method}
    scores: dict[str, Score] = {"mae": mae, "spearman": spearman, "decile_lift": decile_lift, "holdout": holdout}
    rows = _rows(data.name, "value", {**predicted, "debut": values.expected.to_numpy()}, actual, scores)
    return rows + _over(
        data.name, "value", "linear", predicted, values.expected.to_numpy(), actual, scores
    ), values.chosen


def measure_lost(data: Transactions) -> tuple[list[Result], str]:
    """Chance of each customer not to come in the weeks ahead, by every method; and the method chosen.

    Raises:
        ValueError: Too few customers were lost, or kept, to learn from.
    """
    days = purchase_days(data.frame)
    churn = predict_lost(days, data.split, data.weeks, data.since)
    lost = (outcome(days, churn.by_method.index, data.split, data.weeks)["purchases"] == 0).to_numpy(dtype=float)
    predicted = {str(name): churn.by_method[name].to_numpy() for name in churn.by_method}
    return _churn_rows(data.name, predicted, churn.risk.to_numpy(), rfm_risk(churn.known), lost), churn.chosen


def measure_labels(data: Labels) -> tuple[list[Result], str]:
    """Chance of each test customer to be lost, by every method; and the method that the training part chose."""
    train, held = data.features[~data.test], data.features[data.test]
    models = fit_odds(train, data.churned[~data.test])
    chosen = choose_odds(train, data.churned[~data.test])
    predicted = {name: chance(model, held) for name, model in models.items()}
    rfm = None if data.rfm is None else data.rfm[data.test]
    lost = data.churned[data.test].astype(float)
    return _churn_rows(data.name, predicted, predicted[chosen], rfm, lost), chosen


def measure_parameters(data: Transactions) -> list[Result]:
    """BG/NBD on all customers of CDNOW; bounds are those of random subsets as large as the published sample."""
    frame = data.frame[data.frame["date"] < data.split].drop_duplicates(["customer", "date"])
    groups = frame.groupby("customer")["date"]
    first, last, number = groups.min(), groups.max(), groups.size()
    end = data.split - pd.Timedelta(days=1)
    table = np.column_stack([number - 1, (last - first).dt.days / 7, (end - first).dt.days / 7])
    rng = np.random.default_rng(0)
    subsets = [rng.choice(len(table), _PUBLISHED, replace=False) for _ in range(_SUBSETS)]
    fits = [fit_beta_geometric(Counts(*table[rows].T)) for rows in [np.arange(len(table)), *subsets]]
    rows = []
    for name in ("r", "alpha", "a", "b"):
        values = np.array([getattr(fit, name) for fit in fits])
        low, high = np.quantile(values[1:], [0.025, 0.975])
        extra = {"set": data.name, "task": "bg_nbd"}
        rows.append(Result("debut", name, float(values[0]), float(low), float(high), len(table), extra))
    return rows


def _churn_rows(name: str, predicted: dict[str, Array], debut: Array, rfm: Array | None, lost: Array) -> list[Result]:
    scores: dict[str, Score] = {"auroc": auroc, "pr_auc": average_precision, "lift_10": decile_lift}
    ranked = predicted if rfm is None else {**predicted, "rfm": rfm}
    rows = _rows(name, "churn", {**ranked, "debut": debut}, lost, scores)
    rows += _rows(name, "churn", {**predicted, "debut": debut}, lost, {"brier": brier})
    for rival in ("rfm", "logistic"):
        if rival in ranked:
            rows += _over(name, "churn", rival, ranked, debut, lost, scores)
    return rows


def _rows(name: str, task: str, predicted: dict[str, Array], actual: Array, scores: dict[str, Score]) -> list[Result]:
    extra = {"set": name, "task": task}
    found = []
    for method, values in predicted.items():
        for metric, score in scores.items():
            found.append(
                Result(
                    method,
                    metric,
                    *_interval(lambda i, v=values, s=score: s(v[i], actual[i]), len(actual)),
                    len(actual),
                    extra,
                )
            )
    return found


def _over(
    name: str, task: str, rival: str, predicted: dict[str, Array], debut: Array, actual: Array, scores: dict[str, Score]
) -> list[Result]:
    """Debut's score less the rival's, paired: of errors less is better, of the others more."""
    other, extra = predicted[rival], {"set": name, "task": task}
    return [
        Result(
            "debut",
            f"{metric}_over_{rival}",
            *_interval(lambda i, s=score: s(debut[i], actual[i]) - s(other[i], actual[i]), len(actual)),
            len(actual),
            extra,
        )
        for metric, score in scores.items()
        if metric != "holdout"
    ]


def _interval(statistic: Callable[[NDArray[np.int64]], float], n: int) -> tuple[float, float, float]:
    """A statistic of all customers with its bootstrap interval at 95 %; the same draws for every method."""
    rng = np.random.default_rng(0)
    drawn = [statistic(rng.integers(0, n, n)) for _ in range(_DRAWS)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return statistic(np.arange(n)), float(low), float(high)


def mae(predicted: Array, actual: Array) -> float:
    """Mean absolute error."""
    return float(np.abs(predicted - actual).mean())


def holdout(predicted: Array, actual: Array) -> float:
    """Total predicted over total seen."""
    return float(predicted.sum() / actual.sum()) if actual.sum() else float("nan")


def spearman(predicted: Array, actual: Array) -> float:
    """Correlation of the ranks."""
    return float(np.corrcoef(rankdata(predicted), rankdata(actual))[0, 1])


def decile_lift(predicted: Array, actual: Array) -> float:
    """Mean outcome of the tenth with the highest predictions over the mean of all; ties share their places."""
    places = max(len(predicted) // 10, 1)
    edge = np.partition(predicted, -places)[-places]
    above, equal = predicted > edge, predicted == edge
    total = actual[above].sum() + (places - above.sum()) * actual[equal].mean()
    return float(total / places / actual.mean()) if actual.mean() else float("nan")


def auroc(predicted: Array, actual: Array) -> float:
    """Chance that a lost customer stands above a kept one."""
    lost = actual > 0
    pairs = float(lost.sum()) * float((~lost).sum())
    return (
        float((rankdata(predicted)[lost].sum() - lost.sum() * (lost.sum() + 1) / 2) / pairs) if pairs else float("nan")
    )


def average_precision(predicted: Array, actual: Array) -> float:
    """Area under precision and recall, as scikit-learn has it."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(actual > 0, predicted)) if actual.any() else float("nan")


def brier(predicted: Array, actual: Array) -> float:
    """Mean squared error of the chance."""
    return float(((predicted - actual) ** 2).mean())
