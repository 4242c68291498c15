"""The language of a page, told to the browser before Gradio's script asks for it."""

from __future__ import annotations

from typing import Any

from ui.strings import LOCALES

NAMES = {"zh": "zh-CN"}  # what Gradio calls a language that it has by another name
_HEAD, _LANGUAGE = b"<head>", b'lang="en"'


class PageLanguage:
    """ASGI middleware that makes Gradio's own words follow the page, not the browser.

    Gradio looks at the browser's language once, before the page's own head is there; so the answer is put into the
    document itself.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        named = [part for part in scope.get("path", "").split("/") if part in LOCALES]
        if scope["type"] != "http" or scope["method"] != "GET" or not named:
            await self._app(scope, receive, send)
            return
        started: list[Any] = []  # the start of a page, held back until its new length is known
        body = bytearray()

        async def in_language(message: Any) -> None:
            if message["type"] == "http.response.start" and _is_page(message["headers"]):
                started.append(message)
            elif message["type"] == "http.response.body" and started:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    whole = _told(bytes(body), named[0])
                    await send({**started[0], "headers": _sized(started[0]["headers"], len(whole))})
                    await send({"type": "http.response.body", "body": whole})
            else:
                await send(message)

        await self._app(scope, receive, in_language)


def _is_page(headers: Any) -> bool:
    found = dict(headers)
    return found.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in found


def _told(page: bytes, locale: str) -> bytes:
    tongue = NAMES.get(locale, locale)
    script = f'<script>Object.defineProperty(navigator,"language",{{get:()=>"{tongue}"}})</script>'
    return page.replace(_LANGUAGE, f'lang="{tongue}"'.encode(), 1).replace(_HEAD, _HEAD + script.encode(), 1)


def _sized(headers: Any, length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]
