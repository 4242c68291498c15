"""What copy may say of a product: facts of the catalogue, each with its source, and their wording per language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from shop import Draft, Passage, Product, Rows
from shop.text import clean, language_of, sentences, shorten
from tools.copy.bilingual import in_language
from tools.copy.forbidden import PLAIN, BannedWord, without_forbidden
from tools.copy.limits import Language
from tools.copy.voice import Voice
from tools.text import tokens

Kind = Literal["name", "brand", "category", "attribute", "sentence", "price", "launch", "shop", "reviews", "policy"]
LONGEST = 240  # characters of a sentence that copy takes over whole
# Attributes that are no business of a shopper: keys, files, and what the purchase was like.
_INTERNAL = re.compile(
    r"^(?:draft|image|picture|photo|sku|ean|gtin|upc|barcode|id|supplier|cost|margin|moq|source)\b", re.I
)
_LINK = re.compile(r"https?:|www\.|[/\\].*[/\\]", re.I)


@dataclass(frozen=True)
class Fact:
    """One thing that is known of a product.

    Attributes:
        id: Its place in the ledger, the same in every language: `claim_3`.
        kind: What sort of fact.
        texts: Its wording by language; a language that is absent has none.
        short: The same in a word or two, for titles and ads.
        source: Where it stands, in words.
        rows, passage: The stored rows behind it, and the passage where it is cited.
        covers: Attributes that a sentence tells of.
        place: Where a sentence stands in its description, so that it can be told in its order.
    """

    id: str
    kind: Kind
    texts: Mapping[str, str]
    short: Mapping[str, str]
    source: str
    rows: Rows | None = None
    passage: Passage | None = None
    covers: frozenset[str] = frozenset()
    place: int = 0


@dataclass(frozen=True)
class Removed:
    """A word that kept a fact, or a part of it, out of the copy."""

    banned: BannedWord
    source: str
    language: str


def product_facts(item: Product | Draft, voice: Voice = PLAIN) -> tuple[list[Fact], list[Removed]]:
    """Facts of a product or draft in the order in which copy prefers them, and the forbidden words taken out.

    First the sentences of its description that tell of an attribute, then the attributes that no sentence tells of,
    then the other sentences. All are in the shop's own words, where it prefers others.
    """
    known = {key: value for key, value in item.attributes.items() if _for_shoppers(key, str(value))}
    where, rows = _where(item)
    removed: list[Removed] = []
    said: list[tuple[str, str, frozenset[str]]] = []
    for text in _descriptions(item):
        for sentence in sentences(clean(text)):
            left, hits = without_forbidden(voice.worded(sentence), known, voice)
            removed += [Removed(hit, f"{where}, description", language_of(sentence)) for hit in hits]
            if left and len(left) <= LONGEST:
                said.append((left, language_of(left), _told(left, known)))
    plain: list[tuple[str, str]] = []
    for key, value in known.items():
        left, hits = without_forbidden(voice.worded(str(value)), known, voice)
        removed += [Removed(hit, f"{where}, attribute {key}", "") for hit in hits]
        if left:
            plain.append((key, left))
    found = [
        Fact("", "sentence", {language: text}, {}, f"{where}, description", rows, covers=covers, place=place)
        for place, (text, language, covers) in enumerate(said)
    ]
    found += [
        Fact("", "attribute", *_attribute(key, value), f"{where}, attribute {key}", rows, covers=frozenset({key}))
        for key, value in plain
    ]
    ordered = sorted(found, key=lambda fact: (not fact.covers, fact.kind == "attribute"))
    return [replace(fact, id=f"claim_{number}") for number, fact in enumerate(ordered, 1)], removed


def told_by(facts: Sequence[Fact], language: Language) -> set[str]:
    """Attributes that a sentence in this language tells of already."""
    spoken = [fact.covers for fact in facts if fact.kind == "sentence" and language in fact.texts]
    return set().union(*spoken)


def _attribute(key: str, value: str) -> tuple[dict[str, str], dict[str, str]]:
    texts: dict[str, str] = {}
    short: dict[str, str] = {}
    for language, mark in (("en", ": "), ("zh", "：")):
        name, word = in_language(key, language, "names"), in_language(value, language)  # type: ignore[arg-type]
        if word:
            short[language] = word
        if name and word:
            texts[language] = f"{name}{mark}{word}"
    return texts, short


def _told(sentence: str, attributes: Mapping[str, str]) -> frozenset[str]:
    """Attributes whose whole value the sentence holds, in either language."""
    words, text = set(tokens(sentence)), sentence.casefold()
    found = set()
    for key, value in attributes.items():
        english, chinese = in_language(str(value), "en"), in_language(str(value), "zh")
        spelled = set(tokens(english or str(value)))
        if (spelled and spelled <= words) or (chinese and chinese.casefold() in text):
            found.add(key)
    return frozenset(found)


def _descriptions(item: Product | Draft) -> list[str]:
    return [item.description, item.description_zh] if isinstance(item, Product) else [item.description]


def _for_shoppers(key: str, value: str) -> bool:
    return bool(value.strip()) and len(value) <= 80 and not _INTERNAL.match(key.strip()) and not _LINK.search(value)


def _where(item: Product | Draft) -> tuple[str, Rows]:
    table, column, key = ("drafts", "id", item.id) if isinstance(item, Draft) else ("products", "sku", item.sku)
    return f"{table[:-1]} {key}", Rows(table=table, where={column: (key,)}, count=1)


def name_facts(item: Product | Draft, shop_name: str, shown_at: str) -> list[Fact]:
    """Name, brand, category leaf as a tag, and shop as facts.

    A name stands in both languages, and as it is: nobody but its owner can change it, so the check objects instead.
    """
    where, rows = _where(item)
    chinese = item.name_zh if isinstance(item, Product) else ""
    names = {"en": _line(item.name), "zh": _line(chinese or item.name)}
    found = [Fact("name", "name", names, {}, f"{where}, name", rows)]
    if isinstance(item, Product) and item.brand:
        brand = _line(item.brand)
        found.append(Fact("brand", "brand", {"en": brand, "zh": brand}, {}, f"{where}, brand", rows))
    if leaf := item.category.split(" > ")[-1]:
        tags = {language: _tag(in_language(leaf, language, "names")) for language in ("en", "zh")}
        found.append(Fact("category", "category", {k: v for k, v in tags.items() if v}, {}, f"{where}, category", rows))
    shop = shorten(clean(shop_name), 40)
    found.append(Fact("shop", "shop", {"en": shop, "zh": shop}, {}, shown_at))
    return found


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _tag(text: str) -> str:
    """Words joined as a hashtag takes them: `Desk lamps` becomes `DeskLamps`."""
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", text))
