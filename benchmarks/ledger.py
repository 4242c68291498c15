"""`./debut bench ledger`: briefs over random drafts and shops, and every number in them that no figure stands behind.

The count is made here from the finished document, not by the compiler: all templates are searched for bare numbers and
for placeholders of no figure, and what a reader gets, Markdown and plain text, for any placeholder that is left.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from agent.brief import Brief, BriefSettings, compile_brief, to_markdown, to_text
from agent.ledger import bare_numbers, placeholders, split_placeholder
from benchmarks.result import Result, report
from shop import Actor, Draft, Shop
from tools import ALL
from tools.registry import bind

NAMES = ("Aurora 2-in-1 kettle", "Halo lamp", "极光 3.0 水壶", "50 % more {tent}", "Comet bowl #7", "Ⅳ chair ½", "Nova")
FIRST = 5  # sections that a reader begins with
FACTS = {"Colour": "green", "Volume": "1.7 l", "Warranty": "2 years", "Image": "front.jpg", "材质": "不锈钢 304"}


def main(shops: Sequence[Shop], briefs: int = 100, seed: int = 0) -> dict[str, Any]:
    """Write briefs of random drafts, whole and broken ones, in both languages, and count what is not backed.

    Args:
        shops: Shops in turn; the drafts are stored in them, the briefs are not.
        briefs: How many in all.
        seed: Of the drafts.
    """
    started, rng = time.perf_counter(), np.random.default_rng(seed)
    tools = [bind(ALL, shop, Actor(role="manager", id="bench")) for shop in shops]
    found: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    seconds, examples, first = [], [], []
    for number in range(briefs):
        at = number % len(shops)
        draft, settings, budget = _random(shops[at], rng)
        shown: list[float] = []
        begun = time.perf_counter()
        brief = compile_brief(
            tools[at],
            shops[at],
            draft,
            settings=settings,
            budget=budget,
            store=False,
            finished=lambda *_, shown=shown: shown.append(time.perf_counter()),
        )
        seconds.append(time.perf_counter() - begun)
        first.append(shown[FIRST - 1] - begun)
        verdicts[brief.verdict] += 1
        found["figures"] += len(brief.figures)
        found["templates"] += sum(1 for _ in templates(brief))
        for kind, what in wrong(brief):
            found[kind] += 1
            examples.append(f"{kind}: {what}")
    metrics = ("unbacked", "unresolved", "left_over", "unknown_without_reason")
    results = [Result("debut", metric, float(found[metric]), n=briefs) for metric in metrics]
    results += [Result("debut", metric, float(found[metric]), n=briefs) for metric in ("templates", "figures")]
    results.append(Result("debut", "seconds_p50", float(np.median(seconds)), n=briefs))
    results.append(Result("debut", "seconds_p95", float(np.quantile(seconds, 0.95)), n=briefs))
    results.append(Result("debut", "first_sections_p50", float(np.median(first)), n=briefs))
    results.append(Result("debut", "first_sections_p95", float(np.quantile(first, 0.95)), n=briefs))
    name = ", ".join(shop.name for shop in shops)
    took = time.perf_counter() - started
    return report("ledger", name, results, took, verdicts=dict(verdicts), examples=examples[:10])


def templates(brief: Brief) -> Iterator[str]:
    """Every text of a brief that may hold placeholders."""
    for section in brief.sections:
        yield from (section.title, section.template, *(missing.text for missing in section.missing))
        for table in section.tables:
            yield from (table.title, *table.columns, *(cell for row in table.rows for cell in row))
        for chart in section.charts:
            yield from (chart.title, chart.x_label, chart.y_label, *chart.series)
    yield from (finding.text for finding in brief.findings)
    yield from brief.notes


def wrong(brief: Brief) -> Iterator[tuple[str, str]]:
    """What is wrong with the numbers of a brief, as kind and what it is."""
    for template in templates(brief):
        yield from (("unbacked", f"{number} in {template[:80]}") for number in bare_numbers(template))
        for name in placeholders(template):
            stem, part = split_placeholder(name)
            if stem not in brief.figures or (part and getattr(brief.figures[stem], part) is None):
                yield "unresolved", name
    shown = [name for section in brief.sections for chart in section.charts for name in chart.x]
    shown += [n for section in brief.sections for chart in section.charts for ids in chart.series.values() for n in ids]
    yield from (("unresolved", name) for name in shown if split_placeholder(name)[0] not in brief.figures)
    figures = brief.figures.items()
    yield from (
        ("unknown_without_reason", name) for name, figure in figures if figure.value is None and not figure.reason
    )
    for text in (to_markdown(brief), to_text(brief)):
        yield from (("left_over", name) for name in placeholders(text))


def _random(shop: Shop, rng: np.random.Generator) -> tuple[Draft, BriefSettings, float | None]:
    """A draft with any of its fields missing or odd, settings, and a launch spend."""
    categories = list(shop.categories()["category"])
    base = float(rng.uniform(5, 120))
    facts = {name: value for name, value in FACTS.items() if rng.random() < 0.5}
    whole: dict[str, Any] = {
        "name": f"{rng.choice(NAMES)} {rng.integers(1000)}",
        "category": str(rng.choice([*categories, "Nowhere > Nothing"])),
        "cost": round(base * float(rng.uniform(0.2, 1.1)), 2),
        "price": round(base, 2),
        "launch_date": shop.today + timedelta(days=int(rng.integers(-20, 300))),
        "description": "It holds 3 litres. Made of steel." if rng.random() < 0.5 else "",
        "attributes": facts,
    }
    for field in ("category", "cost", "price", "launch_date"):
        if rng.random() < 0.15:
            whole[field] = "" if field == "category" else None
    settings = BriefSettings(
        locale="zh" if rng.random() < 0.5 else "en",
        lead_time_days=int(rng.integers(1, 200)) if rng.random() < 0.5 else None,
        service_level=float(rng.uniform(0.5, 0.99)) if rng.random() < 0.3 else None,
        promotion_depth=float(rng.uniform(0.05, 0.6)) if rng.random() < 0.3 else None,
        first_buy=int(rng.integers(0, 2000)) if rng.random() < 0.2 else None,
        seed_units=int(rng.integers(0, 50)) if rng.random() < 0.3 else None,
        contacts_per_order=0.1 if rng.random() < 0.3 else None,
        payment_fee=float(rng.uniform(0, 0.3)) if rng.random() < 0.3 else None,
        delivery_cost=float(rng.uniform(0, 20)) if rng.random() < 0.3 else None,
        channel_fees={"Marketplace": 0.15, "Store 24": float(rng.uniform(0, 0.9))} if rng.random() < 0.3 else {},
        checked=("privacy", "platform") if rng.random() < 0.3 else (),
    )
    budget = float(rng.uniform(0, 20_000)) if rng.random() < 0.6 else None
    return shop.add_draft(**whole), settings, budget


def demo_shops(folder: str, many: int) -> list[Shop]:
    """Small invented shops, each from a seed of its own."""
    from shop import demo

    shops = []
    for seed in range(1, many + 1):
        url = f"sqlite:///{folder}/demo-{seed}.db"
        demo.build(url, seed=seed, small=True)
        shops.append(Shop.open(url))
    return shops
