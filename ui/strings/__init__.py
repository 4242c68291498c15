"""What the pages say, in English and Chinese: one TOML file a page beside this one, a line a string."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

Locale = Literal["en", "zh"]
LOCALES: dict[Locale, str] = {"en": "English", "zh": "中文"}  # each in its own language, for the switch
HERE = Path(__file__).parent


class Words(Mapping[str, str]):
    """The strings of one page in one language: `say("ahead", count=3)`, or `say["send"]`.

    Args:
        page: Name of the file without its ending, such as `desk`.
        locale: `en` or `zh`.
    """

    def __init__(self, page: str, locale: Locale) -> None:
        self.locale = locale
        self._lines = {key: both[locale] for key, both in read(page).items()}

    def __call__(self, key: str, **values: Any) -> str:
        return self._lines[key].format(**values)

    def __getitem__(self, key: str) -> str:
        return self._lines[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def locale_of(text: str | None) -> Locale:
    """A language tag, or a whole Accept-Language header, as one of our languages; English where it is neither."""
    for part in (text or "").lower().split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return "en"


def pages() -> list[str]:
    """Names of the files."""
    return sorted(path.stem for path in HERE.glob("*.toml"))


@cache
def read(page: str) -> dict[str, dict[Locale, str]]:
    """A file whole: by key the string in every language."""
    return tomllib.loads((HERE / f"{page}.toml").read_text(encoding="utf-8"))
