"""A brief's document as it is stored: a figure is a row of places in lists of the values that each field takes.

Figures repeat their call, its inputs, the rows behind them and the formula in words: written out, they are nine tenths
of a document. Packed, each such value stands once, and unpacking gives back what was packed.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

_FIELDS, _ROWS = "fields", "rows"  # no figure is called so: a figure's id holds a dot


def pack(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its figures packed; as it is where they are not alike."""
    figures = document.get("figures") or {}
    shapes = {tuple(figure) for figure in figures.values()}
    if len(shapes) != 1 or any(figure.get("id") != name for name, figure in figures.items()):
        return document
    fields: dict[str, list[Any]] = {}
    columns: list[list[int]] = []
    for name in shapes.pop():
        places: dict[str, int] = {}  # by the value as text: True is not one, and a dictionary has no hash
        columns.append([places.setdefault(json.dumps(each[name]), len(places)) for each in figures.values()])
        fields[name] = [json.loads(text) for text in places]
    return {**document, "figures": {_FIELDS: fields, _ROWS: [list(row) for row in zip(*columns, strict=True)]}}


def unpack(document: dict[str, Any]) -> dict[str, Any]:
    """What `pack` was given; a document that is not packed stays as it is."""
    packed = document.get("figures") or {}
    if set(packed) != {_FIELDS, _ROWS}:
        return document
    fields = packed[_FIELDS]
    unpacked = (
        {name: values[at] for (name, values), at in zip(fields.items(), row, strict=True)} for row in packed[_ROWS]
    )
    return {**document, "figures": {figure["id"]: figure for figure in unpacked}}


class BriefDocument(TypeDecorator[dict[str, Any]]):
    """A JSON column that packs what it is given and gives it back unpacked."""

    impl = JSON
    cache_ok = True
    coerce_compared_value = JSON.coerce_compared_value  # so that a part of it can be asked for

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else pack(value)

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:
        return None if value is None else unpack(value)
