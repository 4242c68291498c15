"""From a declared section and a plan to the section as the brief holds it, and the check that no number is bare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, takewhile

from agent.brief.declare import Graph, Grid, SectionPlan
from agent.brief.missing import missing_in
from agent.brief.plan import Plan
from agent.brief.types import Section, Status
from agent.ledger import bare_numbers, placeholders, split_placeholder
from agent.spoken import spoken
from shop.types import Chart, Table


def assemble(declared: SectionPlan, plan: Plan, words: str = "") -> Section:
    """A section as it stands in the brief: a model's words or the plain sentences, tables, charts, what it lacks."""
    missing = missing_in(plan, declared)
    bold = [fact for fact in declared.facts if fact.bold]
    status: Status = "complete" if not missing else "incomplete"
    if missing and not any(plan.knows(fact.figure) for fact in bold):
        status = "unknown"
    bullets = [line.text.of(plan.locale) for line in declared.bullets(plan) if plan.says(line)]
    section = Section(
        id=declared.id,
        title=declared.title.of(plan.locale),
        gate=declared.gate,
        status=status,
        text=words or plain_sentences(declared, plan),
        bullets=(*bullets, *_from_tools(declared, plan)),
        tables=tuple(table for grid in declared.tables if (table := _table(grid, plan)) is not None),
        charts=tuple(chart for graph in declared.charts if (chart := _chart(graph, plan)) is not None),
        missing=missing,
        written_by="model" if words else "template",
    )
    return section.model_copy(update={"figures": figures_in(section)})


def figures_in(section: Section) -> tuple[str, ...]:
    """Ids of the figures a section shows, in order, each once."""
    cells = (cell for table in section.tables for row in (table.columns, *table.rows) for cell in (table.title, *row))
    names = placeholders("\n".join((section.template, *cells)))
    for chart in section.charts:
        names += [*chart.x, *(name for ids in chart.series.values() for name in ids)]
    return tuple(dict.fromkeys(split_placeholder(name)[0] for name in names))


def _from_tools(declared: SectionPlan, plan: Plan) -> list[str]:
    """What the section's tools warn of, or why they could not answer; said once, where the tool is first named."""
    said: list[str] = []
    for key in declared.calls:
        first = next(section for section in plan.sections if key in section.calls)
        if first is not declared:
            continue
        if key in plan.refusals:
            said.append(f"{{{{{plan.refusals[key]}}}}}")
        made = plan.settled.get(key)
        said += [warning for result in plan.ledger.results if result.call == made for warning in result.warnings]
    return [spoken(each, plan.locale) for each in dict.fromkeys(said)]


def plain_sentences(declared: SectionPlan, plan: Plan) -> str:
    """The section's plain sentences that hold on this plan, as one paragraph."""
    said = [line.text.of(plan.locale) for line in declared.lines if plan.says(line)]
    return ("" if plan.locale == "zh" else " ").join(said)


def _table(grid: Grid, plan: Plan) -> Table | None:
    """The table, without rows that know nothing; a cell whose figure was never made shows a dash."""
    rows = []
    for row in grid.rows:
        cells = [cell.of(plan.locale) for cell in row]
        named = placeholders(cells[0]) or [name for cell in cells for name in placeholders(cell)]
        if grid.whole or not named or any(plan.knows(name) for name in named):
            rows.append(tuple("–" if plan.ledger.missing(cell) else cell for cell in cells))
    if not rows:
        return None
    columns = tuple(column.of(plan.locale) for column in grid.columns)
    return Table(title=grid.title.of(plan.locale), columns=columns, rows=tuple(rows))


def _chart(graph: Graph, plan: Plan) -> Chart | None:
    patterns = (graph.x, *(pattern for _, pattern in graph.series))
    numbers = (f"{n:0{graph.width}d}" for n in count(1))
    points = list(takewhile(lambda n: plan.knows(*(pattern.replace("#", n) for pattern in patterns)), numbers))
    if not points:
        return None
    return Chart(
        kind=graph.kind,
        title=graph.title.of(plan.locale),
        x_label=graph.x_label.of(plan.locale),
        y_label=graph.y_label.of(plan.locale),
        x=tuple(graph.x.replace("#", n) for n in points),
        series={name.of(plan.locale): tuple(p.replace("#", n) for n in points) for name, p in graph.series},
    )


def unbacked(sections: tuple[Section, ...], *others: Iterable[str]) -> Iterator[str]:
    """Numbers that stand in any template of the brief without a figure. There are none, and this is how we know."""
    for section in sections:
        parts = [section.title, section.template, *(missing.text for missing in section.missing)]
        for table in section.tables:
            parts += [table.title, *table.columns, *(cell for row in table.rows for cell in row)]
        for chart in section.charts:
            parts += [chart.title, chart.x_label, chart.y_label, *chart.series]
        yield from bare_numbers("\n".join(parts))
    for texts in others:
        yield from bare_numbers("\n".join(texts))
