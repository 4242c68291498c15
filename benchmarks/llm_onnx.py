"""ONNX Runtime GenAI in a process of its own, under an interpreter that has `onnxruntime_genai`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.llm_worker import DECODED, peak_megabytes, without_grammar

MOST = 200
END = "<|im_end|>"


def main() -> None:
    order = json.load(sys.stdin)
    import numpy as np
    import onnxruntime_genai as og

    model = og.Model(order["folders"][order["method"]])
    tokenizer = og.Tokenizer(model)
    loaded = time.time() - order["started"]

    def reading(prompt: str, most: int, grammar: str = "") -> tuple[Any, int]:
        tokens = tokenizer.encode(prompt)
        settings = og.GeneratorParams(model)
        settings.set_search_options(max_length=len(tokens) + most, do_sample=False)
        if grammar:
            settings.set_guidance("lark_grammar", grammar, True)
        generator = og.Generator(model, settings)
        generator.append_tokens(np.asarray(tokens, np.int32))
        return generator, len(tokens)

    def write(prompt: str, count: int) -> tuple[float, float, int]:
        started = time.perf_counter()
        generator, size = reading(prompt, count)
        generator.generate_next_token()
        first = time.perf_counter() - started
        for _ in range(count - 1):
            if generator.is_done():
                break
            generator.generate_next_token()
        return first, (time.perf_counter() - started), size

    def call(prompt: str, grammar: str) -> str | None:
        """The reply; None where the grammar refuses what it had let through."""
        generator, size = reading(prompt, MOST, grammar)
        try:
            while not generator.is_done():
                generator.generate_next_token()
        except RuntimeError:
            return None
        return str(tokenizer.decode(generator.get_sequence(0)[size:])).removesuffix(END)

    write(order["work"]["calls"][0]["prompt"], DECODED)
    found: dict[str, Any] = {
        "cold_start_seconds": time.time() - order["started"],
        **without_grammar(write, order, loaded),
    }
    calls, replies = [], []
    for each in order["work"]["calls"]:
        started = time.perf_counter()
        replies.append(call(each["prompt"], each["grammar"]))
        calls.append(time.perf_counter() - started)
    found["grammar_failures"] = replies.count(None) / len(replies)
    found["peak_memory_mb"] = peak_megabytes()
    print(json.dumps({**found, "calls": calls, "replies": replies}))


if __name__ == "__main__":
    main()
