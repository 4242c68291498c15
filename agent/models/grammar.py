"""What the model may write: a grammar (llguidance's Lark dialect) made from the bound tools and the known figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.models.outline import Outline, text_rules
from agent.models.said import Schema, Talk
from agent.models.template import CALL_END, CALL_START, Call, ToolSpec, compact
from agent.models.values import FREE, NothingFits, ValueRules, literal, without_null
from shop.types import MEASURE

SUBJECTS = ("product", "name", "category")  # what a call is about is the first of them; a draft has a name

# Letters, marks, punctuation and symbols, so no digit of any script; no bracket that opens a call or a placeholder.
_CHAR = r"/[[\p{L}\p{M}\p{P}\p{S}]--[<{}]]/"
# The spelled-out numbers that agent.ledger.bare_numbers finds, as plain substrings: a regular language has no word
# boundary, and a rare word lost ("weighty") costs less than a figure without a source.
_NUMBER_WORDS = (
    r"/(?s:.*)(?i:(thir|four|fif|six|seven|eigh|nine)teen|(twen|thir|for|fif|six|seven|eigh|nine)ty|twelve|hundred"
    r"|thousand|million|billion|dozen|百分之"
    r"|[一二三四五六七八九两][十百千亿]|十[一二三四五六七八九]"
    r"|[十百千万亿][〇零一二三四五六七八九十百千万亿两]*[个件元块天周月年%％台套支瓶盒箱])(?s:.*)/"
)
_TEXT_RULES = rf"""text: WORD (GAP WORD)*
WORD: OPEN? TERM CLOSE | (CHAR | FIGURE)+ & /(?s:.*)/ & ~{_NUMBER_WORDS}
TERM: /P(10|50|90)/
OPEN: /[("“（]/
CLOSE: /[.,;:!?)"”）。，]{{0,3}}/
CHAR: {_CHAR}
GAP: " " | "\n" | "\n\n"
"""


def reply_grammar(
    tools: Sequence[ToolSpec] = (),
    choice: str = "auto",
    figures: Sequence[str] = (),
    said: Talk | Sequence[str] | None = None,
    outline: Outline | None = None,
) -> str:
    """Grammar of one reply.

    Args:
        tools: OpenAI-style tool descriptions.
        choice: `auto` (text or one call), `any` (one call), `none` (text), or the name of the tool to call.
        figures: Names that may stand between double braces, such as `launch.units` and `launch.units.low`.
        said: What users and tools have said. Text arguments are then stretches of it, and numbers are among those that
            it may mean; a tool whose required number nobody mentioned cannot be called (with `any` or a name, it
            can, with any number). None lets the model write them itself. What goes on from a call keeps that call's
            arguments or says them anew, and while it is about the same thing none of them is left out.
        outline: What a text must speak of, and how, instead of any text over `figures`.

    Returns:
        Source in llguidance's Lark dialect. A call has every required argument, no unknown one, the order of the
        schema, compact separators, and bounded texts, numbers and lists. Text has no digit outside placeholders.

    Raises:
        ValueError: `choice` names no tool, or asks for a call where there are no tools.
    """
    wanted = [tool for tool in tools if choice in ("auto", "any", tool["function"]["name"])]
    if choice not in ("auto", "none") and not wanted:
        raise ValueError(f"tool_choice {choice!r} names none of {[tool['function']['name'] for tool in tools]}")
    talk = said if said is None or isinstance(said, Talk) else Talk.of(said)
    rules = ValueRules(talk)
    calls = _calls(rules, wanted, talk.before if talk else None)
    if choice not in ("auto", "none") and not calls:
        # The caller wants a call at any price.
        rules = ValueRules(None)
        calls = _calls(rules, wanted)
    starts = []
    if choice in ("none", "auto"):
        starts.append("text")
        rules.lines.append(text_rules(outline) if outline else _text_rules(figures))
    if calls:
        starts.append("call")
        head = literal(CALL_START + '{"name":"')
        rules.lines.append(f"call: {head} ({' | '.join(calls)}) {literal('}' + CALL_END)}")
    return "\n".join([f"start: {' | '.join(starts)}", *rules.lines])


def _calls(rules: ValueRules, tools: Sequence[ToolSpec], before: Call | None = None) -> list[str]:
    found = []
    for tool in tools:
        try:
            found.append(_call(rules, tool["function"], before))
        except NothingFits:
            continue
    return found


def _text_rules(figures: Sequence[str]) -> str:
    if not figures:
        return _TEXT_RULES.replace(" | FIGURE", "")
    names = " | ".join(literal(name) for name in figures)
    return f'{_TEXT_RULES}FIGURE: "{{{{" ({names}) "}}}}"'


def _call(rules: ValueRules, function: dict[str, Any], before: Call | None) -> str:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    scope = parameters.get("$defs", {})
    head = literal(function["name"] + '","arguments":')
    if before:
        fields, required = parameters.get("properties") or {}, parameters.get("required") or []
        is_same = before.name == function["name"]
        # What a draft is called is the product of every other tool.
        draft = {"product": before.arguments["name"]} if "name" in before.arguments else {}
        kept = {
            name: value
            for name, value in {**draft, **before.arguments}.items()
            if name in fields and isinstance(value, str | int | float) and (is_same or _is_span(fields[name]))
        }
        subject = next((name for name in required if name in kept and _is_span(fields[name])), "") if is_same else ""
        if kept:
            new = [name for name in fields if name not in {**kept, **before.arguments}]
            return f"{head} {_going_on(rules, parameters, kept, subject, new)}"
    return f"{head} {rules.value(parameters, scope, top=True)}"


def _is_span(schema: Schema) -> bool:
    """Whether an argument is a stretch of the conversation, and no day, choice or text of the model's own."""
    return schema.get("type") == "string" and not {"enum", "const", "pattern", "format", FREE, MEASURE} & schema.keys()


def _going_on(
    rules: ValueRules,
    function: Schema,
    kept: Mapping[str, Any],
    subject: str,
    new: Sequence[str],
) -> str:
    """Name of the rule for the arguments of a call that goes on from another.

    What it is about stays where the latest words name nothing, and is a stretch of them where they do. What is new
    comes from the latest words: what was said earlier had its place in that call. (So do all of some 3,000 arguments of
    the training data's later turns, by a script.)

    Args:
        rules: Of values.
        function: The tool's schema.
        kept: Arguments of the call before that may go over.
        subject: The one of them that says what it is about; empty where that is not known. Where the subject stays,
            nothing that was said of it is left out; of another one it may not hold.
        new: Arguments that the call before did not have.
    """
    fields, required = function["properties"], set(function.get("required", ()))
    scope, latest = function.get("$defs", {}), rules.latest()

    def anew(name: str) -> list[str]:
        try:
            return [latest.value(without_null(fields[name], name in required), scope)]
        except NothingFits:
            return []

    about = next((name for name in SUBJECTS if name in fields), "")
    ways: dict[str, list[str]] = {}
    for name, value in kept.items():
        same, other = [literal(compact(value))], anew(name)
        is_named = rules.talk.is_named if rules.talk and name == about else None
        ways[name] = same if is_named is False or not other else other if is_named else [*same, *other]
    written = {name: f"({' | '.join(found)})" for name, found in ways.items()}
    for name in new:
        if found := anew(name):
            written[name] = found[0]
        elif name not in required:
            fields = {other: fields[other] for other in fields if other != name}
    bodies = []
    for way in ways.get(subject, [""]):
        stays = bool(subject) and way == literal(compact(kept[subject]))
        due = required | kept.keys() if stays else required
        bodies.append(rules.fields(fields, due, scope, {**written, subject: way} if subject else written))
    return rules.rule('"{" (' + " | ".join(bodies) + ') "}"')
