"""The agent benchmark: what counts as right, and what its report says."""

import json
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from test_finetune_data import Player

from agent.models.chat import LocalChatModel
from agent.models.template import Call, render_reply
from benchmarks import agent
from benchmarks.agent_cases import Case, Reply, equal, read_cases, score
from shop import BadInput

CALL = Case("c", "en", "manager", "q", (), "recommend_price", {"product": "Aurora kettle", "cost": 12.5})


@pytest.mark.parametrize(
    ("gold", "given", "same"),
    [
        (12.5, "12.50", True),
        (12.5, 12.5000000001, True),
        (12.5, 12.6, False),
        ("Aurora kettle", "the “aurora  Kettle” ", True),
        ("Aurora kettle", "Aurora kettles", False),
        ("30000", 30000, True),
        (["search", "email"], ["email", "Search"], True),
        (["search", "email"], ["email"], False),
        ("early March", "March", False),
        (True, "true", False),
    ],
)
def test_what_counts_as_the_same_argument(gold: object, given: object, same: bool) -> None:
    assert equal(gold, given) is same


def test_an_argument_that_nobody_wanted_is_wrong() -> None:
    right = score(CALL, Reply("recommend_price", {"product": "aurora kettle", "cost": 12.5}))
    more = score(CALL, Reply("recommend_price", {"product": "aurora kettle", "cost": 12.5, "min_margin": 0.3}))
    other = score(CALL, Reply("simulate_price", {"product": "aurora kettle"}))
    assert (right.exact, right.right, right.of) == (True, 2, 2)
    assert (more.exact, more.right, more.of) == (False, 2, 3)
    assert (other.tool, other.right) == (False, 0)


def test_a_free_argument_may_hold_anything_but_nothing() -> None:
    case = Case("c", "en", "manager", "q", (), "hand_over", {"summary": "x"}, frozenset({"summary", "note"}))
    assert score(case, Reply("hand_over", {"summary": "my parcel is lost", "note": "n"})).exact
    assert not score(case, Reply("hand_over", {"summary": ""})).exact


def test_asking_back_wants_a_question() -> None:
    case = Case("c", "zh", "manager", "q", kind="ask")
    assert score(case, Reply(text="哪款产品？")).exact
    assert not score(case, Reply(text="好的。")).exact
    assert not score(case, Reply("recommend_price")).exact
    assert not score(case, Reply(text="<tool_call>{", valid=False)).exact


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_a_file_of_cases_is_read(tmp_path: Path) -> None:
    context = [
        {"role": "user", "content": "Forecast D-1"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "7", "function": {"name": "forecast_launch", "arguments": "{\"product\": \"D-1\"}"}}]},
        {"role": "tool", "content": "error: There is no product D-1."},
    ]  # fmt: skip
    expect = {"tool": "forecast_launch", "arguments": {"product": "D-0001"}}
    (case,) = read_cases(
        write(tmp_path / "c.jsonl", {"id": 1, "context": context, "query": "D-0001", "expect": expect})
    )
    assert isinstance(case.context[1], AIMessage)
    assert case.context[1].tool_calls[0]["args"] == {"product": "D-1"}
    told = case.context[2]
    assert isinstance(told, ToolMessage)
    assert (told.status, told.text, told.tool_call_id) == ("error", "There is no product D-1.", "7")


@pytest.mark.parametrize(
    "line", ["{", '{"id": 1}', '{"id": 1, "query": "q", "expect": {"tool": null, "kind": "sing"}}']
)
def test_a_line_that_is_no_case_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(line)
    with pytest.raises(BadInput, match=r"Line 1 of c\.jsonl is no case"):
        read_cases(file)


def test_the_report_has_what_the_layout_asks_for() -> None:
    cases = [
        CALL,
        Case("d", "zh", "customer", "你好", kind="chat"),
        Case("e", "en", "manager", "weather?", kind="decline"),
    ]
    replies = [
        Reply("recommend_price", {"product": "Aurora kettle"}, seconds=1.0),
        Reply(text="您好", seconds=0.5),
        Reply("market_trend", {"category": "weather"}, seconds=0.5),
    ]
    scores = [score(c, r) for c, r in zip(cases, replies, strict=True)]
    found = agent.summary(cases, replies, scores)
    assert found["cases"] == 3
    assert found["tool"] == pytest.approx(2 / 3)
    assert found["arguments"] == pytest.approx(1 / 2)
    assert found["exact"] == pytest.approx(1 / 3)
    assert found["no_call"] == {"precision": 1.0, "recall": 0.5}
    assert found["by"]["lang"]["zh"] == {"n": 1, "tool": 1.0, "exact": 1.0}
    assert [each["id"] for each in found["failures"]] == ["c", "e"]
    rows = agent.rates("debut", cases, replies, scores)
    assert {row.metric for row in rows} >= {"tool", "exact", "no_call_exact", "valid", "seconds_p50"}


def test_methods_see_what_the_assistant_would_show() -> None:
    desks = {role: agent.desk(role, None) for role in ("manager", "customer")}
    case = Case("c", "en", "manager", "What should the Aurora kettle cost?")
    call = Call("recommend_price", {"product": "Aurora kettle"})
    engine = Player(render_reply("", [call]), render_reply("", [call]), '<tool_call>{"name":"rec')
    model = LocalChatModel(engine=engine)
    assert agent.product(model, desks)(case).tool == "recommend_price"
    assert "simulate_price" in engine.sent[0].prompt
    free = agent._free(model, desks, case, short=False)
    assert (free.tool, free.valid) == ("recommend_price", True)
    assert engine.sent[1].prompt.count("\n") > engine.sent[0].prompt.count("\n")
    assert not agent._free(model, desks, case, short=False).valid
    assert agent._router(None, desks, case, meaning=False).tool in desks["manager"].tools


def test_a_shoppers_address_stays_hidden_from_the_model() -> None:
    desks = {role: agent.desk(role, None) for role in ("manager", "customer")}
    case = Case("c", "en", "customer", "My email is kai.lee@example.com", (), "identify_customer",
                {"email": "kai.lee@example.com"})  # fmt: skip
    engine = Player(render_reply("", [Call("identify_customer", {"email": "[email-a]"})]))
    reply = agent._held(agent.product(LocalChatModel(engine=engine), desks), case)
    assert "kai.lee" not in engine.sent[0].prompt
    assert score(case, reply).exact


def test_an_unknown_rival_is_one_sentence_and_an_untaught_model_has_no_adapter_to_take_apart() -> None:
    with pytest.raises(BadInput, match="No rival is named adaptor; name one of keyword_router"):
        agent.main(rivals=["adaptor"])
    untaught = LocalChatModel(engine=Player(), is_tuned=False)
    with pytest.raises(BadInput, match="set DEBUT_MODEL to embedded"):
        agent._rivals(["adapter"], {}, untaught, Player)
    assert set(agent._rivals(["all"], {}, untaught, Player)) == {n for n in agent.RIVALS if "adapter" not in n}
