"""The phrase files: ways to say something, the vocabulary, and which of them only the development set sees."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

Lang = Literal["en", "zh"]
Part = Literal["train", "dev"]
PHRASES = Path(__file__).with_name("phrases")
HELD_BACK = 0.1  # share of entities and phrase families that only the development set sees


@cache
def phrases(name: str) -> dict[str, Any]:
    """One of the phrase files."""
    return tomllib.loads((PHRASES / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def families(role: str, kind: str, lang: str) -> Any:
    """Ways to say something: a list of `declines` or `chats`; `openings` by tool, `asks` by `tool.argument`."""
    further = sorted(path.stem for path in PHRASES.glob(f"*_{lang}.toml"))
    parts = [phrases(role)[kind][lang], *(phrases(name).get(role, {}).get(kind) for name in further)]
    if role == "manager" and kind == "openings":
        parts.append(phrases("manager_more")[kind][lang])
    if kind in ("declines", "chats"):
        return [family for part in parts for family in part or ()]
    names = dict.fromkeys(name for part in parts for name in part or ())
    return {name: [family for part in parts for family in (part or {}).get(name, ())] for name in names}


def held_back(key: str) -> bool:
    """Whether a phrase family or an entity is only seen in the development set: decided by its text, so for good."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 < HELD_BACK
