"""The page's handlers without a browser: what a visitor is shown, and that every number in it is a link."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ui_desk import NAME, scripted_desk

from shop import Shop, demo
from ui.brief_view import body, heading, verdict
from ui.charts import draw
from ui.conversation import Conversation, Turn, messages
from ui.inspector import explain, rows_table
from ui.links import asked_figure, escape, figure_link
from ui.page_events import Events, Shown
from ui.place import Place
from ui.wiring import Desk

ALONE: Any = None  # the request of a page where nobody has to sign in
BRIEF = "brief please of D-0005"  # the id must be the person's own words: a tool that writes takes no other
LINK = re.compile(r"\[(?:[^\]\\]|\\.)*\]\(#fig-(?:chat|brief):[a-z0-9_.]+\)")
P_WORDS = re.compile(r"P(?:10|50|90)")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    url = f"sqlite:///{tmp_path_factory.mktemp('page') / 'demo.db'}"
    demo.build(url, seed=7, small=True)
    return scripted_desk(Shop.open(url))


@pytest.fixture(scope="module")
def events(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Events:
    return Events(Place(desk, tmp_path_factory.mktemp("log") / "debut.log"))


Talk = tuple[list[list[dict[str, Any]]], Conversation, Shown | None]


def talk(events: Events, *said: str) -> Talk:
    """Every update of the page while these messages are sent one after another."""
    conversation, shown, updates = None, None, []
    for text in said:
        for update in events.send(text, conversation, shown, ALONE):
            chat, conversation, shown, _ = update
            updates.append(chat)
    assert conversation is not None
    return updates, conversation, shown


def is_open(update: Any) -> bool:
    """Whether an update of the drawer shows it; outside a page Gradio gives updates as dicts."""
    return bool(update.get("visible") if isinstance(update, dict) else update.visible)


def unlinked(text: str) -> list[str]:
    """Digits that stand outside links to a figure, tags and the footer of seconds and tokens."""
    rest = re.sub(r"<small>.*?</small>", "", LINK.sub("", text))
    return re.findall(r"\d+", P_WORDS.sub("", rest))


def test_answer_shows_steps_as_they_run_then_the_sentence_with_linked_figures(events: Events) -> None:
    updates, _, _ = talk(events, "draft it", "forecast it")
    running = [m for chat in updates for m in chat if m.get("metadata", {}).get("status") == "pending"]
    assert {m["metadata"]["title"] for m in running} == {"draft_product", "forecast_launch"}
    assert {m["metadata"]["log"].split()[0] for m in running} == {"name", "product"}
    question, step, chart, sentence = updates[-1][-4:]
    assert chart["content"].component == "plot"
    assert question == {"role": "user", "content": "forecast it"}
    assert step["metadata"]["status"] == "done"
    assert step["metadata"]["duration"] >= 0
    assert "(#fig-chat:launch.units_12w)" in sentence["content"]


def test_the_box_is_emptied_for_every_message_though_gradio_takes_its_value_out(events: Events) -> None:
    for _ in range(2):
        *_, box = next(iter(events.send("draft it", None, None, ALONE)))
        assert box.pop("value") == ""
        assert box["stop_btn"]


@pytest.mark.slow
def test_every_number_of_the_conversation_is_a_link(events: Events) -> None:
    updates, _, _ = talk(events, "draft it", "forecast it", BRIEF, "lie to me")
    shown = [m["content"] for m in updates[-1] if m["role"] == "assistant" and isinstance(m["content"], str)]
    assert sum(len(LINK.findall(text)) for text in shown) > 10
    for text in shown:
        assert unlinked(text) == [], text


def test_a_figure_that_the_model_makes_up_never_reaches_the_page(events: Events) -> None:
    updates, _, _ = talk(events, "draft it", "lie to me")
    assert not any("4711" in str(m["content"]) for chat in updates for m in chat if m["role"] == "assistant")


def test_a_tool_that_cannot_answer_is_marked_and_says_why(events: Events) -> None:
    updates, _, _ = talk(events, "nonsense")
    step = next(m for m in updates[-1] if "metadata" in m)
    assert step["metadata"]["title"] == "⚠ forecast_launch"
    assert "no such thing" in step["content"]


@pytest.mark.slow
def test_brief_asked_for_in_the_conversation_appears_with_every_number_linked(events: Events) -> None:
    _, _, shown = talk(events, "draft it", BRIEF)
    assert shown is not None
    brief = shown.brief
    assert escape(NAME) in heading(brief)
    assert unlinked(verdict(brief)) == []
    for section in brief.sections:
        if section.id != "evidence":
            assert unlinked(body(brief, section)) == [], section.id
    charts = [chart for section in brief.sections for chart in section.charts]
    assert charts
    for chart in charts:
        drawn = draw(chart, brief.figures)
        assert all(len(trace.x) == len(chart.x) for trace in drawn.data)


@pytest.mark.slow
def test_inspector_says_where_a_figure_comes_from(events: Events, desk: Desk) -> None:
    _, conversation, shown = talk(events, "draft it", "forecast it", BRIEF)
    figures = events.figures(conversation, ALONE)
    figure = figures["launch.units_12w"]
    text = explain(figure, figures, "chat")
    assert "`forecast_launch`" in text
    assert "product: D-" in text
    assert str(desk.shop.cutoff) in text
    assert escape(figure.formula) in text
    drawer, evidence, _ = events.inspect("fig-chat:launch.units_12w@1", conversation, shown, ALONE)
    assert is_open(drawer)
    assert evidence == text
    assert shown is not None
    derived = next(f for f in shown.brief.figures.values() if f.tool == "ledger" and f.inputs.get("of"))
    assert f"(#fig-brief:{derived.inputs['of'][0]})" in explain(derived, shown.brief.figures, "brief")


def test_rows_behind_a_figure_show_money_not_cents(desk: Desk, events: Events) -> None:
    _, conversation, _ = talk(events, "draft it", "forecast it")
    with_rows = [f for f in events.figures(conversation, ALONE).values() if f.rows is not None]
    assert with_rows
    for figure in with_rows:
        frame = rows_table(desk.shop, figure)
        assert frame is not None
        assert not [name for name in frame.columns if name.endswith("_cents")]


def test_inspector_opens_only_what_this_visitor_has_seen(events: Events) -> None:
    _, mine, shown = talk(events, "draft it", "forecast it")
    other = Conversation()
    for address in ("fig-chat:launch.units_12w", "fig-brief:launch.units_12w", "fig-chat:no.such", "<script>", ""):
        drawer, *_ = events.inspect(address, other, None, ALONE)
        assert not is_open(drawer)
    assert is_open(events.inspect("fig-chat:launch.units_12w", mine, shown, ALONE)[0])


def test_change_of_language_rewrites_figures_and_keeps_the_words(events: Events) -> None:
    _, conversation, _ = talk(events, "draft it")
    spoken = Events(replace(events.place, locale="zh"))
    english, chinese = (page.chat(conversation, ALONE)[-1]["content"] for page in (events, spoken))
    assert "March" in english
    assert "3月" in chinese.replace("\\", "")


def test_stop_leaves_nothing_spinning(events: Events) -> None:
    conversation = None
    updates = events.send("forecast it", None, None, ALONE)
    for update in updates:
        chat, conversation, _, _ = update
        if any(m.get("metadata", {}).get("status") == "pending" for m in chat):
            break
    updates.close()
    chat, _ = events.stopped(conversation, ALONE)
    assert chat[-1]["content"] == "Stopped."
    assert not any(m.get("metadata", {}).get("status") == "pending" for m in chat)


def test_a_bug_becomes_a_sentence_with_an_id_in_the_log(desk: Desk, tmp_path: Path) -> None:
    class Broken(Desk):
        def ask(self, *_: Any) -> Any:
            raise ZeroDivisionError("secret detail")

    log = tmp_path / "debut.log"
    broken = Broken(desk.shop, desk.model, "scripted")
    updates, _, _ = talk(Events(Place(broken, log)), "hello")
    assert "error E-" in updates[-1][-1]["content"].replace("\\", "")
    assert "secret detail" not in updates[-1][-1]["content"]
    assert "secret detail" in log.read_text()


def test_text_from_the_shop_cannot_become_markup() -> None:
    text = 'A [b](http://x) ![i](http://y) <img src=x onerror="1"> *c* `d`\n# e'
    escaped = escape(text)
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(text.split())
    assert not re.search(r"(?<!\\)[\[\]<>*`#!()]", escaped)


def test_addresses_of_figures_go_there_and_back(desk: Desk, events: Events) -> None:
    _, conversation, _ = talk(events, "draft it", "forecast it")
    figure = events.figures(conversation, ALONE)["launch.units_12w"]
    address = figure_link("chat")(figure, "1,240").split("](")[1][:-1]
    assert asked_figure(address) == ("chat", "launch.units_12w")
    assert asked_figure("fig-elsewhere:launch.units_12w") is None


def test_half_a_placeholder_is_not_shown_while_it_streams() -> None:
    turn = Turn("?", text="It sells {{launch.uni")
    [_, message] = messages(Conversation(turns=[turn]), {})
    assert message["content"] == "It sells "
