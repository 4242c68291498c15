"""What the assistant says in examples: small talk, a word about a subject, an answer from a tool's figures."""

from __future__ import annotations

import random
import re

from agent.ledger import placeholders, split_placeholder
from finetune.phrasing import phrases
from finetune.sentences import Sentence
from finetune.world import Answered
from finetune.writer import Writer
from shop import ToolResult


def chat(rng: random.Random, role: str, mood: str, lang: str) -> str:
    """The reply to small talk of a kind (`mood`)."""
    return str(rng.choice(phrases("replies")["chats"][role][mood][lang]))


def mood(said: str) -> str:
    """What kind of small talk it is."""
    text = said.lower()
    moods = (
        ("about", r"who (are|am|built)|what can|what are you able|are you a|how do(es)? |your name|explain|^help|"
                  r"你是谁|能做什么|会什么|怎么用|叫什么|机器人|能帮我什么|会说"),
        ("thanks", r"thank|thx|perfect|great|nice|well done|helpful|cool|awesome|best|谢|辛苦|不错|太好|有帮助"),
        ("bye", r"\bbye|good night|see you|tomorrow|再见|拜拜|晚安"),
        ("greeting", r"^(hi|hey|hello|good (morning|evening)|morning|anyone|greetings)|[你您早]好|嗨|在吗|有人吗"),
    )  # fmt: skip
    return next((mood for mood, pattern in moods if re.search(pattern, text)), "other")


def told_of(writer: Writer, sentence: Sentence, name: str, subject: str) -> str:
    """What the assistant said about a subject, in plain words."""
    told = phrases("replies")["told"][sentence.lang]
    family = writer.rng.choice([*told.get(name, []), *told["any"]]).replace("{p}", "\x00")
    scratch = Sentence(sentence.lang, sentence.role)
    scratch.text = writer.expand(scratch, family)
    shown = scratch.shown().replace("\x00", subject)
    return shown[:1].upper() + shown[1:]


def answer(rng: random.Random, answered: Answered, name: str, lang: str) -> str:
    """A sentence or two over the result's figures; the first of the tool's own where none was written for it."""
    assert answered.result is not None
    written = [fitted(text, answered.result) for text in phrases("replies")["answers"][lang].get(name, [])]
    usable = [text for text in written if text]
    if usable:
        return rng.choice(usable)
    return re.split(r"(?<=[.!?。])\s", answered.result.summary, maxsplit=1)[0]


def fitted(text: str, result: ToolResult) -> str:
    """A written answer with the ids that the figures have in this conversation; empty where one is unknown."""
    known = {re.sub(r"^([a-z_]+)\d*\.", r"\1.", f.id): f for f in result.figures}
    for name in placeholders(text):
        stem, part = split_placeholder(name)
        figure = known.get(stem)
        if figure is None or getattr(figure, part or "value") is None:
            return ""
        text = text.replace("{{" + name + "}}", "{{" + ".".join(filter(None, (figure.id, part))) + "}}")
    return text


def closest(error: str) -> list[str]:
    """The names that a tool's sentence offers."""
    found = re.search(r"the closest are (.+?)(?:; [a-z_]+ |\.$|$)", error)
    return [each.strip() for each in found[1].split(";")] if found else []
