"""`./debut feedback`: take in the sales that have come, log every method's errors and the lessons of launches."""

from __future__ import annotations

from typing import Any

from tools.demand.feedback import Review, review
from ui.settings import Settings
from ui.wiring import open_shop


def run(settings: Settings, weeks: int) -> Review:
    """Take the last weeks in, and learn anew so that the next forecast does not have to wait.

    Launches whose plan has met its weeks leave their lessons, which later forecasts show.

    Raises:
        ToolError: Too little history.
    """
    from tools.demand.methods import methods_of
    from tools.demand.read import read_panel
    from tools.scoring import learn_lessons

    shop = open_shop(settings)
    learn_lessons(shop)
    found = review(shop, weeks)
    panel = read_panel(shop)
    assert panel is not None  # it was just looked back on
    methods_of(shop, panel, weeks)
    return found


def as_json(found: Review) -> dict[str, Any]:
    """The review as plain values."""
    kinds = {
        kind: {
            "series": found.series[kind],
            "errors": f.errors,
            "before": f.before,
            "after": f.after,
            "says": f.lines(),
        }
        for kind, f in found.by_kind.items()
    }
    weeks = [day.isoformat() for day in found.weeks]
    return {"weeks": weeks, "kinds": kinds, "stability_index": found.shifted, "drifted": found.drifted}


def as_text(found: Review) -> str:
    """The review for a reader: errors and weights by method, then what drifted."""
    lines = [f"Weeks taken in: {found.weeks[0]} to {found.weeks[-1]} (first days)"]
    for kind, f in found.by_kind.items():
        lines += [f"{kind}, {found.series[kind]} series", "  method          error   weight before  after"]
        for name in sorted(f.errors, key=lambda name: f.errors[name]):
            lines.append(f"  {name:<14} {f.errors[name]:6.3f}   {f.before[name]:13.3f}  {f.after[name]:5.3f}")
        lines += [f"  {sentence}" for sentence in f.lines()]
    lines.append("Inputs, stability index against the half year before (from 0.25 on, a large shift):")
    lines += [f"  {name:<22} {value:5.3f}" for name, value in found.shifted.items()]
    lines += [f"The errors of {name} drifted (Page-Hinkley)." for name in found.drifted]
    return "\n".join(lines)
