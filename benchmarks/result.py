"""The shape every benchmark prints: results with intervals, the versions they were made with, and how long it took."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "statsforecast", "lightgbm", "chromadb", "bm25s", "torch")


@dataclass(frozen=True)
class Result:
    """One measured value: `method` is a rival or "debut"; `low` and `high` bound it at 95 % where they are known.

    `n` counts the cases behind it (queries, launches, customers); `extra` keys stand beside the others in the JSON,
    for example `{"subset": "scored"}` or `{"language": "zh"}`.
    """

    method: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The row of the report; a value that is not finite becomes null."""
        row = asdict(self)
        row.update(row.pop("extra"))
        return {key: _finite(value) for key, value in row.items()}


def report(bench: str, data: str, results: Iterable[Result], seconds: float, **extra: Any) -> dict[str, Any]:
    """What `./debut bench NAME --json` prints: the keys that every benchmark has, then what this one adds."""
    rows = [result.as_json() for result in results]
    return {
        "bench": bench,
        "data": data,
        "seconds": round(seconds, 2),
        "versions": versions(),
        "results": rows,
        **extra,
    }


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Python and the installed version of each library; one that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float] | None = None,
    groups: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval (Efron & Tibshirani 1993, ch. 13) of a statistic of cases.

    Args:
        values: One row a case: shape (n,) or (n, k), for example (absolute error, actual) per launch.
        statistic: From such an array to a number; default the mean of the first axis.
        groups: Cases that belong together (one product's weeks) are drawn together; shape (n,).
        draws: Resamples.
        seed: Of the resampling, so that a report can be repeated to the digit.
        level: Coverage of the interval.

    Returns:
        Low and high; both nan when there are fewer than two cases or groups.
    """
    cases = np.asarray(values, dtype=float)
    measure = statistic or (lambda sample: float(np.mean(sample)))
    labels = np.arange(len(cases)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)] if groups is not None else None
    units = len(cases) if members is None else len(members)
    if units < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    drawn = np.empty(draws)
    for draw in range(draws):
        chosen = random.integers(0, units, units)
        rows = chosen if members is None else np.concatenate([members[unit] for unit in chosen])
        drawn[draw] = measure(cases[rows])
    tail = (1 - level) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def table(report: dict[str, Any], columns: Sequence[str] = ("method", "metric", "value", "low", "high", "n")) -> str:
    """A report's results as a Markdown table, for the terminal and the documentation."""

    def cell(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)

    rows = ["| " + " | ".join(cell(row.get(column)) for column in columns) + " |" for row in report["results"]]
    return "\n".join(["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns), *rows])


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
