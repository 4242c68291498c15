"""Advertising: budgets held to known truths, and click and order rates of single ads."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from benchmarks.layout import as_numbers, find_file, need_columns, read_table
from benchmarks.mix import Array, Curve, Mix, drawn_truth, read_mixes, true_effect, true_value
from benchmarks.result import Result, bootstrap, report
from shop.errors import BadInput
from tools.advertising.allocate import allocate, equal_split
from tools.advertising.rates import fit_rate
from tools.advertising.response import Response, adstock, fit_response, hill

_FOLDERS = ("mmm_robyn", "mmm_meridian", "mmm_pymc", "facebook_ads")
_SEEDS = 30
_DRAWS = 60
_HELD = 0.2
_FOLDS = 5
_COUNTS = ("impressions", "clicks", "conversions", "spend")
_BUDGETS = (0.5, 1.0, 1.5)  # of what was spent


def main(data: str | Path | None = None, shared: str | Path | None = None, seeds: int = _SEEDS) -> dict[str, Any]:
    """Measure budgets and rates on the folder `data`, or on the public sets of the shared folder.

    Raises:
        BadInput: Neither folder was given, or one holds neither a mix nor ads.
    """
    started = time.perf_counter()
    if data is None and shared is None:
        raise BadInput("Give --data with a folder of the mix or ads layout, or --shared with the public data sets.")
    folders = [Path(data)] if data is not None else [Path(str(shared)) / name for name in _FOLDERS]
    rows: list[Result] = []
    names = []
    for folder in folders:
        ads = read_ads(folder)
        if ads is not None:
            names.append(folder.name)
            rows += rates(ads, folder.name)
            continue
        for mix in read_mixes(folder):
            names.append(mix.name)
            rows += held_out(mix) + regret(mix, seeds)
    return report("ads", ", ".join(names), rows, time.perf_counter() - started, seeds=seeds, draws=_DRAWS)


# -- budgets ----------------------------------------------------------------------------------------------------------


def held_out(mix: Mix) -> list[Result]:
    """Error of the target in the last fifth of the periods, given the spend in them."""
    cut = int(len(mix.target) * (1 - _HELD))
    fitted = _fit(mix.target[:cut], mix.spend[:cut], mix.nuisance[:cut], mix.channels)
    columns = {
        "debut": _brought(fitted, mix.spend)[:, None],
        "linear": mix.spend / np.maximum(mix.spend.mean(axis=0), 1e-12),
        "no_media": np.empty((len(mix.target), 0)),
    }
    rows = []
    for method, media in columns.items():
        fixed = mix.target - media.sum(axis=1) if method == "debut" else mix.target
        design = mix.nuisance if method == "debut" else np.column_stack([mix.nuisance, media])
        slopes = np.linalg.lstsq(design[:cut], fixed[:cut], rcond=None)[0]
        said = design[cut:] @ slopes + (media[cut:, 0] if method == "debut" else 0.0)
        errors = np.column_stack([np.abs(said - mix.target[cut:]), np.abs(mix.target[cut:])])
        low, high = bootstrap(errors, lambda e: float(e[:, 0].sum() / e[:, 1].sum()))
        value = float(errors[:, 0].sum() / errors[:, 1].sum())
        rows.append(Result(method, "wape_held_out", value, low, high, len(errors), {"set": mix.name}))
    return rows


def regret(mix: Mix, seeds: int) -> list[Result]:
    """What each way to split the budget brings of what the oracle's brings, under known curves.

    The spend history is the published one. The target is redrawn: season, trend and controls as fitted to the published
    target, the curves' effect, and its residuals in blocks. Curves are the published truth where there is one, and
    drawn ones, a new set for each seed.
    """
    rows = []
    if mix.truth is not None:
        rows += _shares([_judge(mix, mix.target, mix.truth, 1.0)], mix.name, "published", "published", 1.0)
        drawn = [_judge(mix, _redrawn(mix, mix.truth, seed), mix.truth, 1.0) for seed in range(seeds)]
        rows += _shares(drawn, mix.name, "published", "redrawn", 1.0)
    for size in _BUDGETS:
        found = []
        for seed in range(seeds):
            truth = drawn_truth(mix, np.random.default_rng(1000 + seed))
            found.append(_judge(mix, _redrawn(mix, truth, seed), truth, size))
        rows += _shares(found, mix.name, "drawn", "redrawn", size)
    return rows


def _judge(mix: Mix, target: Array, truth: tuple[Curve, ...], size: float) -> dict[str, float]:
    """Extra target per period of each method's plan at `size` times the usual budget, and the oracle's."""
    budget = float(mix.spend.sum(axis=1).mean()) * size
    caps = np.maximum(mix.spend.max(axis=0), 0.0)
    history = mix.spend.mean(axis=0) / mix.spend.mean(axis=0).sum() * budget
    fitted = _fit(target, mix.spend, mix.nuisance, mix.channels)
    plans = {
        "debut": allocate(fitted, budget, np.ones(1), caps, logs=False)[0],
        "equal_split": equal_split(budget, 1, caps)[0],
        "pro_rata": _within(history, caps, budget),
        "oracle": _oracle(truth, budget, caps),
    }
    return {method: true_value(truth, plan) for method, plan in plans.items()}


def _shares(found: list[dict[str, float]], name: str, truth: str, target: str, size: float) -> list[Result]:
    """Share of the oracle's effect by method, and the regret that is left of equal split's and history's."""
    frame = pd.DataFrame(found)
    extra = {"set": name, "truth": truth, "target": target, "budget": size}
    rows = []
    for method in ("equal_split", "pro_rata", "debut", "oracle"):
        share = (frame[method] / frame["oracle"]).to_numpy()
        rows.append(Result(method, "share_of_oracle", float(share.mean()), *bootstrap(share), len(share), extra))
    for rival in ("equal_split", "pro_rata"):
        gain = (frame["debut"] / frame[rival] - 1).to_numpy()
        rows.append(Result("debut", f"gain_over_{rival}", float(gain.mean()), *bootstrap(gain), len(gain), extra))
    return rows


def _fit(target: Array, spend: Array, nuisance: Array, channels: tuple[str, ...]) -> Response:
    return fit_response(target[:, None], spend[:, None, :], nuisance[:, None, :], channels, _DRAWS)


def _brought(response: Response, spend: Array) -> Array:
    """The point estimate's effect of a history of spend (T, C), by period."""
    total = np.zeros(len(spend))
    for c in range(spend.shape[1]):
        stock = adstock(spend[:, c], float(response.carry[0, c]))
        total += response.strength[0, c] * hill(stock, response.half[0, c], response.shape[0, c])
    return total


def _redrawn(mix: Mix, truth: tuple[Curve, ...], seed: int) -> Array:
    """The target under known curves: its own season, trend and controls, and its residuals in blocks of six."""
    rng = np.random.default_rng(seed)
    media = mix.spend / np.maximum(mix.spend.mean(axis=0), 1e-12)
    design = np.column_stack([mix.nuisance, media])
    slopes = np.linalg.lstsq(design, mix.target, rcond=None)[0]
    base = mix.nuisance @ slopes[: mix.nuisance.shape[1]]
    left = mix.target - design @ slopes
    starts = rng.integers(0, len(left) - 6, len(left) // 6 + 1)
    noise = left[(starts[:, None] + np.arange(6)).ravel()[: len(left)]]
    # Least squares fits part of the noise; what it left is widened to what it was.
    widened = noise * np.sqrt(len(left) / max(len(left) - design.shape[1], 1))
    return np.asarray(base + true_effect(truth, mix.spend) + widened)


def _oracle(truth: tuple[Curve, ...], budget: float, caps: Array) -> Array:
    """The best plan under the true curves, from many starts: S-shaped curves have more than one peak."""
    rng = np.random.default_rng(0)
    money = min(budget, float(caps.sum()))
    starts = [_within(share * money, caps, money) for share in rng.dirichlet(np.ones(len(caps)), 20)]
    size = max(true_value(truth, caps), 1e-12)
    found = [
        minimize(
            lambda share: -true_value(truth, share * money) / size,
            start / money,
            method="SLSQP",
            bounds=[(0.0, cap / money) for cap in caps],
            constraints={"type": "eq", "fun": lambda share: share.sum() - 1.0},
            options={"maxiter": 100, "ftol": 1e-9},
        ).x
        * money
        for start in starts
    ]
    return max((_within(np.clip(plan, 0, caps), caps, money) for plan in found), key=lambda p: true_value(truth, p))


def _within(plan: Array, caps: Array, budget: float) -> Array:
    """A plan cut at the caps, what was cut spread over the room that is left."""
    plan = np.minimum(plan, caps)
    room = caps - plan
    left = min(budget, float(caps.sum())) - plan.sum()
    return np.asarray(plan + (room / max(room.sum(), 1e-12)) * max(left, 0.0))


# -- rates ------------------------------------------------------------------------------------------------------------


def read_ads(folder: Path) -> pd.DataFrame | None:
    """Ads with counts and features; None where the folder holds no ads.

    Raises:
        BadInput: A column is missing or holds something else.
    """
    file = find_file(folder, "ads") or next(iter(sorted(folder.glob("campaign_1178.csv*"))), None)
    if file is None:
        return None
    frame = read_table(file)
    if "Approved_Conversion" in frame:
        # An approved conversion is a purchase; an enquiry before it is not.
        frame = frame.rename(
            columns={
                "Impressions": "impressions",
                "Clicks": "clicks",
                "Spent": "spend",
                "Approved_Conversion": "conversions",
            }
        ).drop(columns=["ad_id", "xyz_campaign_id", "fb_campaign_id", "Total_Conversion"])
        frame = frame.astype({"interest": str})
    need_columns(frame, _COUNTS, file.name)
    frame = frame.assign(**{name: as_numbers(frame, name, file.name).fillna(0.0) for name in _COUNTS})
    ids = [name for name in frame if str(name).endswith("id") or frame[name].nunique() <= 1]
    meta = folder / "meta.json"
    if meta.is_file():
        named = json.loads(meta.read_text(encoding="utf-8")).get("features")
        ids = [name for name in frame if name not in (*named, *_COUNTS)] if isinstance(named, list) else ids
    return frame.drop(columns=[name for name in ids if name not in _COUNTS])


def rates(ads: pd.DataFrame, name: str) -> list[Result]:
    """Click and order rates of ads left out of the fit, by features known before an ad runs.

    Each ad is predicted from four fifths of the others; model and calibration are chosen within those.
    """
    features = ads.drop(columns=list(_COUNTS))
    rows = []
    for rate, trials, hits in (("ctr", "impressions", "clicks"), ("cvr", "clicks", "conversions")):
        n, k = ads[trials].to_numpy(dtype=float), ads[hits].to_numpy(dtype=float)
        # An order after a view without a click is no order of a click.
        k = np.minimum(k, n)
        fold = np.random.default_rng(0).permutation(np.arange(len(n)) % _FOLDS)
        said = {method: np.zeros(len(n)) for method in ("debut", "mean", "logistic", "lightgbm")}
        chosen = []
        for number in range(_FOLDS):
            out, kept = fold == number, (fold != number) & (n > 0)
            fitted = fit_rate(features[kept], n[kept], k[kept], seed=number)
            said["debut"][out] = fitted.predict(features[out])
            chosen.append(fitted.name)
            for method in ("mean", "logistic", "lightgbm"):
                plain = fit_rate(
                    features[kept], n[kept], k[kept], seed=number, models=(method,), calibrations=("level",)
                )
                said[method][out] = plain.predict(features[out])
        for method, predicted in said.items():
            extra = {"set": name, "rate": rate} | ({"chosen": chosen} if method == "debut" else {})
            rows += _scored(method, predicted, n, k, extra)
    return rows


def _scored(method: str, predicted: Array, n: Array, k: Array, extra: dict[str, Any]) -> list[Result]:
    some = n > 0
    cases = np.column_stack([predicted[some], n[some], k[some]])
    measures = {
        "auroc": _auroc,
        "brier": _brier,
        "log_loss": _log_loss,
        "calibration": _ratio,
        "calibration_error": _ece,
    }
    return [
        Result(method, metric, measure(cases), *bootstrap(cases, measure, draws=300), len(cases), extra)
        for metric, measure in measures.items()
    ]


def _auroc(cases: Array) -> float:
    """Chance that a hit had the higher prediction than a miss; trials weighted."""
    predicted, n, k = cases.T
    if k.sum() <= 0 or (n - k).sum() <= 0:
        return float("nan")
    labels = np.repeat([1, 0], len(n))
    return float(roc_auc_score(labels, np.tile(predicted, 2), sample_weight=np.concatenate([k, n - k])))


def _brier(cases: Array) -> float:
    predicted, n, k = cases.T
    return float((k * (1 - predicted) ** 2 + (n - k) * predicted**2).sum() / n.sum())


def _log_loss(cases: Array) -> float:
    predicted, n, k = cases.T
    p = np.clip(predicted, 1e-9, 1 - 1e-9)
    return float(-(k * np.log(p) + (n - k) * np.log1p(-p)).sum() / n.sum())


def _ratio(cases: Array) -> float:
    """Predicted over observed hits; 1 is calibrated in the large."""
    predicted, n, k = cases.T
    return float((predicted * n).sum() / max(k.sum(), 1e-9))


def _ece(cases: Array) -> float:
    """Mean gap of predicted and observed rate over five bins of equally many trials, over the overall rate."""
    predicted, n, k = cases[np.argsort(cases[:, 0])].T
    bins = np.minimum((np.cumsum(n) - n / 2) / n.sum() * 5, 4).astype(int)
    gaps = np.abs(np.bincount(bins, predicted * n, 5) - np.bincount(bins, k, 5))
    return float(gaps.sum() / max(k.sum(), 1e-9))
