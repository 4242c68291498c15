"""Charts of a brief as Plotly figures; every point is a figure of the ledger."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from agent.render import chart_points, render
from shop import Figure
from shop.types import Chart

INK, MUTED, GRID = "#1f2933", "#66707c", "#e6e8eb"
COLOURS = ("#0b6e66", "#c2622d", "#5b5f97", "#8a8d91")
BAND = "rgba(11, 110, 102, 0.14)"


def draw(chart: Chart, figures: Mapping[str, Figure], locale: str = "en") -> go.Figure:
    """A chart as Plotly draws it: a fan is a line with its interval as a band."""
    points = chart_points(chart, figures)
    x = points.pop("x")
    canvas = go.Figure()
    if chart.kind == "fan":
        _fan(canvas, x, points)
    elif chart.kind == "bar":
        for colour, (name, y) in zip(COLOURS, points.items(), strict=False):
            canvas.add_bar(x=x, y=y, name=name, marker_color=colour)
    else:
        for colour, (name, y) in zip(COLOURS, points.items(), strict=False):
            canvas.add_scatter(x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "width": 2.5})
    _dress(canvas, chart, render(chart.title, figures, locale), many=len(points) > 1)
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


def _dress(canvas: go.Figure, chart: Chart, title: str, many: bool) -> None:
    canvas.update_layout(
        title={"text": title, "font": {"size": 15, "color": INK}, "x": 0, "xref": "paper", "xanchor": "left"},
        font={"family": "system-ui, sans-serif", "size": 12, "color": MUTED},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 12, "t": 44, "b": 64},
        height=320,
        hovermode="x unified",
        showlegend=many,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.24, "yanchor": "top"},
    )
    canvas.update_xaxes(title=chart.x_label, gridcolor=GRID, zeroline=False, linecolor=GRID)
    canvas.update_yaxes(title=chart.y_label, gridcolor=GRID, zeroline=False, rangemode="tozero")
