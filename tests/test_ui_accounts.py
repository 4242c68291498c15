"""Accounts, the gate and the door: passwords, sessions, roles, a proxy and an OpenID issuer of our own making."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import create_engine, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from shop import BadInput, ToolError
from ui import accounts as table
from ui.accounts import Accounts, role_for, roles_in
from ui.downloads import Downloads
from ui.gate import COOKIE, Gate, Proxy
from ui.oidc import Issuer, OidcDoor
from ui.pages import App
from ui.server import Server
from ui.sign_in import Door

PASSWORD = "correct horse battery"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 9)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    return Accounts(create_engine(f"sqlite:///{tmp_path / 'accounts.db'}"), clock, FAST)


def test_a_password_is_stored_as_argon2_and_let_in_only_when_right(accounts: Accounts, tmp_path: Path) -> None:
    made = accounts.create("Ada@example.org", PASSWORD, "manager", "zh")
    assert accounts.verify("ada@example.org ", PASSWORD) == made
    for name, password in (("ada@example.org", "wrong password"), ("nobody", PASSWORD), ("ada@example.org", "")):
        with pytest.raises(ToolError, match="do not fit together"):
            accounts.verify(name, password)
    stored = (tmp_path / "accounts.db").read_bytes()
    assert b"$argon2id$" in stored
    assert PASSWORD.encode() not in stored


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [("", PASSWORD, "manager"), ("two words", PASSWORD, "manager"), ("a", "short", "manager"), ("a", PASSWORD, "king")],
)
def test_accounts_that_cannot_be_made(accounts: Accounts, name: str, password: str, role: Any) -> None:
    with pytest.raises(BadInput):
        accounts.create(name, password, role)
    assert accounts.is_empty()


def test_a_name_is_given_once(accounts: Accounts) -> None:
    accounts.create("ada", PASSWORD, "manager")
    with pytest.raises(BadInput, match="already"):
        accounts.create("ADA", PASSWORD, "support")


def test_wrong_passwords_lock_an_account_for_a_while(accounts: Accounts, clock: Clock) -> None:
    accounts.create("ada", PASSWORD, "manager")
    for _ in range(table.MOST_FAILURES):
        with pytest.raises(ToolError, match="do not fit"):
            accounts.verify("ada", "wrong password")
    with pytest.raises(ToolError, match="Too many"):
        accounts.verify("ada", PASSWORD)
    clock.now += table.FAILURES_LAST
    assert accounts.verify("ada", PASSWORD).name == "ada"


def test_a_session_ends_with_time_sign_out_a_new_password_and_a_closed_account(
    accounts: Accounts, clock: Clock
) -> None:
    ada = accounts.create("ada", PASSWORD, "manager")
    bob = accounts.create("bob", PASSWORD, "support")
    tokens = [accounts.start_session(bob) for _ in range(3)]
    assert accounts.account_of(tokens[0]) == bob
    accounts.end_session(tokens[0])
    assert [accounts.account_of(token) for token in tokens] == [None, bob, bob]
    accounts.change(bob.id, password="another password")
    assert accounts.account_of(tokens[1]) is None
    late = accounts.start_session(bob)
    accounts.change(bob.id, is_active=False)
    assert accounts.account_of(late) is None
    with pytest.raises(ToolError):
        accounts.verify("bob", "another password")
    token = accounts.start_session(ada)
    clock.now += table.SESSION_LASTS + timedelta(seconds=1)
    assert accounts.account_of(token) is None
    assert accounts.account_of("") is None


def test_a_token_is_stored_as_a_hash_alone(accounts: Accounts) -> None:
    token = accounts.start_session(accounts.create("ada", PASSWORD, "manager"))
    with accounts._engine.connect() as connection:
        assert connection.execute(select(table.sessions.c.token)).scalar_one() != token


def test_the_last_manager_stays_one(accounts: Accounts) -> None:
    ada = accounts.create("ada", PASSWORD, "manager")
    for change in ({"role": "support"}, {"is_active": False}):
        with pytest.raises(BadInput, match="last manager"):
            accounts.change(ada.id, **change)
    accounts.create("bob", PASSWORD, "manager")
    accounts.change(ada.id, role="support")
    assert {each.name: each.role for each in accounts.all()} == {"ada": "support", "bob": "manager"}


def test_groups_give_the_highest_of_their_roles() -> None:
    roles = roles_in("buyers=manager, desk = support")
    assert roles == {"buyers": "manager", "desk": "support"}
    assert role_for(["desk", "buyers", "x"], roles) == "manager"
    assert role_for("desk", roles) == "support"
    assert role_for(None, roles) is None
    for wrong in ("buyers", "buyers=king", "=manager"):
        with pytest.raises(BadInput):
            roles_in(wrong)


# -- the gate and the door --------------------------------------------------------------------------------------------

APPS = (
    App("", ("manager", "approver"), lambda place: None),  # type: ignore[arg-type, return-value]
    App("/service", ("customer", "manager"), lambda place: None),  # type: ignore[arg-type, return-value]
)


def behind(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.scope["account"].name if request.scope.get("account") else "anybody")


def site(accounts: Accounts | None, proxy: Proxy | None = None, door: Door | None = None) -> TestClient:
    routes = [*(door.routes() if door else ()), Route("/{path:path}", behind, methods=["GET", "POST"])]
    gate = Middleware(Gate, accounts=accounts, apps=APPS, proxy=proxy)
    return TestClient(Starlette(routes=routes, middleware=[gate]), follow_redirects=False)


def test_without_accounts_everybody_is_let_in() -> None:
    assert site(None).get("/en/").text == "anybody"


def test_who_has_not_signed_in_is_led_to_the_door_and_a_program_is_refused(accounts: Accounts) -> None:
    client = site(accounts)
    assert client.get("/en/", headers={"accept": "text/html"}).headers["location"] == "/welcome"
    accounts.create("ada", PASSWORD, "manager")
    assert client.get("/zh/brief", headers={"accept": "text/html"}).headers["location"] == "/sign-in?next=/zh/brief"
    for path in ("/en/", "/en/gradio_api/queue/join", "/files/x", "/config", "/"):
        assert client.post(path).status_code == 401, path


@pytest.mark.parametrize(
    ("role", "open_paths", "closed"),
    [
        ("manager", ("/en/", "/zh/gradio_api/queue/join", "/service/en/", "/files/x", "/"), ()),
        ("approver", ("/en/", "/files/x"), ("/service/zh/",)),
        ("customer", ("/service/en/", "/files/x", "/"), ("/en/", "/zh/gradio_api/queue/join", "/en/brief")),
        ("support", ("/files/x", "/"), ("/en/", "/service/en/gradio_api/queue/data")),
    ],
)
def test_a_role_opens_its_own_pages_alone(
    accounts: Accounts, role: Any, open_paths: tuple[str, ...], closed: tuple[str, ...]
) -> None:
    client = site(accounts)
    client.cookies.set(COOKIE, accounts.start_session(accounts.create("ada", PASSWORD, role)))
    assert {path: client.get(path).status_code for path in open_paths} == dict.fromkeys(open_paths, 200)
    assert {path: client.get(path).status_code for path in closed} == dict.fromkeys(closed, 403)


def test_a_post_from_another_site_is_refused_also_with_a_good_cookie(accounts: Accounts) -> None:
    client = site(accounts)
    client.cookies.set(COOKIE, accounts.start_session(accounts.create("ada", PASSWORD, "manager")))
    assert client.post("/en/x", headers={"origin": "http://testserver"}).status_code == 200
    assert client.post("/en/x", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/en/x", headers={"origin": "null"}).status_code == 403


def test_the_first_account_needs_the_code_of_the_terminal_and_is_made_once(accounts: Accounts) -> None:
    door = Door(accounts)
    client = site(accounts, door=door)
    form = {"name": "ada", "password": PASSWORD, "again": PASSWORD}
    assert client.post("/welcome", data={**form, "code": "guess"}).status_code == 403
    assert client.post("/welcome", data={**form, "code": door.code, "again": "other"}).status_code == 400
    assert client.post("/welcome", data={**form, "code": door.code, "password": "x", "again": "x"}).status_code == 400
    assert accounts.is_empty()
    made = client.post("/welcome", data={**form, "code": door.code})
    assert (made.status_code, made.headers["location"]) == (303, "/")
    assert "httponly" in made.headers["set-cookie"].lower()
    assert "samesite=lax" in made.headers["set-cookie"].lower()
    assert client.get("/en/").text == "ada"
    assert client.post("/welcome", data={**form, "name": "eve", "code": door.code}).headers["location"] == "/sign-in"
    assert [each.name for each in accounts.all()] == ["ada"]


def test_signing_in_and_out_by_the_form(accounts: Accounts) -> None:
    accounts.create("ada", PASSWORD, "manager")
    client = site(accounts, door=Door(accounts))
    wrong = client.post("/sign-in", data={"name": "ada", "password": "<b>wrong</b>", "next": '"><script>'})
    assert wrong.status_code == 403
    assert "<script>" not in wrong.text
    assert "登录" in client.get("/sign-in", headers={"accept-language": "zh-CN,zh;q=0.9"}).text
    for to, leads in (("/en/?thread=1", "/en/?thread=1"), ("//evil.example", "/"), ("https://evil.example", "/")):
        done = client.post("/sign-in", data={"name": "ada", "password": PASSWORD, "next": to})
        assert done.headers["location"] == leads
    assert client.get("/en/").text == "ada"
    client.get("/sign-out")
    assert client.get("/en/").status_code == 401


def test_a_proxy_is_believed_with_its_secret_alone(accounts: Accounts) -> None:
    accounts.create("local", PASSWORD, "manager")
    client = site(accounts, Proxy("s3cret", roles_in("buyers=manager,desk=customer")))
    said = {"x-debut-proxy": "s3cret", "x-debut-user": "Eve", "x-debut-groups": "x, buyers"}
    assert client.get("/en/", headers=said).text == "eve"
    assert client.get("/en/", headers={**said, "x-debut-groups": "desk"}).status_code == 403
    for wrong in (
        {"x-debut-proxy": "guess"},
        {"x-debut-groups": "none"},
        {"x-debut-user": ""},
        {"x-debut-user": "local"},
    ):
        assert client.get("/en/", headers={**said, **wrong}).status_code == 403, wrong
    assert client.get("/en/").status_code == 403


# -- another house ----------------------------------------------------------------------------------------------------


class House:
    """An OpenID issuer of the shortest kind; a test sets what it would get wrong."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.sign_with = self.key
        self.claims: dict[str, Any] = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        self.nonce = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.metadata),
                Route("/keys", lambda _: JSONResponse({"keys": [self.key.as_dict(private=False)]})),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    def metadata(self, _request: Request) -> JSONResponse:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse({"issuer": self.address, **{key: f"{self.address}/{path}" for key, path in ends.items()}})

    async def token(self, request: Request) -> JSONResponse:
        assert (await request.form())["code_verifier"]
        now = int(time.time())
        claims = {"iss": self.address, "aud": "debut", "sub": "u1", "iat": now, "exp": now + 60, "nonce": self.nonce}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, **self.claims}, self.sign_with)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": token})


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    house = House()
    server = Server(house.app(), int(house.address.rpartition(":")[2]))
    server.start()
    yield house
    server.stop()


@pytest.fixture
def guest(accounts: Accounts, house: House, tmp_path: Path) -> Iterator[TestClient]:
    house.claims, house.sign_with = (
        {"groups": ["buyers"], "email": "eve@example.org", "email_verified": True},
        house.key,
    )
    issuer = Issuer(house.address, "debut", "secret", roles_in("buyers=manager"))
    door = OidcDoor(issuer, accounts, tmp_path / "debut.log")
    middleware = [
        Middleware(Gate, accounts=accounts, apps=APPS),
        Middleware(SessionMiddleware, secret_key="x" * 32),
    ]
    app = Starlette(routes=[*door.routes(), Route("/{path:path}", behind)], middleware=middleware)
    with TestClient(app, follow_redirects=False) as client:
        yield client


def come_back(client: TestClient, house: House, **changed: str) -> Any:
    """Go to the house and return with a code."""
    asked = parse_qs(urlsplit(client.get("/oidc/start").headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    house.nonce = asked["nonce"][0]
    return client.get("/oidc/back", params={"code": "c", "state": asked["state"][0], **changed})


def test_the_other_house_signs_in_whom_it_gives_a_role(guest: TestClient, house: House, accounts: Accounts) -> None:
    assert come_back(guest, house).headers["location"] == "/"
    assert guest.get("/en/").text == "eve@example.org"
    assert [(each.name, each.role) for each in accounts.all()] == [("eve@example.org", "manager")]
    with pytest.raises(ToolError):
        accounts.verify("eve@example.org", "")


def test_an_address_that_the_house_did_not_check_names_nobody(
    guest: TestClient, house: House, accounts: Accounts
) -> None:
    house.claims = {**house.claims, "email_verified": False}
    come_back(guest, house)
    assert [each.name for each in accounts.all()] == ["u1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nonce": "other"},
        {"groups": ["guests"]},
    ],
)
def test_a_token_that_is_wrong_lets_nobody_in(guest: TestClient, house: House, accounts: Accounts, wrong: Any) -> None:
    house.claims = {**house.claims, **wrong}
    assert come_back(guest, house).status_code == 403
    assert accounts.is_empty()


def test_a_wrong_signature_state_and_a_local_account_are_refused(
    guest: TestClient, house: House, accounts: Accounts
) -> None:
    assert come_back(guest, house, state="forged").status_code == 403
    house.sign_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert come_back(guest, house).status_code == 403
    house.sign_with = house.key
    accounts.create("eve@example.org", PASSWORD, "manager")
    assert come_back(guest, house).status_code == 403


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_handed_to_its_owner_alone_and_not_for_ever() -> None:
    now = [0.0]
    downloads = Downloads(lambda: now[0])
    address = downloads.offer("ada", "brief.md", b"text")
    token = address.removeprefix("/files/")
    assert downloads.fetch(token, "ada") == ("brief.md", b"text")
    for stranger in ("bob", ""):
        assert downloads.fetch(token, stranger) is None
    assert downloads.fetch("guess", "ada") is None
    now[0] = 3601.0
    assert downloads.fetch(token, "ada") is None
    with pytest.raises(ValueError, match="no type"):
        downloads.offer("ada", "page.html", b"")
