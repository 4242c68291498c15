"""What tools say on a Chinese page: the same figures, every phrase whole, and no number typed."""

from __future__ import annotations

import pytest

from agent.ledger import bare_numbers
from shop.types import Chart, Table
from ui.spoken import book, spoken, spoken_chart, spoken_table


def test_a_summary_is_said_in_chinese_with_the_same_figures() -> None:
    said = "{{market.name}} took {{market.revenue}} over the last {{market.weeks}}, {{market.share}} of the shop."
    more = "{{market.name}} is a rising star."
    assert spoken(f"{said} {more}", "en") == f"{said} {more}"
    assert spoken(f"{said} {more}", "zh") == (
        "{{market.name}}近{{market.weeks}}销售额{{market.revenue}}，占全店{{market.share}}。" + more
    )


def test_a_list_keeps_its_marks_and_a_cell_its_parts() -> None:
    warning = "Of rivals only the ratings are on record, not what their buyers wrote."
    assert spoken(f"- {warning}\n- Nobody knows.", "zh") == "- 竞品仅有评分记录，没有买家评论原文。\n- Nobody knows."
    assert spoken("few purchases; large orders", "zh") == "购买次数少；订单金额大"
    assert spoken("few purchases; blue eyes", "zh") == "few purchases; blue eyes"


def test_tables_and_charts_keep_what_they_show() -> None:
    table = Table(title="Units by launch week", columns=("Week from", "Blend"), rows=(("{{a.b}}", "stock-out"),))
    assert spoken_table(table, "en") == table
    assert spoken_table(table, "zh") == Table(
        title="按上市周的销量", columns=("周起始日", "Blend"), rows=(("{{a.b}}", "断货"),)
    )
    chart = Chart(kind="bar", title="Regret", x_label="Stock", y_label="?", x=("a.b",), series={"Units": ("c.d",)})
    assert spoken_chart(chart, "zh").series == {"件数": ("c.d",)}
    assert spoken_chart(chart, "en") is chart


@pytest.mark.parametrize("english", book())
def test_a_phrase_names_each_figure_of_the_english_once_and_types_none(english: str) -> None:
    chinese = book()[english]
    places = english.count("{}")
    assert sorted(chinese.count(f"{{{n}}}") for n in range(1, places + 1)) == [1] * places, chinese
    assert chinese.count("{") == places
    for n in range(1, places + 1):
        chinese = chinese.replace(f"{{{n}}}", "{{a.b}}")
    assert bare_numbers(chinese) == []
