"""llama.cpp in a process of its own, under an interpreter that has `llama_cpp` and nothing of this project's needs."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.llm_worker import WRITTEN, peak_megabytes, without_grammar


def main() -> None:
    order = json.load(sys.stdin)
    from llama_cpp import Llama

    model = Llama(order["folders"]["gguf"], n_ctx=4096, verbose=False)
    loaded = time.time() - order["started"]

    def write(prompt: str, count: int) -> tuple[float, float, int]:
        # `generate` keeps what a prompt shares with the one before it; nothing else is kept.
        tokens = model.tokenize(prompt.encode(), add_bos=False, special=True)
        started = time.perf_counter()
        stream = model.generate(tokens, temp=0.0)
        next(stream)
        first = time.perf_counter() - started
        for _ in range(count - 1):
            next(stream)
        return first, time.perf_counter() - started, len(tokens)

    write(order["work"]["calls"][0]["prompt"], WRITTEN)
    found: dict[str, Any] = {
        "cold_start_seconds": time.time() - order["started"],
        **without_grammar(write, order, loaded),
    }
    found["peak_memory_mb"] = peak_megabytes()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
