"""`./debut demo`: builds the invented shop where none stands, or in place of an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url

from shop import BadInput
from shop.demo import build
from ui.settings import Settings
from ui.wiring import holds_products, is_demo, shop_url, shown_url


def build_demo(
    settings: Settings, seed: int, if_missing: bool, force: bool, progress: Callable[[str, float], None]
) -> str:
    """Build it, and say where it stands.

    Args:
        settings: `shop` names the address; without it the default one for demos.
        seed: Of everything that is drawn.
        if_missing: Leave things as they are where there is a shop to work on, demo or own.
        force: Replace a demo shop; a shop with imported data is never replaced.
        progress: What is being done, and the share done.

    Raises:
        BadInput: A shop stands there that may not be replaced.
    """
    if if_missing and holds_products(shop_url(settings)):
        return "A shop is there already."
    url = shop_url(settings) if settings.shop else settings.default_url("demo")
    if force and is_demo(url):
        _remove(url)
    elif holds_products(url):
        next_step = "add --force to build it anew" if is_demo(url) else "set DEBUT_SHOP to another database"
        what = "The demo shop" if is_demo(url) else "A shop with your own data"
        raise BadInput(f"{what} stands at {shown_url(url)} already; {next_step}.")
    build(url, seed=seed, progress=progress)
    own = settings.default_url("own")
    built = f"The demo shop is built: {shown_url(url)}."
    if not settings.shop and holds_products(own):
        return f"{built} Your own shop stays the one in use; DEBUT_SHOP=demo chooses the demo."
    return built


def _remove(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise BadInput("Only a demo shop in an SQLite file can be replaced; build the new one into a fresh database.")
    for suffix in ("", "-wal", "-shm"):
        Path(parsed.database + suffix).unlink(missing_ok=True)
