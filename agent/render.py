"""From templates to what a reader sees: figures formatted for a language, optionally linked to their evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from agent.ledger import PLACEHOLDER, UnknownFigure, split_placeholder
from agent.spoken import spoken_plain
from shop import Figure
from shop.types import Chart, Table

Link = Callable[[Figure, str], str]
UNKNOWN = {"en": "unknown", "zh": "未知"}
_UNIT_WORDS = {
    "en": {"days": ("day", "days"), "weeks": ("week", "weeks"), "units": ("", ""), "count": ("", "")},
    "zh": {"days": ("天", "天"), "weeks": ("周", "周"), "units": ("", ""), "count": ("", "")},
}


def format_value(figure: Figure, part: str = "", locale: str = "en") -> str:
    """One figure, or its `low` or `high` bound, as text in a language (`en`, `zh`)."""
    value = getattr(figure, part) if part else figure.value
    if value is None:
        return UNKNOWN.get(locale[:2], "unknown")
    if isinstance(value, date):
        return str(format_date(value, format="long", locale=locale))
    if isinstance(value, str):
        # Why a tool could not answer is a note: its sentence may hold digits, so it comes as a figure.
        return spoken_plain(value, locale[:2]) if figure.id.startswith("note.") else value
    if figure.unit == "money":
        whole = abs(value) >= 1000 and not figure.exact
        return str(
            format_currency(
                round(value) if whole else value,
                figure.currency or "USD",
                locale=locale,
                currency_digits=not whole,
                format="¤#,##0" if whole else None,
            )
        )
    if figure.unit == "share":
        return str(format_percent(value, format="#,##0.#%" if abs(value) < 0.1 else "#,##0%", locale=locale))
    if figure.unit == "ratio":
        return str(format_decimal(round(value, 2), locale=locale))
    number = str(format_decimal(round(value) if abs(value) >= 10 else round(value, 1), locale=locale))
    singular, plural = _UNIT_WORDS[locale[:2]].get(figure.unit, ("", ""))
    word = singular if value == 1 else plural
    if not word:
        return number
    return number + word if locale.startswith("zh") else f"{number} {word}"


def render(template: str, figures: Mapping[str, Figure], locale: str = "en", link: Link | None = None) -> str:
    """Fill a template's placeholders.

    Args:
        template: Text with `{{figure.id}}`, `{{figure.id.low}}` and `{{figure.id.high}}`.
        figures: The ledger, or any mapping from id to figure.
        locale: Language for numbers, money and dates.
        link: Given the figure and its text, returns what stands in the page (a link to the evidence).

    Raises:
        UnknownFigure: A placeholder names no figure.
    """

    def one(match: object) -> str:
        name = match[1]  # type: ignore[index]
        stem, part = split_placeholder(name)
        if stem not in figures:
            raise UnknownFigure(name)
        text = _shown(figures[stem], part, figures, locale)
        return link(figures[stem], text) if link else text

    return PLACEHOLDER.sub(one, template)


def citations(figures: Mapping[str, Figure]) -> dict[str, int]:
    """The number of each cited passage, in the order in which the ledger got them."""
    cited = (name for name, figure in figures.items() if figure.unit == "passage")
    return {name: number for number, name in enumerate(cited, 1)}


def _shown(figure: Figure, part: str, figures: Mapping[str, Figure], locale: str) -> str:
    return f"[{citations(figures)[figure.id]}]" if figure.unit == "passage" else format_value(figure, part, locale)


def render_table(table: Table, figures: Mapping[str, Figure], locale: str = "en", link: Link | None = None) -> str:
    """A table as Markdown, its title above it."""

    def cells(row: tuple[str, ...]) -> str:
        return "| " + " | ".join(render(cell, figures, locale, link).replace("|", "\\|") for cell in row) + " |"

    head = [f"**{render(table.title, figures, locale, link)}**", "", cells(table.columns)]
    return "\n".join([*head, "|" + " --- |" * len(table.columns), *(cells(row) for row in table.rows)])


def chart_points(chart: Chart, figures: Mapping[str, Figure]) -> dict[str, list[float | str | date | None]]:
    """The values behind a chart: `x` and every series, as plain lists for a plotting library."""

    def value(name: str) -> float | str | date | None:
        stem, part = split_placeholder(name)
        figure = figures[stem]
        return getattr(figure, part) if part else figure.value

    return {"x": [value(i) for i in chart.x], **{name: [value(i) for i in ids] for name, ids in chart.series.items()}}
