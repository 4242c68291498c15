"""Serves the pages: every app in every language under one roof, behind one gate, on this machine alone."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
import warnings
import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fastapi
import gradio as gr
import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from shop import BadInput
from ui.edge import edge
from ui.gate import Gate
from ui.headers import SecurityHeaders
from ui.oidc import OidcDoor
from ui.pages import APPS, App
from ui.place import ALONE, Place, Vouching
from ui.sessions import hasten
from ui.sign_in import Door
from ui.strings import LOCALES, locale_of
from ui.terminal import say
from ui.tongue import PageLanguage

HERE = Path(__file__).parent
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230b6e66'/%3E"
    "%3Cpath d='M4 3h4a5 5 0 0 1 0 10H4z' fill='%23fff'/%3E%3C/svg%3E"
)
LARGEST_UPLOAD = "200mb"  # a shop's order lines of some years


def assemble(place: Place, apps: Sequence[App] = APPS, door: Door | None = None) -> fastapi.FastAPI:
    """Everything that is served, as one ASGI application; `door` is the one whose code was printed."""
    gate = Middleware(Gate, accounts=place.accounts, apps=apps, proxy=place.vouching.proxy)
    middleware = [Middleware(SecurityHeaders), Middleware(PageLanguage), gate]
    if place.accounts is None and len(apps) > 1:
        # Nobody has to sign in, so a page elsewhere must not reach us under a name of its own (DNS rebinding).
        middleware.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]))
    routes: list[BaseRoute] = []
    if place.accounts is not None:
        routes = list((door or Door(place.accounts, place.vouching.issuer is not None)).routes())
        if place.vouching.issuer is not None:
            # Holds what the other house must send back; a restart in the middle of signing in means signing in again.
            short = {"secret_key": secrets.token_hex(32), "session_cookie": "debut-oidc", "max_age": 600}
            middleware.append(Middleware(SessionMiddleware, **short))
            routes += OidcDoor(place.vouching.issuer, place.accounts, place.log_file).routes()
    server = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None, middleware=middleware, routes=routes)
    # The longest path first: what is mounted at the bare language takes nothing from those below a name.
    for app in sorted(apps, key=lambda app: -len(app.path)):
        for locale in LOCALES:
            blocks = app.build(replace(place, locale=locale))
            blocks.queue(default_concurrency_limit=4, api_open=False)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "SSR mode")  # it warns that what we leave off is off
                gr.mount_gradio_app(
                    server,
                    blocks,
                    path=f"{app.path}/{locale}",
                    auth_dependency=_account_id if place.accounts is not None else None,
                    show_error=False,
                    run_history=False,
                    ssr_mode=False,
                    enable_monitoring=False,
                    max_file_size=LARGEST_UPLOAD,
                    footer_links=[],
                    app_kwargs={"docs_url": None, "redoc_url": None},
                    **appearance(),
                )
            hasten(server.routes[-1].app)
        server.add_api_route(app.path or "/", _to_language(app, apps), methods=["GET"])
    server.add_api_route("/files/{token}", _files(place), methods=["GET"])
    # Browsers ask for it before they have read the page's head.
    server.add_api_route("/favicon.ico", lambda: Response(unquote(ICON.partition(",")[2]), media_type="image/svg+xml"))
    server.add_api_route("/alive", lambda: PlainTextResponse("alive"), methods=["GET"])
    return server


def _files(place: Place) -> Any:
    def files(request: fastapi.Request) -> Response:
        asking = request.scope.get("account") or (ALONE if place.accounts is None else None)
        return place.downloads.respond(request, asking.id if asking else "")

    return files


def _account_id(request: fastapi.Request) -> str | None:
    """Whom the gate let in; Gradio hands it to the handlers as `request.username`."""
    account = request.scope.get("account")
    return account.id if account else None


def _to_language(app: App, apps: Sequence[App]) -> Any:
    def to_language(request: fastapi.Request) -> RedirectResponse:
        account = request.scope.get("account")
        # The bare address leads everybody to a page of her own: a shopper to the service, support to the tickets.
        open_to_her = [each for each in apps if account is None or account.role in each.roles]
        path = app.path if app in open_to_her else next((each.path for each in open_to_her), app.path)
        wanted = request.cookies.get("locale") or (account and account.locale) or request.headers.get("accept-language")
        return RedirectResponse(f"{path}/{locale_of(wanted)}/", status_code=303)

    return to_language


def appearance() -> dict[str, Any]:
    """Theme, style sheet and script, as Gradio takes them. Fonts are the ones Gradio carries: nothing is fetched."""
    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        radius_size="md",
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono"), "monospace"],
    )
    # In the head and not as `css`, which Gradio would rewrite to reach no further than its own container.
    style, script = (
        "\n".join((HERE / f"{name}.{kind}").read_text(encoding="utf-8") for name in ("desk", "pages"))
        for kind in ("css", "js")
    )
    head = f'<link rel="icon" href="{ICON}"><style>{style}</style><script>{script}</script>'
    return {"theme": theme, "head": head}


class Server:
    """An application on a port of this machine, served from a thread.

    Raises:
        BadInput: The port is taken.
    """

    def __init__(self, app: Any, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/"
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise BadInput(f"Port {port} is in use; choose another: `./debut chat --port {port + 1}`.") from error
        config = uvicorn.Config(
            app, "127.0.0.1", port, log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="server", daemon=True)

    def start(self) -> None:
        """Serve; returns once requests are answered.

        Raises:
            RuntimeError: The server ended while it started.
        """
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server ended while it started")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it; open connections are given two seconds."""
        self._server.should_exit = True
        self._thread.join(10)


@contextlib.contextmanager
def served(place: Place, port: int, apps: Sequence[App] = APPS, door: Door | None = None) -> Iterator[str]:
    """The pages for as long as the block runs; yields the address."""
    server = Server(assemble(place, apps, door), port)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


def serve(place: Place, port: int, show: bool, for_customers: bool = False) -> None:
    """Serve the pages until interrupted; for customers, their page alone and to whoever comes.

    Raises:
        BadInput: The port is taken.
    """
    apps = tuple(app for app in APPS if app.path == "/service") if for_customers else APPS
    door = Door(place.accounts, place.vouching.issuer is not None) if place.accounts is not None else None
    with served(place, port, apps, door) as address:
        shown = f"{address}service" if for_customers else address
        if door is not None and door.accounts.is_empty() and place.vouching == Vouching():
            shown = f"{address}welcome?code={door.code}"  # the first account is made by whoever can read the terminal
        print(f"Debut is at {shown} (Ctrl-C stops it).", flush=True)
        if show:
            webbrowser.open(shown)
        place.desk.load()  # not before: it would compete with the page for the processor
        if not for_customers:
            threading.Thread(target=_learn, args=(place,), name="learning", daemon=True).start()
        threading.Event().wait()


def _learn(place: Place) -> None:
    with edge(place.log_file, lambda failure: say(failure.sentence)):
        place.desk.learn()
