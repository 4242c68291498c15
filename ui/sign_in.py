"""The door: signing in with a password, the first account, signing out, and whom another house vouches for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from agent.spoken import spoken_plain
from shop import BadInput, ToolError
from ui.accounts import SESSION_LASTS, SHORTEST_PASSWORD, Account, Accounts
from ui.gate import COOKIE
from ui.strings import Words, locale_of

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { width: min(360px, calc(100vw - 32px)); }
h1 { font-size: 26px; margin: 0 0 16px; letter-spacing: -0.015em; }
label { display: block; margin: 14px 0 4px; font-size: 14px; }
input { width: 100%; box-sizing: border-box; font: inherit; padding: 9px 11px; border: 1px solid #8a8d91;
  border-radius: 7px; }
button, a.button { display: block; width: 100%; box-sizing: border-box; margin-top: 20px; padding: 10px; border: 0;
  border-radius: 7px; background: #0b6e66; color: #fff; font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; cursor: pointer; }
:focus-visible { outline: 3px solid #4fb8ad; outline-offset: 2px; }
.error { border-left: 4px solid #c0392b; padding: 6px 12px; }
small { color: #6b6f75; }
"""


@dataclass
class Door:
    """The routes of signing in and out.

    Args:
        accounts: Who may sign in.
        oidc: Whether another house vouches; then its button stands there too.
        code: What the first account needs: printed in the terminal, so that no stranger makes it.
    """

    accounts: Accounts
    oidc: bool = False
    code: str = field(default_factory=lambda: secrets.token_urlsafe(9))

    def routes(self) -> list[Route]:
        """What the server serves before anybody is signed in."""
        return [
            Route("/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/sign-out", self.sign_out, methods=["GET"]),
            Route("/welcome", self.welcome, methods=["GET", "POST"]),
        ]

    async def sign_in(self, request: Request) -> Response:
        """The form, and what was typed into it."""
        if request.method == "GET":
            return self._sign_in_form(request, "", request.query_params.get("next", "/"))
        form = await request.form()
        to = str(form.get("next", "/"))
        try:
            account = self.accounts.verify(str(form.get("name", "")), str(form.get("password", "")))
        except ToolError as error:
            return self._sign_in_form(request, spoken_plain(str(error), _words(request).locale), to, status=403)
        return admitted(self.accounts, account, request, to)

    async def sign_out(self, request: Request) -> Response:
        """End the session, here and in the browser."""
        self.accounts.end_session(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response

    async def welcome(self, request: Request) -> Response:
        """Make the first account; afterwards there is nothing here."""
        if not self.accounts.is_empty():
            return RedirectResponse("/sign-in", 303)
        say = _words(request)
        form = await request.form() if request.method == "POST" else {}
        code = str(form.get("code") or request.query_params.get("code", ""))
        if not secrets.compare_digest(code.encode(), self.code.encode()):
            return _page(say, say["welcome"], f"<p>{escape(say['code_needed'])}</p>", status=403)
        if request.method == "GET":
            return self._welcome_form(say, code, "")
        if form.get("password") != form.get("again"):
            return self._welcome_form(say, code, say["unequal"], 400)
        try:
            account = self.accounts.create(
                str(form.get("name", "")), str(form.get("password", "")), "manager", say.locale
            )
        except BadInput as error:
            return self._welcome_form(say, code, spoken_plain(str(error), say.locale), 400)
        return admitted(self.accounts, account, request, "/")

    def _sign_in_form(self, request: Request, error: str, to: str, status: int = 200) -> Response:
        say = _words(request)
        inside = (
            f'<form method="post" action="/sign-in"><input type="hidden" name="next" value="{escape(to)}">'
            f"{_field('name', say['name'], 'text', 'username')}"
            f"{_field('password', say['password'], 'password', 'current-password')}"
            f'<button type="submit">{escape(say["submit"])}</button></form>'
        )
        if self.oidc:
            inside += f'<a class="button" href="/oidc/start">{escape(say["oidc"])}</a>'
        return _page(say, say["title"], _error(error) + inside, status)

    def _welcome_form(self, say: Words, code: str, error: str, status: int = 200) -> Response:
        inside = (
            f"<p>{escape(say['first'])}</p>{_error(error)}"
            f'<form method="post" action="/welcome"><input type="hidden" name="code" value="{escape(code)}">'
            f"{_field('name', say['name'], 'text', 'username')}"
            f"{_field('password', say['password'], 'password', 'new-password')}"
            f"<small>{escape(say('rule', count=SHORTEST_PASSWORD))}</small>"
            f"{_field('again', say['again'], 'password', 'new-password')}"
            f'<button type="submit">{escape(say["create"])}</button></form>'
        )
        return _page(say, say["welcome"], inside, status)


def admitted(accounts: Accounts, account: Account, request: Request, to: str) -> Response:
    """Start a session, and lead on to a page of ours and no other house's."""
    inside = to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
    response = RedirectResponse(inside, 303)
    response.set_cookie(
        COOKIE,
        accounts.start_session(account),
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def refused(request: Request, key: str) -> Response:
    """A page that says why nobody was let in."""
    say = _words(request)
    return _page(say, say["title"], _error(say[key]), status=403)


def _words(request: Request) -> Words:
    return Words("sign_in", locale_of(request.cookies.get("locale") or request.headers.get("accept-language")))


def _field(name: str, label: str, kind: str, fills: str) -> str:
    start = " autofocus" if name == "name" else ""
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{fills}" maxlength="200" required{start}>'
    )


def _error(sentence: str) -> str:
    return f'<p class="error" role="alert">{escape(sentence)}</p>' if sentence else ""


def _page(say: Words, title: str, inside: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="{say.locale}"><head><meta charset="utf-8"><title>{escape(title)} · Debut</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{inside}</main></body></html>",
        status,
        headers={"cache-control": "no-store"},
    )
