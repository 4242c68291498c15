"""What every page is built with, and who is looking at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from shop import BadInput
from shop.session import Session
from ui.accounts import Account, Accounts, roles_in
from ui.downloads import Downloads
from ui.strings import Locale, Words

if TYPE_CHECKING:
    from ui.gate import Proxy
    from ui.oidc import Issuer
    from ui.settings import Settings
    from ui.wiring import Desk

# Who acts where nobody has to sign in: one person at her own machine.
ALONE = Account("manager", "manager", "manager")


@dataclass(frozen=True)
class Vouching:
    """Another house that signs people in: at most one of the two."""

    issuer: Issuer | None = None
    proxy: Proxy | None = None


@dataclass(frozen=True)
class Place:
    """A page's surroundings. A page is built once for each language, so that its strings are plain constants.

    Args:
        desk: The shop, the model and the assistant.
        log_file: Where the trace of a bug goes.
        locale: The language of this page.
        accounts: Who may sign in; None where nobody has to.
        settings: What the environment decided; None in tests that need none of it.
        vouching: Which other house signs people in, where one does.
        downloads: Files made for one person, such as exports: `place.downloads.offer(account.id, name, content)`.
    """

    desk: Desk
    log_file: Path
    locale: Locale = "en"
    accounts: Accounts | None = None
    settings: Settings | None = None
    downloads: Downloads = field(default_factory=Downloads)
    vouching: Vouching = field(default_factory=Vouching)

    def words(self, page: str) -> Words:
        """The strings of a page in this page's language."""
        return Words(page, self.locale)

    def account(self, request: gr.Request | None) -> Account:
        """Who pressed the button: from the session, never from what the page sent.

        Raises:
            PermissionError: Nobody is signed in; the gate lets no such request through.
        """
        if self.accounts is None:
            return ALONE
        found = self.accounts.account(request.username or "") if request is not None else None
        if found is None or not found.is_active:
            raise PermissionError("nobody is signed in")
        return found


def session_of(account: Account) -> Session:
    """An account's session in the shop, as `shop.acting_as` takes it.

    That somebody may open the shoppers' page does not say which customer she is: she identifies herself there.
    """
    return Session(account.role, "" if account.role == "customer" else account.id)


def opened(desk: Desk, settings: Settings, everybody: bool = False) -> Place:
    """The surroundings that the settings describe; `everybody` may come in where shoppers alone are served.

    Raises:
        BadInput: The settings name another house and leave out what signing in through it needs.
    """
    if everybody or settings.sign_in == "off":
        return Place(desk, settings.log_file, settings=settings)
    accounts = Accounts.open(settings.accounts_url)
    return Place(desk, settings.log_file, accounts=accounts, settings=settings, vouching=_vouching(settings))


def _vouching(settings: Settings) -> Vouching:
    from ui.gate import Proxy
    from ui.oidc import Issuer

    if settings.sign_in == "local":
        return Vouching()
    roles = roles_in(settings.groups)
    if settings.sign_in == "proxy":
        if not settings.proxy_secret or not roles:
            raise BadInput("Signing in through a proxy needs DEBUT_PROXY_SECRET and DEBUT_GROUPS; see docs/app.md.")
        return Vouching(proxy=Proxy(settings.proxy_secret, roles))
    given = (settings.oidc_issuer, settings.oidc_client, settings.oidc_secret)
    if not all(given) or not roles:
        raise BadInput(
            "Signing in through OIDC needs DEBUT_OIDC_ISSUER, DEBUT_OIDC_CLIENT, DEBUT_OIDC_SECRET and DEBUT_GROUPS; "
            "see docs/app.md."
        )
    return Vouching(issuer=Issuer(*given, roles, settings.groups_claim))
