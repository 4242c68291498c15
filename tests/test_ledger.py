"""The figure ledger: ids, renaming, derivation, and the hunt for numbers without a source."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.ledger import Ledger, UnknownFigure, bare_numbers, placeholders, split_placeholder
from agent.render import chart_points, format_value, render, render_table
from shop import Chart, Figure, Table, ToolResult


def figure(figure_id: str, value: object, unit: str = "units", **more: object) -> Figure:
    return Figure.model_validate({"id": figure_id, "label": figure_id, "value": value, "unit": unit, **more})


def result(call: str, value: float) -> ToolResult:
    units = figure("launch.units_12w", value, low=value / 2, high=value * 2, call=call, input_hash=call)
    return ToolResult(
        summary="Expect {{launch.units_12w}} ({{launch.units_12w.low}} to {{launch.units_12w.high}}).",
        figures=(units,),
        tables=(Table(title="Units", columns=("What", "P50"), rows=(("Total", "{{launch.units_12w}}"),)),),
        chart=Chart(
            kind="line", title="t", x_label="x", y_label="y", x=("launch.units_12w",),
            series={"P10": ("launch.units_12w.low",)},
        ),
        call=call,
        tool="forecast_launch",
    )  # fmt: skip


def test_a_second_call_gets_its_own_ids_everywhere() -> None:
    ledger = Ledger()
    first, second = ledger.add(result("a", 100)), ledger.add(result("b", 200))
    assert [f.id for f in first.figures + second.figures] == ["launch.units_12w", "launch2.units_12w"]
    assert render(second.summary, ledger) == "Expect 200 (100 to 400)."
    assert second.tables[0].rows[0][1] == "{{launch2.units_12w}}"
    assert second.chart is not None
    assert chart_points(second.chart, ledger) == {"x": [200], "P10": [100]}


def test_the_same_call_twice_is_one_entry() -> None:
    ledger = Ledger()
    assert ledger.add(result("a", 100)) is ledger.add(result("a", 100))
    assert len(ledger) == 1


def test_a_derived_figure_names_its_sources() -> None:
    ledger = Ledger()
    ledger.add(result("a", 100))
    derived = ledger.derive("decision.half", "half", 50, "units", "half of the units", of=("launch.units_12w",))
    assert derived.inputs == {"of": ["launch.units_12w"]}
    assert derived.tool == "ledger"
    with pytest.raises(UnknownFigure):
        ledger.derive("decision.x", "x", 1, "units", "from nothing", of=("no.such",))
    with pytest.raises(ValueError, match="already"):
        ledger.derive("decision.half", "half", 51, "units", "again")


def test_missing_names_unknown_figures_and_absent_bounds() -> None:
    ledger = Ledger()
    ledger.add(ToolResult(summary="", figures=(figure("a.b", 1),), call="c"))
    assert ledger.missing("{{a.b}} {{a.b.low}} {{a.c}}") == ["a.b.low", "a.c"]


def test_an_unknown_figure_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="no reason"):
        figure("a.b", None)
    with pytest.raises(ValueError, match="not a number"):
        figure("a.b", float("nan"))
    assert format_value(figure("a.b", None, reason="no cost")) == "unknown"
    assert format_value(figure("a.b", None, reason="no cost"), locale="zh") == "未知"


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("Expect {{launch.units_12w}} units", []),
        ("P10 to P90 of the forecast", []),
        ("one of the first three weeks", []),
        ("Expect 1,240 units", ["1", "240"]),
        ("售出３５件", ["３５"]),
        ("about twenty percent", ["twenty"]),
        ("two hundred units", ["hundred"]),
        ("约三百件", ["三百"]),
        ("百分之五的折扣", ["百分之"]),
        ("预计销量三百五十，价格十二", ["三百五十", "十二"]),
        ("万一缺货，千万不要补货，一般如此", []),
        ("½ price ② Ⅳ", ["½", "②", "Ⅳ"]),
        ("٣٥ units", ["٣٥"]),
        ("一般来说，这是一款好产品", []),
        ("{{a.b}}5", ["5"]),
    ],
)
def test_bare_numbers(template: str, found: list[str]) -> None:
    assert bare_numbers(template) == found


@given(st.text(), st.integers(0, 10**12))
def test_any_typed_number_is_found(text: str, number: int) -> None:
    assert bare_numbers(f"{text} {number}")


@given(st.text(alphabet=st.characters(exclude_categories=("Nd", "No", "Nl"))))
def test_digits_only_come_from_placeholders(text: str) -> None:
    assert all(not run[0].isdigit() for run in bare_numbers(text))


def test_placeholder_parts() -> None:
    assert split_placeholder("a.b.low") == ("a.b", "low")
    assert split_placeholder("a.low") == ("a.low", "")
    assert placeholders("{{ a.b }} {{a.b.high}} {{A.b}} {{ab}}") == ["a.b", "a.b.high"]


@pytest.mark.parametrize(
    ("value", "unit", "more", "en", "zh"),
    [
        (12345.4, "units", {}, "12,345", "12,345"),
        (24.9, "money", {"currency": "GBP"}, "£24.90", "£24.90"),
        (24900.5, "money", {"currency": "CNY"}, "CN¥24,900", "¥24,900"),
        (0.14, "share", {}, "14%", "14%"),
        (0.0534, "share", {}, "5.3%", "5.3%"),
        (1, "weeks", {}, "1 week", "1周"),
        (12, "weeks", {}, "12 weeks", "12周"),
        (-2.346, "ratio", {}, "-2.35", "-2.35"),
        (date(2027, 3, 1), "date", {}, "March 1, 2027", "2027年3月1日"),
        ("Aurora 1.7 L", "text", {}, "Aurora 1.7 L", "Aurora 1.7 L"),
    ],
)
def test_formatting(value: object, unit: str, more: dict[str, object], en: str, zh: str) -> None:
    shown = figure("a.b", value, unit, **more)
    assert (format_value(shown), format_value(shown, locale="zh")) == (en, zh)


def test_links_and_tables() -> None:
    ledger = {"a.b": figure("a.b", 7)}
    assert render("{{a.b}}", ledger, link=lambda f, text: f"[{text}](#{f.id})") == "[7](#a.b)"
    with pytest.raises(UnknownFigure):
        render("{{a.c}}", ledger)
    table = Table(title="T", columns=("x|y",), rows=(("{{a.b}}",),))
    assert render_table(table, ledger).splitlines()[-3:] == ["| x\\|y |", "| --- |", "| 7 |"]


def test_figures_survive_json() -> None:
    day = figure("a.day", date(2027, 3, 1), "date")
    assert Figure.model_validate_json(day.model_dump_json()) == day
