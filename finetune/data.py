"""`./debut finetune data`: training examples compiled from the tools, a shop and the phrase files."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.ledger import bare_numbers
from finetune.director import Director
from finetune.examples import CARD, CASES, DEV, TRAIN, Catalogue, Example, fault, write, write_catalogue
from finetune.foreign import foreign_tools
from finetune.phrasing import Part
from finetune.scenes import drafted, listed, planned, recovered, single, told, worked
from finetune.values import Values
from finetune.world import World
from finetune.writer import Writer
from finetune.writing import KIND, PROMPTS, sections
from retrieval.embed import Embedder
from shop import Shop, ToolError, demo

DEV_SHARE = 0.04
SEEDS = (7, 19, 31)
CUSTOMER_SHARE = 0.27
EXECUTED = 150  # calls of single questions that are made for real; those that stand in a conversation all are
WRITTEN = 0.1  # share of the examples that are texts of a brief's sections
TEXTS_A_DRAFT = 10  # about so many come of one draft
# Scenes are drawn in these proportions; a scene makes about ten examples, of several kinds.
SCENES = {
    single: 0.4, drafted: 0.04, told: 0.2, worked: 0.12, planned: 0.06, recovered: 0.09, listed: 0.05,
    foreign_tools: 0.04,
}  # fmt: skip


@dataclass
class Drawn:
    """What came of the scenes: examples to keep, and how many were dropped and why."""

    kept: list[Example]
    dropped: Counter[str]


def main(
    out: Path, home: Path, seed: int = 0, count: int = 20_000, small: bool = True, embedder: Embedder | None = None,
    seeds: Sequence[int] = SEEDS, say: Callable[[str], None] = print,
) -> dict[str, Any]:  # fmt: skip
    """Write the training data.

    Args:
        out: Folder for rows, tools and card.
        home: Folder for the demo shops that the examples are about.
        seed: The same seed, tools and phrases make the same data.
        count: How many examples to make, training and development together.
        small: Small demo shops instead of full ones.
        embedder: For the shortlist; without one, words alone choose the tools that are shown.
        seeds: Of the demo shops.
        say: Called with a line of progress.

    Returns:
        The data card.
    """
    started = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    worlds = [World(_shop(home, number, small), embedder) for number in seeds]
    seen: set[str] = set()
    parts: dict[Part, Drawn] = {}
    foreign: dict[str, Any] = {}
    for part, share in (("dev", DEV_SHARE), ("train", 1 - DEV_SHARE)):
        many = round(count * share)
        drawn = draw(worlds, part, round(many * (1 - WRITTEN)), seed, seen, foreign, say)  # type: ignore[arg-type]
        drawn.kept += written(worlds, part, round(many * WRITTEN), seed)  # type: ignore[arg-type]
        parts[part] = drawn  # type: ignore[index]
    catalogue = Catalogue({**worlds[0].catalogue.prompts, **PROMPTS}, worlds[0].specs | foreign)
    executed = execute(worlds[0], [e for d in parts.values() for e in d.kept], random.Random(seed))
    write(parts["train"].kept, out / TRAIN)
    write(parts["dev"].kept, out / DEV)
    (out / CASES).write_text("\n".join(cases(parts["dev"].kept)) + "\n", encoding="utf-8")
    write_catalogue(catalogue, out)
    card = describe(parts, executed, out, seed, seeds, time.perf_counter() - started)
    (out / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    return card


def draw(
    worlds: Sequence[World], part: Part, count: int, seed: int, seen: set[str], foreign: dict[str, Any],
    say: Callable[[str], None],
) -> Drawn:  # fmt: skip
    """Scenes until there are enough examples that can be used.

    Args:
        worlds: The shops.
        part: Which families and names may be used.
        count: How many examples.
        seed: Of the draw.
        seen: Keys of examples that there are already; added to.
        foreign: Tools that are not ours, by name; added to.
        say: Called with a line of progress.
    """
    rng = random.Random(f"{seed}-{part}")
    directors = [Director(world, Writer(Values(rng, part, world.names()), part)) for world in worlds]
    drawn = Drawn([], Counter())
    for scene in _scenes(rng, directors, foreign):
        for example in scene:
            why = unusable(example, Catalogue(worlds[0].catalogue.prompts, worlds[0].specs | foreign), seen)
            if why:
                drawn.dropped[why.split(":")[0] if ":" in why else why] += 1
            else:
                drawn.kept.append(example)
        if len(drawn.kept) >= count:
            break
        if len(drawn.kept) % 500 < 10 and scene:
            say(f"{part}: {len(drawn.kept)} of {count} examples")
    return Drawn(drawn.kept[:count], drawn.dropped)


def written(worlds: Sequence[World], part: Part, count: int, seed: int) -> list[Example]:
    """Texts of brief sections for random drafts, evenly over the shops."""
    rng = random.Random(f"{seed}-{part}-{KIND}")
    drafts = max(1, round(count / TEXTS_A_DRAFT / len(worlds)))
    values = Values(rng, part)
    return [example for world in worlds for example in sections(world, values, drafts)]


def _scenes(rng: random.Random, directors: Sequence[Director], foreign: dict[str, Any]) -> Iterator[list[Example]]:
    kinds = list(SCENES)
    while True:
        director = rng.choice(directors)
        roles = director.world.roles()
        role = "customer" if "customer" in roles and rng.random() < CUSTOMER_SHARE else "manager"
        kind = rng.choices(kinds, weights=list(SCENES.values()))[0]
        if kind in (worked, planned) and role == "customer":
            kind = single
        made = kind(director, role)
        foreign.update(director.foreign)
        yield made


def unusable(example: Example, catalogue: Catalogue, seen: set[str]) -> str:
    """Why an example is dropped; empty where it is kept, and then it is remembered."""
    why = fault(example, catalogue)
    if why:
        return why
    if example.text and bare_numbers(example.text):
        return "a reply has a number of its own"
    if not example.text and not example.call:
        return "nothing to write"
    if example.key in seen:
        return "said before"
    seen.add(example.key)
    return ""


def cases(examples: Sequence[Example]) -> list[str]:
    """Development examples as lines for `./debut bench agent --file`, for choosing among checkpoints."""
    found = []
    for number, each in enumerate(examples):
        if each.kind in ("foreign", "answer", "absent", KIND) or each.messages[-1]["role"] != "user":
            continue
        expect: dict[str, Any] = {"tool": None, "kind": each.kind}
        if each.call:
            expect = {"tool": each.call["name"], "arguments": each.call["arguments"]}
        elif each.kind not in ("ask", "decline", "chat"):
            expect["kind"] = "ask"
        context = [{**turn, "tool_calls": turn.get("calls", [])} for turn in each.messages[:-1]]
        line = {"id": f"dev-{number:04d}", "lang": each.lang, "role": each.role, "context": context}
        found.append(json.dumps({**line, "query": each.messages[-1]["content"], "expect": expect}, ensure_ascii=False))
    return found


def execute(world: World, examples: Sequence[Example], rng: random.Random) -> dict[str, int]:
    """Make the calls of a sample of single questions about real names; how many a tool answered and refused.

    A refusal is a sentence for the user (no such category); a bug would rise.
    """
    known = {name for names in world.names().values() for name in names}
    able = [
        e for e in examples
        if e.kind == "call" and e.role == "manager" and e.call["name"] in world.bound["manager"]
        and any(isinstance(v, str) and v in known for v in e.call["arguments"].values())
    ]  # fmt: skip
    found = {"answered": 0, "refused": 0}
    for example in rng.sample(able, min(EXECUTED, len(able))):
        try:
            world.bound["manager"][example.call["name"]](**example.call["arguments"])
            found["answered"] += 1
        except ToolError:
            found["refused"] += 1
    return found


def describe(
    parts: dict[Part, Drawn], executed: dict[str, int], out: Path, seed: int, seeds: Sequence[int], seconds: float
) -> dict[str, Any]:
    """The data card."""
    card: dict[str, Any] = {
        "what": "Conversations with the tools of Debut, compiled from the tools' signatures, demo shops and phrase "
        "families written by hand; no person's data, no text from any data set.",
        "licence": "Apache-2.0",
        "seed": seed,
        "shops": [f"demo, seed {number}" for number in seeds],
        "split": "By phrase family and by entity: a family, brand, noun, category or person of one part is never in "
        "the other.",
        "checks": "Every call has its required arguments, and only texts and numbers that the decoding grammar can "
        "reach in the conversation; calls inside conversations were made for real; of the others a sample was.",
        "executed": executed,
        "seconds": round(seconds, 1),
    }
    for part, drawn in parts.items():
        counts: dict[str, dict[str, int]] = {}
        for what in ("kind", "role", "lang"):
            counts[what] = dict(Counter(getattr(e, what) for e in drawn.kept).most_common())
        counts["tool"] = dict(
            Counter(e.call["name"] for e in drawn.kept if e.call and e.kind != "foreign").most_common()
        )
        dropped = dict(drawn.dropped.most_common(12))
        families = len({e.family for e in drawn.kept})
        card[part] = {"examples": len(drawn.kept), "families": families, **counts, "dropped": dropped}
    card["sha256"] = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in (TRAIN, DEV)}
    return card


def _shop(home: Path, seed: int, small: bool) -> Shop:
    """A demo shop of its own: the calls write drafts and briefs into it."""
    file = home / f"examples-{'small-' if small else ''}{seed}.db"
    file.unlink(missing_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    demo.build(f"sqlite:///{file}", seed=seed, small=small)
    return Shop.open(f"sqlite:///{file}")
