"""What an approved brief tells shoppers: its questions with the policy that answers each, and its copy's claims."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Engine, func, select

from shop import Shop, ToolError
from shop import schema as t
from shop.brief_log import Approval, approvals, brief_log, frozen_document
from shop.text import clean, language_of, shorten

BRIEF_KINDS = ("faq", "claim")
Row = dict[str, Any]
Figures = Mapping[str, Mapping[str, Any]]
_ANSWER = re.compile(r"^[a-z_]+\d*\.item_1_text$")
_CLAIM = re.compile(r"^copy_[a-z]+_(?P<language>en|zh)\.claim_\d+$")
_LONGEST = 900


def brief_passages(engine: Engine) -> Iterator[Row]:
    """Passages of every brief that was ever approved, each in force while its approval is and the product is on sale.

    A brief without a launch date tells nothing yet, and one whose row was changed after it was approved nothing any
    more. What an answer rests on must still be there: when its policy goes, so does the answer, and when the policy
    ends, the answer ends with it.
    """
    shop = Shop(engine, today=date.max)  # every approval there is: the days of a passage say when it may be seen
    policies = {row["id"]: row for row in _all(engine, t.policies)}
    products = _all(engine, t.products)
    for approval in approvals(shop):
        try:
            document = frozen_document(shop, approval)
        except ToolError:
            continue
        launch = document["subject"]["launch_date"]
        if launch is None:
            continue
        first = max(approval.since, date.fromisoformat(launch)).toordinal()
        shared = {
            "ref": approval.brief_id,
            "sku": _sku(document["subject"], products),
            "category": document["subject"]["category"],
            "day": first,
        }
        for row in (*_answers(document, policies), *_claims(document)):
            last = min(row["until"], _last(approval))
            if first <= last:
                yield {**shared, **row, "until": last, "id": f"{row['kind']}:{approval.brief_id}:{row['id']}"}


def last_approval(engine: Engine) -> int:
    """The number of the last approval or withdrawal of a brief: it moves whenever what briefs tell may have changed."""
    deciding = brief_log.c.kind.in_(("approve", "withdraw"))
    with engine.connect() as connection:
        return connection.execute(select(func.max(brief_log.c.number)).where(deciding)).scalar() or 0


def _answers(document: Mapping[str, Any], policies: Mapping[str, Row]) -> Iterator[Row]:
    """Questions of the brief with the policy's own words, while that policy is on record."""
    name, figures = document["subject"]["name"], document["figures"]
    for figure_id, figure in figures.items():
        if figure["tool"] != "search_policies" or not _ANSWER.match(figure_id) or figure["value"] is None:
            continue
        policy = policies.get(figure["rows"]["where"]["id"][0])
        if policy is None:
            continue
        question, last = str(figure["inputs"]["question"]), policy["effective_to"]
        yield {
            "id": figure_id.partition(".")[0],
            "kind": "faq",
            "language": language_of(question),
            "until": last.toordinal() if last else date.max.toordinal(),
            "source": f"{clean(name)}: {clean(question)} (policy {policy['id']})",
            "text": shorten(f"{clean(name)}. {clean(question)} {clean(policy['text'])}", _LONGEST),
        }


def _claims(document: Mapping[str, Any]) -> Iterator[Row]:
    """What its copy says of the product, each claim once a language, where it says on what that rests."""
    name, figures, said = document["subject"]["name"], document["figures"], set[tuple[str, str]]()
    for figure_id, figure in figures.items():
        found, source = _CLAIM.match(figure_id), figures.get(f"{figure_id}_source")
        if found is None or figure["value"] is None or source is None or source["value"] is None:
            continue
        language, text = found["language"], clean(str(figure["value"]))
        if (language, text) in said:
            continue
        said.add((language, text))
        yield {
            "id": figure_id.replace(".", ":"),
            "kind": "claim",
            "language": language,
            "until": date.max.toordinal(),
            "source": f"{clean(name)}: {clean(str(source['value']))}",
            "text": f"{clean(name)}: {text}",
        }


def _last(approval: Approval) -> int:
    """The last day of an approval: the day before another version took its place or it was withdrawn."""
    return date.max.toordinal() if approval.until is None else approval.until.toordinal() - 1


def _sku(subject: Mapping[str, Any], products: list[Row]) -> str:
    """The product that a draft became: the one that names the draft, else the one of the same name; else none yet."""
    named = [row["sku"] for row in products if row["attributes"].get("draft") == subject["id"]]
    same = [row["sku"] for row in products if row["name"].casefold() == subject["name"].casefold()]
    return str((named or same or [""])[0])


def _all(engine: Engine, table: Any) -> list[Row]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]
