"""What happens on the brief's page; no layout here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import gradio as gr

from agent.brief import Cancelled
from agent.brief.differences import cause_name, diff
from agent.brief.edit import reword
from agent.brief.export import export
from agent.brief.types import Brief, Section
from agent.brief.versions import approve, history, override, sign, signatures, withdraw
from shop import BadInput, Figure, Shop
from shop.dates import parse_day
from shop.quantities import parse_number
from ui import brief_view
from ui.acting import DECIDE, READ, acting
from ui.brief_desk import BriefDesk, Preview
from ui.drawer import Figures
from ui.edge import Failure, edge
from ui.links import escape
from ui.place import Place
from ui.strings import Words

SECONDS_BETWEEN_UPDATES = 0.4


@dataclass(eq=False)
class Opened:
    """The brief on a visitor's page. Gradio tells states apart by their hash, and a brief has none."""

    brief: Brief


@dataclass
class Writing:
    """How far a brief is: the step at hand, and the sections whose figures are there."""

    step: str = ""
    share: float = 0.0
    sections: list[tuple[Section, Mapping[str, Figure]]] = field(default_factory=list)


class BriefEvents:
    """Handlers of the page in one language; who acts comes from the request."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.say: Words = place.words("brief")
        self.briefs = BriefDesk(place.desk)

    # -- choosing -----------------------------------------------------------------------------------------------------

    def arrive(self, request: gr.Request) -> tuple[Any, Any, Opened | None, Figures, str]:
        """The page as its address says: a brief, a draft's latest, or the latest draft's."""
        asked = request.query_params if request else {}
        return self._reported(lambda: self._arrived(self._shop(request), asked), self._nothing)

    def choose(self, draft_id: str | None, request: gr.Request) -> tuple[Any, Any, Opened | None, Figures, str]:
        """Another product: its latest brief."""
        return self._reported(lambda: self._of_draft(self._shop(request), draft_id or ""), self._nothing)

    def version(self, brief_id: str | None, request: gr.Request) -> tuple[Opened | None, Figures, str]:
        """Another version of the same product."""

        def opened() -> tuple[Opened | None, Figures, str]:
            return self._opened(self._shop(request), brief_id or "")

        return self._reported(opened, lambda said: (None, Figures(), said))

    def nothing(self, now: Opened | None) -> Any:
        """What stands in the place of a brief: what to do to get one."""
        hint = self.say["none" if self.place.desk.shop.drafts() else "no_drafts"]
        return gr.Markdown(hint, visible=now is None)

    # -- writing ------------------------------------------------------------------------------------------------------

    def write(self, draft_id: str | None, now: Opened | None, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Write the brief of a product on today's data, its sections shown as they are finished."""

        def job(shop: Shop, writing: Writing, go_on: Callable[[], None]) -> Brief:
            draft = shop.draft(draft_id or "")
            if draft is None:
                raise BadInput(self.say["choose_first"])
            like = now.brief if now is not None and now.brief.subject.id == draft.id else None

            def progress(what: str, done: int, total: int) -> None:
                go_on()
                writing.step, writing.share = what, done / total

            def finished(section: Section, figures: Mapping[str, Figure]) -> None:
                writing.sections.append((section, dict(figures)))

            return self.briefs.write(shop, draft, self.place.locale, progress, finished, like)

        yield from self._written(job, request)

    def keep(self, now: Opened | None, moved: Mapping[str, float], request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Store what the levers show as the next version."""

        def job(shop: Shop, writing: Writing, go_on: Callable[[], None]) -> Brief:
            assert now is not None

            def progress(what: str, done: int, total: int) -> None:
                go_on()
                writing.step, writing.share = what, done / total

            return self.briefs.keep(shop, now.brief, moved, progress)

        yield from self._written(job, request)

    def override(
        self, now: Opened | None, figure: str | None, said: str, why: str, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Set a figure by hand and write the next version with it."""

        def job(shop: Shop, writing: Writing, go_on: Callable[[], None]) -> Brief:
            assert now is not None
            brief = now.brief
            known = brief.figures.get(figure or "")
            is_day = known is not None and known.unit == "date"
            override(shop, brief.id, figure or "", parse_day(said, shop.today) if is_day else parse_number(said), why)
            return self.briefs.write(shop, brief.subject, self.place.locale, like=brief)

        yield from self._written(job, request)

    # -- what if ------------------------------------------------------------------------------------------------------

    def what_if(
        self, now: Opened, moved: Mapping[str, float], request: gr.Request | None
    ) -> tuple[str, Preview | None]:
        """What changes when levers are moved, as Markdown, and the brief as it would read."""
        failures: list[Failure] = []
        with edge(self.place.log_file, failures.append, self.place.locale):
            preview = self.briefs.what_if(self._shop(request), now.brief, moved)
            return brief_view.answer(now.brief, preview.brief, list(preview.changed.values()), preview.seconds), preview
        return escape(failures[0].sentence), None

    def flips(self, now: Opened, request: gr.Request | None) -> str:
        """What would turn the verdict, as Markdown."""

        def found() -> str:
            return brief_view.flips(now.brief, self.briefs.flips(self._shop(request), now.brief))

        return self._reported(found, lambda said: said)

    # -- one section -------------------------------------------------------------------------------------------------

    def edit(self, address: str, now: Opened | None) -> list[Any]:
        """Open the drawer for the section at a link."""
        name = address.partition("@")[0]
        if now is None or name not in {section.id for section in now.brief.sections}:
            return [gr.skip()] * 5
        section = now.brief.section(name)
        head = f"### {self.say('edit_section', title=escape(section.title))}"
        return [gr.Column(visible=True), head, section.text, "", name]

    def reword(self, now: Opened | None, part: str, text: str, request: gr.Request) -> tuple[Any, ...]:
        """Store the brief with a section in a person's words; what is wrong with them comes back as a sentence."""

        def reworded() -> tuple[Any, ...]:
            assert now is not None
            shop = self._shop(request, decides=True)
            brief = reword(shop, now.brief, part, text)
            versions = self._versions(shop, brief.subject.id, brief.id)
            return "", self.say("saved", brief=brief.id), "", versions, Opened(brief), Figures(brief.figures)

        return self._reported(reworded, lambda said: (said, *[gr.skip()] * 5))

    def redo(self, now: Opened | None, part: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Make the calls of one section again, and what follows from them."""

        def job(shop: Shop, writing: Writing, go_on: Callable[[], None]) -> Brief:
            assert now is not None
            go_on()
            writing.step = now.brief.section(part).title
            return self.briefs.redo(shop, now.brief, part)

        yield from self._written(job, request)

    # -- versions, approval -------------------------------------------------------------------------------------------

    def versions(self, now: Opened, request: gr.Request | None) -> str:
        """The versions of the product, as Markdown."""
        return brief_view.versions_table(history(self._shop(request), now.brief.subject.id), self.say)

    def compare(self, now: Opened, other: str | None, request: gr.Request) -> str:
        """The figures that differ from another version, with what caused each."""

        def compared() -> str:
            if not other:
                return ""
            shop = self._shop(request)
            found = diff(self.briefs.open(shop, other, self.place.locale), now.brief)
            why = {
                each.figure: ", ".join(cause_name(c, self.place.locale) for c in each.causes) for each in found.figures
            }
            head = self.say("diff_count", count=len(found.figures)) if found.figures else self.say["same"]
            return f"{head}\n\n{brief_view.changes_table(found.figures, self.say, why=why)}" if found.figures else head

        return self._reported(compared, lambda said: said)

    def approve(self, now: Opened, reason: str, request: gr.Request) -> str:
        """Approve the brief, and with that freeze its plan."""
        return self._decided(lambda shop: approve(shop, now.brief.id, reason), "approved", request)

    def withdraw(self, now: Opened, reason: str, request: gr.Request) -> str:
        """Take an approval back."""
        return self._decided(lambda shop: withdraw(shop, now.brief.id, reason), "withdrawn", request)

    def sign(self, now: Opened, office: str, agrees: bool, reason: str, request: gr.Request) -> str:
        """Sign for an office, or refuse to."""
        return self._decided(lambda shop: sign(shop, now.brief.id, office, agrees, reason), "", request)

    def export(self, now: Opened, kind: str, request: gr.Request) -> str:
        """A link to the brief as a file, which only this person can fetch."""

        def exported() -> str:
            name, content = export(now.brief, kind, signatures(self._shop(request), now.brief.id))
            address = self.place.downloads.offer(self.place.account(request).id, name, content)
            return f"[{self.say('save_file', name=escape(name))}]({address})"

        return self._reported(exported, lambda said: said)

    def standing(self, now: Opened, request: gr.Request | None) -> str:
        """Whether the brief is approved, what speaks against it, and who has signed."""
        return brief_view.standing(self._shop(request), now.brief, self.say)

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def _shop(self, request: gr.Request | None, decides: bool = False) -> Shop:
        return acting(self.place, request, DECIDE if decides else READ)

    def _arrived(self, shop: Shop, asked: Mapping[str, str]) -> tuple[Any, Any, Opened | None, Figures, str]:
        brief_id, draft_id = asked.get("brief", ""), asked.get("draft", "")
        if brief_id:
            opened, figures, said = self._opened(shop, brief_id)
            assert opened is not None
            draft = opened.brief.subject.id
            return self._drafts(shop, draft), self._versions(shop, draft, brief_id), opened, figures, said
        drafts = shop.drafts()
        return self._of_draft(shop, draft_id or (drafts[0].id if drafts else ""))

    def _of_draft(self, shop: Shop, draft_id: str) -> tuple[Any, Any, Opened | None, Figures, str]:
        versions = history(shop, draft_id) if draft_id else []
        latest = versions[-1].brief_id if versions else ""
        opened: tuple[Opened | None, Figures, str] = (None, Figures(), "")
        if latest:
            opened = self._opened(shop, latest)
        return self._drafts(shop, draft_id), self._versions(shop, draft_id, latest), *opened

    def _opened(self, shop: Shop, brief_id: str) -> tuple[Opened | None, Figures, str]:
        brief = self.briefs.open(shop, brief_id, self.place.locale)
        said = "" if brief.locale == self.place.locale else self.say["as_written"]
        return Opened(brief), Figures(brief.figures), said

    def _drafts(self, shop: Shop, chosen: str) -> Any:
        choices = [(f"{draft.name} ({draft.id})", draft.id) for draft in shop.drafts()]
        return gr.Dropdown(choices, value=chosen or None)

    def _versions(self, shop: Shop, draft_id: str, chosen: str) -> Any:
        found = history(shop, draft_id) if draft_id else []
        choices = [(f"{each.number} · {each.brief_id} · {self.say[each.verdict]}", each.brief_id) for each in found]
        return gr.Dropdown(choices[::-1], value=chosen or None, visible=bool(found))

    def _nothing(self, said: str) -> tuple[Any, Any, None, Figures, str]:
        return gr.skip(), gr.Dropdown([], value=None, visible=False), None, Figures(), said

    def _written(
        self, job: Callable[[Shop, Writing, Callable[[], None]], Brief], request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Run a job in a thread, saying how far it is; (said, early sections, versions, brief, figures)."""
        writing, stopped, done = Writing(), threading.Event(), SimpleQueue[Brief | Failure]()
        shop = self._shop(request, decides=True)

        def go_on() -> None:
            if stopped.is_set():
                raise Cancelled("Writing was stopped; nothing was stored.")

        def work() -> None:
            with edge(self.place.log_file, done.put, self.place.locale):
                done.put(job(shop, writing, go_on))

        thread = threading.Thread(target=work, name="brief", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(SECONDS_BETWEEN_UPDATES)
                yield f"{self.say['writing']} {escape(writing.step)}", self._early(writing), *[gr.skip()] * 3
            outcome = done.get()
        finally:
            stopped.set()
        if isinstance(outcome, Failure):
            yield escape(outcome.sentence), "", *[gr.skip()] * 3
            return
        versions = self._versions(shop, outcome.subject.id, outcome.id)
        yield self.say("saved", brief=outcome.id), "", versions, Opened(outcome), Figures(outcome.figures)

    def _early(self, writing: Writing) -> str:
        return "\n\n".join(brief_view.early(section, figures, self.say) for section, figures in [*writing.sections])

    def _decided(self, decide: Callable[[Shop], object], key: str, request: gr.Request) -> str:
        def decided() -> str:
            decide(self._shop(request, decides=True))
            return self.say[key] if key else ""

        return self._reported(decided, lambda said: said)

    def _reported(self, run: Callable[[], Any], otherwise: Callable[[str], Any]) -> Any:
        """What a handler answers, or what it answers with the sentence of its failure."""
        failures: list[Failure] = []
        with edge(self.place.log_file, failures.append, self.place.locale):
            return run()
        return otherwise(escape(failures[0].sentence))
