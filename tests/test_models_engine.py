"""Decoding with a random model: the same text with and without the short cuts, stops, cancelling, the queue."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
import torch
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from tiny_model import tiny_engine, tiny_tokenizer

from agent.models.decoding import Decoder, KeptPrompt, PromptStore
from agent.models.engine import Piece, Request, Turns, until_stop
from agent.models.grammar import reply_grammar
from agent.models.template import parse_reply, render_prompt
from shop import ToolError


def forecast_launch(product: str, weeks: int, price: float | None = None) -> None:
    """Forecast the demand of a launch."""


def list_orders() -> None:
    """List orders."""


TOOLS = [convert_to_openai_tool(tool) for tool in (forecast_launch, list_orders)]
SYSTEM = SystemMessage("You are Debut.")


def written(engine: Decoder, request: Request) -> tuple[str, Piece]:
    pieces = list(engine.generate(request))
    assert [piece.ending is not None for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    return "".join(piece.text for piece in pieces), pieces[-1]


@pytest.mark.parametrize("choice", ["auto", "any", "none", "list_orders"])
@pytest.mark.parametrize("question", ["Forecast the kettle", "水壶 three weeks", "Hi"])
def test_forced_tokens_and_kept_prompts_change_the_work_but_not_the_text(choice: str, question: str) -> None:
    request = Request(
        prompt=render_prompt([SYSTEM, HumanMessage(question)], TOOLS),
        grammar=reply_grammar(TOOLS, choice, ["launch.units"]),
        max_tokens=40,
    )
    plain_text, plain = written(tiny_engine(fast_forward=False, kept_prompts=0), request)
    engine = tiny_engine()
    first_text, first = written(engine, request)
    again_text, again = written(engine, request)
    assert plain_text == first_text == again_text
    assert plain.reply_tokens == first.reply_tokens == again.reply_tokens
    assert first.forward_passes <= plain.forward_passes
    if choice == "list_orders":
        assert parse_reply(first_text)[1][0].name == "list_orders"
        # Nothing is left to choose, so the model is not run at all.
        assert first.forward_passes == 0
    else:
        assert (first.cached_tokens, again.cached_tokens) == (0, again.prompt_tokens - 1)


def test_a_greedy_reply_without_grammar_equals_transformers_generate() -> None:
    engine, tokenizer = tiny_engine(), tiny_tokenizer()
    prompt = render_prompt([SYSTEM, HumanMessage("Say something")])
    ids = torch.tensor([tokenizer.encode(prompt, add_special_tokens=False)])
    expected = engine.backend.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, do_sample=False, pad_token_id=0
    )
    text, last = written(engine, Request(prompt, max_tokens=30))
    assert text == tokenizer.decode(expected[0, ids.shape[1] :], skip_special_tokens=True)
    assert last.prompt_tokens == ids.shape[1]


def test_a_conversation_and_a_second_one_read_only_what_is_new() -> None:
    engine, encode = tiny_engine(), tiny_tokenizer().encode
    grammar = reply_grammar(TOOLS, "none")
    first: list[BaseMessage] = [SYSTEM, HumanMessage("one")]
    text, _ = written(engine, Request(render_prompt(first, TOOLS), grammar, max_tokens=12))
    # Within a turn only what was added is read; the model's own words cost nothing.
    within = render_prompt([*first, AIMessage(text), AIMessage("more")], TOOLS)
    _, last = written(engine, Request(within, grammar, max_tokens=4))
    assert last.cached_tokens > len(encode(render_prompt(first, TOOLS))) + 8
    # The next turn reads again from the last question's tools on, and nothing before them.
    before = [*first, AIMessage(text), HumanMessage("two"), AIMessage("words")]
    written(engine, Request(render_prompt(before, TOOLS), grammar, max_tokens=4))
    _, next_turn = written(
        engine, Request(render_prompt([*before, HumanMessage("three")], TOOLS), grammar, max_tokens=4)
    )
    assert next_turn.cached_tokens >= len(encode(render_prompt([*first, AIMessage(text)]))) - 20
    _, other = written(
        engine, Request(render_prompt([SYSTEM, HumanMessage("elsewhere")], TOOLS), grammar, max_tokens=4)
    )
    assert other.cached_tokens > len(encode(render_prompt([SYSTEM], TOOLS))) - 10


def test_a_changed_tool_list_is_read_anew_and_gives_what_a_fresh_engine_gives() -> None:
    engine = tiny_engine()
    turns = [SYSTEM, HumanMessage("Forecast the kettle")]
    written(engine, Request(render_prompt(turns, TOOLS), reply_grammar(TOOLS, "none"), max_tokens=10))
    fewer = Request(render_prompt(turns, TOOLS[1:]), reply_grammar(TOOLS[1:], "none"), max_tokens=40)
    text, last = written(engine, fewer)
    assert text == written(tiny_engine(), fewer)[0]
    assert 0 < last.cached_tokens < last.prompt_tokens - 20


def test_kept_prompts_are_few_and_a_broken_one_is_dropped() -> None:
    backend = tiny_engine().backend
    store = PromptStore(backend, size=2)
    for number in range(3):
        kept = store.take([number + 5, 7, 8])
        backend.read(kept.state, 0, [number + 5, 7])
        kept.tokens = [number + 5, 7]
        store.keep(kept)
    assert [len(store.take([n + 5, 7, 9]).tokens) for n in range(3)] == [0, 2, 2]
    store.keep(KeptPrompt(backend.start(), [1, 2, 3], reading=True))
    assert store.take([1, 2, 3, 4]).tokens == []


def test_decoding_stops_at_the_limit_and_at_stop_words() -> None:
    engine = tiny_engine()
    grammar, prompt = reply_grammar(), render_prompt([HumanMessage("Hi")])
    whole, last = written(engine, Request(prompt, grammar, max_tokens=25))
    assert (last.ending, last.reply_tokens) == ("length", 25)
    stop = whole[8:11]
    cut, end = written(engine, Request(prompt, grammar, max_tokens=25, stop=(stop,)))
    assert cut == whole[: whole.index(stop)]
    assert end.ending == "stop"


def test_a_set_event_ends_a_reply_and_the_engine_stays_usable() -> None:
    engine, cancelled = tiny_engine(), threading.Event()
    request = Request(render_prompt([HumanMessage("Hi")]), reply_grammar(), max_tokens=2000, cancelled=cancelled)
    pieces = engine.generate(request)
    first = next(pieces)
    cancelled.set()
    rest = list(pieces)
    assert first.text
    assert [(piece.text, piece.ending) for piece in rest] == [("", "cancelled")]
    assert written(engine, Request(request.prompt, request.grammar, max_tokens=5))[1].ending == "length"


def test_a_long_prompt_is_left_between_two_chunks() -> None:
    engine, cancelled = tiny_engine(), threading.Event()
    inner, reads = engine.backend, list[int]()

    class Interrupted:
        context, vocabulary, chunk = inner.context, inner.vocabulary, inner.chunk
        start, fork = inner.start, inner.fork

        def read(self, state: object, past: int, tokens: list[int]) -> object:
            reads.append(len(tokens))
            cancelled.set()
            return inner.read(state, past, tokens)

    engine.backend = Interrupted()  # type: ignore[assignment]
    last = list(engine.generate(Request("word " * 200, reply_grammar(), cancelled=cancelled)))[-1]
    assert (last.ending, reads) == ("cancelled", [inner.chunk])
    # What was read before is kept.
    assert list(engine.generate(Request("word " * 200, reply_grammar(), max_tokens=1)))[-1].cached_tokens == inner.chunk


def test_a_cancelled_reply_ends_within_one_step() -> None:
    engine, cancelled, steps = tiny_engine(), threading.Event(), []
    inner = engine.backend

    class Noting:
        context, vocabulary, chunk = inner.context, inner.vocabulary, inner.chunk
        start, fork = inner.start, inner.fork

        def read(self, state: object, past: int, tokens: list[int]) -> object:
            steps.append(cancelled.is_set())
            if len(steps) == 8:  # as if another thread had cancelled while this step runs
                cancelled.set()
            return inner.read(state, past, tokens)

    engine.backend = Noting()  # type: ignore[assignment]
    prompt = render_prompt([HumanMessage("Hi")])
    pieces = list(engine.generate(Request(prompt, reply_grammar(), max_tokens=400, cancelled=cancelled)))
    assert pieces[-1].ending == "cancelled"
    assert steps == [False] * 8
    assert pieces[-1].forward_passes == 8
    # The step that ran is kept, so the next turn of this chat does not read its prompt again.
    assert list(engine.generate(Request(prompt, max_tokens=1)))[-1].cached_tokens > 0


def test_a_reader_who_walks_away_frees_the_engine() -> None:
    engine = tiny_engine()
    pieces = engine.generate(Request(render_prompt([HumanMessage("Hi")]), reply_grammar(), max_tokens=50))
    next(pieces)
    pieces.close()
    assert written(engine, Request(render_prompt([HumanMessage("Hi")]), reply_grammar(), max_tokens=5))[1].ending


def test_a_conversation_that_is_too_long_is_one_sentence() -> None:
    engine = tiny_engine(context=64)
    with pytest.raises(ToolError, match=r"reads 64; start a new chat\.$"):
        list(engine.generate(Request(render_prompt([HumanMessage("word " * 80)]))))


def test_a_grammar_that_is_none_is_a_bug_not_a_reply() -> None:
    with pytest.raises(ValueError, match="grammar"):
        list(tiny_engine().generate(Request("x", "start: nowhere")))


def test_temperature_zero_repeats_and_the_grammar_holds_at_any_temperature() -> None:
    engine = tiny_engine()
    prompt, grammar = render_prompt([HumanMessage("Hi")], TOOLS), reply_grammar(TOOLS, "list_orders")
    assert written(engine, Request(prompt, grammar, temperature=3.0))[0] == (
        '<tool_call>{"name":"list_orders","arguments":{}}</tool_call>'
    )


def test_a_call_is_made_where_the_model_is_sure_enough_of_it() -> None:
    prompt = render_prompt([SYSTEM, HumanMessage("Forecast the Aurora kettle for 3 weeks")], TOOLS)
    grammar = reply_grammar(TOOLS, "auto", (), ["Forecast the Aurora kettle for 3 weeks"])
    engine = tiny_engine()
    sure = engine.call_probability(prompt)
    assert 0 < sure < 1
    assert engine.call_probability(prompt) == pytest.approx(sure, abs=1e-6)
    for least, calls in ((sure * 0.9, 1), (sure * 1.1, 0)):
        text, _ = written(engine, Request(prompt, grammar, max_tokens=200, least_sure=least))
        assert len(parse_reply(text)[1] if calls else []) == calls
        assert text.startswith("<tool_call>") == bool(calls)
    # Where only text is allowed, being sure of a call changes nothing.
    plain = reply_grammar(TOOLS, "none")
    alone, _ = written(tiny_engine(), Request(prompt, plain, max_tokens=20))
    assert written(tiny_engine(), Request(prompt, plain, max_tokens=20, least_sure=sure * 0.9))[0] == alone


def test_a_model_that_the_grammar_overrules_gives_its_reply_up() -> None:
    prompt, forced = render_prompt([SYSTEM, HumanMessage("Hi")]), 'start: "The floor is" | "The floor was"'
    text, last = written(tiny_engine(), Request(prompt, forced))
    assert text.startswith("The floor ")
    assert last.ending == "stop"
    text, last = written(tiny_engine(), Request(prompt, forced, least_willing=1e-9))
    assert text.startswith(
        "The floor "
    )  # every token is asked of the model, and a random one holds none for impossible
    text, last = written(tiny_engine(), Request(prompt, forced, least_willing=0.5))
    assert (text, last.ending) == ("", "overruled")
    free = written(tiny_engine(), Request(prompt, max_tokens=5))
    assert written(tiny_engine(), Request(prompt, max_tokens=5, least_willing=0.5)) == free  # nothing overrules it


def test_waiting_threads_are_served_in_order() -> None:
    turns, served = Turns(), []

    def work(number: int) -> None:
        with turns.turn() as mine:
            assert mine
            served.append(number)

    with turns.turn():
        threads = []
        for number in range(6):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            while len(turns._tickets) < number + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(6))


def test_a_waiting_request_can_be_cancelled() -> None:
    turns, cancelled = Turns(), threading.Event()
    cancelled.set()
    with turns.turn() as first, turns.turn(cancelled) as second:
        assert (first, second) == (True, False)
    with turns.turn() as third:
        assert third


@pytest.mark.parametrize(
    ("texts", "stop", "expected"),
    [
        (["abc", "def"], [], "abcdef"),
        (["abEN", "Dcd"], ["END"], "ab"),
        (["ENDab"], ["END"], ""),
        (["abEN"], ["END"], "abEN"),
        (["a", "b", "c", "d"], ["cd", "bc"], "a"),
    ],
)
def test_texts_end_before_the_first_stop_word(texts: list[str], stop: list[str], expected: str) -> None:
    assert "".join(until_stop(texts, stop)) == expected


def test_pieces_are_whole_characters() -> None:
    engine = tiny_engine()
    groups = [[token] for token in tiny_tokenizer().encode("水壶 é")]
    assert len(groups) > len("水壶 é")
    texts = list(engine._texts(iter(groups)))
    assert "".join(texts) == "水壶 é"
    assert all("\ufffd" not in one + two for one, two in pairwise(texts))
