"""The demo shop's vocabulary, read from the TOML files in `words/`: departments, facts, reviews, policies."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

DEPARTMENTS = (
    "kitchen",
    "tableware",
    "office",
    "outdoor",
    "beauty",
    "pets",
    "baby",
    "fitness",
    "bags",
    "textiles",
)
Pair = tuple[str, str]  # English, Chinese


@dataclass(frozen=True)
class Fact:
    """What is true of a product, how its description puts it and what buyers say; `sign` is -1 for a drawback."""

    attribute: str
    value: str
    sign: int
    text: str
    text_zh: str
    said: tuple[str, ...] = ()
    said_zh: str = ""


@dataclass(frozen=True)
class Sub:
    """A second-level category. `price` is a range in the shop's currency; `size` names the attribute shown in names."""

    name: str
    prefix: str
    price: tuple[float, float]
    bundles: tuple[str, ...]
    types: tuple[Pair, ...]
    uses: tuple[Pair, ...]
    facts: dict[str, tuple[Fact, ...]]
    department: int
    size: str = ""


@dataclass(frozen=True)
class Department:
    """A first-level category and how its demand behaves.

    `season` lists bumps as (week of the year, width in weeks, height); `kinds` the shares of steady, fad and slow
    launches; `returns` the share of units that come back.
    """

    name: str
    brands: tuple[Pair, ...]
    colours: tuple[str, ...]
    season: tuple[tuple[float, float, float], ...]
    weekday: tuple[float, ...]
    elasticity: float
    level: float
    kinds: tuple[float, float, float]
    returns: float
    openers: tuple[str, ...]
    openers_zh: tuple[str, ...]
    warranties: tuple[str, ...] = ("1 year", "2 years", "3 years", "5 years")


@dataclass(frozen=True)
class Words:
    """Everything that is written down rather than drawn."""

    departments: tuple[Department, ...]
    subs: tuple[Sub, ...]
    shared: dict[str, Any]
    voices: dict[str, Any]
    policies: list[dict[str, Any]]

    def category(self, sub: int) -> str:
        """The category path of a second-level category."""
        return f"{self.departments[self.subs[sub].department].name} > {self.subs[sub].name}"


def load(small: bool = False) -> Words:
    """Read the vocabulary; the small shop keeps the first second-level category of every department."""
    departments, subs = [], []
    for number, stem in enumerate(DEPARTMENTS):
        raw = _read(stem)
        listed = raw.pop("sub")
        departments.append(Department(**{key: _frozen(value) for key, value in raw.items()}))
        subs += [_sub(entry, number) for entry in (listed[:1] if small else listed)]
    return Words(tuple(departments), tuple(subs), _read("shared"), _read("voices"), _read("policies")["policy"])


def _read(stem: str) -> dict[str, Any]:
    return tomllib.loads((files("shop.demo") / "words" / f"{stem}.toml").read_text(encoding="utf-8"))


def _sub(raw: dict[str, Any], department: int) -> Sub:
    facts: dict[str, tuple[Fact, ...]] = {}
    for attribute, value, sign, text, text_zh, *said in raw["facts"]:
        spoken = (tuple(said[0].split("|")), said[1]) if said else ((), "")
        facts[attribute] = (*facts.get(attribute, ()), Fact(attribute, value, sign, text, text_zh, *spoken))
    rest = {key: _frozen(value) for key, value in raw.items() if key != "facts"}
    return Sub(**rest, facts=facts, department=department)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
