"""The gate: no request reaches a page before it is known who asks, and that she may."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from shop import ToolError
from ui.accounts import Account, AccountRole, Accounts, role_for

if TYPE_CHECKING:
    from ui.pages import App

COOKIE = "debut"
OPEN = ("/sign-in", "/welcome", "/oidc/", "/alive", "/favicon.ico")  # what one needs before one is signed in


@dataclass(frozen=True)
class Proxy:
    """A proxy of the house that signs people in and says who they are.

    It sends `x-debut-proxy` (the secret: whoever else reaches the port must not pass for it), `x-debut-user` and
    `x-debut-groups` (with commas between), and takes these headers from nobody who comes to it.

    Args:
        secret: What it proves itself by.
        roles: Which of its groups have which role here.
    """

    secret: str = field(repr=False)
    roles: Mapping[str, AccountRole]

    def account(self, headers: Headers, accounts: Accounts) -> Account | None:
        """Whom a request is from; None where the proxy does not say so, or gives her no role."""
        if not secrets.compare_digest(headers.get("x-debut-proxy", "").encode(), self.secret.encode()):
            return None
        role = role_for([group.strip() for group in headers.get("x-debut-groups", "").split(",")], self.roles)
        try:
            return accounts.vouched(headers.get("x-debut-user", ""), role) if role else None
        except ToolError:
            return None


class Gate:
    """ASGI middleware: puts the account into the scope, and turns away who has none or the wrong role.

    Args:
        app: What stands behind it.
        accounts: Who may sign in; None where nobody has to.
        apps: Which roles may open which paths; what no app claims is for everybody who is signed in.
        proxy: The proxy that signs people in, where there is one.
    """

    def __init__(self, app: Any, accounts: Accounts | None, apps: Sequence[App], proxy: Proxy | None = None) -> None:
        self._app = app
        self._proxy = proxy
        self._accounts = accounts
        self._apps = sorted(apps, key=lambda each: -len(each.path))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Any) -> Response | None:
        if not _is_from_here(scope):
            return PlainTextResponse("This request came from another page.", 403)
        if self._accounts is None:
            return None
        if self._proxy is not None:
            account = self._proxy.account(Headers(scope=scope), self._accounts)
        else:
            account = self._accounts.account_of(HTTPConnection(scope).cookies.get(COOKIE, ""))
        scope["account"] = account
        path = scope["path"]
        if path.startswith(OPEN):
            return None
        if account is None:
            return _to_sign_in(scope, self._accounts) if self._proxy is None else _not_vouched()
        return None if self._may(account, path) else PlainTextResponse("This page is not for your role.", 403)

    def _may(self, account: Account, path: str) -> bool:
        app = next((app for app in self._apps if path == app.path or path.startswith(f"{app.path}/")), None)
        is_page = app is not None and (app.path != "" or path.startswith(("/en", "/zh")))
        return app is None or not is_page or account.role in app.roles


def _is_from_here(scope: Any) -> bool:
    """Whether a request that may change something was sent by one of our own pages, as browsers say it."""
    if scope.get("method", "GET") in ("GET", "HEAD", "OPTIONS") and scope["type"] == "http":
        return True
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _not_vouched() -> Response:
    return PlainTextResponse("The proxy in front of this server gave you no name, or no role here.", 403)


def _to_sign_in(scope: Any, accounts: Accounts) -> Response:
    if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        where = "/welcome" if accounts.is_empty() else f"/sign-in?next={quote(scope['path'])}"
        return RedirectResponse(where, 303)
    return PlainTextResponse("Sign in first.", 401)
