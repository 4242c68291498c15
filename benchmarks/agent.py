"""`./debut bench agent`: does the assistant call the right tool with the right arguments, or rightly none?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool

from agent.brief import brief_writer
from agent.choice import asked_in
from agent.models.chat import LocalChatModel
from agent.models.engine import Request
from agent.models.template import MalformedReply, ToolSpec, parse_reply, render_prompt
from agent.personal import Vault
from agent.prompt import langchain_tool, system_prompt
from agent.routing import required_only
from agent.shortlist import LEAST_FIT_VECTORS, LEAST_FIT_WORDS, SIZE, Shortlist, examples_of, open_shortlist
from benchmarks.agent_cases import Case, Reply, Score, read_cases, score
from benchmarks.result import Result, bootstrap, report
from retrieval.embed import Embedder
from shop import BadInput, ToolResult
from shop.types import Role
from tools import ALL

ROLES: tuple[Role, ...] = ("manager", "customer")
CASES = Path(__file__).with_name("agent_cases.jsonl")
LEFT_ALONE = 0.2  # of the words' scores: below it a keyword router calls nothing
Method = Callable[[Case], Reply]


@dataclass(frozen=True)
class Desk:
    """The tools of a role as the model is shown them, and the shortlists over them."""

    tools: Mapping[str, BaseTool]
    words: Shortlist
    meaning: Shortlist
    taught: Shortlist


def main(
    file: Path = CASES,
    setting: str = "embedded",
    home: Path | None = None,
    rivals: Sequence[str] = (),
    most: int = 0,
) -> dict[str, Any]:
    """Run a case file through the assistant's model, and through its rivals where they are wanted.

    Args:
        file: One case a line.
        setting: The model, as DEBUT_MODEL names it.
        home: Folder of weights.
        rivals: Names of `RIVALS` to hold beside it, or `all`.
        most: At most so many cases, evenly taken; 0 takes all.

    Raises:
        BadInput: No rival has such a name, or the model has no adapter to be taken apart.
    """
    from agent.models.select import open_model
    from retrieval.embed import open_embedder

    started = time.perf_counter()
    home = home or Path.home() / ".cache" / "debut"
    if unknown := sorted(set(rivals) - {*RIVALS, "all"}):
        raise BadInput(f"No rival is named {unknown[0]}; name one of {', '.join(RIVALS)}, or all.")
    cases = read_cases(file)
    cases = cases[:: max(1, len(cases) // most)][:most] if most else cases
    model = open_model(setting, home)
    desks: dict[str, Desk] = {role: desk(role, open_embedder(home), model) for role in ROLES}
    methods: dict[str, Method] = {"debut": product(model, desks)}
    methods |= _rivals(rivals, desks, model, partial(open_model, "embedded:none", home))
    replies = {name: [_held(method, case) for case in cases] for name, method in methods.items()}
    scores = {name: [score(c, r) for c, r in zip(cases, found, strict=True)] for name, found in replies.items()}
    rows = [row for name in methods for row in rates(name, cases, replies[name], scores[name])]
    found = summary(cases, replies["debut"], scores["debut"])
    return report("agent", file.name, rows, time.perf_counter() - started, model=setting, **found)


def desk(role: Role, embedder: Embedder | None, model: Any = None) -> Desk:
    """The tools of a role; no shop is needed, for nothing is called."""
    # As at the desk, with the brief's tool, which stands on the others.
    tools = [each.tool for each in (*ALL, brief_writer({})) if role in each.tool.roles]  # type: ignore[attr-defined]
    summaries = {tool.name: tool.summary for tool in tools}
    examples = examples_of(summaries)
    shown = {tool.name: langchain_tool(tool, lambda **_: ("", ToolResult(summary=""))) for tool in tools}
    taught = open_shortlist(role, summaries, embedder, model)
    return Desk(shown, Shortlist(examples), Shortlist(examples, embedder), taught)


def product(model: Any, desks: Mapping[str, Desk]) -> Method:
    """What the assistant does: a taught model chooses from the shortlist, an untaught one fills in what was routed."""
    if getattr(model, "is_tuned", True):
        return partial(_chosen, model, desks, short=True, follows=getattr(model, "follows_chooser", False))
    return partial(_routed, model, desks)


def _rivals(names: Sequence[str], desks: Mapping[str, Desk], model: Any, base: Callable[[], Any]) -> dict[str, Method]:
    """The named rivals; `all` leaves out those that take an adapter apart where the model has none."""
    wanted = [name for name in RIVALS if name in names or "all" in names]
    if not getattr(model, "is_tuned", False):
        if apart := [name for name in wanted if name.startswith("adapter") and name in names]:
            raise BadInput(f"{apart[0]} takes an adapter apart, and this model has none; set DEBUT_MODEL to embedded.")
        wanted = [name for name in wanted if not name.startswith("adapter")]
    plain = base() if any("base" in name for name in wanted) else None
    return {name: partial(RIVALS[name], plain if "base" in name else model, desks) for name in wanted}


def _held(method: Method, case: Case) -> Reply:
    """As at the service desk, a shopper's personal data is hidden from the method, and put back into its call."""
    if case.role != "customer":
        return method(case)
    vault = Vault()
    hidden = replace(
        case,
        query=vault.hide(case.query),
        context=tuple(m.model_copy(update={"content": vault.hide(str(m.text))}) for m in case.context),
    )
    reply = method(hidden)
    return replace(reply, arguments=vault.reveal_all(reply.arguments))


def _router(_: Any, desks: Mapping[str, Desk], case: Case, meaning: bool) -> Reply:
    """The tool whose example questions are nearest, without arguments; none where they are far."""
    started = time.perf_counter()
    shortlist = desks[case.role].meaning if meaning else desks[case.role].words
    scores = shortlist.scores(case.query)
    best = int(scores.argmax())
    least = LEAST_FIT_VECTORS if shortlist.reads(case.query) else LEAST_FIT_WORDS if meaning else LEFT_ALONE
    name = shortlist.names[best] if scores[best] >= least else ""
    return Reply(name, seconds=time.perf_counter() - started)


def _choice(_: Any, desks: Mapping[str, Desk], case: Case) -> Reply:
    """The tool that the shortlist as it ships holds for the one, without arguments."""
    started = time.perf_counter()
    name = desks[case.role].taught.best(asked_in(conversation(case)))
    return Reply(name, seconds=time.perf_counter() - started)


def _routed(model: Any, desks: Mapping[str, Desk], case: Case) -> Reply:
    """As `agent.routing` does it: the shortlist picks the tool, the model fills in what it needs."""
    chosen = _choice(None, desks, case)
    if not chosen.tool:
        return chosen
    started = time.perf_counter()
    tool = required_only(desks[case.role].tools[chosen.tool])
    reply = model.bind_tools([tool], tool_choice=chosen.tool).invoke(conversation(case))
    return _reply(reply, chosen.seconds + time.perf_counter() - started)


def _chosen(model: Any, desks: Mapping[str, Desk], case: Case, short: bool, follows: bool = False) -> Reply:
    """The model chooses, its grammar holds it to a call that can be made."""
    started = time.perf_counter()
    shown, choice, settings = _shown(desks, case, short, follows)
    reply = model.bind_tools(shown, tool_choice=choice, **settings).invoke(conversation(case))
    return _reply(reply, time.perf_counter() - started)


def _free(model: LocalChatModel, desks: Mapping[str, Desk], case: Case, short: bool) -> Reply:
    """The model chooses and writes as it likes; what is no call and no text is invalid."""
    from langchain_core.utils.function_calling import convert_to_openai_tool

    started = time.perf_counter()
    shown: list[ToolSpec] = [convert_to_openai_tool(tool) for tool in _shown(desks, case, short)[0]]
    prompt = render_prompt(conversation(case), shown)
    text = "".join(piece.text for piece in model.engine.generate(Request(prompt, max_tokens=160)))
    seconds = time.perf_counter() - started
    try:
        words, calls = parse_reply(text)
    except MalformedReply:
        return Reply(text=text, seconds=seconds, valid=False)
    if not calls:
        return Reply(text=words, seconds=seconds)
    known = {spec["function"]["name"]: spec["function"]["parameters"].get("properties", {}) for spec in shown}
    valid = calls[0].name in known and set(calls[0].arguments) <= set(known[calls[0].name])
    return Reply(calls[0].name, calls[0].arguments, words, seconds, valid)


def _shown(
    desks: Mapping[str, Desk], case: Case, short: bool, follows: bool = False
) -> tuple[list[BaseTool], str, dict[str, Any]]:
    """The tools of a turn, all of them or as the assistant shows them, whether one may be called, and how readily."""
    own = desks[case.role]
    if follows:
        offer = own.taught.offer(conversation(case))
        choice = "auto" if offer.may_call else "none"
        return [own.tools[name] for name in offer.names], choice, offer.settings
    if not short or len(own.tools) <= SIZE:
        return list(own.tools.values()), "auto", {}
    return [own.tools[name] for name in own.taught.choose(asked_in(conversation(case)))], "auto", {}


RIVALS: Mapping[str, Callable[..., Reply]] = {
    "keyword_router": partial(_router, meaning=False),
    "embedding_router": partial(_router, meaning=True),
    "chooser": _choice,
    "chooser+base": _routed,
    "base": partial(_free, short=False),
    "base+grammar": partial(_chosen, short=False),
    "base+grammar+shortlist": partial(_chosen, short=True),
    "adapter": partial(_free, short=False),
    "adapter+grammar": partial(_chosen, short=False),
    "adapter+shortlist": partial(_free, short=True),
    "adapter+grammar+shortlist": partial(_chosen, short=True),
}


def conversation(case: Case) -> list[BaseMessage]:
    """What the model reads of a case, the tools left out."""
    role = "customer" if case.role == "customer" else "manager"
    return [SystemMessage(system_prompt(role)), *case.context, HumanMessage(case.query)]  # type: ignore[arg-type]


def _reply(message: AIMessage, seconds: float) -> Reply:
    if message.tool_calls:
        return Reply(message.tool_calls[0]["name"], message.tool_calls[0]["args"], "", seconds)
    return Reply(text=str(message.text), seconds=seconds, valid=not message.invalid_tool_calls)


def rates(name: str, cases: Sequence[Case], replies: Sequence[Reply], scores: Sequence[Score]) -> list[Result]:
    """The figures of one method, with bootstrap intervals."""
    found = []
    for lang in ("all", *sorted({case.lang for case in cases})):
        of = [n for n, case in enumerate(cases) if lang in ("all", case.lang)]
        calls = [n for n in of if cases[n].tool]
        columns = {
            "tool": [scores[n].tool for n in calls],
            "exact": [scores[n].exact for n in calls],
            "no_call_exact": [scores[n].exact for n in of if not cases[n].tool],
            "valid": [replies[n].valid for n in of],
        }
        for metric, values in columns.items():
            if values:
                low, high = bootstrap(np.array(values, dtype=float))
                mean = float(np.mean(values))
                found.append(Result(name, metric, mean, low, high, len(values), {"lang": lang}))
    seconds = np.array([reply.seconds for reply in replies])
    found += [Result(name, f"seconds_{q}", float(np.quantile(seconds, p)), n=len(cases), extra={"lang": "all"})
              for q, p in (("p50", 0.5), ("p95", 0.95))]  # fmt: skip
    return found


def summary(cases: Sequence[Case], replies: Sequence[Reply], scores: Sequence[Score]) -> dict[str, Any]:
    """What the layout of the agent benchmark asks for."""
    calls = [s for case, s in zip(cases, scores, strict=True) if case.tool]
    seconds = np.array([reply.seconds for reply in replies])
    return {
        "cases": len(cases),
        "tool": _mean(s.tool for s in scores),
        "arguments": sum(s.right for s in calls) / max(1, sum(s.of for s in calls)),
        "exact": _mean(s.exact for s in scores),
        "no_call": _no_call(cases, replies),
        "by": {
            what: {
                value: {"n": len(group), "tool": _mean(s.tool for s in group), "exact": _mean(s.exact for s in group)}
                for value, group in _grouped(cases, scores, what).items()
            }
            for what in ("lang", "role", "tool", "kind", "stratum")
        },
        "seconds_per_case": {"p50": float(np.quantile(seconds, 0.5)), "p95": float(np.quantile(seconds, 0.95))},
        "failures": [
            {
                "id": case.id,
                "query": case.query,
                "wanted": {"tool": case.tool or None, "arguments": dict(case.arguments), "kind": case.kind},
                "got": {"tool": reply.tool or None, "arguments": dict(reply.arguments), "text": reply.text},
            }
            for case, reply, s in zip(cases, replies, scores, strict=True)
            if not s.exact
        ],
    }


def _no_call(cases: Sequence[Case], replies: Sequence[Reply]) -> dict[str, float]:
    """Precision and recall of calling nothing."""
    silent = [not reply.tool and reply.valid for reply in replies]
    wanted = [not case.tool for case in cases]
    both = sum(s and w for s, w in zip(silent, wanted, strict=True))
    return {"precision": both / max(1, sum(silent)), "recall": both / max(1, sum(wanted))}


def _grouped(cases: Sequence[Case], scores: Sequence[Score], what: str) -> dict[str, list[Score]]:
    groups: dict[str, list[Score]] = {}
    for case, each in zip(cases, scores, strict=True):
        groups.setdefault(getattr(case, what) or "none", []).append(each)
    return dict(sorted(groups.items()))


def _mean(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
