"""A brief as the page shows it: Markdown parts whose figures open their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal

from agent.brief.differences import FigureChange
from agent.brief.flips import Flip
from agent.brief.types import Brief, Finding, Gate, Section
from agent.brief.versions import Version, may_be_set, objections, signatures
from agent.brief.whatif import Changed
from agent.ledger import PARTS
from agent.render import Link, format_value, render, render_table
from agent.spoken import spoken, spoken_plain
from shop import Figure, Shop
from shop.brief_log import Act, approvals
from ui.links import escape, figure_link
from ui.strings import Words, locale_of

MOST_CHANGES = 40
MARKS = {"complete": "●", "incomplete": "◐", "unknown": "○"}


def heading(brief: Brief) -> str:
    """Whose brief it is, and on what it stands."""
    say = words_of(brief)
    data = _date(brief.data_cutoff, say)
    stamp = f"{brief.id} · {say['plan']} {brief.plan_hash[:12]} · {say['data']} {data}"
    category = f"{escape(brief.subject.category)} · " if brief.subject.category else ""
    return f"# {escape(brief.subject.name)}\n\n{category}<small>{stamp}</small>"


def verdict(brief: Brief, link: Link | None = None) -> str:
    """The decision box."""
    decision = brief.section("decision")
    return f"## {words_of(brief)[brief.verdict]}\n\n{body(brief, decision, link)}"


def body(brief: Brief, section: Section, link: Link | None = None) -> str:
    """A section's sentences and tables, what is missing, and what the checks found."""
    return "\n\n".join(part for part in (words(brief, section, link), tables(brief, section, link)) if part)


def words(brief: Brief, section: Section, link: Link | None = None) -> str:
    """A section's sentences, what is missing, and what the checks found, each with what to do."""
    say, link = words_of(brief), link or figure_link("brief")
    lines = [f"- **{say['missing']}** {escape(missing.text)}" for missing in section.missing]
    lines += [f"- {finding(brief, found, link)}" for found in brief.findings if found.section == section.id]
    template = spoken(section.template, brief.locale)  # what tools warn of stands among the section's own words
    parts = (render(template, brief.figures, brief.locale, link), "\n".join(lines))
    return "\n\n".join(part for part in parts if part)


def tables(brief: Brief, section: Section, link: Link | None = None) -> str:
    """A section's tables."""
    link = link or figure_link("brief")
    return "\n\n".join(render_table(table, brief.figures, brief.locale, link) for table in section.tables)


def finding(brief: Brief, found: Finding, link: Link | None = None) -> str:
    """What a check found, and what to do about it."""
    say, link = words_of(brief), link or figure_link("brief")
    text = f"**{say[found.severity]}** {render(found.text, brief.figures, brief.locale, link)}"
    mend = render(found.mend, brief.figures, brief.locale, link)
    return f"{text} *{say['mend']} {mend}*" if mend else text


def checks(brief: Brief) -> str:
    """Every finding, gravest first, each with a way to its section; and how the gates stand."""
    say, order = words_of(brief), ("stop", "error", "warning")
    titles = {section.id: section.title for section in brief.sections}
    found = sorted(brief.findings, key=lambda each: order.index(each.severity))
    lines = [f"- [{escape(titles[f.section])}](#part-{f.section}): {finding(brief, f)}" for f in found]
    gates = [f"- **{gate.id}** {say[f'gate_{gate.status}']}{_because(brief, gate)}" for gate in brief.gates]
    return "\n\n".join(
        ["\n".join(lines) or say["no_findings"], *([f"### {say['gates']}", "\n".join(gates)] if gates else [])]
    )


def challenger(brief: Brief) -> str:
    """The case against the verdict, from the same figures."""
    bullets = brief.section("scenarios").bullets
    lines = [f"- {render(bullet, brief.figures, brief.locale, figure_link('brief'))}" for bullet in bullets]
    return "\n".join(lines) or words_of(brief)["no_challenger"]


def title(brief: Brief, section: Section, editable: bool = False) -> str:
    """A section's heading with its gate, the mark of its status, and who wrote it where that was no template."""
    say = words_of(brief)
    about = [f"{MARKS[section.status]} {say[section.status]}", section.gate]
    about += [say[f"by_{section.written_by}"]] if section.written_by != "template" else []
    edit = f" [{say['edit']}](#edit-{section.id})" if editable else ""
    return f"## {section.title} <small>{' · '.join(about)}{edit}</small>"


def notes(brief: Brief) -> str:
    """How the brief was made, where that is worth saying."""
    return "\n\n".join(f"*{note}*" for note in brief.notes)


def contents(brief: Brief) -> str:
    """The sections with their marks and gates, each a link to its place on the page."""
    return "\n".join(
        f"- [{MARKS[section.status]} {escape(section.title)}](#part-{section.id}) <small>{section.gate}</small>"
        for section in brief.sections
    )


def marked(changed: Mapping[str, Changed], locale: str) -> Link:
    """A link that shows a changed figure's old value, struck out, before the new one."""
    plain = figure_link("brief")

    def link(figure: Figure, text: str) -> str:
        change = changed.get(figure.id)
        if change is None:
            return plain(figure, text)
        # A bound is shown beside the bound that it was, not beside the middle.
        part = next((each for each in ("", *PARTS) if format_value(figure, each, locale) == text), "")
        old = "" if change.before is None else format_value(change.before, part, locale)
        if old == text:
            return plain(figure, text)
        was = f"~~{escape(old)}~~ " if old else ""
        return f"[{was}**{escape(text)}**](#fig-brief:{figure.id})"

    return link


def changes_table(
    changed: Sequence[Changed | FigureChange], say: Words, most: int = 200, why: Mapping[str, str] | None = None
) -> str:
    """Figures before and after, each a link to what it is now; `why` adds a column with what caused each."""
    rows = []
    for change in changed[:most]:
        figure = change.after or change.before
        assert figure is not None
        cells = [
            escape(spoken_plain(figure.label, say.locale)),
            _cell(change.before, say, "new"),
            _cell(change.after, say, "gone"),
        ]
        rows.append([*cells, escape(why.get(change.figure, ""))] if why is not None else cells)
    head = [say["figure"], say["before"], say["after"], *([say["cause"]] if why is not None else [])]
    rest = len(changed) - most
    return _table(head, rows) + (f"\n\n{say('more', count=rest)}" if rest > 0 else "")


def answer(was: Brief, now: Brief, changed: Sequence[Changed], seconds: float) -> str:
    """What a what-if says: the verdict, and every figure that changed."""
    say = words_of(was)
    if not changed:
        return say["nothing_changed"]
    turns = was.verdict != now.verdict
    verdict = f"**{say['verdict_turns' if turns else 'verdict_stays']}** {say[now.verdict]}"
    count = f"<small>{len(changed)} {say('changed', seconds=f'{seconds:.2f}')}</small>"
    shown = [each for each in changed if (each.after or each.before).unit not in ("text", "passage")]
    return f"{verdict}\n\n{count}\n\n{changes_table(shown, say, MOST_CHANGES)}"


def flips(brief: Brief, found: Sequence[Flip]) -> str:
    """What would turn the verdict, as a table."""
    say = words_of(brief)
    head = [say["flip_input"], say["flip_now"], say["flip_to"], say["flip_verdict"]]
    rows = [
        [
            say.get(f"input_{flip.input}", flip.input),
            _plain(flip.now, say),
            say["flip_none"] if flip.to is None else _plain(flip.to, say),
            "–" if flip.to is None else say[flip.verdict],
        ]
        for flip in found
    ]
    return _table(head, rows)


def versions_table(versions: Sequence[Version], say: Words) -> str:
    """The versions of a draft's brief, the newest first."""
    head = [say[name] for name in ("number", "written", "author", "verdict", "status", "changes")]
    rows = [
        [
            f"{each.number} · {each.brief_id}",
            _date(each.created_on, say),
            escape(each.author.id or each.author.role) if each.author else "–",
            say[each.verdict],
            say[f"status_{each.status}"],
            "<br>".join(_act(act, say) for act in each.acts) or "–",
        ]
        for each in reversed(versions)
    ]
    return _table(head, rows)


def standing(shop: Shop, brief: Brief, say: Words) -> str:
    """Whether a brief is approved, what speaks against approving it, and who has signed."""
    held = [each for each in approvals(shop, brief.subject.id) if each.brief_id == brief.id and each.until is None]
    if held:
        who = escape(held[-1].actor.id or held[-1].actor.role)
        parts = [say("approved_by", who=who, day=_date(held[-1].since, say))]
    else:
        parts = [say("not_approved", hash=brief.plan_hash[:12])]
        against = [f"- {escape(spoken_plain(each, say.locale))}" for each in objections(shop, brief)]
        parts += ["\n".join([f"**{say['against']}**", "", *against])] if against else []
    signed = [f"- {say[office]}: {_signature(act, say)}" for office, act in signatures(shop, brief.id).items()]
    return "\n\n".join([*parts, f"**{say['signatures']}**", "\n".join(signed)])


def early(section: Section, figures: Mapping[str, Figure], say: Words) -> str:
    """A section while the brief is still being written: plain, its figures not linked yet."""
    plain: Link = lambda _, text: escape(text)  # noqa: E731
    return f"## {section.title}\n\n{render(section.template, figures, say.locale, plain)}"


def settable(brief: Brief) -> dict[str, Figure]:
    """The figures that sections show and that a person may set by hand."""
    names = dict.fromkeys(name for section in brief.sections for name in section.figures)
    return {name: brief.figures[name] for name in names if may_be_set(brief.figures[name])}


def words_of(brief: Brief) -> Words:
    """The page's strings in the brief's language."""
    return Words("brief", locale_of(brief.locale))


def _because(brief: Brief, gate: Gate) -> str:
    """What stands in a gate's way: the sections it waits for."""
    if gate.status != "blocked":
        return ""
    waits = [s for s in brief.sections if s.gate == gate.id and s.status != "complete"]
    links = ", ".join(f"[{escape(section.title)}](#part-{section.id})" for section in waits)
    rules = [f.section for f in brief.findings if f.rule in gate.rules]
    titles = {section.id: section.title for section in brief.sections}
    more = ", ".join(
        f"[{escape(titles[name])}](#part-{name})" for name in dict.fromkeys(rules) if name not in {s.id for s in waits}
    )
    return ": " + ", ".join(part for part in (links, more) if part)


def _act(act: Act, say: Words) -> str:
    who = act.actor.id or act.actor.role
    return escape(
        " · ".join(part for part in (say[f"act_{act.kind}"], say.get(act.part, act.part), who, act.reason) if part)
    )


def _signature(act: Act | None, say: Words) -> str:
    if act is None:
        return say["unsigned"]
    who = escape(act.actor.id or act.actor.role)
    return say("signed", who=who) if act.kind == "sign" else say("refused", who=who, reason=escape(act.reason))


def _plain(value: float | date | None, say: Words) -> str:
    if value is None:
        return "–"
    return _date(value, say) if isinstance(value, date) else str(format_decimal(round(value, 3), locale=say.locale))


def _date(day: date, say: Words) -> str:
    return str(format_date(day, format="medium", locale=say.locale))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _cell(figure: Figure | None, say: Words, absent: str) -> str:
    if figure is None:
        return f"*{say[absent]}*"
    return figure_link("brief")(figure, format_value(figure, locale=say.locale))
