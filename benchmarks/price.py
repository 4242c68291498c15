"""`./debut bench price`: elasticities of real price panels, and price decisions in a market whose truth is known."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.price_layout import load_panels
from benchmarks.price_market import market_results
from benchmarks.price_panels import panel_results
from benchmarks.result import Result, report

SHARED = ("avocado", "ecdat_panels", "scanner_pl", "m5_daily", "stallion")


def main(data: Path | None = None, shared: Path | None = None, seeds: int = 30) -> dict[str, Any]:
    """Measure elasticities and price decisions.

    Args:
        data: Folder with one panel in the documented layout; it is measured alone.
        shared: Folder of the public data sets; those with prices are measured.
        seeds: Demo markets; 0 leaves them out. Left out where `data` is given.
    """
    started = time.perf_counter()
    folders = [data] if data is not None else [shared / name for name in SHARED if shared and (shared / name).is_dir()]
    rows: list[Result] = []
    seconds: dict[str, float] = {}
    for folder in folders:
        for panel in load_panels(folder):
            begun = time.perf_counter()
            rows += panel_results(panel)
            seconds[panel.name] = round(time.perf_counter() - begun, 2)
    if data is None and seeds:
        begun = time.perf_counter()
        rows += market_results(seeds)
        seconds["demo market"] = round(time.perf_counter() - begun, 2)
    name = data.name if data is not None else "public panels and demo market"
    return report("price", name, rows, time.perf_counter() - started, seconds_by_set=seconds)
