"""The dated steps of a brief as an iCalendar file, for anybody's calendar program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Calendar, Event

from agent.brief.declare import Text
from agent.brief.export.document import WORDS, filled, plain, printable, single
from agent.brief.types import Brief
from shop.types import Table

_SECTIONS = ("calendar", "audience")  # whose tables have a row for each step
_STEPS = {
    "promo.start": Text("Promotion starts", "促销开始"),
    "promo.end": Text("Promotion ends", "促销结束"),
    "price.intro_until": Text("Introductory price ends", "新品价结束"),
}


def to_calendar(brief: Brief) -> bytes:
    """The steps as all-day events. A later version of the brief moves the same events instead of adding others."""
    calendar = Calendar()
    calendar.add("prodid", "-//Debut//launch brief//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", printable(brief.subject.name))
    for figure, what, about in _steps(brief):
        calendar.add_component(_event(brief, figure, what, about))
    return bytes(calendar.to_ical())


def _steps(brief: Brief) -> Iterator[tuple[str, str, str]]:
    """Figure, what happens, and what else is known of it; each day of the brief once."""
    for section in brief.sections:
        if section.id in _SECTIONS:
            for table in section.tables:
                yield from _rows(brief, table)
    for name, words in _STEPS.items():
        if name in brief.figures and isinstance(brief.figures[name].value, date):
            yield name, words.of(brief.locale), ""


def _rows(brief: Brief, table: Table) -> Iterator[tuple[str, str, str]]:
    heads = [plain(filled(column, brief.figures, brief.locale)) for column in table.columns]
    for cells in table.rows:
        days = [name for name in map(single, cells) if _is_day(brief, name)]
        if len(days) != 1:
            continue
        shown = [plain(filled(cell, brief.figures, brief.locale)) for cell in cells]
        what = next((text for text, cell in zip(shown, cells, strict=True) if single(cell) != days[0]), days[0])
        others = zip(heads, shown, cells, strict=True)
        about = [f"{head}: {text}" for head, text, cell in others if single(cell) != days[0] and text != what]
        yield days[0], what, "\n".join(about)


def _is_day(brief: Brief, name: str) -> bool:
    return name in brief.figures and isinstance(brief.figures[name].value, date)


def _event(brief: Brief, figure: str, what: str, about: str) -> Event:
    day = brief.figures[figure].value
    assert isinstance(day, date)
    stamp = " · ".join((f"{WORDS['id'].of(brief.locale)} {brief.id}", brief.plan_hash[:12], figure))
    event = Event()
    event.add("uid", f"{brief.subject.id}-{figure}@debut")
    event.add("sequence", int(brief.id.partition("-")[2] or 0))
    event.add("dtstamp", datetime.combine(brief.created_on, time(), UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", f"{what} · {printable(brief.subject.name)}")
    event.add("description", "\n".join(part for part in (about, stamp) if part))
    event.add("transp", "TRANSPARENT")
    return event
