"""Scenes: one conversation up to a point and one list of tools, and several things a user might say there.

Examples of a scene begin alike, so that training reads what they share once (`packing`).
"""

from __future__ import annotations

import re

from agent.ledger import Ledger
from finetune.director import Director, Scene, Turn
from finetune.examples import Example, assistant, tool, user
from finetune.noise import around
from finetune.phrasing import phrases
from finetune.replies import answer, chat, closest, told_of
from finetune.turns import absent, changed, corrected, follow_ups, missing, picked, request, request_any, talk, unnamed

# What conversations are about, the more frequent the more often named.
_MAIN = {
    "manager": ("product", "product", "product", "customer", "category"),
    "customer": ("order", "order", "product"),
}


def single(director: Director, role: str) -> list[Example]:
    """Questions without a past, one list of tools."""
    lang, rng = director.lang(), director.rng
    name = director.rarest(role, tuple(director.world.bound[role]))
    found = director.opening(role, lang, name)
    if not found:
        return []
    scene = Scene(role, director.shown(role, found[0].shown(), name), hidden=director.hides(role))
    request(director, scene, name, *found)
    for other in rng.choices(scene.tools, k=7):
        request_any(director, scene, other if rng.random() < 0.5 else director.rarest(role, scene.tools))
    for _ in range(rng.choice((1, 1, 2))):
        missing(director, scene)
    talk(director, scene, "declines")
    if rng.random() < 0.6:
        talk(director, scene, "chats")
    if rng.random() < 0.45:
        absent(director, scene)
    return scene.made


def drafted(director: Director, role: str) -> list[Example]:
    """What follows on a draft: what is still open of it, and what is asked about it."""
    lang, world = director.lang(), director.world
    found = director.opening(role, lang, "draft_product") if role == "manager" else None
    if not found:
        return []
    sentence, family = found
    call, said = director.called(sentence, "draft_product", lowered=False), user(sentence.shown())
    name = call["arguments"]["name"]
    scene = Scene(role, director.shown(role, said["content"], "draft_product"))
    scene.add("call", lang, family, [said], call=call)
    # No shop is asked: its drafts would be different ones after every run.
    made = told_of(director.writer, sentence, "draft_product", name)
    turns = (said, assistant("", [call]), tool("draft_product", made), assistant(made))
    later = Scene(role, scene.tools, turns)
    for _ in range(2):
        changed(director, later, lang, call)
    talk(director, later, "chats")
    found_more = [director.pointing(Scene(role, tuple(world.bound[role])), lang, "product") for _ in range(7)]
    asked: list[Example] = []
    for sentence, family, other in (each for each in found_more if each):
        given = {**director.given(sentence, other), "product": name}
        ordered = {each: given[each] for each in world.order(other) if each in given}
        about = Scene(role, director.shown_both(role, sentence.shown(), other, "draft_product"), turns)
        about.add("follow_up", lang, family, [user(sentence.shown())], call={"name": other, "arguments": ordered})
        asked += about.made
    return scene.made + later.made + asked


def told(director: Director, role: str) -> list[Example]:
    """Follow-ups to a conversation in plain words, as another program would keep it."""
    lang, rng, world = director.lang(), director.rng, director.world
    arguments = [each for each in _MAIN[role] if any(each in world.order(n) for n in world.bound[role])]
    argument = rng.choice(arguments)
    name = director.rarest(role, tuple(n for n in world.bound[role] if argument in world.required(n)) or ("",))
    found = director.opening(role, lang, name) if name else None
    if not found or found[0].arguments.get(argument, ("",))[0] != "copy":
        return []
    sentence = found[0]
    subject = sentence.slots[sentence.arguments[argument][1]]
    turns: tuple[Turn, ...] = (user(sentence.shown()), assistant(told_of(director.writer, sentence, name, subject)))
    if rng.random() < 0.15:
        turns = (user("hi" if lang == "en" else "你好"), assistant(chat(rng, role, "greeting", lang)), *turns)
    call = director.called(sentence, name, lowered=False)
    return follow_ups(director, role, lang, turns, call, argument)


def worked(director: Director, role: str) -> list[Example]:
    """Follow-ups to a call that was really made, the call itself, and the answer from its figures."""
    lang, rng, world = director.lang(), director.rng, director.world
    argument = rng.choice(("product", "product", "product", "category"))
    names = [n for n in world.bound[role] if world.required(n) == [argument]]
    if not names:
        return []
    name = director.rarest(role, tuple(names))
    if name in ("forecast_launch", "write_brief"):
        subject = rng.choice(world.drafts())
    else:
        subject = rng.choice(world.on_sale() if argument == "product" else world.leaves())
    question, family = director.about(role, lang, name, argument, subject)
    if not question:
        return []
    ledger = Ledger()
    call: Turn = {"name": name, "arguments": {argument: subject}}
    answered = world.ask(role, name, call["arguments"], ledger, lang)
    if answered.result is None:
        return []
    tools = director.shown(role, question, name)
    scene = Scene(role, tools)
    scene.add("call", lang, family, [user(question)], call=call)
    turns = (user(question), assistant("", [call]), tool(name, answered.text))
    said = answer(rng, answered, name, lang)
    scene.add("answer", lang, family, list(turns), text=said)
    after = follow_ups(director, role, lang, (*turns, assistant(said)), call, argument)
    return [*scene.made, *after]


def planned(director: Director, role: str) -> list[Example]:
    """Two things asked for in one breath: a call, its result, the other call."""
    lang, rng, world = director.lang(), director.rng, director.world
    plans = phrases("replies")["plans"][lang]
    firsts = [name for name in plans["first"] if name in world.bound[role]]
    thens = [name for name in plans["then"] if name in world.bound[role]]
    if not firsts or not thens:
        return []
    first = rng.choice(firsts)
    second = rng.choice([name for name in thens if name != first])
    family = rng.choice(plans["first"][first]) + rng.choice(plans["between"])
    family += rng.choice(plans["then"][second])
    known = world.drafts() if first == "forecast_launch" or second == "write_brief" else world.on_sale()
    if second == "forecast_launch":
        known = world.drafts()
    sentence = director.with_subject(family, lang, role, "product", rng.choice(known))
    around(director.writer, sentence, light=True)
    question, ledger = sentence.shown(), Ledger()
    one = director.called(sentence, first, lowered=False)
    two = director.called(sentence, second, lowered=False)
    tools = director.shown_both(role, question, first, second)
    scene = Scene(role, tools)
    scene.add("plan", lang, family, [user(question)], call=one)
    answered = world.ask(role, first, one["arguments"], ledger, lang)
    if answered.result is None:
        return []
    turns = [user(question), assistant("", [one]), tool(first, answered.text)]
    scene.add("plan", lang, family, turns, call=two)
    after = world.ask(role, second, two["arguments"], ledger, lang)
    if after.result is not None and rng.random() < 0.4:
        turns = [*turns, assistant("", [two]), tool(second, after.text)]
        scene.add("answer", lang, family, turns, text=answer(rng, after, second, lang))
    return scene.made


def recovered(director: Director, role: str) -> list[Example]:
    """A call that failed: made again with what the tool's sentence or the user offers, or an honest stop."""
    lang, rng, world = director.lang(), director.rng, director.world
    argument = "order" if role == "customer" and rng.random() < 0.8 else "product"
    names = [n for n in world.bound[role] if argument in world.required(n)]
    if not names:
        return []
    name = rng.choice(names)
    values = director.writer.values
    said = values.order() if argument == "order" else values.name("en")
    sentence = director.with_subject(rng.choice(director.openings(role, lang, name)), lang, role, argument, said)
    call = director.called(sentence, name, lowered=False)
    if any(each not in call["arguments"] for each in world.required(name)):
        return []
    answered = world.ask(role, name, call["arguments"], Ledger(), lang)
    if answered.result is not None:
        return []
    question = sentence.shown()
    scene = Scene(role, director.shown(role, question, name), hidden=director.hides(role))
    turns = [user(question), assistant("", [call]), tool(name, answered.text, error=True)]
    offered = closest(answered.text)
    other = re.search(r"\b(forecast_launch|forecast_demand)\b", answered.text)
    if other and other[0] != name and other[0] in scene.tools:
        again = {"name": other[0], "arguments": {"product": said}}
        scene.add("recovery", lang, f"recovery.{name}", turns, call=again)
        return scene.made
    text = rng.choice(phrases("replies")["unknown" if offered else "stopped"][lang])
    scene.add("recovery", lang, f"recovery.{name}", turns, text=text)
    turns = [*turns, assistant(text)]
    if offered:
        picked(director, scene, lang, turns, call, offered)
    for _ in range(2):
        corrected(director, scene, lang, turns, call, argument)
    return scene.made


def listed(director: Director, role: str) -> list[Example]:
    """The assistant has named several; the user picks one."""
    lang, rng, world, writer = director.lang(), director.rng, director.world, director.writer
    argument = "order" if role == "customer" and rng.random() < 0.6 else "product"
    names = [n for n in world.bound[role] if world.required(n) == [argument]]
    if not names:
        return []
    name = director.rarest(role, tuple(names))
    draw = writer.values.order if argument == "order" else lambda: writer.values.product(lang)
    options = list(dict.fromkeys(draw() for _ in range(rng.choice((3, 3, 4)))))
    question, family = director.about(role, lang, name, argument, writer.values.word(lang, "noun"))
    if not question or len(options) < 3:
        return []
    style = rng.choice(("{n}. {o}  ", "- {o}\n", "{o}; "))
    named = "".join(style.format(n=n, o=o) for n, o in enumerate(options, 1)).strip("; \n")
    text = rng.choice(phrases("replies")["lists"][f"ask_{lang}"]) + named
    scene = Scene(role, director.shown(role, question, name), (user(question), assistant(text)))
    for _ in range(3):
        words, place = rng.choice(phrases("replies")["ordinals"][lang]).split("|")
        meant = options[int(place)]
        said = words if rng.random() < 0.6 else meant
        scene.add("follow_up", lang, family, [user(said)], call={"name": name, "arguments": {argument: meant}})
    unnamed(director, scene, lang, argument)
    return scene.made
