"""The difference of two briefs, figure by figure: changed, new or gone, and which input caused it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from agent.brief.declare import Text
from agent.brief.overrides import BY_HAND
from agent.brief.types import Brief, Verdict
from shop import Figure

_OF_THE_DOCUMENT = ("evidence.", "override.", "decision.plan_hash", "decision.data_cutoff")
_SETTINGS = {"locale", "prose_seconds"}  # change words, not figures
_ENTERED = {"item.budget": "budget"}  # figures that are an input under another name

NAMES = {
    "name": Text("name", "名称"),
    "category": Text("category", "品类"),
    "cost": Text("unit cost", "单位成本"),
    "price": Text("price", "售价"),
    "launch_date": Text("launch date", "上市日期"),
    "description": Text("description", "描述"),
    "attributes": Text("attributes", "商品属性"),
    "budget": Text("launch spend", "上市投入"),
    "data_cutoff": Text("data up to", "数据截至"),
    "data": Text("the shop's records", "店铺数据"),
    "by_hand": Text("set by hand", "人工设定"),
    "tool": Text("a newer tool", "工具更新"),
}


@dataclass(frozen=True)
class InputChange:
    """An input of the brief that differs: a field of the draft, a setting, the spend, the data's last day."""

    name: str
    was: Any
    now: Any


@dataclass(frozen=True)
class FigureChange:
    """A figure that differs. `before` is None where it is new, `after` where it is gone; `causes` are input names."""

    figure: str
    label: str
    kind: Literal["changed", "new", "gone"]
    before: Figure | None
    after: Figure | None
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Two briefs side by side: what went in, what came out, and the sections whose words changed."""

    old: str
    new: str
    verdict: tuple[Verdict, Verdict]
    inputs: tuple[InputChange, ...]
    figures: tuple[FigureChange, ...]
    sections: tuple[str, ...]
    findings_new: tuple[str, ...]
    findings_gone: tuple[str, ...]


def diff(old: Brief, new: Brief) -> Difference:
    """What changed from one brief to another, in the order of the newer one's ledger; both may be of any draft.

    The causes are traced: a computed figure changed because of its sources, a tool's because of the arguments it was
    called with, the data's last day, or its code. Where none of these differs, the shop's records have changed.
    """
    trace = _Trace(old, new)
    changes = [_change(name, old.figures.get(name), figure, trace) for name, figure in new.figures.items()]
    gone = [_change(name, figure, None, trace) for name, figure in old.figures.items() if name not in new.figures]
    found = {(each.rule, each.section) for each in old.findings}, {(each.rule, each.section) for each in new.findings}
    words = {section.id: section.template for section in old.sections}
    return Difference(
        old=old.id,
        new=new.id,
        verdict=(old.verdict, new.verdict),
        inputs=tuple(InputChange(name, *pair) for name, pair in trace.inputs.items()),
        figures=tuple(change for change in (*changes, *gone) if change is not None),
        sections=tuple(section.id for section in new.sections if words.get(section.id) != section.template),
        findings_new=tuple(sorted(rule for rule, _ in found[1] - found[0])),
        findings_gone=tuple(sorted(rule for rule, _ in found[0] - found[1])),
    )


def cause_name(cause: str, locale: str = "en") -> str:
    """An input as a reader calls it; a setting is called by its own name."""
    return NAMES[cause].of(locale) if cause in NAMES else cause.replace("_", " ")


def _change(name: str, before: Figure | None, after: Figure | None, trace: _Trace) -> FigureChange | None:
    if name.startswith(_OF_THE_DOCUMENT) or (before and after and _values(before) == _values(after)):
        return None
    known = after or before
    assert known is not None
    if trace.other_words and known.unit in ("text", "passage"):
        return None
    kind: Literal["changed", "new", "gone"] = "new" if before is None else "gone" if after is None else "changed"
    return FigureChange(name, known.label, kind, before, after, trace.causes(name))


class _Trace:
    """Which inputs of two briefs differ, and which of them a figure owes its change to."""

    def __init__(self, old: Brief, new: Brief) -> None:
        self._old, self._new = old, new
        self._known: dict[str, tuple[str, ...]] = {}
        self.other_words = old.locale != new.locale  # then texts differ and say the same

    @cached_property
    def inputs(self) -> dict[str, tuple[Any, Any]]:
        was, now = inputs_of(self._old), inputs_of(self._new)
        return {n: (was.get(n), now.get(n)) for n in (*now, *(was.keys() - now.keys())) if was.get(n) != now.get(n)}

    def causes(self, name: str) -> tuple[str, ...]:
        """Inputs that a changed figure owes its change to, each once."""
        if name not in self._known:
            self._known[name] = ()  # ends a circle, should there be one
            self._known[name] = tuple(dict.fromkeys(self._find(name)))
        return self._known[name]

    def _find(self, name: str) -> list[str]:
        before, after = self._old.figures.get(name), self._new.figures.get(name)
        if [_set_to(before), _set_to(after)] != [None, None] and _set_to(before) != _set_to(after):
            return ["by_hand"]
        shown = after or before
        if shown is None:
            return []
        if shown.tool == "ledger":
            return self._of_sources(name, shown)
        return self._of_call(before, after)

    def _of_sources(self, name: str, figure: Figure) -> list[str]:
        field = _ENTERED.get(name, name.partition(".")[2])
        if name.startswith("item.") and field in self.inputs:
            return [field]
        sources = [source for source in figure.inputs.get("of", ()) if self._differs(source)]
        if sources:
            return [cause for source in sources for cause in self.causes(source)]
        settings = [each for each, (_, now) in self.inputs.items() if now is not None and now == figure.value]
        return settings or ([field] if field in self.inputs else [])

    def _of_call(self, before: Figure | None, after: Figure | None) -> list[str]:
        was, now = (dict(figure.inputs) if figure else {} for figure in (before, after))
        if before is None or after is None:
            other = self._old if before is None else self._new
            shown = after or before
            assert shown is not None
            same = next((f for f in other.figures.values() if f.tool == shown.tool), None)
            was, now = (dict(same.inputs) if same else {}), dict(shown.inputs)
        arguments = [arg for arg in {**was, **now} if arg not in (BY_HAND, "product") and was.get(arg) != now.get(arg)]
        found = [cause for argument in arguments for cause in self._of_argument(argument)]
        found += ["data_cutoff"] if "data_cutoff" in self.inputs else []
        if before is not None and after is not None and before.version != after.version:
            found.append("tool")
        # A tool looks the draft up by its id, and may have read any field of it.
        found = found or [name for name in self._new.subject.model_dump() if name in self.inputs]
        return found or ["data"]

    def _of_argument(self, argument: str) -> list[str]:
        """What an argument owes its change to: an input of its own name, or the figure that it is taken from."""
        if argument in self.inputs:
            return [argument]
        taken = f"{argument}.planned"  # the planned price, which no input need name
        return list(self.causes(taken)) if taken in self._new.figures and self._differs(taken) else [argument]

    def _differs(self, name: str) -> bool:
        before, after = self._old.figures.get(name), self._new.figures.get(name)
        return (None if before is None else _values(before)) != (None if after is None else _values(after))


def inputs_of(brief: Brief) -> Mapping[str, Any]:
    """What went into a brief, by name: fields of the draft, settings, launch spend, the data's last day."""
    draft = brief.subject.model_dump(mode="json", exclude={"id"})
    settings = brief.settings.model_dump(mode="json", exclude=_SETTINGS)
    return {**draft, **settings, "budget": brief.budget, "data_cutoff": brief.data_cutoff.isoformat()}


def _values(figure: Figure) -> tuple[Any, ...]:
    return figure.value, figure.low, figure.high


def _set_to(figure: Figure | None) -> Any:
    return figure.value if figure is not None and BY_HAND in figure.inputs else None
