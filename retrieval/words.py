"""Words to search by: stems in English, dictionary words and pairs of characters in Chinese."""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import lru_cache

import Stemmer

# SKUs and sizes such as GK-200 or 1.7 stay whole and are cut at their joints too.
_PIECE = re.compile(r"[a-z0-9]+(?:[-./'’][a-z0-9]+)*|[\u3400-\u4dbf\u4e00-\u9fff]+")
_JOINT = re.compile(r"[-./]")
# fmt: off
_COMMON_EN = frozenset((
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do",
    "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my", "of",
    "on", "or", "our", "please", "shall", "should", "so", "than", "that", "the", "their", "them", "then", "there",
    "these", "they", "this", "those", "to", "was", "we", "were", "what", "when", "which", "who", "will", "with",
    "would", "you", "your",
))
_COMMON_ZH = frozenset((
    "的", "了", "是", "我", "你", "您", "吗", "呢", "吧", "啊", "和", "与", "在", "有", "就", "都", "也",
    "很", "把", "被", "让", "给", "对", "这", "那", "个", "会", "要", "能", "可以", "什么", "怎么", "如何",
    "请问", "多少", "多久", "哪些",
))
# fmt: on


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=1)
def _jieba() -> object:
    import jieba  # half a second to load its dictionary: only when there is Chinese to cut

    jieba.setLogLevel(logging.WARNING)
    return jieba


def words(text: str) -> list[str]:
    """Terms of a text in order, repeated as they occur; common words are left out.

    English is lower-cased and stemmed (Porter 2). Chinese is cut into jieba's words, also the shorter ones inside
    long words, and besides into overlapping pairs of characters and single ones, so that a word the dictionary lacks
    or cuts elsewhere is still found.
    """
    found: list[str] = []
    # Full-width letters and digits are the same words.
    for piece in _PIECE.findall(unicodedata.normalize("NFKC", text).lower()):
        if piece[0] >= "\u3400":
            pairs = [piece[i : i + 2] for i in range(len(piece) - 1)]
            found += chinese_words(piece) + pairs + [char for char in piece if char not in _COMMON_ZH]
        else:
            joined = _JOINT.split(piece)
            whole = [piece] if len(joined) > 1 else []
            plain = [word.split("'")[0].split("’")[0] for word in joined]
            found += whole + _stemmer().stemWords([word for word in plain if word and word not in _COMMON_EN])
    return found


def chinese_words(text: str) -> list[str]:
    """jieba's words of Chinese text, without common ones."""
    cut: list[str] = _jieba().lcut_for_search(text)  # type: ignore[attr-defined]
    return [word for word in cut if word not in _COMMON_ZH and not word.isspace()]
