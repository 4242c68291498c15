"""How a section is declared: its name, the tools it rests on, the figures it must hold, its plain sentences and tables.

A section is data. Sentences and table rows whose figures are unknown fall out by themselves, so a declaration never
asks what is there; `compile` turns it into a `Section` for one language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from agent.brief.types import GateId

if TYPE_CHECKING:
    from agent.brief.plan import Plan


@dataclass(frozen=True)
class Text:
    """The same words in the languages a brief is written in."""

    en: str
    zh: str

    def of(self, locale: str) -> str:
        return self.zh if locale.startswith("zh") else self.en


def same(text: str) -> Text:
    """Text that reads the same in every language: a placeholder, a quantile's name."""
    return Text(text, text)


MERCHANDISING = Text("the category manager", "品类经理")
BUYING = Text("buying", "采购")
SUPPLY = Text("supply planning", "供应计划")
DATA = Text("whoever imports the sales", "负责导入销售数据的人")
MARKETING = Text("marketing", "市场部")
SERVICE = Text("customer service", "客服")
LEGAL = Text("legal", "法务")
FINANCE = Text("finance", "财务")


@dataclass(frozen=True)
class Fact:
    """A figure that a section speaks of, and the name by which it speaks of it.

    Args:
        figure: The figure's id.
        name: What a reader calls it; the model must call it that too.
        bold: Whether the section is incomplete without it.
        supplier: Who can supply it.
        needs: Figures it is made from: if one is unknown, that one is what is missing, not this one.
        said: Whether the section's sentences must mention it when it is known.
        spread: Whether its bounds are spoken of as well.
    """

    figure: str
    name: Text
    bold: bool = False
    supplier: Text = MERCHANDISING
    needs: tuple[str, ...] = ()
    said: bool = False
    spread: bool = False


@dataclass(frozen=True)
class Line:
    """A plain sentence, printed when every figure in it is known and `when` holds."""

    text: Text
    when: Callable[[Plan], bool] = field(default=lambda plan: True)


@dataclass(frozen=True)
class Grid:
    """A table. A row that knows nothing is left out unless `whole`; a table without rows is not printed.

    A row knows nothing when all its figures are unknown, or all those of its first cell if that holds any.
    """

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    whole: bool = False


@dataclass(frozen=True)
class Graph:
    """A chart over numbered figures, `#` standing for the number: as many points as there are known figures."""

    kind: Literal["fan", "line", "bar"]
    title: Text
    x_label: Text
    y_label: Text
    x: str
    series: tuple[tuple[Text, str], ...]
    width: int = 1


def line(en: str, zh: str, when: Callable[[Plan], bool] | None = None) -> Line:
    """A plain sentence in both languages."""
    return Line(Text(en, zh)) if when is None else Line(Text(en, zh), when)


def heads(*names: str) -> tuple[Text, ...]:
    """Column heads, each as `English|中文`."""
    return tuple(Text(*name.split("|")) if "|" in name else same(name) for name in names)


def row(name: str, *cells: str) -> tuple[Text, ...]:
    """A table row: its name as `English|中文`, then cells that read the same in every language."""
    return (*heads(name), *map(same, cells))


def no_lines(_: Plan) -> tuple[Line, ...]:
    return ()


def nothing(_: Plan) -> None:
    return None


@dataclass(frozen=True)
class SectionPlan:
    """One section of the brief.

    Args:
        id: Its id.
        title: Its heading.
        gate: The gate that it has to be complete for.
        calls: Tool calls whose results it rests on, by key in `agent.brief.calls.CALLS`.
        after: Sections whose figures it derives its own from.
        derive: Enters the figures that are computed from the tools' figures.
        facts: The figures it speaks of; the bold ones make it complete.
        lines: Its plain sentences; a model may put them into better words.
        bullets: Sentences no model may touch, such as the reasons of a verdict.
        tables, charts: What stands below the sentences.
        prose: Whether a model is asked to write the sentences at all.
        late: Whether its calls may take long: then it waits until the quick sections can be read.
    """

    id: str
    title: Text
    gate: GateId = "G1"
    calls: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    derive: Callable[[Plan], None] = nothing
    facts: tuple[Fact, ...] = ()
    lines: tuple[Line, ...] = ()
    bullets: Callable[[Plan], tuple[Line, ...]] = no_lines
    tables: tuple[Grid, ...] = ()
    charts: tuple[Graph, ...] = ()
    prose: bool = False
    late: bool = False


def numbered(numbers: range, *cells: str, width: int = 1) -> tuple[tuple[Text, ...], ...]:
    """Table rows that repeat with a running number in place of `#`: `{{launch.analogue_#_name}}`."""
    return tuple(tuple(same(cell.replace("#", f"{n:0{width}d}")) for cell in cells) for n in numbers)
