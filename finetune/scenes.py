"""Scenes: one conversation up to a point and one list of tools, and several things a user might say there.

Examples of a scene begin alike, so that training reads what they share once (`packing`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.choice import Asked
from agent.ledger import Ledger, placeholders, split_placeholder
from agent.models.template import ToolSpec
from agent.personal import Vault
from finetune.examples import Example, assistant, tool, user
from finetune.noise import around
from finetune.sentences import Sentence, Writer, tidy
from finetune.values import Lang, families, phrases
from finetune.world import Answered, World, masked
from shop import ToolResult

Turn = dict[str, Any]
_MAIN = {
    "manager": ("product", "product", "product", "customer", "category"),
    "customer": ("order", "order", "product"),
}
_HOLDS = re.compile(r"\{(product|order|customer|category)(?::\w+)?\}|<ord2?>|<np>")
_NO_CHANGE = {
    "draft_product", "propose_change", "search_products", "review_insights", "change_items", "return_items",
    "exchange_items", "change_payment", "cancel_order", "change_address",
}  # fmt: skip


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
    """Makes scenes of a world.

    Args:
        world: The shop and its tools.
        writer: Fills openings with values.
        chinese: Share of Chinese.
    """

    def __init__(self, world: World, writer: Writer, chinese: float = 0.33) -> None:
        self.world, self.writer, self.rng = world, writer, writer.rng
        self._chinese = chinese
        self._replies = phrases("replies")
        self._shared = phrases("shared")
        self.made: Counter[tuple[str, str]] = Counter()
        self.foreign: dict[str, ToolSpec] = {}

    # What people say

    def lang(self) -> Lang:
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

    def _hides(self, role: str) -> bool:
        """Whether personal data is hidden from the model, as the service desk does; other programs may not."""
        return role == "customer" and self.rng.random() < 0.6

    def called(self, sentence: Sentence, name: str, lowered: bool) -> dict[str, Any]:
        """The call that a sentence asks for."""
        return {"name": name, "arguments": self.given(sentence, name, lowered)}

    def given(self, sentence: Sentence, name: str, lowered: bool = False) -> dict[str, Any]:
        """What a sentence says of a tool's arguments."""
        return sentence.call(self.world.order(name), lowered, self.world.texts(name))

    # Scenes

    def single(self, role: str) -> list[Example]:
        """Questions without a past, one list of tools."""
        lang = self.lang()
        name = self.rarest(role, tuple(self.world.bound[role]))
        found = self.opening(role, lang, name)
        if not found:
            return []
        scene = Scene(role, self.shown(role, found[0].shown(), name), hidden=self._hides(role))
        self._request(scene, name, *found)
        for other in self.rng.choices(scene.tools, k=7):
            self._request_any(scene, other if self.rng.random() < 0.5 else self.rarest(role, scene.tools))
        for _ in range(self.rng.choice((1, 1, 2))):
            self._missing(scene)
        self._talk(scene, "declines")
        if self.rng.random() < 0.6:
            self._talk(scene, "chats")
        if self.rng.random() < 0.45:
            self._absent(scene)
        return scene.made

    def told(self, role: str) -> list[Example]:
        """Follow-ups to a conversation in plain words, as another program would keep it."""
        lang = self.lang()
        arguments = [each for each in _MAIN[role] if any(each in self.world.order(n) for n in self.world.bound[role])]
        argument = self.rng.choice(arguments)
        name = self.rarest(
            role, tuple(n for n in self.world.bound[role] if argument in self.world.required(n)) or ("",)
        )
        found = self.opening(role, lang, name) if name else None
        if not found or found[0].arguments.get(argument, ("",))[0] != "copy":
            return []
        sentence = found[0]
        subject = sentence.slots[sentence.arguments[argument][1]]
        turns: tuple[Turn, ...] = (user(sentence.shown()), assistant(self._words(sentence, name, subject)))
        if self.rng.random() < 0.15:
            turns = (user("hi" if lang == "en" else "你好"), assistant(self._chat(role, "greeting", lang)), *turns)
        call = self.called(sentence, name, lowered=False)
        return self._after(role, lang, turns, name, call, argument, subject)

    def worked(self, role: str) -> list[Example]:
        """Follow-ups to a call that was really made, the call itself, and the answer from its figures."""
        lang = self.lang()
        subjects: dict[str, Callable[[], list[str]]] = {"product": self.world.on_sale, "category": self._leaves}
        argument = self.rng.choice(("product", "product", "product", "category"))
        names = [n for n in self.world.bound[role] if self.world.required(n) == [argument]]
        if not names:
            return []
        name = self.rarest(role, tuple(names))
        known = self.world.drafts() if name in ("forecast_launch", "write_brief") else subjects[argument]()
        subject = self.rng.choice(known)
        question, family = self._about(role, lang, name, argument, subject)
        if not question:
            return []
        ledger = Ledger()
        call: Turn = {"name": name, "arguments": {argument: subject}}
        answered = self.world.ask(role, name, call["arguments"], ledger, lang)
        if answered.result is None:
            return []
        tools = self.shown(role, question, name)
        scene = Scene(role, tools)
        scene.add("call", lang, family, [user(question)], call=call)
        turns = (user(question), assistant("", [call]), tool(name, answered.text))
        answer = self.answer(answered, name, lang)
        scene.add("answer", lang, family, list(turns), text=answer)
        after = self._after(role, lang, (*turns, assistant(answer)), name, call, argument, subject)
        return [*scene.made, *after]

    def planned(self, role: str) -> list[Example]:
        """Two things asked for in one breath: a call, its result, the other call."""
        lang = self.lang()
        plans = self._replies["plans"][lang]
        firsts = [name for name in plans["first"] if name in self.world.bound[role]]
        thens = [name for name in plans["then"] if name in self.world.bound[role]]
        if not firsts or not thens:
            return []
        first = self.rng.choice(firsts)
        second = self.rng.choice([name for name in thens if name != first])
        family = self.rng.choice(plans["first"][first]) + self.rng.choice(plans["between"])
        family += self.rng.choice(plans["then"][second])
        known = self.world.drafts() if first == "forecast_launch" or second == "write_brief" else self.world.on_sale()
        if second == "forecast_launch":
            known = self.world.drafts()
        sentence = self._with(family, lang, role, "product", self.rng.choice(known))
        around(self.writer, sentence, light=True)
        question, ledger = sentence.shown(), Ledger()
        one = self.called(sentence, first, lowered=False)
        two = self.called(sentence, second, lowered=False)
        tools = self._both(role, question, first, second)
        scene = Scene(role, tools)
        scene.add("plan", lang, family, [user(question)], call=one)
        answered = self.world.ask(role, first, one["arguments"], ledger, lang)
        if answered.result is None:
            return []
        turns = [user(question), assistant("", [one]), tool(first, answered.text)]
        scene.add("plan", lang, family, turns, call=two)
        after = self.world.ask(role, second, two["arguments"], ledger, lang)
        if after.result is not None and self.rng.random() < 0.4:
            turns = [*turns, assistant("", [two]), tool(second, after.text)]
            scene.add("answer", lang, family, turns, text=self.answer(after, second, lang))
        return scene.made

    def recovered(self, role: str) -> list[Example]:
        """A call that failed: made again with what the tool's sentence or the user offers, or an honest stop."""
        lang = self.lang()
        argument = "order" if role == "customer" and self.rng.random() < 0.8 else "product"
        names = [n for n in self.world.bound[role] if argument in self.world.required(n)]
        if not names:
            return []
        name = self.rng.choice(names)
        values = self.writer.values
        said = values.order() if argument == "order" else values.name("en")
        sentence = self._with(self.rng.choice(self.openings(role, lang, name)), lang, role, argument, said)
        call = self.called(sentence, name, lowered=False)
        if any(each not in call["arguments"] for each in self.world.required(name)):
            return []
        answered = self.world.ask(role, name, call["arguments"], Ledger(), lang)
        if answered.result is not None:
            return []
        question = sentence.shown()
        scene = Scene(role, self.shown(role, question, name), hidden=self._hides(role))
        turns = [user(question), assistant("", [call]), tool(name, answered.text, error=True)]
        closest = _closest(answered.text)
        other = re.search(r"\b(forecast_launch|forecast_demand)\b", answered.text)
        if other and other[0] != name and other[0] in scene.tools:
            again = {"name": other[0], "arguments": {"product": said}}
            scene.add("recovery", lang, f"recovery.{name}", turns, call=again)
            return scene.made
        text = self.rng.choice(self._replies["unknown" if closest else "stopped"][lang])
        scene.add("recovery", lang, f"recovery.{name}", turns, text=text)
        if closest:
            self._picked(lang, scene, turns, text, name, call, closest)
        for _ in range(2):
            self._corrected(lang, scene, [*turns, assistant(text)], name, call, argument)
        return scene.made

    def listed(self, role: str) -> list[Example]:
        """The assistant has named several; the user picks one."""
        lang = self.lang()
        argument = "order" if role == "customer" and self.rng.random() < 0.6 else "product"
        names = [n for n in self.world.bound[role] if self.world.required(n) == [argument]]
        if not names:
            return []
        name = self.rarest(role, tuple(names))
        draw = self.writer.values.order if argument == "order" else lambda: self.writer.values.product(lang)
        options = list(dict.fromkeys(draw() for _ in range(self.rng.choice((3, 3, 4)))))
        question, family = self._about(role, lang, name, argument, self.writer.values.word(lang, "noun"))
        if not question or len(options) < 3:
            return []
        style = self.rng.choice(("{n}. {o}  ", "- {o}\n", "{o}; "))
        told = "".join(style.format(n=n, o=o) for n, o in enumerate(options, 1)).strip("; \n")
        text = self.rng.choice(self._replies["lists"][f"ask_{lang}"]) + told
        scene = Scene(role, self.shown(role, question, name), (user(question), assistant(text)))
        for _ in range(3):
            words, place = self.rng.choice(self._replies["ordinals"][lang]).split("|")
            picked = options[int(place)]
            said = words if self.rng.random() < 0.6 else picked
            scene.add("follow_up", lang, family, [user(said)], call={"name": name, "arguments": {argument: picked}})
        found = self._pointing(scene, lang, argument)
        if found:
            reply = self.rng.choice(self._replies["which"][f"{argument}_{lang}"])
            scene.add("ask", lang, found[1], [user(found[0].shown())], text=reply)
        return scene.made

    def foreign_tools(self, role: str) -> list[Example]:
        """Tools that are not ours, or ours under names that mean nothing."""
        lang = self.lang()
        others = self._replies["foreign"]
        chosen = self.rng.sample(list(others), 2)
        ours = self.rng.sample(list(self.world.bound[role]), min(3, len(self.world.bound[role])))
        renamed = {name: masked(self.world.specs[name], self.rng) for name in ours}
        specs = {name: _foreign(name, others[name]) for name in chosen}
        if self.rng.random() < 0.5:
            specs = {name: masked(spec, self.rng) for name, spec in specs.items()}
        shown = [*specs.values(), *renamed.values()]
        self.rng.shuffle(shown)
        for spec in shown:
            self.foreign[spec["function"]["name"]] = spec
        scene = Scene(role, tuple(spec["function"]["name"] for spec in shown))
        for name in chosen:
            family = self.writer.family(others[name][lang], f"foreign.{lang}.{name}")
            if family:
                sentence = self.writer.write(family, lang, role)
                lowered = around(self.writer, sentence, light=True)
                given = sentence.call(
                    tuple(each.split(":")[0].rstrip("?") for each in others[name]["arguments"]), lowered
                )
                self._renamed(
                    scene, sentence.shown(lowered), lang, family, _foreign(name, others[name]), specs[name], given
                )
        for name in ours:
            found = self.opening(role, lang, name)
            if found:
                lowered = around(self.writer, found[0], light=True)
                given = self.given(found[0], name, lowered)
                own = self.world.specs[name]
                self._renamed(scene, found[0].shown(lowered), lang, found[1], own, renamed[name], given)
        return scene.made

    # Parts of scenes

    def _request(self, scene: Scene, name: str, sentence: Sentence, family: str) -> None:
        """A complete request, sometimes with words in it that are nobody's order."""
        kind = "call"
        lowered = around(self.writer, sentence, light=bool(scene.turns))
        question = sentence.shown(lowered)
        if self.rng.random() < 0.05:
            kind = "injected"
            quoted = self.rng.choice(self._replies["injected"][sentence.lang])
            question = f"{question} {quoted}" if self.rng.random() < 0.5 else f"{quoted} {question}"
        call = self.called(sentence, name, lowered)
        if all(each in call["arguments"] for each in self.world.required(name)):
            scene.add(kind, sentence.lang, family, [user(question)], call=call)
            self.made[scene.role, name] += 1

    def _request_any(self, scene: Scene, name: str) -> None:
        found = self.opening(scene.role, self.lang(), name)
        if found:
            self._request(scene, name, *found)

    def _missing(self, scene: Scene) -> None:
        """A request that lacks a required argument, or points at something that was never named."""
        lang = self.lang()
        asks = families(scene.role, "asks", lang)
        keys = [key for key in asks if key.split(".")[0] in scene.tools]
        if keys and self.rng.random() < 0.7:
            key = self.rng.choice(keys)
            family = self.writer.family(asks[key], f"ask.{scene.role}.{lang}.{key}")
            if family:
                sentence = self.writer.write(family, lang, scene.role)
                lowered = around(self.writer, sentence)
                reply = self.rng.choice(self._shared["questions"][lang][key.split(".")[1]])
                scene.add("ask", lang, family, [user(sentence.shown(lowered))], text=reply)
            return
        argument = "order" if scene.role == "customer" else "product"
        found = self._pointing(scene, lang, argument)
        if found:
            sentence, family, _ = found
            reply = self.rng.choice(self._replies["which"][f"{argument}_{lang}"])
            scene.add("ask", lang, family, [user(sentence.shown())], text=reply)

    def _talk(self, scene: Scene, kind: str) -> None:
        """Small talk, or what no tool may do."""
        lang = self.lang()
        family = self.writer.family(families(scene.role, kind, lang), f"{kind}.{scene.role}.{lang}")
        if not family:
            return
        sentence = self.writer.write(family, lang, scene.role)
        lowered = around(self.writer, sentence, light=True) if kind == "declines" else self.rng.random() < 0.2
        said = sentence.shown(lowered)
        if kind == "declines":
            scene.add(
                "decline", lang, family, [user(said)], text=self.rng.choice(self._replies[kind][scene.role][lang])
            )
        else:
            scene.add("chat", lang, family, [user(said)], text=self._chat(scene.role, _mood(said), lang))

    def _absent(self, scene: Scene) -> None:
        """A request whose tool is not among those shown."""
        others = [name for name in self.world.bound[scene.role] if name not in scene.tools]
        far = [name for name in others if not set(name.split("_")) & {w for n in scene.tools for w in n.split("_")}]
        if not far:
            return
        found = self.opening(scene.role, self.lang(), self.rng.choice(far))
        if found:
            sentence, family = found
            lowered = around(self.writer, sentence)
            reply = self.rng.choice(self._replies["absent"][sentence.lang])
            scene.add("absent", sentence.lang, family, [user(sentence.shown(lowered))], text=reply)

    def _after(
        self, role: str, lang: Lang, turns: tuple[Turn, ...], name: str, call: Turn, argument: str, subject: str
    ) -> list[Example]:
        """What may follow on a turn about a subject."""
        pointing = self._pointing(Scene(role, tuple(self.world.bound[role])), lang, argument)
        question = pointing[0].shown() if pointing else subject
        wanted = pointing[2] if pointing else name
        scene = Scene(role, self._both(role, question, wanted, name), turns, hidden=self._hides(role))
        for _ in range(2):
            self._changed(scene, lang, name, call)
        for _ in range(3):
            found = self._pointing(scene, lang, argument)
            if found:
                sentence, family, other = found
                given = {**self.given(sentence, other), argument: subject}
                ordered = {each: given[each] for each in self.world.order(other) if each in given}
                if all(each in ordered for each in self.world.required(other)):
                    said = [user(sentence.shown())]
                    scene.add("follow_up", lang, family, said, call={"name": other, "arguments": ordered})
                    self.made[role, other] += 1
        for other in self.rng.sample(scene.tools, min(2, len(scene.tools))):
            self._request_any(scene, other)
        if self.rng.random() < 0.35:
            self._talk(scene, "chats")
        if self.rng.random() < 0.2:
            self._talk(scene, "declines")
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            self._asked_back(scene, self.lang())
        return scene.made

    def _asked_back(self, scene: Scene, lang: Lang) -> None:
        """The assistant asked for what was missing; the user says it."""
        asks = families(scene.role, "asks", lang)
        known = self._shared["answers"][lang]
        keys = [k for k in asks if k.split(".")[0] in scene.tools and k.split(".")[1] in known]
        if not keys:
            return
        key = self.rng.choice(keys)
        name, missing = key.split(".")
        family = self.writer.family(asks[key], f"ask.{scene.role}.{lang}.{key}")
        if not family:
            return
        sentence = self.writer.write(family, lang, scene.role)
        first = sentence.shown()
        sentence.text = tidy(self.writer.expand(sentence, self.rng.choice(known[missing])), lang)
        lowered = around(self.writer, sentence, light=True)
        if lowered:
            return
        question = self.rng.choice(self._shared["questions"][lang][missing])
        call = self.called(sentence, name, lowered=False)
        if all(each in call["arguments"] for each in self.world.required(name)):
            latest = [user(first), assistant(question), user(sentence.shown())]
            # A conversation of its own: what was said before it is left out.
            alone = Scene(scene.role, scene.tools, hidden=scene.hidden)
            alone.add("follow_up", lang, family, latest, call=call)
            scene.made += alone.made
            self.made[scene.role, name] += 1

    def _changed(self, scene: Scene, lang: Lang, name: str, call: Turn) -> None:
        """The same again with one argument changed."""
        if name in _NO_CHANGE:
            return
        changes = self._shared["changes"][lang]
        able = [each for each in self.world.order(name) if each in changes]
        if not able:
            return
        argument = self.rng.choice(able)
        family = self.rng.choice(changes[argument])
        if argument == "product":
            kind = {"forecast_launch": "launch", "write_brief": "launch", "score_launch": "launch"}.get(name, "hist")
            family = family.replace(":any", f":{kind}")
        sentence = self.writer.write(family, lang, scene.role)
        lowered = around(self.writer, sentence, light=True)
        new = self.given(sentence, name, lowered)
        subject = argument in ("product", "customer", "category", "order", "segment")
        old = call["arguments"]
        if subject:
            if len(old) > 1:
                return
            old = {k: v for k, v in old.items() if k in self.world.required(name)}
        joined = {**old, **new}
        ordered = {each: joined[each] for each in self.world.order(name) if each in joined}
        said = [user(sentence.shown(lowered))]
        scene.add("follow_up", lang, f"change.{argument}.{family}", said, call={"name": name, "arguments": ordered})

    def _pointing(self, scene: Scene, lang: Lang, argument: str) -> tuple[Sentence, str, str] | None:
        """A request that says `it` for a subject: the sentence, its family and the tool."""
        names = [n for n in scene.tools if n in self.world.specs and argument in self.world.required(n)]
        if not names:
            return None
        name = self.rarest(scene.role, tuple(names))
        families = [f for f in self.openings(scene.role, lang, name) if points_well(f, argument, lang)]
        family = self.writer.family(families, f"{scene.role}.{lang}.{name}")
        if not family:
            return None
        word = self.rng.choice(self._replies["pronouns"][f"{argument}_{lang}"])
        sentence = self.writer.write(pointed(family, argument, word), lang, scene.role)
        if word not in sentence.text or argument in sentence.arguments:
            return None
        if around(self.writer, sentence, light=True):
            sentence.text = sentence.shown(lowered=False)
        return sentence, family, name

    def _picked(
        self, lang: Lang, scene: Scene, turns: list[Turn], text: str, name: str, call: Turn, options: list[str]
    ) -> None:
        """After an error that offered names, the user picks one of them."""
        words, place = self.rng.choice(self._replies["ordinals"][lang]).split("|")
        if int(place) >= len(options):
            return
        plain = options[int(place)].split(" (")[0]
        said = words if self.rng.random() < 0.5 else plain
        given = {**call["arguments"], "product": plain}
        latest = [*turns, assistant(text), user(said)]
        scene.add("recovery", lang, f"picked.{name}", latest, call={"name": name, "arguments": given})

    def _corrected(self, lang: Lang, scene: Scene, turns: list[Turn], name: str, call: Turn, argument: str) -> None:
        """After an error the user says it again, rightly."""
        family = self.rng.choice(self._shared["answers"][lang][argument])
        sentence = self.writer.write(family, lang, scene.role)
        lowered = around(self.writer, sentence, light=True)
        new = sentence.call((argument,), lowered)
        if argument in new:
            again = {"name": name, "arguments": {**call["arguments"], **new}}
            latest = [*turns, user(sentence.shown(lowered))]
            scene.add("recovery", lang, f"corrected.{argument}.{family}", latest, call=again)

    def _with(self, family: str, lang: Lang, role: str, argument: str, subject: str) -> Sentence:
        """The family with a given subject."""
        sentence = Sentence(lang, role)
        fixed = re.sub(rf"\{{{argument}(?::\w+)?\}}", "\x00", family.replace("<np>", f"{{{argument}}}"))
        mark = sentence.copied(argument, subject)
        sentence.text = tidy(self.writer.expand(sentence, fixed).replace("\x00", mark), lang)
        if mark not in sentence.text:
            sentence.arguments.pop(argument)
        return sentence

    def _about(self, role: str, lang: Lang, name: str, argument: str, subject: str) -> tuple[str, str]:
        """A request about a given subject that says nothing else, and its family."""
        families = [f for f in self.openings(role, lang, name) if len(_HOLDS.findall(f)) == 1 and f"{{{argument}" in f]
        family = self.writer.family(families, f"{role}.{lang}.{name}")
        if not family:
            return "", ""
        for _ in range(8):
            sentence = self._with(family, lang, role, argument, subject)
            if set(sentence.arguments) == {argument}:
                around(self.writer, sentence, light=True)
                return sentence.shown(), family
        return "", ""

    def _both(self, role: str, question: str, first: str, second: str) -> tuple[str, ...]:
        """A list of tools that holds two."""
        names = self.shown(role, question, first, used=(second,))
        if second not in names:
            names = (*names, second)
        if first not in names:
            names = (*names, first)
        return names if self.rng.random() < 0.4 else tuple(n for n in self.world.bound[role] if n in names)

    def _words(self, sentence: Sentence, name: str, subject: str) -> str:
        """What the assistant said about a subject, in plain words."""
        told = self._replies["told"][sentence.lang]
        family = self.rng.choice([*told.get(name, []), *told["any"]]).replace("{p}", "\x00")
        scratch = Sentence(sentence.lang, sentence.role)
        scratch.text = self.writer.expand(scratch, family)
        shown = scratch.shown().replace("\x00", subject)
        return shown[:1].upper() + shown[1:]

    def _chat(self, role: str, mood: str, lang: str) -> str:
        return str(self.rng.choice(self._replies["chats"][role][mood][lang]))

    def _leaves(self) -> list[str]:
        return [name for name in self.world.names()["category"] if " > " not in name]

    def answer(self, answered: Answered, name: str, lang: str) -> str:
        """A sentence or two over the result's figures; the first of the tool's own where none was written for it."""
        assert answered.result is not None
        written = [fitted(text, answered.result) for text in self._replies["answers"][lang].get(name, [])]
        usable = [text for text in written if text]
        if usable:
            return self.rng.choice(usable)
        return re.split(r"(?<=[.!?。])\s", answered.result.summary, maxsplit=1)[0]

    def _renamed(
        self, scene: Scene, said: str, lang: str, family: str, own: ToolSpec, shown: ToolSpec, given: dict[str, Any]
    ) -> None:
        """A call of a tool under the names by which it is shown."""
        before, after = (list(s["function"]["parameters"]["properties"]) for s in (own, shown))
        names = dict(zip(before, after, strict=True))
        required = own["function"]["parameters"].get("required", ())
        if all(each in given for each in required):
            arguments = {names[each]: given[each] for each in before if each in given}
            call = {"name": shown["function"]["name"], "arguments": arguments}
            scene.add("foreign", lang, family, [user(said)], call=call)


def _hidden(value: Any, vault: Vault) -> Any:
    if isinstance(value, list):
        return [_hidden(each, vault) for each in value]
    return vault.hide(value) if isinstance(value, str) else value


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


def points_well(family: str, argument: str, lang: str) -> bool:
    """Whether a pronoun can stand for the argument of a family."""
    found = re.findall(rf"\{{{argument}(?::\w+)?\}}", family)
    if argument == "order" and not found:
        found = re.findall("<ord2?>", family)
    if len(found) != 1 or "<np>" in family or (argument != "order" and "<ord" in family):
        return False
    if lang == "zh":
        return True
    before = re.search(rf"([A-Za-z]+) (?:\{{{argument}|<ord)", family)
    attributes = (
        "new our draft upcoming a an called product item the customer category units x existing more number for"
    )
    if before and before[1].lower() in attributes.split() and before[1] != "for":
        return False
    after = re.search(rf"(?:\{{{argument}(?::\w+)?\}}|<ord2?>) ([a-z]+)", family)
    verbs = "for on at in to is was with sell do will and by from should cost the against between compared over go be"
    if after and after[1] not in [*verbs.split(), "before", "yet", "now", "today", "goes", "costs", "takes"]:
        return False
    return not re.match(r"(\{!.*?\})?(\{|<ord)", family) and f": {{{argument}" not in family


def pointed(family: str, argument: str, word: str) -> str:
    """The family with a pronoun in place of the argument."""
    family = re.sub(rf"\{{{argument}(?::\w+)?\}}'s", {"it": "its"}.get(word, f"{word}'s"), family)
    family = re.sub(rf"\{{{argument}(?::\w+)?\}}", word, family)
    return re.sub("<ord2?>", word, family) if argument == "order" else family


def _mood(said: str) -> str:
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


def _closest(error: str) -> list[str]:
    """The names that a tool's sentence offers."""
    found = re.search(r"the closest are (.+?)(?:; [a-z_]+ |\.$|$)", error)
    return [each.strip() for each in found[1].split(";")] if found else []


def _foreign(name: str, written: dict[str, Any]) -> ToolSpec:
    """A tool of another house, from its line in the phrase file."""
    kinds = {"int": "integer", "number": "number"}
    properties, required = {}, []
    for each in written["arguments"]:
        argument, _, kind = each.partition(":")
        properties[argument.rstrip("?")] = {"type": kinds.get(kind, "string")}
        if not argument.endswith("?"):
            required.append(argument)
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": written["about"], "parameters": parameters}}
