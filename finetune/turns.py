"""What a user may say next in a scene: requests, follow-ups, corrections, small talk."""

from __future__ import annotations

from finetune.director import Director, Scene, Turn
from finetune.examples import Example, assistant, user
from finetune.noise import around
from finetune.phrasing import Lang, families, phrases
from finetune.replies import chat, mood
from finetune.sentences import Sentence, tidy

_SUBJECTS = ("product", "customer", "category", "order", "segment")
_OF_LAUNCHES = ("forecast_launch", "write_brief", "score_launch")
# They are not asked for again with one thing changed: each is about one thing, or acts on what it is given.
_NO_CHANGE = {
    "propose_change", "search_products", "review_insights", "change_items", "return_items",
    "exchange_items", "change_payment", "cancel_order", "change_address",
}  # fmt: skip


def request(director: Director, scene: Scene, name: str, sentence: Sentence, family: str) -> None:
    """A complete request, sometimes with words in it that are nobody's order."""
    rng = director.rng
    kind = "call"
    lowered = around(director.writer, sentence, light=bool(scene.turns))
    question = sentence.shown(lowered)
    if rng.random() < 0.05:
        kind = "injected"
        quoted = rng.choice(phrases("replies")["injected"][sentence.lang])
        question = f"{question} {quoted}" if rng.random() < 0.5 else f"{quoted} {question}"
    call = director.called(sentence, name, lowered)
    if all(each in call["arguments"] for each in director.world.required(name)):
        scene.add(kind, sentence.lang, family, [user(question)], call=call)
        director.made[scene.role, name] += 1


def request_any(director: Director, scene: Scene, name: str) -> None:
    """A complete request for a tool in a language of its own."""
    found = director.opening(scene.role, director.lang(), name)
    if found:
        request(director, scene, name, *found)


def missing(director: Director, scene: Scene) -> None:
    """A request that lacks a required argument, or points at something that was never named."""
    lang, rng, writer = director.lang(), director.rng, director.writer
    asks = families(scene.role, "asks", lang)
    keys = [key for key in asks if key.split(".")[0] in scene.tools]
    if keys and rng.random() < 0.7:
        key = rng.choice(keys)
        family = writer.family(asks[key], f"ask.{scene.role}.{lang}.{key}")
        if family:
            sentence = writer.write(family, lang, scene.role)
            lowered = around(writer, sentence)
            reply = rng.choice(phrases("shared")["questions"][lang][key.split(".")[1]])
            scene.add("ask", lang, family, [user(sentence.shown(lowered))], text=reply)
        return
    unnamed(director, scene, lang, "order" if scene.role == "customer" else "product")


def unnamed(director: Director, scene: Scene, lang: Lang, argument: str) -> None:
    """A request that says `it` of what cannot be told."""
    found = director.pointing(scene, lang, argument)
    if found:
        sentence, family, _ = found
        reply = director.rng.choice(phrases("replies")["which"][f"{argument}_{lang}"])
        scene.add("ask", lang, family, [user(sentence.shown())], text=reply)


def talk(director: Director, scene: Scene, kind: str) -> None:
    """Small talk, or what no tool may do."""
    lang, rng, writer = director.lang(), director.rng, director.writer
    family = writer.family(families(scene.role, kind, lang), f"{kind}.{scene.role}.{lang}")
    if not family:
        return
    sentence = writer.write(family, lang, scene.role)
    lowered = around(writer, sentence, light=True) if kind == "declines" else rng.random() < 0.2
    said = sentence.shown(lowered)
    if kind == "declines":
        reply = rng.choice(phrases("replies")[kind][scene.role][lang])
        scene.add("decline", lang, family, [user(said)], text=reply)
    else:
        scene.add("chat", lang, family, [user(said)], text=chat(rng, scene.role, mood(said), lang))


def absent(director: Director, scene: Scene) -> None:
    """A request whose tool is not among those shown."""
    rng = director.rng
    others = [name for name in director.world.bound[scene.role] if name not in scene.tools]
    far = [name for name in others if not set(name.split("_")) & {w for n in scene.tools for w in n.split("_")}]
    if not far:
        return
    found = director.opening(scene.role, director.lang(), rng.choice(far))
    if found:
        sentence, family = found
        lowered = around(director.writer, sentence)
        reply = rng.choice(phrases("replies")["absent"][sentence.lang])
        scene.add("absent", sentence.lang, family, [user(sentence.shown(lowered))], text=reply)


def follow_ups(
    director: Director, role: str, lang: Lang, turns: tuple[Turn, ...], call: Turn, argument: str
) -> list[Example]:
    """What may follow on a turn about the subject of a call: the value of one of its arguments."""
    rng, world = director.rng, director.world
    name, subject = call["name"], call["arguments"][argument]
    pointing = director.pointing(Scene(role, tuple(world.bound[role])), lang, argument)
    question = pointing[0].shown() if pointing else subject
    wanted = pointing[2] if pointing else name
    scene = Scene(role, director.shown_both(role, question, wanted, name), turns, hidden=director.hides(role))
    for _ in range(2):
        changed(director, scene, lang, call)
    for _ in range(3):
        found = director.pointing(scene, lang, argument)
        if found:
            sentence, family, other = found
            given = {**director.given(sentence, other), argument: subject}
            ordered = {each: given[each] for each in world.order(other) if each in given}
            if all(each in ordered for each in world.required(other)):
                said = [user(sentence.shown())]
                scene.add("follow_up", lang, family, said, call={"name": other, "arguments": ordered})
                director.made[role, other] += 1
    for other in rng.sample(scene.tools, min(2, len(scene.tools))):
        request_any(director, scene, other)
    if rng.random() < 0.35:
        talk(director, scene, "chats")
    if rng.random() < 0.2:
        talk(director, scene, "declines")
    for _ in range(rng.choice((0, 1, 1, 2))):
        asked_back(director, scene, director.lang())
    return scene.made


def asked_back(director: Director, scene: Scene, lang: Lang) -> None:
    """The assistant asked for what was missing; the user says it."""
    rng, writer = director.rng, director.writer
    asks = families(scene.role, "asks", lang)
    known = phrases("shared")["answers"][lang]
    keys = [k for k in asks if k.split(".")[0] in scene.tools and k.split(".")[1] in known]
    if not keys:
        return
    key = rng.choice(keys)
    name, argument = key.split(".")
    family = writer.family(asks[key], f"ask.{scene.role}.{lang}.{key}")
    if not family:
        return
    sentence = writer.write(family, lang, scene.role)
    first = sentence.shown()
    sentence.text = tidy(writer.expand(sentence, rng.choice(known[argument])), lang)
    lowered = around(writer, sentence, light=True)
    if lowered:
        return
    question = rng.choice(phrases("shared")["questions"][lang][argument])
    call = director.called(sentence, name, lowered=False)
    if all(each in call["arguments"] for each in director.world.required(name)):
        latest = [user(first), assistant(question), user(sentence.shown())]
        # A conversation of its own: what was said before it is left out.
        alone = Scene(scene.role, scene.tools, hidden=scene.hidden)
        alone.add("follow_up", lang, family, latest, call=call)
        scene.made += alone.made
        director.made[scene.role, name] += 1


def changed(director: Director, scene: Scene, lang: Lang, call: Turn) -> None:
    """The same again with one argument changed; a new subject takes nothing over that was said of the old one."""
    rng, world, writer = director.rng, director.world, director.writer
    name, old = call["name"], call["arguments"]
    if name in _NO_CHANGE:
        return
    changes = phrases("shared")["completes" if name == "draft_product" else "changes"][lang]
    able = [each for each in world.order(name) if each in changes]
    if not able:
        return
    argument = rng.choice(able)
    family = rng.choice(changes[argument])
    if argument == "product":
        kind = "launch" if name in _OF_LAUNCHES else "hist"
        family = family.replace(":any", f":{kind}")
    sentence = writer.write(family, lang, scene.role)
    lowered = around(writer, sentence, light=True)
    new = director.given(sentence, name, lowered)
    if argument in _SUBJECTS and name != "draft_product":
        if len(old) > 1:
            return
        old = {k: v for k, v in old.items() if k in world.required(name)}
    joined = {**old, **new}
    ordered = {each: joined[each] for each in world.order(name) if each in joined}
    said = [user(sentence.shown(lowered))]
    scene.add("follow_up", lang, f"change.{argument}.{family}", said, call={"name": name, "arguments": ordered})


def picked(director: Director, scene: Scene, lang: Lang, turns: list[Turn], call: Turn, options: list[str]) -> None:
    """After an error that offered names, the user picks one of them."""
    rng = director.rng
    words, place = rng.choice(phrases("replies")["ordinals"][lang]).split("|")
    if int(place) >= len(options):
        return
    plain = options[int(place)].split(" (")[0]
    said = words if rng.random() < 0.5 else plain
    again = {"name": call["name"], "arguments": {**call["arguments"], "product": plain}}
    scene.add("recovery", lang, f"picked.{call['name']}", [*turns, user(said)], call=again)


def corrected(director: Director, scene: Scene, lang: Lang, turns: list[Turn], call: Turn, argument: str) -> None:
    """After an error the user says it again, rightly."""
    writer = director.writer
    family = director.rng.choice(phrases("shared")["answers"][lang][argument])
    sentence = writer.write(family, lang, scene.role)
    lowered = around(writer, sentence, light=True)
    new = sentence.call((argument,), lowered)
    if argument in new:
        again = {"name": call["name"], "arguments": {**call["arguments"], **new}}
        latest = [*turns, user(sentence.shown(lowered))]
        scene.add("recovery", lang, f"corrected.{argument}.{family}", latest, call=again)
