"""What people do to a sentence: greetings and asides around it, numbers that belong to nothing, typos, dictation, case.

Values are marks at this stage (`sentences.is_mark`), so nothing here can change what a call copies; only lower case
reaches them, and then it is said so.
"""

from __future__ import annotations

import random
import re

from finetune.phrasing import phrases
from finetune.sentences import Sentence, is_mark
from finetune.writer import Writer

# What lies beside each key.
_NEAR = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl",
    "p": "ol", "a": "qsz", "s": "adwx", "d": "sfec", "f": "dgrv", "g": "fhtb", "h": "gjyn", "j": "hkum", "k": "jli",
    "l": "ko", "z": "xas", "x": "zcsd", "c": "xvdf", "v": "cbfg", "b": "vnhg", "n": "bmjh", "m": "njk",
}  # fmt: skip
_FIRST_PERSON = re.compile(r"(?:I|I'm|I'd|I've|RFM|SMS|YoY|GMV|ROP|VOC|PLC|CRM|ROAS|MOQ|P10)\b")
_ZH_SLIPS = (
    ("的", "地"), ("在", "再"), ("吗", "嘛"), ("怎么", "咋"), ("一下", "下"), ("什么", "啥"),
    ("预测", "预侧"), ("促销", "促消"),
)  # fmt: skip


def around(writer: Writer, sentence: Sentence, light: bool = False) -> bool:
    """Put a sentence the way someone in a hurry, on a phone or in a good mood would; True where all became lower case.

    Args:
        writer: For the values in asides.
        sentence: Changed in place.
        light: Only what a short reply would carry.
    """
    rng = writer.rng
    spoken = not light and rng.random() < 0.06
    text = _wrapped(writer, sentence, light)
    if sentence.lang == "zh":
        sentence.text = _zh_surface(text, rng, spoken)
        return rng.random() < 0.05
    if rng.random() < 0.85:
        text = text[:1].upper() + text[1:]
    if text[-1:] not in "?.!" and rng.random() < 0.3:
        text += rng.choice("...!")
    if spoken:
        text = _dictated(text, rng)
    elif rng.random() < 0.2:
        text = re.sub(r"[?.!]+$", "", text)
    if rng.random() < 0.16:
        text = _typos(text, rng.choice((1, 1, 2)), rng)
    lowered = spoken or rng.random() < 0.17
    sentence.text = text.lower() if lowered else text
    return lowered


def _wrapped(writer: Writer, sentence: Sentence, light: bool) -> str:
    rng, words = writer.rng, phrases("around")[sentence.lang]
    text = sentence.text
    if rng.random() < (0.05 if light else 0.28):
        text = _greeted(text, words, sentence.lang, rng)
    if not light and rng.random() < 0.13:
        aside = writer.expand(sentence, rng.choice(words[f"distractors_{sentence.role}"]))
        if sentence.lang == "zh":
            text = aside + text
        else:
            whole = text if text[-1:] in "?.!" else text + "."
            text = f"{aside} {whole[:1].upper()}{whole[1:]}" if rng.random() < 0.6 else f"{whole} {aside}"
    if rng.random() < (0.05 if light else 0.13):
        after = rng.choice(words["after"] if sentence.lang == "zh" else words[f"after_{sentence.role}"])
        closed = sentence.lang == "zh" or text[-1:] in "?.!"
        text = text.rstrip("？") + after if sentence.lang == "zh" else f"{text}{'' if closed else '.'} {after}"
    return text


def _greeted(text: str, words: dict[str, list[str]], lang: str, rng: random.Random) -> str:
    if lang == "zh":
        plain = [word for word in words["before"] if word.endswith("，")]
        return rng.choice(plain if is_mark(text[0]) or text[0] in "我你谁哪“" else words["before"]) + text
    first = re.match(r"[A-Za-z']+", text)
    if first and first[0].lower() in words["imperatives"] and rng.random() < 0.7:
        return rng.choice(words["before_imperative"]) + text[0].lower() + text[1:]
    keep = _FIRST_PERSON.match(text) or is_mark(text[0])
    return rng.choice(words["before"]) + (text if keep else text[0].lower() + text[1:])


def _dictated(text: str, rng: random.Random) -> str:
    """As a phone writes what it hears."""
    words = (rng.choice(phrases("around")["en"]["fillers"]) + text).split(" ")
    if len(words) > 6 and rng.random() < 0.5:
        words.insert(rng.randrange(2, len(words) - 1), rng.choice(("um", "uh", "like", "you know")))
    return re.sub(r"[,.?!;:]", "", " ".join(words))


def _typos(text: str, count: int, rng: random.Random) -> str:
    found = list(re.finditer(r"[A-Za-z]{4,}", text))
    for match in sorted(rng.sample(found, min(count, len(found))), key=lambda m: -m.start()):
        text = text[: match.start()] + _misspelt(match[0], rng) + text[match.end() :]
    return text


def _misspelt(word: str, rng: random.Random) -> str:
    at, kind = rng.randrange(1, len(word) - 1), rng.random()
    if kind < 0.35:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.6:
        return word[:at] + word[at + 1 :]
    other = word[at] * 2 if kind < 0.8 else rng.choice(_NEAR.get(word[at].lower(), word[at]))
    return word[:at] + other + word[at + 1 :]


def _zh_surface(text: str, rng: random.Random, spoken: bool) -> str:
    if rng.random() < 0.2:
        text = text.rstrip("？。")
    elif rng.random() < 0.15 and text[-1] not in "？。！":
        text += "？" if re.search("吗|什么|多少|怎么|谁|哪", text) else "。"
    if spoken:
        text = rng.choice(("嗯，", "那个", "就是", "呃，")) + re.sub(
            "[，？。！]", lambda _: rng.choice(("", " ")), text
        )
    if rng.random() < 0.1:
        old, new = rng.choice(_ZH_SLIPS)
        text = text.replace(old, new, 1)
    return text.replace("，", rng.choice((" ", ","))) if rng.random() < 0.06 else text
