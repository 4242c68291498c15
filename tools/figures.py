"""Building a result: figures go into a sheet, and the sheet hands back the placeholder that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, select

from shop import Figure, Passage, Rows, Shop
from shop import schema as t
from shop.text import clean, shorten
from shop.types import Unit

Value = float | int | date | str | None
QUANTILES = (0.1, 0.5, 0.9)  # P10, P50, P90
CITED = 900  # characters of a cited passage that a reader can open


class Sheet:
    """The figures of one result, in order."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(
        self,
        figure_id: str,
        label: str,
        value: Value,
        unit: Unit,
        formula: str = "",
        low: float | None = None,
        high: float | None = None,
        rows: Rows | None = None,
        reason: str = "",
        private: bool = False,
        exact: bool = False,
        untrusted: bool = False,
    ) -> str:
        """Enter a figure and return its placeholder. A value of None needs the reason why it is unknown.

        What is `private` is shown to the person it is about and to no model; `exact` money is never rounded; text that
        others wrote is `untrusted`.
        """
        self._figures[figure_id] = Figure(
            id=figure_id,
            label=label,
            value=_plain(value),
            unit=unit,
            low=None if low is None else float(low),
            high=None if high is None else float(high),
            formula=formula,
            rows=rows,
            reason=reason if value is None else "",
            private=private,
            exact=exact,
            untrusted=untrusted,
        )
        return "{{" + figure_id + "}}"

    def add_draws(
        self, figure_id: str, label: str, draws: NDArray[np.float64], unit: Unit, formula: str, rows: Rows | None = None
    ) -> str:
        """Enter a figure from draws of its distribution: the median, with P10 and P90 as bounds."""
        low, middle, high = np.quantile(draws, QUANTILES)
        return self.add(figure_id, label, middle, unit, formula, low=low, high=high, rows=rows)

    def cite(self, figure_id: str, passage: Passage, rows: Rows | None = None) -> str:
        """Enter a passage as a citation and return its placeholder, which the reader sees as `[n]`."""
        text = shorten(clean(passage.text), CITED)
        return self.add(
            figure_id, passage.source, text, "passage", "as written", rows=rows, untrusted=not passage.trusted
        )

    def known(self, figure_id: str) -> bool:
        """Whether the figure is here and has a value."""
        return figure_id in self._figures and self._figures[figure_id].value is not None

    def value(self, figure_id: str) -> float:
        """The number that a known figure holds."""
        value = self._figures[figure_id].value
        assert isinstance(value, int | float)
        return value

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(self._figures.values())


def evidence(
    shop: Shop, table: str, where: Mapping[str, Sequence[str]], since: date | None = None, until: date | None = None
) -> Rows:
    """The stored rows behind a figure, none later than the cut-off where the table has days, with their number."""
    source = t.metadata.tables[table]
    chosen: list[ColumnElement[bool]] = [source.c[column].in_(list(values)) for column, values in where.items()]
    last = min(until or shop.cutoff, shop.cutoff)
    if "day" in source.c:
        chosen += [source.c.day <= last, *([source.c.day >= since] if since else [])]
    with shop.engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(source).where(*chosen)).scalar_one()
    filters = {column: tuple(values) for column, values in where.items()}
    return Rows(table=table, where=filters, since=since, until=last if "day" in source.c else None, count=count)


def interval(figure_id: str) -> str:
    """`low to high` of a figure, as placeholders."""
    return "{{" + figure_id + ".low}} to {{" + figure_id + ".high}}"


def _plain(value: Value) -> Value:
    if isinstance(value, np.integer):
        return int(value)
    return float(value) if isinstance(value, np.floating) else value
