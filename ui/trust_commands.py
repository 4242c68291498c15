"""`./debut audit|privacy|backup|restore`: what is on record, whose it is, and a copy of all of it."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from ui.settings import Settings
from ui.terminal import print_json, say

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]
audit = typer.Typer(help="The record of every proposal, decision and erasure.", no_args_is_help=True)
privacy = typer.Typer(help="What is on record of a customer, and what may be published.", no_args_is_help=True)


@audit.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check that no row was changed, taken out or cut off since it was written."""
    from shop import ToolError
    from shop import audit as record

    with _shop(context).engine.connect() as connection:
        broken, missing = record.first_broken(connection), record.unrecorded(connection)
        count = sum(1 for _ in record.rows(connection))
    if broken is not None:
        raise ToolError(f"The audit is broken at row {broken}: it was changed after it was written; keep a copy of it.")
    if missing:
        raise ToolError(
            f"The audit and what was carried out differ in {', '.join(missing)}: rows were taken out; keep a copy."
        )
    print_json({"audit": "whole", "rows": count}) if as_json else print(f"The audit is whole: {count} rows.")


@audit.command(name="export")
def export_audit(
    context: typer.Context,
    to: Annotated[Path, typer.Argument(help="The file, one JSON object a row; each seal can be computed again.")],
) -> None:
    """Write the whole audit to a file."""
    from shop import audit as record

    with _shop(context).engine.connect() as connection, to.open("w", encoding="utf-8") as file:
        for row in record.rows(connection):
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
    say(f"Written to {to}.")


@privacy.command(name="export")
def export_customer(
    context: typer.Context, customer: Annotated[str, typer.Argument(help="Id of the customer, as in the orders.")]
) -> None:
    """Print everything on record of a customer, as JSON."""
    from shop.privacy import export

    print_json(export(_shop(context), customer))


@privacy.command()
def erase(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id of the customer, as in the orders.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: Json = False,
) -> None:
    """Take a customer out of the shop for good; her orders stay as sales of nobody."""
    from shop.privacy import erase as erased_from
    from shop.session import Session
    from ui.wiring import MANAGER

    if not yes:
        typer.confirm(f"Erase customer {customer} for good?", abort=True)
    shop = _shop(context).acting_as(Session(MANAGER.role, MANAGER.id))
    rows = dict(erased_from(shop, customer).rows)
    print_json(rows) if as_json else print("\n".join(f"{table}: {count}" for table, count in rows.items()))
    say("Run `./debut index`, so that the search forgets her reviews too.")


@privacy.command()
def publish(
    context: typer.Context,
    epsilon: Annotated[float, typer.Option(min=0.01, max=10, help="Privacy budget of this publication.")] = 1.0,
    clip: Annotated[int, typer.Option(min=1, help="Yearly spending above it counts as it.")] = 1_000,
    as_json: Json = False,
) -> None:
    """Customers and their spending in the last year by region, with noise that hides any one of them."""
    from shop.published import publish as noisy

    shop = _shop(context)
    found = noisy(_spending(shop), Fraction(str(epsilon)), clip)
    rows = [{"region": name, "customers": one.customers, "spending": one.spending} for name, one in found.items()]
    if as_json:
        print_json({"epsilon": epsilon, "clip": clip, "currency": shop.currency, "regions": rows})
        return
    for row in rows:
        print(f"{row['region'] or 'unknown'}: about {row['customers']} customers, {row['spending']} {shop.currency}")


def backup(
    context: typer.Context,
    to: Annotated[Path, typer.Argument(help="The file to write, such as shop-2027-03-01.backup.")],
    as_json: Json = False,
) -> None:
    """Copy the whole shop to one file, also while it is in use."""
    from shop.backup import back_up

    _tell(back_up(_shop(context).engine, to), as_json)


def restore(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="What `./debut backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Set a shop that stands there aside.")] = False,
    as_json: Json = False,
) -> None:
    """Make the shop that DEBUT_SHOP names, else your own, from a copy."""
    from shop.backup import restore as restored
    from ui.wiring import import_url

    settings: Settings = context.obj
    _tell(restored(path, import_url(settings), replace), as_json)


def _tell(copied: Any, as_json: bool) -> None:
    about = {"file": str(copied.path), "sha256": copied.sha256, "rows": copied.rows}
    print_json(about) if as_json else print("\n".join(f"{key}: {value}" for key, value in about.items()))


def _spending(shop: Any) -> dict[str, list[int]]:
    """What each customer spent in the last 52 weeks, in whole units of currency, by region."""
    from sqlalchemy import func, select

    from shop import schema as t

    since = datetime.combine(shop.cutoff - timedelta(weeks=52), time.min)
    spent = func.sum(t.order_lines.c.units * t.order_lines.c.price_cents)
    query = (
        select(t.customers.c.region, spent)
        .join_from(t.customers, t.orders, t.orders.c.customer_id == t.customers.c.id)
        .join(t.order_lines, t.order_lines.c.order_id == t.orders.c.id)
        .where(t.orders.c.placed_at >= since)
        .group_by(t.customers.c.id, t.customers.c.region)
    )
    regions: dict[str, list[int]] = {}
    with shop.engine.connect() as connection:
        for region, cents in connection.execute(query):
            regions.setdefault(region, []).append(int(cents) // 100)
    return regions


def _shop(context: typer.Context) -> Any:
    from ui.wiring import open_shop

    settings: Settings = context.obj
    return open_shop(settings)
