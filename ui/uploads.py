"""The page that brings data in: a file, what its columns are taken for, the import with its progress, the report."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd
from babel.dates import format_date

from shop.importers import ImportReport, Mapping, guess_mapping
from shop.importers.generic import FIELDS, REQUIRED
from shop.importers.reading import open_table
from ui.edge import Failure, edge
from ui.importing import run
from ui.links import escape
from ui.place import Place
from ui.settings import Settings
from ui.shell import PRIVATE
from ui.strings import Words

FOLLOWING: dict[str, Any] = {**PRIVATE, "concurrency_limit": 20}
KINDS = ("generic", "online-retail-ii", "series")  # an Olist export is a folder: the command line takes it
SHOWN_ROWS = 8
SECONDS_BETWEEN_LOOKS = 1.0
CURRENCY = re.compile("[A-Z]{3}")
ENDINGS = [".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods", ".parquet"]


def in_background(job: Callable[[], None]) -> None:
    """Run a job in a thread that does not keep the program alive."""
    threading.Thread(target=job, daemon=True).start()


@dataclass(eq=False)
class Found:
    """A file that was looked at: what its columns are, and what they are taken for."""

    path: Path
    columns: list[str]
    head: pd.DataFrame
    guess: Mapping


class UploadEvents:
    """Handlers of the page; what belongs to a visitor comes in and goes out as an argument.

    Args:
        place: Where the page is.
        aside: Runs what nobody waits for.
    """

    def __init__(self, place: Place, aside: Callable[[Callable[[], None]], None] = in_background) -> None:
        self._place = place
        self._aside = aside
        self.say = place.words("import")
        self._settings = place.settings or Settings(home=place.log_file.parent)

    def look(self, file: str | None, kind: str) -> tuple[Found | None, str]:
        """Look at a file and guess what its columns are."""
        if not file or kind != "generic":
            return None, ""
        failures: list[Failure] = []
        with edge(self._place.log_file, failures.append, self._place.locale):
            path = Path(file)
            table = open_table(path)
            return Found(path, list(table.columns), table.head(SHOWN_ROWS), guess_mapping(path)), ""
        return None, escape(failures[0].sentence)

    def start(
        self,
        file: str | None,
        kind: str,
        mapping: Mapping | None,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how Gradio hands it in)
    ) -> str:
        """Import the file; returns the report, or why there is none."""
        say = self.say
        if self._place.account(request).role != "manager":
            return say["not_yours"]
        if not file:
            return say["choose"]
        failures: list[Failure] = []
        with edge(self._place.log_file, failures.append, self._place.locale):

            def rows(done: int, total: int | None) -> None:
                progress((done, total), desc=say["working"], unit="")

            report, _ = run(self._settings, kind, Path(file), mapping, rows)
            self._place.desk.renew(self._settings)
            self._aside(partial(self._learn, self._place.desk.lesson(index=True)))
            return self._told(report, self._place.account(request).id)
        return escape(failures[0].sentence)

    def renewed(self, told: str) -> Iterator[str]:
        """What is being learned from the new data, as long as that takes, and that it is over."""
        desk = self._place.desk
        if not desk.is_learning:
            yield told
            return
        while not desk.wait_until_learned(SECONDS_BETWEEN_LOOKS):
            yield f"{told}\n\n⏳ {self.say['renewing']}"
        yield f"{told}\n\n✓ {self.say['renewed']}"

    def _learn(self, lesson: Callable[[], None]) -> None:
        with edge(self._place.log_file, lambda failure: None):  # the health page says what is missing
            lesson()

    def _told(self, report: ImportReport, owner: str) -> str:
        say = self.say
        lines = [f"### {say['done']}: {escape(report.file)}"]
        lines.append(say("rows", read=report.rows_read, kept=report.rows_kept, refused=report.rows_refused))
        if report.first_day and report.last_day:
            first, last = (format_date(day, "long", locale=say.locale) for day in (report.first_day, report.last_day))
            lines.append(say("span", first=first, last=last))
        counted = report.model_dump(include={"products", "launches", "customers", "orders", "returns"})
        lines.append(say("found", **counted))
        lines += [say["nothing_new"]] if report.rows_new == 0 else []
        lines += [say("refused", count=count, reason=escape(why)) for why, count in report.rows_by_reason.items()]
        if report.refusals_path is not None:
            address = self._place.downloads.offer(owner, "refused.csv", report.refusals_path.read_bytes())
            lines.append(f"[{say['refused_file']}]({address})")
        lines += [escape(note) for note in report.notes]
        lines.append(say("in_use", shop=escape(self._place.desk.shop.name)))
        return "\n\n".join(lines)


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    events, say = UploadEvents(place), place.words("import")
    found = gr.State(None)
    gr.Markdown(f"# {say['title']}\n\n{say['lead']}", elem_classes="page-head")
    with gr.Row(equal_height=True):
        file = gr.File(label=say["file"], file_types=ENDINGS, type="filepath", height=150, elem_id="upload")
        kind = gr.Radio([(say[each], each) for each in KINDS], value="generic", label=say["kind"], elem_id="kind")
    said = gr.Markdown(elem_id="upload-said")

    @gr.render(inputs=[found, kind], triggers=[found.change, kind.change], show_progress="hidden")
    def mapped(now: Found | None, chosen: str) -> None:
        if chosen != "generic":
            begin = gr.Button(say["start"], variant="primary", elem_id="import-start")
            begin.click(
                events.start, [file, kind, gr.State(None)], said, api_visibility="private", show_progress_on=said
            ).then(events.renewed, said, said, **FOLLOWING)
        elif now is not None:
            _wizard(events, now, file, kind, said)

    for changed in (file.change, kind.change):
        changed(events.look, [file, kind], [found, said], **PRIVATE)


def _wizard(events: UploadEvents, now: Found, file: gr.File, kind: gr.Radio, said: gr.Markdown) -> None:
    """What each column is taken for, to be agreed to or put right."""
    say, guess = events.say, now.guess
    gr.Markdown(f"## {say['preview']}", elem_classes="section-title")
    gr.Dataframe(now.head.astype(str), interactive=False, show_label=False, max_height=220, elem_id="preview")
    gr.Markdown(f"## {say['columns']}", elem_classes="section-title")
    with gr.Row():
        choices = [(say[each], each) for each in FIELDS]
        table = gr.Radio(choices, value=guess.table, label=say["table"], elem_id="table")
        decimal = gr.Radio([".", ","], value=guess.decimal, label=say["decimal"])
    with gr.Row():
        shop = gr.Textbox(guess.shop, label=say["shop_name"], max_length=80)
        currency = gr.Textbox(guess.currency, label=say["currency"], max_length=3)
        dates = gr.Textbox(guess.date_format, label=say["dates"], placeholder=say["dates_hint"], max_length=40)
    names = list(dict.fromkeys(name for fields in FIELDS.values() for name in fields))
    columns: dict[str, gr.Dropdown] = {}
    for start in range(0, len(names), 4):
        with gr.Row():
            columns |= {name: _column(say, name, now) for name in names[start : start + 4]}
    begin = gr.Button(say["start"], variant="primary", elem_id="import-start")

    def agreed(
        given: dict[gr.Component, Any],
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how Gradio hands it in)
    ) -> str:
        if not CURRENCY.fullmatch(given[currency].strip().upper()):
            return say["bad_currency"]
        mapping = Mapping(
            table=given[table],
            decimal=given[decimal],
            shop=given[shop].strip() or guess.shop,
            currency=given[currency].strip().upper(),
            date_format=given[dates].strip(),
            columns={name: given[columns[name]] for name in FIELDS[given[table]] if given[columns[name]]},
            attributes=guess.attributes if given[table] == guess.table else (),
        )
        return events.start(given[file], given[kind], mapping, request, progress)

    begin.click(
        agreed,
        {file, kind, table, decimal, shop, currency, dates, *columns.values()},
        said,
        api_visibility="private",
        show_progress_on=said,
    ).then(events.renewed, said, said, **FOLLOWING)


def _column(say: Words, name: str, now: Found) -> gr.Dropdown:
    needed = f" ({say['needed']})" if name in REQUIRED[now.guess.table] else ""
    return gr.Dropdown(
        [(say["none"], ""), *((column, column) for column in now.columns)],
        value=now.guess.columns.get(name, ""),
        label=say[f"f_{name}"] + needed,
        min_width=150,
        elem_id=f"column-{name}",
    )
