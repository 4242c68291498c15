"""`./debut bench app`: seconds until the page is ready and the first word stands, and chats all at once.

The chats go through the real server, each as a person of its own, with a model that repeats the word it was told, word
by word: what is measured is the desk, not a model. A chat that shows another's word is cross-talk.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from argon2 import PasswordHasher
from langchain_core.messages import BaseMessage, HumanMessage
from sqlalchemy import create_engine

from agent.scripted import ScriptedChatModel
from benchmarks.result import Result, report
from shop import Shop
from shop.threads import Threads
from ui.accounts import Accounts
from ui.gate import COOKIE
from ui.pages import APPS
from ui.place import Place
from ui.server import served
from ui.wiring import Desk

READY_LIMIT, TOKEN_LIMIT = 3.0, 1.0  # seconds
WORDS = 12  # of an answer
CHROMIUM = Path("/usr/bin/chromium")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # nobody's password: these accounts live a minute


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


@dataclass
class Chat:
    """One person's chat as it was seen from outside."""

    marker: str
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: int = 0
    foreign: int = 0


def main(shop: Shop, folder: Path, chats: int = 50, turns: int = 2, visits: int = 5) -> dict[str, Any]:
    """Serve the pages and visit them.

    Args:
        shop: Where the conversations are kept.
        folder: For the accounts and the log.
        chats: How many at once.
        turns: Messages of each.
        visits: Of a real browser, where Chromium is installed.
    """
    started = time.perf_counter()
    model = Repeating(replies=[_repeat] * (chats * turns + visits + 10))
    desk = Desk(shop, lambda: model, "scripted")
    desk.model()
    accounts = Accounts(create_engine(f"sqlite:///{folder / 'accounts.db'}"), hasher=QUICK)
    place = Place(desk, folder / "debut.log")
    apps = tuple(app for app in APPS if app.path == "")
    results: list[Result] = []
    with served(place, _free_port(), apps) as address:
        results += _visited(address, visits)
    with served(replace(place, accounts=accounts), _free_port(), apps) as address:
        [alone] = asyncio.run(_all_at_once(address, accounts, 1, turns))
        results += _told("one", [alone])
        results += _told("together", asyncio.run(_all_at_once(address, accounts, chats, turns)))
    kept = [len(Threads(shop.engine, account.id).all()) for account in accounts.all()]
    results.append(Result("debut", "threads_kept_by_their_owner", float(np.mean([n == 1 for n in kept])), n=len(kept)))
    limits = {"page_ready": READY_LIMIT, "first_token": TOKEN_LIMIT}
    return report("app", shop.name, results, time.perf_counter() - started, limits=limits)


def _repeat(messages: list[BaseMessage]) -> str:
    said = next(message.text for message in reversed(messages) if isinstance(message, HumanMessage))
    return " ".join([said.split()[-1]] * WORDS)


def _told(how: str, chats: Sequence[Chat]) -> list[Result]:
    found = []
    for metric in ("first", "whole"):
        seconds = [each for chat in chats for each in getattr(chat, metric)]
        name = "first_token" if metric == "first" else "answer"
        for share in (0.5, 0.95):
            value = float(np.quantile(seconds, share)) if seconds else None
            about = {"chats": len(chats)}
            found.append(Result("debut", f"{name}_seconds_p{share * 100:.0f}", value, n=len(seconds), extra=about))
    for name in ("errors", "foreign"):
        count = float(sum(getattr(chat, name) for chat in chats))
        metric = name if name == "errors" else "cross_talk"
        found.append(Result("debut", metric, count, n=len(chats), extra={"chats": len(chats)}))
    return found


async def _all_at_once(address: str, accounts: Accounts, count: int, turns: int) -> list[Chat]:
    letters = random.Random(count)
    chats = [Chat("".join(letters.choices("bcdfghjklmnpqrstvwxz", k=16))) for _ in range(count)]
    made = [accounts.create(f"{chat.marker}-{count}", chat.marker, "manager") for chat in chats]
    tokens = [accounts.start_session(account) for account in made]
    everybody = [chat.marker for chat in chats]
    limits = httpx.Limits(max_connections=2 * count + 10)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:
        config = (await client.get("en/config", headers=_as(tokens[0]))).json()
        sends = _send_event(config)
        await asyncio.gather(
            *(_talk(client, chat, token, sends, everybody, turns) for chat, token in zip(chats, tokens, strict=True))
        )
    return chats


async def _talk(
    client: httpx.AsyncClient, chat: Chat, token: str, sends: dict[str, int], everybody: Sequence[str], turns: int
) -> None:
    for _ in range(turns):
        body = {
            "data": [f"say {chat.marker}", None, None],
            "fn_index": sends["fn"],
            "trigger_id": sends["trigger"],
            "session_hash": chat.marker,
        }
        begun = time.perf_counter()
        answered = False
        joined = await client.post("en/gradio_api/queue/join", json=body, headers=_as(token))
        if joined.status_code != 200:
            chat.errors += 1
            continue
        address = f"en/gradio_api/queue/data?session_hash={chat.marker}"
        async with client.stream("GET", address, headers=_as(token)) as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("data:"):
                    continue
                chat.foreign += any(other in line for other in everybody if other != chat.marker)
                # The question is one of the markers on the page, the answer's first word the second.
                if not answered and _words(line, chat.marker):
                    answered = True
                    chat.first.append(time.perf_counter() - begun)
                message = json.loads(line.removeprefix("data:"))
                if message["msg"] == "process_completed":
                    chat.whole.append(time.perf_counter() - begun)
                    chat.errors += not message["success"] or not answered
                    break


def _words(line: str, marker: str) -> bool:
    """Whether an update adds the marker to what the assistant said, and not to what it was asked."""
    return marker in line.replace(f"say {marker}", "")


def _send_event(config: dict[str, Any]) -> dict[str, int]:
    """Which function the page calls when its message is sent, and the component that it names as the trigger."""
    message = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "message")
    sent = next(d for d in config["dependencies"] if [message, "submit"] in [list(t) for t in d["targets"]])
    return {"fn": sent["id"], "trigger": message}


def _as(token: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={token}"}


def _visited(address: str, visits: int) -> list[Result]:
    """Seconds until a fresh browser can type, and until the first word of an answer stands on its screen."""
    if not CHROMIUM.exists():
        return []
    from playwright.sync_api import sync_playwright

    ready, first = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for _ in range(visits):
            context = browser.new_context()
            page = context.new_page()
            page.set_default_timeout(300_000)  # a slow machine is a figure too
            begun = time.perf_counter()
            page.goto(f"{address}en/")
            page.wait_for_selector("#message textarea")
            ready.append(time.perf_counter() - begun)
            page.wait_for_selector("#model >> text=ready")  # the page has spoken with the server
            page.fill("#message textarea", "say wordwordword")
            begun = time.perf_counter()
            page.press("#message textarea", "Enter")
            page.wait_for_selector('#chat [data-testid="bot"] >> text=wordwordword')
            first.append(time.perf_counter() - begun)
            context.close()
        browser.close()
    return [
        Result("debut", f"{name}_seconds_{part}", float(value), n=visits, extra={"in": "Chromium"})
        for name, seconds in (("page_ready", ready), ("first_token", first))
        for part, value in (("p50", np.median(seconds)), ("worst", max(seconds)))
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
