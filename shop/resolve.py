"""From what a person said to one product, category or customer: exact id, exact name, then fuzzy name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process
from sqlalchemy import func, or_, select

from shop import schema as t
from shop.errors import ToolError
from shop.store import Shop
from shop.types import Draft, Product

GOOD_ENOUGH = 80.0  # rapidfuzz WRatio, 0 to 100
CLEARLY_BETTER = 3.0
_CANDIDATES = 5
_SHOW_FROM = 50.0


def find_product(shop: Shop, text: str) -> Product | Draft:
    """The product or draft that a person means by a SKU, a draft id or a name in English or Chinese.

    Raises:
        ToolError: Nothing, or several equally well, fits; the closest candidates are listed with their ids.
    """
    said = text.strip()
    by_id = _by_id(shop, said)
    if by_id is not None:
        return by_id
    names = shop.names()
    ids, english, chinese = (names[column].tolist() for column in ("id", "name", "name_zh"))
    found = _closest(said, [*ids, *ids], [*english, *chinese])
    label = dict(zip(ids, english, strict=True))
    best = _clear_winner(found) or _launched(shop, found, label) or _latest(shop, found, label)
    if best is None:
        listed = "; ".join(f"{label[key]} ({key})" for key, _ in found)
        raise ToolError(_refusal("product", said, listed, found, "search_products finds products by what they are"))
    product = shop.product(best) or shop.draft(best)
    assert product is not None
    return product


def find_category(shop: Shop, text: str) -> str:
    """The path of the category that a person means by a path or a part of one, whatever its case.

    Raises:
        ToolError: Nothing, or several equally well, fits; the closest categories are listed.
    """
    said = " > ".join(part.strip() for part in re.split(r"[>/›]", text) if part.strip())
    paths = sorted({path for leaf in shop.categories()["category"] for path in _with_parents(leaf)})
    found = _closest(said, [*paths, *paths], [*paths, *(path.split(" > ")[-1] for path in paths)])
    best = _clear_winner(found)
    if best is None:
        listed = "; ".join(path for path, _ in found)
        all_tops = ", ".join(path for path in paths if " > " not in path)
        raise ToolError(_refusal("category", said, listed, found, f"all main categories are {all_tops}"))
    return best


def category_words(shop: Shop) -> list[str]:
    """What the shop's categories are said with: their words, in English without a plural s, in Chinese each two
    characters that stand together; sorted, each once."""
    found: set[str] = set()
    for word in re.findall(r"[^\W\d_]+", " ".join(shop.categories()["category"]).lower()):
        if word.isascii():
            found.add(word.removesuffix("s"))
        else:
            found.update(word[place : place + 2] for place in range(max(len(word) - 1, 1)))
    return sorted(word for word in found if len(word) > 1 and word != "and")


def find_customer(shop: Shop, text: str) -> str:
    """The id of the customer that a person means by an id, an e-mail address or a name.

    Raises:
        ToolError: Nothing, or several equally well, fits; the closest customers are listed with their ids.
    """
    said, c = text.strip(), t.customers
    with shop.engine.connect() as connection:
        exact = or_(func.lower(c.c.id) == said.lower(), func.lower(c.c.email) == said.lower())
        ids = connection.execute(select(c.c.id).where(exact).limit(2)).scalars().all()
        if len(ids) == 1:
            return str(ids[0])
        rows = connection.execute(select(c.c.id, c.c.name).where(c.c.name != "")).all()
    found = _closest(said, [row.id for row in rows], [row.name for row in rows])
    best = _clear_winner(found)
    if best is None:
        label = {row.id: row.name for row in rows}
        listed = "; ".join(f"{label[key]} ({key})" for key, _ in found)
        raise ToolError(_refusal("customer", said, listed, found, "segment_customers shows who is there"))
    return best


def _by_id(shop: Shop, said: str) -> Product | Draft | None:
    exact = shop.product(said) or shop.draft(said.upper())
    if exact is not None:
        return exact
    with shop.engine.connect() as connection:
        query = select(t.products.c.sku).where(func.lower(t.products.c.sku) == said.lower()).limit(2)
        skus = connection.execute(query).scalars().all()
    return shop.product(skus[0]) if len(skus) == 1 else None


def _closest(said: str, ids: Sequence[str], choices: Sequence[str]) -> list[tuple[str, float]]:
    """The best ids with their scores, best first, each once; exact matches alone where there are any."""
    wanted = default_process(said)
    if not wanted:
        return []
    texts = [default_process(choice) for choice in choices]
    exact = list(dict.fromkeys(key for key, choice in zip(ids, texts, strict=True) if choice == wanted))
    if exact:
        return [(key, 100.0) for key in exact[:_CANDIDATES]]
    scores: dict[str, float] = {}
    for _, score, index in process.extract(wanted, texts, scorer=fuzz.WRatio, limit=4 * _CANDIDATES, score_cutoff=1):
        scores[ids[index]] = max(score, scores.get(ids[index], 0.0))
    ranked = sorted(scores.items(), key=lambda item: -item[1])[:_CANDIDATES]
    return [item for item in ranked if item[1] >= _SHOW_FROM] or ranked[:3]


def _clear_winner(found: list[tuple[str, float]]) -> str | None:
    if not found or found[0][1] < GOOD_ENOUGH:
        return None
    if len(found) > 1 and found[0][1] - found[1][1] < CLEARLY_BETTER:
        return None
    return found[0][0]


def _launched(shop: Shop, found: list[tuple[str, float]], label: dict[str, str]) -> str | None:
    """The product that a draft of the same name became, where only these two fit: the draft's id still finds it."""
    best = [key for key, score in found if score >= max(GOOD_ENOUGH, found[0][1] - CLEARLY_BETTER)]
    if len(best) != 2 or len({default_process(label[key]) for key in best}) != 1:
        return None
    product = next((item for key in best if (item := shop.product(key)) is not None), None)
    if product is None or product.launch_date is None:
        return None
    d = t.drafts.c
    with shop.engine.connect() as connection:
        drafted = connection.execute(select(d.created_on).where(d.id.in_(best))).scalar_one_or_none()
    return product.sku if drafted is not None and drafted <= product.launch_date else None


def _latest(shop: Shop, found: list[tuple[str, float]], label: dict[str, str]) -> str | None:
    """The latest of several drafts of one name, where these fit alone: each later one says more of the same product."""
    best = {key for key, score in found if score >= max(GOOD_ENOUGH, found[0][1] - CLEARLY_BETTER)}
    if len(best) < 2 or len({default_process(label[key]) for key in best}) != 1:
        return None
    drafts = [draft.id for draft in shop.drafts() if draft.id in best]
    return drafts[-1] if len(drafts) == len(best) else None


def _refusal(kind: str, said: str, listed: str, found: list[tuple[str, float]], hint: str) -> str:
    if not listed:
        return f"There is no {kind} like “{said}” here; {hint}."
    if found[0][1] >= GOOD_ENOUGH:
        return f"“{said}” could be more than one {kind}; say which: {listed}."
    return f"There is no {kind} “{said}”; the closest are {listed}; {hint}."


def _with_parents(path: str) -> list[str]:
    parts = path.split(" > ")
    return [" > ".join(parts[: depth + 1]) for depth in range(len(parts))]
