"""Charts of a brief as pictures, for the formats that have none of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from agent.brief.export.document import printable
from agent.ledger import split_placeholder
from agent.render import chart_points, format_value, render
from shop import Figure
from shop.text import CHINESE
from shop.types import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID = "#1f2933", "#66707c", "#e6e8eb"
COLOURS = ("#0b6e66", "#c2622d", "#5b5f97", "#8a8d91", "#b38600", "#3f7cac")
WIDTH, HEIGHT = 6.4, 2.7  # inches: the width of a page's text
DPI = 160
# Families with Chinese characters, as Linux, Windows and macOS call theirs; simplified forms first.
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Serif CJK SC",
)
_MOST_TICKS = 16
_SIDEWAYS = 12  # characters a label may have before the names stand beside the bars instead of below


def chart_image(chart: Chart, figures: Mapping[str, Figure], locale: str, kind: Literal["svg", "png"]) -> bytes:
    """A chart as SVG or PNG. A fan is a line with its interval as a band; every point is a figure of the brief."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    points = chart_points(chart, figures)
    x = points.pop("x")
    words = " ".join((chart.title, chart.x_label, chart.y_label, *chart.series, *map(str, x)))
    with rc_context({"font.family": _families(words), "svg.hashsalt": "debut", "axes.unicode_minus": False}):
        canvas = Canvas(figsize=(WIDTH, HEIGHT), layout="constrained")
        FigureCanvasAgg(canvas)
        axes = canvas.add_subplot()
        _plot(axes, chart, x, points, [_label(name, figures, locale) for name in chart.x])
        _measured(axes, chart, figures, locale)
        _dress(axes, chart, printable(render(chart.title, figures, locale)), many=len(points) > 1)
        picture = BytesIO()
        canvas.savefig(picture, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    return picture.getvalue()


def _plot(axes: Axes, chart: Chart, x: Sequence[Any], series: Mapping[str, Sequence[Any]], labels: list[str]) -> None:
    if chart.kind == "fan":
        _fan(axes, x, series)
    elif chart.kind == "bar":
        _bars(axes, series, labels)
    else:
        for colour, (name, y) in zip(COLOURS, series.items(), strict=False):
            axes.plot(x, y, color=colour, linewidth=1.8, marker="o", markersize=3, label=name)
    if chart.kind != "bar" and x and isinstance(x[0], date):
        step = -(-len(x) // _MOST_TICKS)
        axes.set_xticks(x[::step], labels[::step], rotation=45, ha="right", rotation_mode="anchor")


def _fan(axes: Axes, x: Sequence[Any], series: Mapping[str, Sequence[Any]]) -> None:
    """Three series, low, middle and high, in any order of their names' sizes."""
    low, *middle, high = sorted(series.items(), key=lambda item: sum(value or 0 for value in item[1]))
    axes.fill_between(x, low[1], high[1], color=COLOURS[0], alpha=0.16, linewidth=0, label=f"{low[0]}–{high[0]}")
    for name, y in middle:
        axes.plot(x, y, color=COLOURS[0], linewidth=1.8, marker="o", markersize=3, label=name)


def _bars(axes: Axes, series: Mapping[str, Sequence[Any]], labels: list[str]) -> None:
    thick, places = 0.8 / len(series), range(len(labels))
    sideways = any(len(label) > _SIDEWAYS for label in labels)
    for n, (colour, (name, y)) in enumerate(zip(COLOURS, series.items(), strict=False)):
        at = [place + (n - (len(series) - 1) / 2) * thick for place in places]
        heights = [value or 0 for value in y]
        if sideways:
            axes.barh(at, heights, height=thick, color=colour, label=name)
        else:
            axes.bar(at, heights, width=thick, color=colour, label=name)
    if sideways:
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
    else:
        axes.set_xticks(places, labels)


def _measured(axes: Axes, chart: Chart, figures: Mapping[str, Figure], locale: str) -> None:
    """Axes in the units of their figures: money, shares, counts."""

    def in_unit(name: str) -> Any:
        figure = figures[split_placeholder(name)[0]]
        return lambda value, _: format_value(figure.model_copy(update={"value": float(value)}), "", locale)

    sideways = chart.kind == "bar" and axes.yaxis_inverted()
    name = next(iter(chart.series.values()))[0]
    (axes.xaxis if sideways else axes.yaxis).set_major_formatter(in_unit(name))
    if chart.kind != "bar" and isinstance(figures[chart.x[0]].value, int | float):
        axes.xaxis.set_major_formatter(in_unit(chart.x[0]))


def _dress(axes: Axes, chart: Chart, title: str, many: bool) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    sideways = chart.kind == "bar" and axes.yaxis_inverted()
    down, across = (chart.x_label, chart.y_label) if sideways else (chart.y_label, chart.x_label)
    axes.set_xlabel(printable(across), fontsize=8, color=MUTED)
    axes.set_ylabel(printable(down), fontsize=8, color=MUTED)
    axes.tick_params(labelsize=7, colors=MUTED)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    if many:
        axes.legend(fontsize=7, frameon=False, loc="best")


def _label(name: str, figures: Mapping[str, Figure], locale: str) -> str:
    """A point of the x axis as a reader sees it; a day without its year, for there are many of them."""
    figure = figures[name]
    if isinstance(figure.value, date):
        return f"{figure.value.month}/{figure.value.day}"
    return printable(format_value(figure, "", locale))


def _families(words: str) -> list[str]:
    """Fonts for these words; the first that has a character draws it."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return (
        ["DejaVu Sans", *[name for name in CHINESE_FONTS if name in there][:1]]
        if CHINESE.search(words)
        else ["DejaVu Sans"]
    )
