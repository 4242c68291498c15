"""Charts as Plotly figures; every point is a figure of the ledger."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date

import plotly.graph_objects as go

from agent.render import chart_points, render
from agent.spoken import spoken_chart
from shop import Figure
from shop.types import Chart

# Greys that can be read on paper and on the dark page; the style sheet lightens the text in the dark.
MUTED, GRID = "#66707c", "rgba(128, 128, 128, 0.22)"
COLOURS = ("#0b6e66", "#c2622d", "#5b5f97", "#8a8d91")
GAIN, LOSS, TOTAL = "#0b6e66", "#b5493f", "#5b5f97"
BAND = "rgba(11, 110, 102, 0.16)"
ROW = 30  # pixels that a row of a horizontal chart takes

Point = tuple[str, float]
Span = tuple[str, date, date, str]  # what, first day, last day, which group


def draw(chart: Chart, figures: Mapping[str, Figure], locale: str = "en") -> go.Figure:
    """A chart as Plotly draws it: a fan is a line with its interval as a band."""
    chart = spoken_chart(chart, locale)
    points = chart_points(chart, figures)
    x = [plain(each) if isinstance(each, str) else each for each in points.pop("x")]
    canvas = go.Figure()
    if chart.kind == "fan":
        _fan(canvas, x, points)
    elif chart.kind == "bar":
        for colour, (name, y) in zip(COLOURS, points.items(), strict=False):
            canvas.add_bar(x=x, y=y, name=name, marker_color=colour)
    else:
        for colour, (name, y) in zip(COLOURS, points.items(), strict=False):
            canvas.add_scatter(x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "width": 2.5})
    _dress(canvas, plain(render(chart.title, figures, locale)), chart.x_label, chart.y_label, many=len(points) > 1)
    return canvas


def waterfall(title: str, label: str, steps: Sequence[Point], total: Point, beyond: Sequence[Point] = ()) -> go.Figure:
    """Amounts that add up to a total, from left to right; `beyond` it, one more amount and the total after that."""
    bars = [*steps, total, *beyond]
    canvas = go.Figure(
        go.Waterfall(
            x=[name for name, _ in bars],
            y=[value for _, value in bars],
            measure=["relative"] * len(steps) + ["total"] + ["relative", "total"][: len(beyond)],
            increasing={"marker": {"color": GAIN}},
            decreasing={"marker": {"color": LOSS}},
            totals={"marker": {"color": TOTAL}},
            connector={"line": {"color": GRID}},
        )
    )
    _dress(canvas, title, "", label)
    return canvas


def tornado(title: str, label: str, bars: Sequence[Point]) -> go.Figure:
    """Changes to both sides of nothing, the largest on top."""
    ordered = sorted(bars, key=lambda bar: abs(bar[1]))
    canvas = go.Figure(
        go.Bar(
            x=[value for _, value in ordered],
            y=[name for name, _ in ordered],
            orientation="h",
            marker_color=[GAIN if value >= 0 else LOSS for _, value in ordered],
        )
    )
    _lying(canvas, title, label, len(bars))
    return canvas


def ladder(title: str, label: str, rungs: Sequence[Point], ours: Sequence[str]) -> go.Figure:
    """Prices from low to high; those named in `ours` stand out."""
    ordered = sorted(rungs, key=lambda rung: rung[1])
    canvas = go.Figure(
        go.Bar(
            x=[value for _, value in ordered],
            y=[_short(name) for name, _ in ordered],
            orientation="h",
            marker_color=[COLOURS[1] if name in ours else "#9fb8b5" for name, _ in ordered],
        )
    )
    _lying(canvas, title, label, len(rungs))
    return canvas


def gantt(title: str, spans: Sequence[Span], today: date | None = None) -> go.Figure:
    """Spans of days, one row each, from top to bottom; groups share a colour. A line stands at `today`."""
    canvas = go.Figure()
    groups = list(dict.fromkeys(group for *_, group in spans))
    for colour, group in zip((*COLOURS, *COLOURS), groups, strict=False):
        mine = [span for span in spans if span[3] == group]
        canvas.add_bar(
            y=[_short(name) for name, *_ in mine],
            x=[(last - first).days * 86_400_000 + 86_400_000 for _, first, last, _ in mine],  # Plotly: milliseconds
            base=[first.isoformat() for _, first, *_ in mine],
            orientation="h",
            name=group,
            marker_color=colour,
            hovertext=[f"{first} – {last}" for _, first, last, _ in mine],
            hoverinfo="y+text",
        )
    _lying(canvas, title, "", len(spans), many=len(groups) > 1)
    canvas.update_xaxes(type="date")
    canvas.update_yaxes(autorange="reversed", categoryarray=[_short(name) for name, *_ in spans])
    canvas.update_layout(barmode="overlay", bargap=0.35)
    if today is not None:
        canvas.add_vline(x=today.isoformat(), line={"color": COLOURS[1], "width": 1.5, "dash": "dot"})
    return canvas


def grouped(title: str, names: Sequence[str], series: Mapping[str, Sequence[float]]) -> go.Figure:
    """Shares side by side for each name."""
    canvas = go.Figure()
    for colour, (label, values) in zip(COLOURS, series.items(), strict=False):
        canvas.add_bar(x=[_short(name, 22) for name in names], y=list(values), name=label, marker_color=colour)
    _dress(canvas, title, "", "", many=len(series) > 1)
    canvas.update_yaxes(tickformat=".0%")
    return canvas


def _fan(canvas: go.Figure, x: list[object], series: Mapping[str, list[object]]) -> None:
    """Three series, low, middle and high, in any order of their names' sizes."""
    by_size = sorted(series.items(), key=lambda item: sum(v for v in item[1] if isinstance(v, int | float)))
    low, *middle, high = by_size
    canvas.add_scatter(x=x, y=high[1], name=high[0], mode="lines", line={"width": 0}, showlegend=False)
    canvas.add_scatter(
        x=x, y=low[1], name=f"{low[0]}–{high[0]}", mode="lines", line={"width": 0}, fill="tonexty", fillcolor=BAND
    )
    for name, y in middle:
        canvas.add_scatter(x=x, y=y, name=name, mode="lines+markers", line={"color": COLOURS[0], "width": 2.5})


def _dress(canvas: go.Figure, title: str, x_label: str, y_label: str, many: bool = False) -> None:
    canvas.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "xref": "paper", "xanchor": "left"},
        font={"family": "system-ui, sans-serif", "size": 12, "color": MUTED},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 12, "t": 44, "b": 64},
        height=320,
        hovermode="x unified",
        showlegend=many,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.24, "yanchor": "top"},
    )
    canvas.update_xaxes(title=x_label, gridcolor=GRID, zeroline=False, linecolor=GRID)
    canvas.update_yaxes(title=y_label, gridcolor=GRID, zeroline=False, rangemode="tozero")


def _lying(canvas: go.Figure, title: str, label: str, rows: int, many: bool = False) -> None:
    """The dress of a chart whose names stand on the left."""
    _dress(canvas, title, label, "", many)
    height = ROW * rows + 130
    # The legend's place is a share of the height: as far below a tall chart as below a low one.
    canvas.update_layout(
        height=height,
        hovermode="closest",
        margin={"l": 8, "r": 12, "t": 44, "b": 56},
        legend_y=-36 / (height - 100),
    )
    canvas.update_yaxes(automargin=True, gridcolor="rgba(0,0,0,0)")


def plain(name: str) -> str:
    """Text from the shop's data as Plotly shows it: it would make a link of markup."""
    return html.escape(name)


def _short(name: str, most: int = 32) -> str:
    return plain(name if len(name) <= most else f"{name[: most - 1]}…")
