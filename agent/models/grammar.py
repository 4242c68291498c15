"""What the model may write: a grammar (llguidance's Lark dialect) made from the bound tools and the known figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from agent.models.outline import Outline, text_rules
from agent.models.said import MAX_NUMBER, Said, Schema, Talk, day_spans, spans_with
from agent.models.template import CALL_END, CALL_START, Call, ToolSpec, compact
from shop.types import MEASURE, WORDS

MAX_TEXT = 240
MAX_ITEMS = 12
SUBJECTS = ("product", "name", "category")  # what a call is about is the first of them; a draft has a name
LATEST = "l"  # begins the names of the rules of the latest words

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
# One argument character: an escape that json.dumps writes, or anything but quotes, control characters and white space.
# A single blank may follow each but the last, so a text neither starts, ends nor goes on with white space.
_LETTER = r'(?:[^"\\\x00-\x1f\x7f\p{Z}]|\\["\\nt])'
_ANNOTATIONS = ("title", "description", "default", "examples")
# A text argument that the model writes itself (a summary) has this key in its schema; every other copies the user.
FREE = "x-free"
_NUMBER = r"/-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?/"
_INTEGER = r"/-?(0|[1-9][0-9]{0,8})/"


class _NothingFits(Exception):
    """The conversation holds no value for this argument."""


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
    rules = _Rules(talk)
    calls = _calls(rules, wanted, talk.before if talk else None)
    if choice not in ("auto", "none") and not calls:
        # The caller wants a call at any price.
        rules = _Rules(None)
        calls = _calls(rules, wanted)
    starts = []
    if choice in ("none", "auto"):
        starts.append("text")
        rules.lines.append(text_rules(outline) if outline else _text_rules(figures))
    if calls:
        starts.append("call")
        head = _literal(CALL_START + '{"name":"')
        rules.lines.append(f"call: {head} ({' | '.join(calls)}) {_literal('}' + CALL_END)}")
    return "\n".join([f"start: {' | '.join(starts)}", *rules.lines])


def _calls(rules: _Rules, tools: Sequence[ToolSpec], before: Call | None = None) -> list[str]:
    found = []
    for tool in tools:
        try:
            found.append(_call(rules, tool["function"], before))
        except _NothingFits:
            continue
    return found


def _text_rules(figures: Sequence[str]) -> str:
    if not figures:
        return _TEXT_RULES.replace(" | FIGURE", "")
    names = " | ".join(_literal(name) for name in figures)
    return f'{_TEXT_RULES}FIGURE: "{{{{" ({names}) "}}}}"'


def _call(rules: _Rules, function: dict[str, Any], before: Call | None) -> str:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    scope = parameters.get("$defs", {})
    head = _literal(function["name"] + '","arguments":')
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
            return f"{head} {rules.going_on(parameters, scope, kept, subject, new)}"
    return f"{head} {rules.value(parameters, scope, top=True)}"


def _is_span(schema: Schema) -> bool:
    """Whether an argument is a stretch of the conversation, and no day, choice or text of the model's own."""
    return schema.get("type") == "string" and not {"enum", "const", "pattern", "format", FREE, MEASURE} & schema.keys()


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class _Rules:
    """Collects Lark rules for JSON values; equal schemas share a rule.

    Args:
        talk: What the conversation offers; None where the model writes arguments itself.
        lines: The rules so far, of others too.
        prefix: What sets the names of these rules apart from those of others.
    """

    def __init__(self, talk: Talk | None, lines: list[str] | None = None, prefix: str = "v") -> None:
        self.lines = [] if lines is None else lines
        self._prefix, self._terminal = prefix, prefix.upper()
        self._names: dict[str, str] = {}
        self._talk = talk
        self._said = None if talk is None else Said(talk)
        self._latest: _Rules | None = None
        if self._said and self._said.chunks:
            self.lines.append(f"{self._terminal}SAID: %regex {compact({'substring_chunks': self._said.chunks})}")

    def going_on(
        self, schema: Schema, scope: dict[str, Schema], kept: Mapping[str, Any], subject: str, new: Sequence[str]
    ) -> str:
        """Name of the rule for the arguments of a call that goes on from another.

        Args:
            schema: Of all arguments.
            scope: The definitions that `$ref` may name.
            kept: Arguments of the call before that may go over.
            subject: The one of them that says what it is about; empty where that is not known. Where the subject
                stays, nothing that was said of it is left out; of another one it may not hold.
            new: Arguments that the call before did not have.

        What it is about stays where the latest words name nothing, and is a stretch of them where they do. What is
        new comes from the latest words: what was said earlier had its place in that call. (So do all of some 3,000
        arguments of the training data's later turns, by a script.)
        """
        fields, required = schema["properties"], set(schema.get("required", ()))
        latest = self._of_the_latest_words()
        about = next((name for name in SUBJECTS if name in fields), "")
        ways: dict[str, list[str]] = {}
        for name, value in kept.items():
            ways[name] = [_literal(compact(value))]
            is_named = self._talk.is_named if self._talk and name == about else None
            if is_named is False:
                continue
            try:
                anew = latest.value(_without_null(fields[name], name in required), scope)
            except _NothingFits:
                continue
            ways[name] = [anew] if is_named else [*ways[name], anew]
        again = {name: f"({' | '.join(found)})" for name, found in ways.items()}
        for name in new:
            asked = _without_null(fields[name], name in required)
            if asked.get("type") == "array":
                continue
            try:
                again[name] = latest.value(asked, scope)
            except _NothingFits:
                if name not in required:
                    fields = {other: fields[other] for other in fields if other != name}
        bodies = []
        for way in ways.get(subject, [""]):
            stays = bool(subject) and way == _literal(compact(kept[subject]))
            written = {**again, subject: way} if subject else again
            bodies.append(self._fields(fields, required | kept.keys() if stays else required, scope, written))
        return self._rule('"{" (' + " | ".join(bodies) + ') "}"')

    def _of_the_latest_words(self) -> _Rules:
        """The rules of what the user's latest words offer, one set for all tools."""
        if self._latest is None:
            asked = [self._talk.asked] if self._talk else [""]
            # "At that price" points to a number of a tool.
            points = self._talk is not None and self._talk.counted == self._talk.texts
            counted = self._talk.counted if self._talk and points else asked
            self._latest = _Rules(Talk(asked, asked[0], counted), self.lines, LATEST)
        return self._latest

    def value(self, schema: Schema, scope: dict[str, Schema], top: bool = False) -> str:
        """Name of the rule for a JSON value; `scope` holds the definitions that `$ref` may name."""
        schema = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
        key = compact([schema, top])
        if key not in self._names:
            # Named before it is built, so a schema that refers to itself ends.
            self._names[key] = name = f"{self._prefix}{len(self._names)}"
            try:
                self.lines.append(f"{name}: {self._body(schema, scope, top)}")
            except _NothingFits:
                self._names[key] = ""
        if not self._names[key]:
            raise _NothingFits
        return self._names[key]

    def _body(self, schema: Schema, scope: dict[str, Schema], top: bool) -> str:
        if "$ref" in schema:
            return self.value(scope[schema["$ref"].rsplit("/", 1)[-1]], scope)
        if "const" in schema or "enum" in schema:
            values = [schema["const"]] if "const" in schema else schema["enum"]
            return " | ".join(_literal(compact(value)) for value in values)
        for word in ("anyOf", "oneOf", "allOf"):
            if schema.get(word):
                # Several allOf parts are rare in tool schemas; the first decides the shape, the tool checks the rest.
                options = schema[word][:1] if word == "allOf" else schema[word]
                return self._any_of(options, scope)
        kind = schema.get("type", "object" if "properties" in schema or top else None)
        if isinstance(kind, list):
            return self._any_of([{**schema, "type": each} for each in kind], scope)
        if kind == "object":
            return self._object(schema, scope, top)
        if kind == "array":
            return self._array(schema, scope)
        return self._scalar(kind, schema, scope)

    def _scalar(self, kind: str | None, schema: Schema, scope: dict[str, Schema]) -> str:
        if kind == "string":
            return self._string(schema)
        if kind in ("integer", "number"):
            return _number(kind, schema) if self._said is None else _one_of(self._said.numbers(kind, schema))
        if kind == "boolean":
            return '"true" | "false"'
        if kind == "null":
            return '"null"'
        return self._any_of([{"type": each} for each in ("string", "number", "boolean", "null")], scope)

    def _any_of(self, options: Sequence[Schema], scope: dict[str, Schema]) -> str:
        """The options that can be written."""
        found = []
        for option in options:
            try:
                found.append(self.value(option, scope))
            except _NothingFits:
                continue
        if not found:
            raise _NothingFits
        return " | ".join(found)

    def _string(self, schema: Schema) -> str:
        free = "pattern" in schema or "format" in schema or schema.get(FREE)
        if not free and self._prefix == LATEST and self._said and not self._said.chunks:
            raise _NothingFits  # words that say nothing make nothing anew
        if free or self._said is None or not self._said.chunks:
            return _string(schema)
        if schema.get(MEASURE) == "day":
            return _one_of(day_spans(self._said.texts))
        if isinstance(schema.get(WORDS), list) and schema[WORDS]:
            return _one_of(spans_with(schema[WORDS], self._said.texts))
        # Neither starts nor ends with a blank, and does not reach from one message into the next.
        most = min(schema.get("maxLength", MAX_TEXT), MAX_TEXT)
        name, inner = f"{self._terminal}SPAN{most}", f"{self._terminal}SPAN_IN{most}"
        line = rf'{name}: "\"" {inner} "\""'
        if line not in self.lines:
            bounded = rf"/[^ \n]([^\n]{{0,{max(most - 2, 0)}}}[^ \n])?/"
            self.lines += [line, f"{inner}: {self._terminal}SAID & {bounded}"]
        return name

    def _array(self, schema: Schema, scope: dict[str, Schema]) -> str:
        try:
            item = self.value(schema.get("items") or {}, scope)
        except _NothingFits:
            if schema.get("minItems"):
                raise
            return '"[]"'
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", MAX_ITEMS), MAX_ITEMS)
        some = f'"[" {item} ("," {item}){{{max(least - 1, 0)},{most - 1}}} "]"'
        return some if least else f'"[]" | {some}'

    def _object(self, schema: Schema, scope: dict[str, Schema], top: bool) -> str:
        fields = schema.get("properties") or {}
        if fields:
            return '"{" ' + self._fields(fields, set(schema.get("required", ())), scope) + ' "}"'
        if top or schema.get("additionalProperties") is False:
            return '"{}"'
        extra = schema.get("additionalProperties")
        value = self.value(extra if isinstance(extra, dict) else {}, scope)
        pair = f'{self.value({"type": "string", "maxLength": 40}, scope)} ":" {value}'
        return f'"{{}}" | "{{" {pair} ("," {pair}){{0,{MAX_ITEMS - 1}}} "}}"'

    def _fields(
        self,
        fields: dict[str, Schema],
        required: set[str],
        scope: dict[str, Schema],
        written: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Members in the schema's order: `bare` rules stand before the first member, `more` rules after it.

        `written` has the bodies of members whose values are more than their schema says.
        """
        bare = more = '""'
        measures = Counter(measure for schema in fields.values() for measure in _measures(schema))
        for name, schema in reversed(fields.items()):
            said = _without_null(schema, name in required)
            try:
                value = written.get(name) or self.value(said, scope)
            except _NothingFits:
                if name in required:
                    raise
                continue
            due = self._due(said) if any(measures[measure] == 1 for measure in _measures(said)) else ""
            value, is_due = due or value, bool(due) or name in required
            member = f"{_literal(compact(name) + ':')} {value}"
            tail = "" if more == '""' else f" {more}"
            first, later = f"{member}{tail}", f'"," {member}{tail}'
            if not is_due:
                first, later = f"{first} | {bare}", f"{later} | {more}"
            bare, more = self._rule(first), self._rule(later)
        return bare

    def _due(self, schema: Schema) -> str:
        """The value of an argument that the latest words leave no choice of; empty where they do."""
        for option in (schema, *schema.get("anyOf", ())):
            due = self._said.due(option[MEASURE]) if self._said and MEASURE in option else None
            if self._said and due is not None and due in self._said.numbers(option["type"], option):
                return _literal(compact(int(due) if due.is_integer() else due))
        return ""

    def _rule(self, body: str) -> str:
        name = f"m{len(self.lines)}"
        self.lines.append(f"{name}: {body}")
        return name


def _measures(schema: Schema) -> list[str]:
    """What an argument's numbers measure, where its schema says so."""
    return [option[MEASURE] for option in (schema, *schema.get("anyOf", ())) if MEASURE in option]


def _without_null(schema: Schema, required: bool) -> Schema:
    """An optional argument is left out rather than null: one way to say it."""
    options = schema.get("anyOf")
    if required or not options:
        return schema
    return {**schema, "anyOf": [option for option in options if option.get("type") != "null"]}


def _string(schema: Schema) -> str:
    least, most = max(schema.get("minLength", 1), 1), min(schema.get("maxLength", MAX_TEXT), MAX_TEXT)
    if "pattern" in schema or "format" in schema:
        return "%json " + compact({**_only(schema, "pattern", "format"), "type": "string", "maxLength": most})
    return f'/"(?:{_LETTER} ?){{{least - 1},{most - 1}}}{_LETTER}"/'


def _one_of(values: Sequence[str | float]) -> str:
    """One of the values that the conversation offers."""
    if not values:
        raise _NothingFits
    return " | ".join(_literal(compact(value)) for value in values)


def _number(kind: str, schema: Schema) -> str:
    bounds = _only(schema, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    if not bounds:
        return _INTEGER if kind == "integer" else _NUMBER
    if not {"minimum", "exclusiveMinimum"} & bounds.keys():
        bounds["minimum"] = -MAX_NUMBER
    if not {"maximum", "exclusiveMaximum"} & bounds.keys():
        bounds["maximum"] = MAX_NUMBER
    # Four decimals are enough for money and shares, and end the number.
    return "%json " + compact({"type": kind, **bounds, **({} if kind == "integer" else {"multipleOf": 0.0001})})


def _only(schema: Schema, *keys: str) -> Schema:
    return {key: schema[key] for key in keys if key in schema}
