"""How texts are judged by the writing benchmark."""

from __future__ import annotations

import pytest

from benchmarks.writing import Written, answer_faults, copy_faults, distinct, rates
from shop import Figure, Table, ToolResult


def test_distinct_runs_are_counted_over_all_texts() -> None:
    assert distinct(iter(["a b c", "a b d"])) == pytest.approx(3 / 4)
    assert distinct(iter(["三个月", "三个月"])) == pytest.approx(2 / 4)
    assert distinct(iter([])) == 0.0


def test_rates_are_by_task_writer_and_language() -> None:
    found = [
        Written("section buy", "en", "plain", "D-1", "a b"),
        Written("section price", "zh", "plain", "D-1", "三个", ("a number of its own",)),
        Written("copy", "en", "plain", "K-1", "a b", seconds=2.0),
    ]
    valid = {(r.extra["task"], r.extra["lang"]): r.value for r in rates(found) if r.metric == "valid_at_first_try"}
    assert valid == {
        ("section", "both"): 0.5,
        ("section", "en"): 1.0,
        ("section", "zh"): 0.0,
        ("copy", "both"): 1.0,
        ("copy", "en"): 1.0,
    }


def answer(template: str, length: float = 5, formula: str = "product K-1, name") -> ToolResult:
    figures = (
        Figure(id="copy.name", label="Name", value="Oak lamp", unit="text", formula=formula),
        Figure(id="copy.title_length", label="Length", value=length, unit="count"),
        Figure(id="copy.title_limit", label="Limit", value=10, unit="count"),
    )
    row = ("Title", template, "{{copy.title_length}}", "{{copy.title_limit}}")
    table = Table(title="Parts", columns=("Part", "Text", "Length", "Limit"), rows=(row,))
    return ToolResult(summary=template, figures=figures, tables=(table,))


@pytest.mark.parametrize(
    ("result", "lang", "fault"),
    [
        (answer("A {{copy.name}} for the desk"), "en", ""),
        (answer("A {{copy.name}} for the desk", length=11), "en", "over its limit"),
        (answer("A {{copy.name}} of 3 litres"), "en", "a number of its own"),
        (answer("A {{copy.name}} for the desk", formula=""), "en", "has no source"),
        (answer("A {{copy.name}} for the desk"), "zh", "the wrong language"),
    ],
)
def test_copy_is_judged_by_what_came_back(result: ToolResult, lang: str, fault: str) -> None:
    found = list(copy_faults(result, lang))
    assert (fault in found[0] and len(found) == 1) if fault else not found


def test_an_answer_quotes_a_policy_and_cites_it() -> None:
    quoted = Figure(id="policies.item_1_text", label="Text", value="Opened beauty products stay.", unit="text")
    cited = Figure(id="policies.item_1_source", label="Source", value="RET-2", unit="passage")
    result = ToolResult(summary="{{policies.item_1_text}} {{policies.item_1_source}}", figures=(quoted, cited))
    assert not list(answer_faults({"RET-2": "Returns. Opened beauty products stay."}, result, "en"))
    assert list(answer_faults({"RET-2": "Something else."}, result, "zh")) == [
        "the quotation stands in no policy",
        "the wrong language",
    ]
    assert list(answer_faults({}, ToolResult(summary="Nothing."), "en")) == ["no passage is cited"]
