"""`./debut bench app`: seconds until the page is ready, the first word stands and a slider's figures have changed.

Fifty chats at once go through the real server, each as a person of its own and all from another process, with a model
that repeats the word it was told: what is measured is the desk, not a model. A chat that shows another's word is
cross-talk. What a browser shows is measured in Chromium, also with the embedded model.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from argon2 import PasswordHasher
from langchain_core.messages import BaseMessage, HumanMessage
from sqlalchemy import create_engine

from agent.brief import compile_brief
from agent.scripted import ScriptedChatModel
from benchmarks.app_browser import CHROMIUM, Reader, reader
from benchmarks.app_clients import Chat, Crowd, chats_of
from benchmarks.result import Result, report
from shop import Actor, Shop
from shop.threads import Threads
from tools import ALL
from tools.registry import bind
from ui.accounts import Accounts
from ui.gate import COOKIE
from ui.pages import APPS
from ui.place import Place
from ui.server import served
from ui.terminal import say
from ui.wiring import Desk, LoadModel

GOALS = {"page_ready": 3.0, "first_token": 1.0, "slider": 0.5}  # seconds
WORDS = 12  # of an answer
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # nobody's password: these accounts live a minute
QUESTIONS = ("How did {} sell lately?", "What do buyers praise about {}?", "Which products of {} are in decline?")


class Repeating(ScriptedChatModel):
    """Repeats the last word that it was told, streamed as a model does whose grammar holds it."""

    pause: float = 0.02  # seconds between words

    @property
    def cannot_type_figures(self) -> bool:
        return True

    def _said(self, line: Any) -> Any:
        for chunk in super()._said(line):
            time.sleep(self.pause)
            yield chunk


def main(
    shop: Shop,
    folder: Path,
    chats: int = 50,
    turns: int = 2,
    visits: int = 5,
    moves: int = 15,
    embedded: LoadModel | None = None,
    browser: bool = True,
) -> dict[str, Any]:
    """Serve the pages and visit them.

    Args:
        shop: Where the conversations are kept; with at least one draft, whose brief's sliders are moved.
        folder: For the accounts and the log.
        chats: How many at once.
        turns: Messages of each.
        visits: Of a real browser, where Chromium is installed.
        moves: Of each slider.
        embedded: Loads the embedded model, for its own first word in the browser; None leaves that out.
        browser: Whether to measure in a browser at all.
    """
    started = time.perf_counter()
    log = folder / "debut.log"
    place = Place(_desk(shop, lambda: _repeating(chats * turns + visits + 10)), log)
    accounts = Accounts(create_engine(f"sqlite:///{folder / 'accounts.db'}"), hasher=QUICK)
    results: list[Result] = []
    if browser and CHROMIUM.exists():
        say("the page in a browser …")
        results += _in_browser(place, lambda seen: _visited(seen, visits))
        say("the sliders of a brief …")
        results += _in_browser(place, lambda seen: _moved(seen, shop, moves))
        if embedded is not None:
            say("the embedded model in a browser …")
            results += _in_browser(Place(_desk(shop, embedded), log), lambda seen: _asked(seen, shop))
    elif browser:
        say("CHROMIUM IS NOT INSTALLED: no page, first word on a screen or slider is measured.")
    say("chats at once …")
    with served(replace(place, accounts=accounts), _free_port(), _DESK) as address:
        results += _told("one", chats_of(_crowd(address, accounts, 1, turns)))
        begun = time.process_time()
        results += _told("together", chats_of(_crowd(address, accounts, chats, turns)))
        used = time.process_time() - begun  # the server's alone: clients and model of other processes do not count
        results.append(Result("debut", "server_processor_seconds", used, n=chats * turns, extra={"chats": chats}))
    kept = [len(Threads(shop.engine, account.id).all()) for account in accounts.all()]
    results.append(Result("debut", "threads_kept_by_their_owner", float(np.mean([n == 1 for n in kept])), n=len(kept)))
    return report("app", shop.name, results, time.perf_counter() - started, goals=GOALS)


_DESK = tuple(app for app in APPS if app.path == "")


def _desk(shop: Shop, load: LoadModel) -> Desk:
    desk = Desk(shop, load, "scripted")
    desk.model()
    return desk


def _repeating(answers: int) -> Repeating:
    return Repeating(replies=[_repeat] * answers)


def _repeat(messages: list[BaseMessage]) -> str:
    said = next(message.text for message in reversed(messages) if isinstance(message, HumanMessage))
    return " ".join([said.split()[-1]] * WORDS)


def _told(how: str, chats: Sequence[Chat]) -> list[Result]:
    about = {"in": "client", "how": how, "chats": len(chats)}
    found = []
    for metric, name in (("first", "first_token"), ("whole", "answer")):
        seconds = [each for chat in chats for each in getattr(chat, metric)]
        found += _quantiles(name, seconds, {"p50": 0.5, "p95": 0.95}, about)
    for name, metric in (("errors", "errors"), ("foreign", "cross_talk")):
        count = sum(getattr(chat, name) for chat in chats)
        found.append(Result("debut", metric, float(count), n=len(chats), extra={**about, "goal": 0, "met": count == 0}))
    return found


def _quantiles(name: str, seconds: Sequence[float], parts: dict[str, float], about: dict[str, Any]) -> list[Result]:
    """Quantiles of seconds, each with the goal and whether it is met."""
    found, goal = [], GOALS.get(name)
    for part, share in parts.items():
        value = float(np.quantile(seconds, share)) if seconds else None
        judged = {} if goal is None else {"goal": goal, "met": value is not None and value <= goal}
        found.append(Result("debut", f"{name}_seconds_{part}", value, n=len(seconds), extra={**about, **judged}))
    return found


def _crowd(address: str, accounts: Accounts, count: int, turns: int) -> Crowd:
    letters = random.Random(count)
    markers = tuple("".join(letters.choices("bcdfghjklmnpqrstvwxz", k=16)) for _ in range(count))
    made = [accounts.create(f"{marker}-{count}", marker, "manager") for marker in markers]
    return Crowd(address, markers, tuple(f"{COOKIE}={accounts.start_session(each)}" for each in made), turns)


def _in_browser(place: Place, look: Callable[[Reader], list[Result]]) -> list[Result]:
    with served(place, _free_port(), _DESK) as address, reader(address) as seen:
        return look(seen)


def _visited(seen: Reader, visits: int) -> list[Result]:
    """Seconds until a fresh browser can type, and until the first word of an answer stands on its screen."""
    pairs = [seen.visit("say wordwordword", "wordwordword") for _ in range(visits)]
    parts, about = {"p50": 0.5, "worst": 1.0}, {"in": "Chromium", "how": "scripted"}
    return [
        each
        for name, seconds in zip(("page_ready", "first_token"), zip(*pairs, strict=True), strict=True)
        for each in _quantiles(name, seconds, parts, about)
    ]


def _asked(seen: Reader, shop: Shop) -> list[Result]:
    """Seconds to the first step or word of the embedded model's answers; the first question pays for what is lazy."""
    category = str(shop.categories()["category"].iloc[0]).split(" > ")[-1]
    first = [seen.visit(question.format(category))[1] for question in QUESTIONS]
    about = {"in": "Chromium", "how": "embedded"}
    return _quantiles("first_token", first, {"p50": 0.5, "worst": 1.0}, about)


def _moved(seen: Reader, shop: Shop, moves: int) -> list[Result]:
    """Seconds from a moved slider to the changed figures of a brief, by slider."""
    brief = compile_brief(bind(ALL, shop, Actor(role="manager", id="bench")), shop, shop.drafts()[0])
    waits = seen.moves(brief, moves)
    waits["all"] = [wait for each in waits.values() for wait in each]
    parts = {"p50": 0.5, "p95": 0.95}
    return [
        r for name, each in waits.items() for r in _quantiles("slider", each, parts, {"in": "Chromium", "how": name})
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
