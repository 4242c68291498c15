"""Signing in through another house: OpenID Connect by Authlib, with the roles that its groups have here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authlib.integrations.starlette_client import OAuth
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.accounts import AccountRole, Accounts, role_for
from ui.edge import Failure, edge
from ui.sign_in import admitted, refused


@dataclass(frozen=True)
class Issuer:
    """The other house.

    Args:
        address: Its issuer URL; `/.well-known/openid-configuration` is asked for below it (`DEBUT_OIDC_ISSUER`).
        client: The id that it knows us by (`DEBUT_OIDC_CLIENT`).
        secret: What goes with it (`DEBUT_OIDC_SECRET`).
        roles: Which of its groups have which role here (`DEBUT_GROUPS`, such as `buyers=manager`).
        groups: The claim that names a person's groups (`DEBUT_OIDC_CLAIM`).
    """

    address: str
    client: str
    secret: str = field(repr=False)
    roles: Mapping[str, AccountRole]
    groups: str = "groups"


class OidcDoor:
    """The two routes of the code flow with PKCE, state and nonce.

    Args:
        issuer: The other house.
        accounts: Where those whom it vouches for are entered.
        log_file: Where the trace of a failure goes.
    """

    def __init__(self, issuer: Issuer, accounts: Accounts, log_file: Path) -> None:
        self._issuer = issuer
        self._accounts = accounts
        self._log_file = log_file
        self._house = OAuth().register(
            "house",
            client_id=issuer.client,
            client_secret=issuer.secret,
            server_metadata_url=f"{issuer.address.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
        )

    def routes(self) -> list[Route]:
        """What the server serves before anybody is signed in."""
        return [Route("/oidc/start", self.start), Route("/oidc/back", self.back)]

    async def start(self, request: Request) -> Response:
        """Send the browser to the other house."""
        failures: list[Failure] = []
        with edge(self._log_file, failures.append):
            sent: Response = await self._house.authorize_redirect(request, str(request.url_for("back")))
            return sent
        return refused(request, "failed")

    async def back(self, request: Request) -> Response:
        """The browser comes back: check what it brings, and let in whom the house gives a role."""
        failures: list[Failure] = []
        with edge(self._log_file, failures.append):
            # Authlib checks state, nonce, signature, issuer, audience and dates; it raises where one is wrong.
            token = await self._house.authorize_access_token(request)
            return self._admit(request, token["userinfo"])
        return refused(request, "failed")

    def _admit(self, request: Request, claims: Mapping[str, Any]) -> Response:
        role = role_for(claims.get(self._issuer.groups), self._issuer.roles)
        if role is None:
            return refused(request, "no_role")
        # An address that nobody checked may be anybody's; the subject is the house's own name for a person.
        name = claims["email"] if claims.get("email") and claims.get("email_verified") else claims["sub"]
        return admitted(self._accounts, self._accounts.vouched(str(name), role), request, "/")
