"""The settings page: one's own account, voice and rule packs, house rules of briefs, the model, people, health."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gradio as gr
from babel.dates import format_date
from babel.numbers import get_currency_name
from pydantic import ValidationError

from agent.brief.types import BriefSettings
from agent.models.select import ADAPTERS
from agent.spoken import spoken_plain
from shop import ToolError
from tools.copy.voice import MARKETS, Voice, set_voice, voice_of
from ui.accounts import ROLES, SHORTEST_PASSWORD
from ui.health import checks
from ui.house import brief_settings, channel_fees, channel_lines, set_brief_settings
from ui.links import escape
from ui.place import Place
from ui.settings import Settings, choose_model, chosen_model
from ui.shell import PRIVATE
from ui.strings import LOCALES

TONES = ("friendly", "formal", "playful")
STRATEGIES = ("cost", "market", "competition", "value", "profit")
# The rules that a category manager has an opinion on; the others keep what is built in.
NUMBERS = (
    "min_margin",
    "lead_time_days",
    "service_level",
    "payment_fee",
    "delivery_cost",
    "max_promotion_depth",
    "cash_limit",
    "min_analogues",
)
MODEL = re.compile(r"(embedded(:[\w.-]+)?|hf:\S+|openai:https?://\S+#\S+)(\s*,\s*(?=\S)|$)")
MARKS = {"ok": "●", "look": "◐", "bad": "○"}


class SettingsEvents:
    """Handlers of the page: each asks who pressed before it changes anything."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.say = place.words("settings")
        self.settings = place.settings or Settings(home=place.log_file.parent)

    def language(self, locale: str, request: gr.Request) -> str:
        """The language that the pages open in for this person."""
        account = self.place.account(request)
        if self.place.accounts is not None:
            self.place.accounts.change(account.id, locale=locale)
        return self.say["saved"]

    def password(self, old: str, new: str, request: gr.Request) -> str:
        """Another password, for whoever knows the one that holds."""
        assert self.place.accounts is not None
        account = self.place.account(request)
        try:
            self.place.accounts.verify(account.name, old)
            self.place.accounts.change(account.id, password=new)
        except ToolError as error:
            return escape(spoken_plain(str(error), self.place.locale))
        return f"{self.say['password_changed']} [→](/sign-in)"

    def voice(self, tone: Any, avoid: str, markets: list[Any], request: gr.Request) -> str:
        """How product texts sound, which words they avoid, and which markets' rules they keep."""

        def change() -> None:
            words = tuple(word.strip() for word in re.split("[,，]", avoid) if word.strip())
            kept = voice_of(self.place.desk.shop)
            update = {"tone": tone, "avoid": words, "markets": tuple(m for m in MARKETS if m in markets)}
            set_voice(self.place.desk.shop, Voice.model_validate({**kept.model_dump(), **update}))

        return self._as_manager(request, change)

    def voice_now(self) -> tuple[str, str, list[str]]:
        """The voice as it is."""
        now = voice_of(self.place.desk.shop)
        return now.tone, ", ".join(now.avoid), list(now.markets)

    def house_now(self) -> list[Any]:
        """The rules of new briefs as they are."""
        now = brief_settings(self.place.desk.shop)
        return [now.strategy or "", channel_lines(now.channel_fees), *(getattr(now, name) for name in NUMBERS)]

    def house(self, strategy: str, channels: str, *said: Any) -> str:
        """The rules of new briefs; the request comes last."""
        *numbers, request = said
        given: dict[str, Any] = {"strategy": strategy or None}
        given |= {name: number for name, number in zip(NUMBERS, numbers, strict=True) if number is not None}

        def change() -> None:
            kept = brief_settings(self.place.desk.shop).model_dump(exclude={"strategy", "channel_fees", *NUMBERS})
            fees = {"channel_fees": channel_fees(channels)}
            set_brief_settings(self.place.desk.shop, BriefSettings.model_validate({**kept, **given, **fees}))

        try:
            return self._as_manager(request, change)
        except ValidationError as error:
            wrong = error.errors()[0]
            return self.say("wrong_number", field=self.say[str(wrong["loc"][0])], said=wrong["input"])

    def model(self, setting: str, request: gr.Request) -> str:
        """The model of the next start."""
        if MODEL.sub("", setting.strip()) or not setting.strip():
            return f"{self.say['model_wrong']} {self.say['model_forms']}"
        done = self._as_manager(request, lambda: choose_model(self.settings.home, setting.strip()))
        return self.say["next_start"] if done == self.say["saved"] else done

    def person(self, name: str, role: Any, password: str, active: bool, request: gr.Request) -> tuple[str, Any]:
        """Add a person, or change the one of this name."""
        accounts = self.place.accounts
        assert accounts is not None

        def change() -> None:
            known = next((each for each in accounts.all() if each.name == name.strip().lower()), None)
            if known is None:
                accounts.create(name, password, role)
            else:
                accounts.change(known.id, role=role, password=password or None, is_active=active)

        return self._as_manager(request, change), self.people(request)

    def people(self, request: gr.Request) -> list[list[str]]:
        """Everybody with an account, for a manager's eyes."""
        if self.place.accounts is None or self.place.account(request).role != "manager":
            return []
        say = self.say
        return [
            [each.name, say[f"role_{each.role}"], say["yes" if each.is_active else "no"]]
            for each in self.place.accounts.all()
        ]

    def shop(self) -> str:
        """Which shop the pages work on."""
        say, shop = self.say, self.place.desk.shop
        day = format_date(shop.cutoff, "long", locale=say.locale)
        currency = f"{get_currency_name(shop.currency, locale=say.locale)} ({shop.currency})"
        return say("shop_facts", name=escape(shop.name), currency=currency, day=day)

    def health(self) -> str:
        """The state of the house as a table."""
        rows = [
            f"| {MARKS[check.state]} {self.say[check.state]} | {self.say[check.key]} | {escape(check.seen)} |"
            for check in checks(self.place.desk, self.settings, self.say)
        ]
        return "\n".join(["| | | |", "| --- | --- | --- |", *rows])

    def _as_manager(self, request: gr.Request, change: Any) -> str:
        if self.place.account(request).role != "manager":
            return self.say["only_manager"]
        try:
            change()
        except ToolError as error:
            return escape(spoken_plain(str(error), self.place.locale))
        return self.say["saved"]


def fill(place: Place) -> None:
    """Put the page into the surrounding blocks."""
    events = SettingsEvents(place)
    say = events.say
    gr.Markdown(f"# {say['title']}", elem_classes="page-head")
    with gr.Row(equal_height=False, elem_id="settings"):
        with gr.Column(min_width=320):
            _health(events)
            if place.accounts is not None:
                _you(events)
            _voice(events)
        with gr.Column(min_width=320):
            _house(events)
            _model(events)
            _people(events)


def _title(events: SettingsEvents, key: str) -> None:
    gr.Markdown(f"## {events.say[key]}", elem_classes="section-title")


def _health(events: SettingsEvents) -> None:
    say = events.say
    _title(events, "shop")
    _loads(events.shop, gr.Markdown())
    _title(events, "health")
    table = gr.Markdown(elem_id="health", elem_classes="wide-table")
    again = gr.Button(say["refresh"], size="sm", min_width=100)
    _loads(events.health, table)
    again.click(events.health, None, table, **PRIVATE)


def _you(events: SettingsEvents) -> None:
    say = events.say
    _title(events, "you")
    choices = [(say["by_browser"], ""), *((name, locale) for locale, name in LOCALES.items())]
    locale = gr.Radio(choices, value="", label=say["language"], elem_id="my-language")
    with gr.Row():
        old = gr.Textbox(label=say["password_old"], type="password", max_length=200)
        new = gr.Textbox(label=say["password_new"], type="password", max_length=200)
    change = gr.Button(say["password_change"], size="sm")
    said = gr.Markdown()
    locale.input(events.language, locale, said, **PRIVATE)
    change.click(events.password, [old, new], said, **PRIVATE)

    def own(request: gr.Request) -> str:
        return events.place.account(request).locale

    _loads(own, locale)


def _voice(events: SettingsEvents) -> None:
    say = events.say
    _title(events, "voice")
    tone = gr.Radio([(say[f"tone_{each}"], each) for each in TONES], label=say["tone"])
    avoid = gr.Textbox(label=say["avoid"], max_length=2000)
    markets = gr.CheckboxGroup([(say[f"market_{each}"], each) for each in MARKETS], label=say["markets"])
    save = gr.Button(say["save"], size="sm")
    said = gr.Markdown(elem_id="voice-said")
    save.click(events.voice, [tone, avoid, markets], said, **PRIVATE)
    _loads(events.voice_now, [tone, avoid, markets])


def _house(events: SettingsEvents) -> None:
    say = events.say
    _title(events, "house")
    gr.Markdown(say["house_lead"])
    choices = [(say["by_tool"], ""), *((say[f"strategy_{each}"], each) for each in STRATEGIES)]
    strategy = gr.Radio(choices, label=say["strategy"])
    fields: list[gr.Number] = []
    for start in range(0, len(NUMBERS), 2):
        with gr.Row():
            for name in NUMBERS[start : start + 2]:
                fields.append(gr.Number(label=say[name], min_width=140))
    channels = gr.Textbox(
        label=say["channel_fees"], info=say["channel_hint"], lines=2, max_length=1000, elem_id="channel-fees"
    )
    save = gr.Button(say["save"], size="sm", elem_id="house-save")
    said = gr.Markdown(elem_id="house-said")

    def house(given: dict[gr.Component, Any], request: gr.Request) -> str:
        return events.house(given[strategy], given[channels], *(given[field] for field in fields), request)

    save.click(house, {strategy, channels, *fields}, said, **PRIVATE)
    _loads(events.house_now, [strategy, channels, *fields])


def _model(events: SettingsEvents) -> None:
    say, desk = events.say, events.place.desk
    _title(events, "model")
    adapters = sorted(path.name for path in ADAPTERS.iterdir() if path.is_dir()) if ADAPTERS.is_dir() else []
    gr.Markdown(say("adapters", names=escape(", ".join(adapters) or say["no_adapters"])))
    setting = gr.Textbox(label=say["model_next"], info=say["model_forms"], max_length=300)
    save = gr.Button(say["save"], size="sm")
    said = gr.Markdown()
    save.click(events.model, setting, said, **PRIVATE)
    _loads(lambda: chosen_model(events.settings.home) or desk.model_name, setting)


def _people(events: SettingsEvents) -> None:
    say = events.say
    _title(events, "people")
    if events.place.accounts is None:
        gr.Markdown(say["open_access"])
        return
    heads = [say["person"], say["role"], say["active"]]
    table = gr.Dataframe(headers=heads, interactive=False, show_label=False, max_height=240, elem_id="people")
    gr.Markdown(say["add_lead"])
    with gr.Row():
        name = gr.Textbox(label=say["person"], max_length=120)
        role = gr.Radio([(say[f"role_{each}"], each) for each in ROLES], value="approver", label=say["role"])
    with gr.Row():
        password = gr.Textbox(
            label=f"{say['password_new']} (≥ {SHORTEST_PASSWORD})", info=say["password_hint"], type="password"
        )
        active = gr.Checkbox(True, label=say["active"])
    save = gr.Button(say["save"], size="sm", elem_id="person-save")
    said = gr.Markdown(elem_id="person-said")
    save.click(events.person, [name, role, password, active], [said, table], **PRIVATE)
    _loads(events.people, table)


def _loads(read: Callable[..., Any], shown: gr.Component | list[Any]) -> None:
    """Show what holds now whenever the page is opened: it is built once, and lives for long."""
    page = gr.context.Context.root_block
    assert page is not None
    page.load(read, None, shown, **PRIVATE)
