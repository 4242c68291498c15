"""Language and tone as people say them."""

from __future__ import annotations

import re

from shop import Shop, ToolError
from shop.text import CHINESE
from tools.copy.limits import Language
from tools.copy.voice import Tone

_LANGUAGES: dict[Language, re.Pattern[str]] = {
    "zh": re.compile(r"zh\b|cn\b|chinese|mandarin|中文|汉语|普通话|简体|华语", re.I),
    "en": re.compile(r"en\b|english|british|american|英文|英语", re.I),
}
_TONES: dict[Tone, re.Pattern[str]] = {
    "formal": re.compile(
        r"formal|professional|serious|business|elegant|luxur|premium|minimal|sober|factual|"
        r"正式|专业|严肃|商务|高级|高端|简洁|稳重|文艺",
        re.I,
    ),
    "playful": re.compile(
        r"playful|\bfun|humou?r|witty|cheeky|quirky|bold|young|energetic|活泼|俏皮|幽默|有趣|搞笑|可爱|年轻|热情", re.I
    ),
    "friendly": re.compile(
        r"friendly|warm|casual|relaxed|kind|informal|neutral|conversational|友好|亲切|温暖|轻松|随和|温柔|治愈", re.I
    ),
}


def language_asked(shop: Shop, said: str | None, product: str) -> Language:
    """The language of the copy: as said, else that of the words the product was named in, else the shop's.

    Raises:
        ToolError: Another language than English or Chinese.
    """
    if said is None or not said.strip():
        if CHINESE.search(product):
            return "zh"
        return "zh" if shop.meta("language", "en").startswith("zh") else "en"
    for language, pattern in _LANGUAGES.items():
        if pattern.search(said):
            return language
    raise ToolError(f"Copy is written in English or Chinese, not in “{said}”; choose one and have it translated.")


def tone_asked(said: str | None, usual: Tone = "friendly") -> tuple[Tone, bool]:
    """The tone, and whether the word for it was understood; the shop's usual one where none was given or it was not."""
    if said is None or not said.strip():
        return usual, True
    if re.search(r"informal|not (?:too )?formal|less formal|别太正式|不要太正式", said, re.I):
        return "friendly", True
    found = next((tone for tone, pattern in _TONES.items() if pattern.search(said)), None)
    return found or usual, found is not None
