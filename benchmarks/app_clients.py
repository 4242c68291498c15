"""Many people who chat at once, in a process of their own: `python -m benchmarks.app_clients` takes a `Crowd` as JSON.

It shares no interpreter with the server that it asks, so that what it measures is the server's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Crowd:
    """Who chats: where, each person's word and her session as a cookie, and how many messages each sends."""

    address: str
    markers: tuple[str, ...]
    cookies: tuple[str, ...]
    turns: int


@dataclass
class Chat:
    """One person's chat as it was seen from outside: seconds to the first word and to the end, by message."""

    marker: str
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: int = 0
    foreign: int = 0


def chats_of(crowd: Crowd) -> list[Chat]:
    """Let a crowd chat, from another process.

    Raises:
        subprocess.CalledProcessError: The process ended with an error; its trace is on the terminal.
    """
    asked = [sys.executable, "-m", "benchmarks.app_clients"]
    told = subprocess.run(
        asked, input=json.dumps(asdict(crowd)), stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True
    )
    return [Chat(**seen) for seen in json.loads(told.stdout)]


def main() -> None:
    """Read a crowd, let it chat, print what each saw."""
    print(json.dumps([asdict(chat) for chat in asyncio.run(_all_at_once(Crowd(**json.load(sys.stdin))))]))


async def _all_at_once(crowd: Crowd) -> list[Chat]:
    limits = httpx.Limits(max_connections=2 * len(crowd.markers) + 10)
    async with httpx.AsyncClient(base_url=crowd.address, timeout=120, limits=limits) as client:
        config = (await client.get("en/config", headers={"cookie": crowd.cookies[0]})).json()
        sends, chats = _send_event(config), [Chat(marker) for marker in crowd.markers]
        await asyncio.gather(
            *(_talk(client, crowd, chat, cookie, sends) for chat, cookie in zip(chats, crowd.cookies, strict=True))
        )
    return chats


async def _talk(client: httpx.AsyncClient, crowd: Crowd, chat: Chat, cookie: str, sends: dict[str, int]) -> None:
    headers = {"cookie": cookie}
    for _ in range(crowd.turns):
        body = {
            "data": [f"say {chat.marker}", None, None],
            "fn_index": sends["fn"],
            "trigger_id": sends["trigger"],
            "session_hash": chat.marker,
        }
        begun = time.perf_counter()
        joined = await client.post("en/gradio_api/queue/join", json=body, headers=headers)
        if joined.status_code != 200:
            chat.errors += 1
            continue
        address = f"en/gradio_api/queue/data?session_hash={chat.marker}"
        async with client.stream("GET", address, headers=headers) as stream:
            await _listen(stream, chat, crowd.markers, begun)


async def _listen(stream: httpx.Response, chat: Chat, everybody: Sequence[str], begun: float) -> None:
    """Follow one answer to its end."""
    answered = False
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
            return


def _words(line: str, marker: str) -> bool:
    """Whether an update adds the marker to what the assistant said, and not to what it was asked."""
    return marker in line.replace(f"say {marker}", "")


def _send_event(config: dict[str, Any]) -> dict[str, int]:
    """Which function the page calls when its message is sent, and the component that it names as the trigger."""
    message = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "message")
    sent = next(d for d in config["dependencies"] if [message, "submit"] in [list(t) for t in d["targets"]])
    return {"fn": sent["id"], "trigger": message}


if __name__ == "__main__":
    main()
