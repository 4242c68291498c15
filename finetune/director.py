"""What scenes are put together of: requests for a tool, the calls they mean, and the tools that are shown for them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from agent.choice import Asked
from agent.models.template import ToolSpec
from agent.personal import Vault
from finetune.examples import Example
from finetune.noise import around
from finetune.phrasing import Lang, families, phrases
from finetune.pronouns import pointed, points_well
from finetune.sentences import Sentence, tidy
from finetune.world import World
from finetune.writer import Writer

Turn = dict[str, Any]
_HOLDS = re.compile(r"\{(product|order|customer|category)(?::\w+)?\}|<ord2?>|<np>")


@dataclass
class Scene:
    """Turns so far, the tools shown for what comes next, and what was made of it.

    A shopper's personal data reaches the model as tokens (`agent.personal`); `hidden` makes the examples so.
    """

    role: str
    tools: tuple[str, ...]
    turns: tuple[Turn, ...] = ()
    made: list[Example] = field(default_factory=list)
    hidden: bool = False

    def add(self, kind: str, lang: str, family: str, latest: list[Turn], text: str = "", call: Any = None) -> None:
        """One thing the user may say here, and the reply."""
        turns, call = (*self.turns, *latest), dict(call or {})
        if self.hidden:
            vault = Vault()
            turns = tuple({**turn, "content": vault.hide(turn["content"])} for turn in turns)
            if call:
                call["arguments"] = {name: _hidden(value, vault) for name, value in call["arguments"].items()}
        self.made.append(Example(kind, self.role, lang, family, turns, self.tools, text, call))


class Director:
    """Draws what scenes are put together of, for one shop.

    Args:
        world: The shop and its tools.
        writer: Fills openings with values.
        chinese: Share of Chinese.

    Attributes:
        made: How often each tool of a role was asked for, so that the rare ones come next.
        foreign: Tools that are not the shop's and were shown in a scene, by name.
    """

    def __init__(self, world: World, writer: Writer, chinese: float = 0.45) -> None:
        self.world, self.writer, self.rng = world, writer, writer.rng
        self._chinese = chinese
        self.made: Counter[tuple[str, str]] = Counter()
        self.foreign: dict[str, ToolSpec] = {}

    def lang(self) -> Lang:
        """The language of what is said next."""
        return "zh" if self.rng.random() < self._chinese else "en"

    def openings(self, role: str, lang: str, name: str) -> list[str]:
        """Families that ask for a tool."""
        found: list[str] = families(role, "openings", lang).get(name, [])
        return found

    def opening(self, role: str, lang: Lang, name: str) -> tuple[Sentence, str] | None:
        """A request that a tool answers, and its family."""
        family = self.writer.family(self.openings(role, lang, name), f"{role}.{lang}.{name}")
        return (self.writer.write(family, lang, role), family) if family else None

    def rarest(self, role: str, names: tuple[str, ...]) -> str:
        """One of the tools that were asked for least."""
        least = min(self.made[role, name] for name in names)
        return self.rng.choice([name for name in names if self.made[role, name] <= least + 2])

    def pointing(self, scene: Scene, lang: Lang, argument: str) -> tuple[Sentence, str, str] | None:
        """A request that says `it` for a subject: the sentence, its family and the tool."""
        names = [n for n in scene.tools if n in self.world.specs and argument in self.world.required(n)]
        if not names:
            return None
        name = self.rarest(scene.role, tuple(names))
        able = [f for f in self.openings(scene.role, lang, name) if points_well(f, argument, lang)]
        family = self.writer.family(able, f"{scene.role}.{lang}.{name}")
        if not family:
            return None
        word = self.rng.choice(phrases("replies")["pronouns"][f"{argument}_{lang}"])
        sentence = self.writer.write(pointed(family, argument, word), lang, scene.role)
        if word not in sentence.text or argument in sentence.arguments:
            return None
        if around(self.writer, sentence, light=True):
            sentence.text = sentence.shown(lowered=False)
        return sentence, family, name

    def about(self, role: str, lang: Lang, name: str, argument: str, subject: str) -> tuple[str, str]:
        """A request about a given subject that says nothing else, and its family."""
        able = [f for f in self.openings(role, lang, name) if len(_HOLDS.findall(f)) == 1 and f"{{{argument}" in f]
        family = self.writer.family(able, f"{role}.{lang}.{name}")
        if not family:
            return "", ""
        for _ in range(8):
            sentence = self.with_subject(family, lang, role, argument, subject)
            if set(sentence.arguments) == {argument}:
                around(self.writer, sentence, light=True)
                return sentence.shown(), family
        return "", ""

    def with_subject(self, family: str, lang: Lang, role: str, argument: str, subject: str) -> Sentence:
        """The family with a given subject."""
        sentence = Sentence(lang, role)
        fixed = re.sub(rf"\{{{argument}(?::\w+)?\}}", "\x00", family.replace("<np>", f"{{{argument}}}"))
        mark = sentence.copied(argument, subject)
        sentence.text = tidy(self.writer.expand(sentence, fixed).replace("\x00", mark), lang)
        if mark not in sentence.text:
            sentence.arguments.pop(argument)
        return sentence

    def shown(self, role: str, question: str, wanted: str, used: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The tools of a turn: the shortlist, often cut down as where the chooser is sure, sometimes more of them."""
        names = self.world.shortlists[role].choose(Asked(question, used=used))
        if wanted and wanted not in names:
            names = [*names[:-1], wanted]
        if self.rng.random() < 0.45:
            names = [wanted, *self.rng.sample([n for n in names if n != wanted], self.rng.randint(0, 3))]
        elif self.rng.random() < 0.12:
            others = [name for name in self.world.bound[role] if name not in names]
            names = [*names, *self.rng.sample(others, min(2, len(others)))]
        if self.rng.random() < 0.4:
            self.rng.shuffle(names)
        else:
            names = [name for name in self.world.bound[role] if name in names]
        return tuple(names)

    def shown_both(self, role: str, question: str, first: str, second: str) -> tuple[str, ...]:
        """A list of tools that holds two."""
        names = self.shown(role, question, first, used=(second,))
        if second not in names:
            names = (*names, second)
        if first not in names:
            names = (*names, first)
        return names if self.rng.random() < 0.4 else tuple(n for n in self.world.bound[role] if n in names)

    def hides(self, role: str) -> bool:
        """Whether personal data is hidden from the model, as the service desk does; other programs may not."""
        return role == "customer" and self.rng.random() < 0.6

    def called(self, sentence: Sentence, name: str, lowered: bool) -> dict[str, Any]:
        """The call that a sentence asks for."""
        return {"name": name, "arguments": self.given(sentence, name, lowered)}

    def given(self, sentence: Sentence, name: str, lowered: bool = False) -> dict[str, Any]:
        """What a sentence says of a tool's arguments."""
        return sentence.call(self.world.order(name), lowered, self.world.texts(name))


def _hidden(value: Any, vault: Vault) -> Any:
    """An argument with the tokens that stand for personal data."""
    if isinstance(value, list):
        return [_hidden(each, vault) for each in value]
    return vault.hide(value) if isinstance(value, str) else value
