"""What tools say on a Chinese page: the same figures, every phrase whole, no number typed, and no refusal forgotten."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.brief import BriefSettings, compile_brief
from agent.brief.write import _answer
from agent.ledger import PLACEHOLDER, bare_numbers
from agent.render import format_value
from agent.spoken import book, spoken, spoken_chart, spoken_plain, spoken_table
from shop import Actor, Figure, Shop, ToolError
from shop.resolve import find_category, find_product
from shop.types import Chart, Table
from tools import ALL, catalogue
from tools.market import market_trend
from tools.pricing import recommend_price
from tools.registry import bind
from ui.inspector import explain

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "agent" / "spoken.toml"
REFUSALS = ("ToolError", "BadInput", "Denied")
# Who says it: the terminal, before there is a page, or a sentence that is put together of others.
TERMINAL = "only the command line says it"
NOT_ON_A_PAGE = {
    "shop/backup.py": TERMINAL,
    "shop/demo/build.py": TERMINAL,
    "shop/own_rows.py": "whoever sets up the database reads it in the terminal",
    "shop/database.py": "without a shop there is no page",
    "shop/published.py": "no page asks for published counts",
    "shop/importers/olist.py": TERMINAL,
    "shop/importers/tau_retail.py": TERMINAL,
    "agent/models/adapters.py": "the start says it in the terminal; the desk runs without the adapter",
    "agent/models/openvino_backend.py": "the start says it in the terminal, and another engine takes over",
    "agent/models/select.py": "the settings page offers only models that exist",
    "retrieval/embed.py": "search falls back to words; the terminal says why",
    "retrieval/pictures.py": "set in the environment, said in the terminal",
    "retrieval/rerank.py": "set in the environment, said in the terminal",
    "ui/brief_commands.py": TERMINAL,
    "ui/briefs.py": TERMINAL,
    "ui/demo.py": TERMINAL,
    "ui/importing.py": TERMINAL,
    "ui/place.py": "the start ends with it in the terminal",
    "ui/server.py": "the start ends with it in the terminal",
    "ui/trust_commands.py": TERMINAL,
    "ui/voice_command.py": TERMINAL,
    "ui/wiring.py": TERMINAL,
}
NOT_ALONE = {
    "There is no mapping file {}; let it be guessed first.": TERMINAL,
    "The mapping file {} is not TOML ({}); correct it there.": TERMINAL,
    "The mapping file {} has a fault at {}: {}.": TERMINAL,
    "{} is {}.": "the book has the sentence for each kind of file",
    "The role {} is not group=role, such as buyers=manager; roles: {}.": "the start ends with it in the terminal",
    "Say which proposal to {}; `./debut actions` lists those that wait.": TERMINAL,
}


def test_a_summary_is_said_in_chinese_with_the_same_figures() -> None:
    said = "{{market.name}} took {{market.revenue}} over the last {{market.weeks}}, {{market.share}} of the shop."
    more = "{{market.name}} is a rising star."
    assert spoken(f"{said} {more}", "en") == f"{said} {more}"
    assert spoken(f"{said} {more}", "zh") == (
        "{{market.name}}近{{market.weeks}}销售额{{market.revenue}}，占全店{{market.share}}。" + more
    )


@pytest.mark.parametrize("known", itertools.product((False, True), repeat=4))
def test_whatever_a_draft_has_is_said_in_chinese(known: tuple[bool, ...]) -> None:
    names = ("item.category", "item.cost", "item.price", "item.launch_date")
    has = dict(zip(names, known, strict=True))
    summary = catalogue._draft_summary(SimpleNamespace(known=has.__getitem__))  # type: ignore[arg-type]
    said = spoken(summary, "zh")
    assert not re.search(r"[A-Za-z]", PLACEHOLDER.sub("", said))
    assert sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(summary))


def test_what_is_said_of_a_written_brief_is_chinese(demo_shop: Shop) -> None:
    brief = compile_brief(bind(ALL, demo_shop, Actor(role="manager")), demo_shop, demo_shop.drafts()[0],
                          settings=BriefSettings(locale="zh"))  # fmt: skip
    answer = _answer(brief)
    assert answer.warnings
    for text in (answer.summary, *answer.warnings):
        assert not re.match(r"[A-Za-z]", PLACEHOLDER.sub("", spoken(text, "zh")))
        assert not re.search(r"Missing|Verdict|written|plan", PLACEHOLDER.sub("", spoken(text, "zh")))


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


def test_every_phrase_names_each_value_once_and_types_no_number_that_the_english_has_not() -> None:
    for english, chinese in book().items():
        places = english.count("{}")
        named = [int(number) for number in re.findall(r"\{(\d)~?\}", chinese)]
        assert sorted(named) == list(range(1, places + 1)), chinese
        digits = re.findall(r"\d+", re.sub(r"\{\d~?\}", "", chinese))
        assert set(digits) <= set(re.findall(r"\d+", english)), chinese


@pytest.mark.parametrize("english", tomllib.loads(TEMPLATES.read_text(encoding="utf-8"))["sentences"])
def test_a_template_types_no_number(english: str) -> None:
    assert bare_numbers(re.sub(r"\{\d\}", "{{a.b}}", book()[english])) == []


def test_a_refusal_is_said_in_chinese_with_its_values(demo_shop: Shop) -> None:
    with pytest.raises(ToolError) as refused:
        find_product(demo_shop, "zzzzqqq")
    assert spoken_plain(str(refused.value), "en") == str(refused.value)
    assert spoken_plain(str(refused.value), "zh").startswith("没有名为“zzzzqqq”的商品；最接近的有")
    with pytest.raises(ToolError) as refused:
        find_category(demo_shop, "zzzzqqq")
    assert spoken_plain(str(refused.value), "zh").startswith("这里没有类似“zzzzqqq”的类目；全部一级类目：")
    against = "its verdict is no-go; figures are missing in 需求预测, 定价; finance, legal refused to sign"
    refusal = (
        f"Brief B-7 cannot be approved without a reason: {against}. Mend that and write it again, or say why it is "
    )
    assert spoken_plain(refusal + "approved all the same.", "zh") == (
        "没有理由不能批准简报B-7：结论为不上市；以下章节缺少数值：需求预测, 定价；财务、法务拒绝签署。"
        "请改正后重写，或说明仍要批准的理由。"
    )
    assert spoken_plain("Nobody has said that; ever.", "zh") == "Nobody has said that; ever."


def test_why_a_tool_cannot_answer_is_said_in_the_language_of_the_reader() -> None:
    refusal = Figure(id="note.a", label="Why a has no answer", value="The orders name no region; leave the region out.",
                     unit="text")  # fmt: skip
    assert format_value(refusal, locale="zh") == "订单中没有地区信息；请不指定地区。"
    assert format_value(refusal.model_copy(update={"id": "item.name"}), locale="zh") == refusal.value


def test_the_inspector_names_a_figure_and_its_formula_in_chinese(demo_shop: Shop) -> None:
    tools = bind([market_trend, recommend_price], demo_shop, Actor(role="manager", id="m"))
    product = demo_shop.products().iloc[0]
    results = [
        tools["market_trend"](category=str(product["category"])),
        tools["recommend_price"](product=str(product["sku"])),
    ]
    for figure in (each for result in results for each in result.figures):
        assert _is_chinese(spoken_plain(figure.label, "zh")), figure.label
        for text in filter(None, (figure.formula, figure.reason)):
            assert _is_chinese(spoken_plain(text, "zh")), text
    [revenue] = [each for each in results[0].figures if each.id == "market.revenue"]
    assert "#### 销售额" in explain(revenue, {}, "chat", "zh")
    assert "销量合计" in explain(revenue, {}, "chat", "zh")


def test_every_refusal_that_a_reader_can_meet_has_chinese() -> None:
    missing = [
        f"{place}: {text}"
        for place, text in _refusals()
        if place not in NOT_ON_A_PAGE and text not in NOT_ALONE and text not in book()
    ]
    assert missing == []


def test_every_figure_has_a_chinese_name_formula_and_reason() -> None:
    missing = [f"{place}: {text}" for place, text in _about_figures() if text not in book()]
    assert missing == []


def test_no_exception_is_left_of_a_file_that_is_gone() -> None:
    raised = list(_refusals())
    assert {place for place, _ in raised} >= set(NOT_ON_A_PAGE)
    assert {text for _, text in raised} >= set(NOT_ALONE)


def _is_chinese(text: str) -> bool:
    return bool(re.search(r"[\u4e00-\u9fff]", text))


def _refusals() -> Iterator[tuple[str, str]]:
    """The sentence of every refusal in the code, with its file; a value is `{}`."""
    for path, tree, constants in _modules("shop", "tools", "agent", "retrieval", "ui"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                called = node.exc.func
                if isinstance(called, ast.Name) and called.id in REFUSALS and node.exc.args:
                    yield from ((path, text) for text in _texts(node.exc.args[0], constants))


def _about_figures() -> Iterator[tuple[str, str]]:
    """Names, formulas and reasons where a figure is entered, with the file; what is computed is left out."""
    for path, tree, constants in _modules("tools", "agent"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) < 3:
                continue
            if node.func.attr in ("add", "add_draws", "derive", "enter"):
                given = [each.value for each in node.keywords if each.arg in ("label", "formula", "reason")]
                for said in (node.args[1], *node.args[4:5], *given):
                    for text in _texts(said, constants):
                        if re.search("[a-z]", text) and not re.fullmatch(r"\w+ \{\}", text):
                            yield path, text


def _texts(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body, constants), *_texts(node.orelse, constants))
    elif isinstance(node, ast.BoolOp):
        yield from (text for each in node.values for text in _texts(each, constants))
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(_piece(each, constants) for each in node.values)


def _piece(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    value = node.value if isinstance(node, ast.FormattedValue) else node
    return constants.get(value.id, "{}") if isinstance(value, ast.Name) else "{}"


def _modules(*packages: str) -> Iterator[tuple[str, ast.Module, dict[str, str]]]:
    for path in sorted(path for package in packages for path in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = [(node.targets[0], node.value) for node in tree.body if isinstance(node, ast.Assign)]
        constants = {
            name.id: value.value
            for name, value in named
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str)
        }
        yield path.relative_to(ROOT).as_posix(), tree, constants
