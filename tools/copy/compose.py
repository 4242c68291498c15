"""From claims to the text of a channel: phrases around the claims, as many of these as the limit allows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from tools.copy.claims import Claims, named, shown
from tools.copy.limits import Channel, Language, limit_of
from tools.copy.voice import Tone

Status = Literal["live", "coming", "soon"]
Copy = dict[str, str]  # part to template
MOST_BULLETS = 5
MOST_HEADLINES = 5
LEAST_HEADLINES = 3  # Google Ads asks for three headlines and two descriptions
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ENDS = tuple(".!?…。！？；")


@dataclass(frozen=True)
class Pen:
    """Writes for one channel in one language and tone.

    Attributes:
        claims: What may be said.
        points: Figure ids worth saying, best first.
        prose: The same, sentences in the order of their description.
        shorts: Figure ids of attributes in a word or two.
        status: Which phrase tells when it can be bought: live, coming or soon.
    """

    channel: Channel
    language: Language
    tone: Tone
    claims: Claims
    points: Sequence[str]
    prose: Sequence[str]
    shorts: Sequence[str]
    status: Status

    def phrase(self, name: str) -> str:
        """A phrase of this tone; empty where one of its placeholders is not known."""
        template = phrases(self.language)[self.tone][name]
        return template if all(figure in self.claims for figure in named(template)) else ""

    def sentence(self, figure: str) -> str:
        """A claim as a sentence, closed by a full stop if it has no end of its own."""
        stop = "。" if self.language == "zh" else "."
        return _slot(figure) + ("" if self.claims[figure].shown.endswith(_ENDS) else stop)

    def fits(self, part: str, template: str) -> bool:
        return limit_of(self.channel, self.language, part).fits(shown(template, self.claims))

    def filled(
        self, part: str, lead: Sequence[str], options: Sequence[str], tail: Sequence[str] = (), most: int = 99
    ) -> str:
        """Lead and tail, and between them the first options that fit, `most` of them; empty pieces are left out."""
        chosen: list[str] = []
        for option in options:
            longer = self.joined([*lead, *chosen, option, *tail])
            if option and len(chosen) < most and self.fits(part, longer):
                chosen.append(option)
        return self.joined([*lead, *chosen, *tail])

    def joined(self, pieces: Sequence[str]) -> str:
        return ("" if self.language == "zh" else " ").join(piece for piece in pieces if piece)


def compose(pen: Pen) -> Copy:
    """The copy of the pen's channel, part by part."""
    return _WRITERS[pen.channel](pen)


@lru_cache(maxsize=2)
def phrases(language: Language) -> dict[str, dict[str, str]]:
    """Phrases of a language by tone and name."""
    listed = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = listed[language]
    return found


def _title(pen: Pen) -> Copy:
    brand, name = _slot("copy.brand"), _slot("copy.name")
    told = shown(name, pen.claims).casefold()
    if "copy.brand" in pen.claims and pen.claims["copy.brand"].shown.casefold() not in told:
        led = f"{brand} {name}"
        name = led if pen.fits("title", led) else name
    gap = " " if pen.language == "zh" else ", "
    new = [figure for figure in pen.shorts if not _repeats(pen.claims[figure].shown, told)]
    title = name
    for figure in new[:3]:
        longer = f"{title}{gap}{_slot(figure)}"
        title = longer if pen.fits("title", longer) else title
    return {"title": title}


def _bullets(pen: Pen) -> Copy:
    fitting = [_slot(figure) for figure in pen.points if pen.fits("bullet", _slot(figure))]
    return {f"bullet_{number}": text for number, text in enumerate(fitting[:MOST_BULLETS], 1)}


def _description(pen: Pen) -> Copy:
    tail = [pen.phrase("reviews"), pen.phrase("theme"), _policy(pen)]
    said = [pen.sentence(figure) for figure in pen.prose]
    return {"description": pen.filled("description", [pen.phrase("meet")], said, tail)}


def _email(pen: Pen) -> Copy:
    said = [pen.sentence(figure) for figure in pen.points]
    tail = [pen.phrase("reviews"), pen.phrase("price"), _policy(pen)]
    return {
        "subject": _first(pen, "subject", [pen.phrase("subject"), _slot("copy.name")]),
        "preheader": _first(pen, "preheader", [*map(_slot, pen.points), pen.phrase("call")]),
        "greeting": pen.phrase("greeting"),
        "body": pen.filled("body", [pen.phrase("meet"), pen.phrase(pen.status)], said, tail, most=5),
        "closing": pen.phrase("closing"),
    }


def _sms(pen: Pen) -> Copy:
    said = [pen.phrase("price"), *(pen.sentence(figure) for figure in [*pen.points, *pen.shorts])]
    lead, tail = pen.phrase("sender"), pen.phrase("optout")
    if not pen.fits("text", pen.joined([lead, tail])):
        lead = pen.sentence("copy.name")
    return {"text": pen.filled("text", [lead], said, [tail], most=2)}


def _social(pen: Pen) -> Copy:
    said = [pen.sentence(figure) for figure in pen.points]
    tag = ["#" + _slot("copy.category")] if "copy.category" in pen.claims else []
    text = pen.filled("text", [pen.phrase("meet"), pen.phrase(pen.status)], said, tag, most=3)
    if pen.language == "en":
        return {"text": text}
    return {"headline": _first(pen, "headline", [_slot("copy.name"), pen.phrase("call")]), "text": text}


def _ad(pen: Pen) -> Copy:
    heads = [_slot("copy.name"), pen.phrase("pricetag"), *map(_slot, pen.points), pen.phrase("call")]
    heads += [pen.phrase("price"), *(_slot(figure.removesuffix("_short")) for figure in pen.shorts)]
    heads += [pen.phrase("details"), pen.phrase("from")]
    fitting = [
        head for head in heads if head and all(f in pen.claims for f in named(head)) and pen.fits("headline", head)
    ]
    copy = {f"headline_{n}": head for n, head in enumerate(list(dict.fromkeys(fitting))[:MOST_HEADLINES], 1)}
    return copy | {f"description_{n}": text for n, text in enumerate(_ad_descriptions(pen), 1)}


def _ad_descriptions(pen: Pen) -> list[str]:
    """Two descriptions: what fits of the points, then where it can be bought."""
    bodies = [text for figure in pen.points if pen.fits("description", text := pen.sentence(figure))]
    first = pen.filled("description", bodies[:1], bodies[1:])
    left = [text for text in bodies if text not in first]
    status = pen.phrase(pen.status)
    texts = [
        first,
        pen.filled("description", [], left, [status]),
        pen.joined([pen.phrase("meet"), status]),
        status,
        pen.phrase("meet"),
    ]
    return [text for text in dict.fromkeys(texts) if text and pen.fits("description", text)][:2]


_WRITERS: dict[Channel, Callable[[Pen], Copy]] = {
    "title": _title,
    "bullets": _bullets,
    "description": _description,
    "email": _email,
    "sms": _sms,
    "social": _social,
    "ad": _ad,
}


def _repeats(text: str, told: str) -> bool:
    """Whether a short fact says what the name says already, be it in words or by its number."""
    numbers = _NUMBER.findall(text)
    return text.casefold() in told or (bool(numbers) and all(number in _NUMBER.findall(told) for number in numbers))


def _policy(pen: Pen) -> str:
    return pen.sentence("copy.policy") if "copy.policy" in pen.claims else ""


def _first(pen: Pen, part: str, candidates: Sequence[str]) -> str:
    """The first candidate that fits the part; the first of all where none does, for the check to object to."""
    known = [text for text in candidates if text]
    return next((text for text in known if pen.fits(part, text)), known[0])


def _slot(figure: str) -> str:
    return "{{" + figure + "}}"
