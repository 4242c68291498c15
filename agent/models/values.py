"""How a JSON value of a tool call may be written: rules of a grammar, made from its schema and what was said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from agent.models.said import MAX_NUMBER, Said, Schema, Talk, day_spans, spans_with
from agent.models.template import compact
from shop.types import MEASURE, WORDS

MAX_TEXT = 240
MAX_ITEMS = 12
LATEST = "l"  # begins the names of the rules of the latest words
# One argument character: an escape that json.dumps writes, or anything but quotes, control characters and white space.
# A single blank may follow each but the last, so a text neither starts, ends nor goes on with white space.
_LETTER = r'(?:[^"\\\x00-\x1f\x7f\p{Z}]|\\["\\nt])'
_ANNOTATIONS = ("title", "description", "default", "examples")
# A text argument that the model writes itself (a summary) has this key in its schema; every other copies the user.
FREE = "x-free"
_NUMBER = r"/-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?/"
_INTEGER = r"/-?(0|[1-9][0-9]{0,8})/"


class NothingFits(Exception):
    """The conversation holds no value for this argument."""


def literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class ValueRules:
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
        self.talk = talk
        self._said = None if talk is None else Said(talk)
        self._latest: ValueRules | None = None
        if self._said and self._said.chunks:
            self.lines.append(f"{self._terminal}SAID: %regex {compact({'substring_chunks': self._said.chunks})}")

    def latest(self) -> ValueRules:
        """The rules of what the user's latest words offer, one set for all tools."""
        if self._latest is None:
            asked = [self.talk.asked] if self.talk else [""]
            # "At that price" points to a number of a tool.
            points = self.talk is not None and self.talk.counted == self.talk.texts
            counted = self.talk.counted if self.talk and points else asked
            self._latest = ValueRules(Talk(asked, asked[0], counted), self.lines, LATEST)
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
            except NothingFits:
                self._names[key] = ""
        if not self._names[key]:
            raise NothingFits
        return self._names[key]

    def _body(self, schema: Schema, scope: dict[str, Schema], top: bool) -> str:
        if "$ref" in schema:
            return self.value(scope[schema["$ref"].rsplit("/", 1)[-1]], scope)
        if "const" in schema or "enum" in schema:
            values = [schema["const"]] if "const" in schema else schema["enum"]
            return " | ".join(literal(compact(value)) for value in values)
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
            except NothingFits:
                continue
        if not found:
            raise NothingFits
        return " | ".join(found)

    def _string(self, schema: Schema) -> str:
        free = "pattern" in schema or "format" in schema or schema.get(FREE)
        if not free and self._prefix == LATEST and self._said and not self._said.chunks:
            raise NothingFits  # words that say nothing make nothing anew
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
        except NothingFits:
            if schema.get("minItems"):
                raise
            return '"[]"'
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", MAX_ITEMS), MAX_ITEMS)
        some = f'"[" {item} ("," {item}){{{max(least - 1, 0)},{most - 1}}} "]"'
        return some if least else f'"[]" | {some}'

    def _object(self, schema: Schema, scope: dict[str, Schema], top: bool) -> str:
        fields = schema.get("properties") or {}
        if fields:
            return '"{" ' + self.fields(fields, set(schema.get("required", ())), scope) + ' "}"'
        if top or schema.get("additionalProperties") is False:
            return '"{}"'
        extra = schema.get("additionalProperties")
        value = self.value(extra if isinstance(extra, dict) else {}, scope)
        pair = f'{self.value({"type": "string", "maxLength": 40}, scope)} ":" {value}'
        return f'"{{}}" | "{{" {pair} ("," {pair}){{0,{MAX_ITEMS - 1}}} "}}"'

    def fields(
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
            said = without_null(schema, name in required)
            try:
                value = written.get(name) or self.value(said, scope)
            except NothingFits:
                if name in required:
                    raise
                continue
            due = self._due(said) if any(measures[measure] == 1 for measure in _measures(said)) else ""
            value, is_due = due or value, bool(due) or name in required
            member = f"{literal(compact(name) + ':')} {value}"
            tail = "" if more == '""' else f" {more}"
            first, later = f"{member}{tail}", f'"," {member}{tail}'
            if not is_due:
                first, later = f"{first} | {bare}", f"{later} | {more}"
            bare, more = self.rule(first), self.rule(later)
        return bare

    def _due(self, schema: Schema) -> str:
        """The value of an argument that the latest words leave no choice of; empty where they do."""
        for option in (schema, *schema.get("anyOf", ())):
            due = self._said.due(option[MEASURE]) if self._said and MEASURE in option else None
            if self._said and due is not None and due in self._said.numbers(option["type"], option):
                return literal(compact(int(due) if due.is_integer() else due))
        return ""

    def rule(self, body: str) -> str:
        """Name of a new rule."""
        name = f"m{len(self.lines)}"
        self.lines.append(f"{name}: {body}")
        return name


def _measures(schema: Schema) -> list[str]:
    """What an argument's numbers measure, where its schema says so."""
    return [option[MEASURE] for option in (schema, *schema.get("anyOf", ())) if MEASURE in option]


def without_null(schema: Schema, required: bool) -> Schema:
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
        raise NothingFits
    return " | ".join(literal(compact(value)) for value in values)


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
