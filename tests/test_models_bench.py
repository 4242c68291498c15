"""The model benchmark's own parts: which methods can run, what counts as equal, how a cancel is measured."""

from __future__ import annotations

import sys
from pathlib import Path

from tiny_model import tiny_engine

from agent.models.engine import Request
from benchmarks.llm import _alike
from benchmarks.llm_methods import _missing
from benchmarks.llm_worker import _cancels


def test_a_method_that_cannot_run_says_what_is_missing() -> None:
    assert _missing(None, "llama_cpp") == "give --llama-python, the Python of an environment with llama_cpp"
    assert _missing(None, "onnxruntime_genai").startswith("give --onnx-python")
    assert _missing(Path("nowhere/python"), "llama_cpp") == "there is no interpreter at python"
    assert _missing(Path(sys.executable), "no_such_module") == "that Python has no no_such_module"
    assert _missing(Path(sys.executable), "json") == ""


def test_a_reply_that_the_grammar_broke_off_equals_nothing() -> None:
    wanted = ['{"name":"a","arguments":{}}', '{"name":"b","arguments":{"x":1}}', '{"name":"c","arguments":{}}']
    run = {
        "decode_tokens_per_second": 1.0,
        "peak_memory_mb": 1.0,
        "replies": [wanted[0], '{"name":"b","arguments":{}}', None],
    }
    found = {result.metric: result.value for result in _alike("m", "kind", run, wanted)}
    assert found["equal_calls"] == 1 / 3


def test_every_cancel_is_measured_and_leaves_the_engine_free() -> None:
    engine = tiny_engine()
    seconds = _cancels(engine, [{"prompt": "word " * 300}], 4)
    assert len(seconds) == 4
    assert min(seconds) >= 0
    assert list(engine.generate(Request("x", max_tokens=1)))[-1].ending == "length"
