"""One engine in a process of its own: reads its order from standard input, prints what it measured as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

CANCELS = 20
DECODED = 64
ASKED = "<|im_start|>user\n"
WRITTEN = 40  # about what a call has; for methods without a grammar, which would not end by themselves


def main() -> None:
    order = json.load(sys.stdin)
    measure = _generate if order["method"] == "transformers-generate" else _engine
    found = measure(order)
    found["peak_memory_mb"] = peak_megabytes()
    print(json.dumps(found))


def _engine(order: dict[str, Any]) -> dict[str, Any]:
    """Our loop, over either backend."""
    folders, work = order["folders"], order["work"]
    if order["method"] == "openvino":
        from agent.models.openvino_backend import load

        engine = load(Path(folders["openvino"]), "openvino", order["precision"])
    else:
        from agent.models.transformers_backend import load as load_reference

        engine = load_reference(folders["safetensors"], "transformers")
        if order["method"] == "transformers-float32":
            engine.backend.model.float()
    from agent.models.engine import Request

    loaded = time.time() - order["started"]
    list(engine.generate(Request(**work["calls"][0], max_tokens=200)))
    cold = time.time() - order["started"]
    first, prefill, decode = [], [], []
    for text in work["texts"]:
        started = time.perf_counter()
        pieces = engine.generate(Request(**text, max_tokens=DECODED))
        next(pieces)
        begun = time.perf_counter()
        last = list(pieces)[-1]
        prefill.append((last.prompt_tokens - last.cached_tokens) / (begun - started))
        decode.append((last.reply_tokens - 1) / (time.perf_counter() - begun))
    calls, replies, passes, tokens = [], [], [], []
    for call in work["calls"]:
        started = time.perf_counter()
        pieces = list(engine.generate(Request(**call, max_tokens=200)))
        calls.append(time.perf_counter() - started)
        replies.append("".join(piece.text for piece in pieces))
        passes.append(pieces[-1].forward_passes)
        tokens.append(pieces[-1].reply_tokens)
    for call in work["calls"][:10]:
        started = time.perf_counter()
        # Another question, so that only the fixed part has been read before.
        pieces = engine.generate(Request(call["prompt"].replace(ASKED, ASKED + "Please: "), max_tokens=4))
        next(pieces)
        first.append(time.perf_counter() - started)
        pieces.close()
    return {
        "decode_tokens_per_second": _median(decode),
        "prefill_tokens_per_second": _median(prefill),
        "time_to_first_token": _median(first),
        "load_seconds": loaded,
        "cold_start_seconds": cold,
        "passes_per_call": sum(passes) / len(passes),
        "tokens_per_call": sum(tokens) / len(tokens),
        "call_tokens_per_second": sum(tokens) / sum(calls),
        "cancels": _cancels(engine, work["texts"]),
        "calls": calls,
        "replies": replies,
    }


def _cancels(engine: Any, texts: list[dict[str, str]], count: int = CANCELS) -> list[float]:
    """Seconds from a cancel to the end of decoding; by turns while a prompt is read and while a reply is written."""
    from agent.models.engine import Request

    found = []
    for number in range(count):
        cancelled, begun = threading.Event(), threading.Event()
        prompt = f"Cancel {number}. " + texts[number % len(texts)]["prompt"]
        pieces = engine.generate(Request(prompt, cancelled=cancelled))

        def work(pieces: Any = pieces, begun: threading.Event = begun) -> None:
            for _ in pieces:
                begun.set()

        decoding = threading.Thread(target=work)
        decoding.start()
        begun.wait(0.1 if number % 2 else None)
        time.sleep(0.003 * number)  # not always at the same place of a step
        started = time.perf_counter()
        cancelled.set()
        decoding.join()
        found.append(time.perf_counter() - started)
    return found


def _generate(order: dict[str, Any]) -> dict[str, Any]:
    """What a user of transformers gets: `generate`, nothing kept between calls, no grammar."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteriaList

    from agent.models.transformers_backend import hardware

    device, dtype = hardware()
    source = order["folders"]["safetensors"]
    tokenizer = AutoTokenizer.from_pretrained(source)
    model: Any = AutoModelForCausalLM.from_pretrained(source, dtype=dtype).to(device).eval()
    loaded = time.time() - order["started"]

    def write(prompt: str, count: int) -> tuple[float, float, int]:
        ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(device)
        times = [time.perf_counter()]

        def note(*_: Any) -> Any:
            times.append(time.perf_counter())
            return torch.zeros(1, dtype=torch.bool, device=device)

        with torch.inference_mode():
            model.generate(
                **ids,
                max_new_tokens=count,
                min_new_tokens=count,
                do_sample=False,
                pad_token_id=0,
                stopping_criteria=StoppingCriteriaList([note]),
            )
        return times[1] - times[0], time.perf_counter() - times[0], ids["input_ids"].shape[1]

    write(order["work"]["calls"][0]["prompt"], WRITTEN)
    return {"cold_start_seconds": time.time() - order["started"], **without_grammar(write, order, loaded)}


def without_grammar(write: Any, order: dict[str, Any], loaded: float) -> dict[str, Any]:
    """Figures of a method without a grammar.

    Args:
        write: From a prompt and how many tokens to write: seconds to the first, seconds to the last, tokens read.
        order: What the worker was told.
        loaded: Seconds until the model was ready.
    """
    prefill, decode = [], []
    for text in order["work"]["texts"]:
        first, last, size = write(text["prompt"], DECODED)
        prefill.append(size / first)
        decode.append((DECODED - 1) / (last - first))
    return {
        "decode_tokens_per_second": _median(decode),
        "prefill_tokens_per_second": _median(prefill),
        "time_to_first_token": _median([write(call["prompt"], 1)[0] for call in order["work"]["calls"][:5]]),
        "load_seconds": loaded,
        "calls": [write(call["prompt"], WRITTEN)[1] for call in order["work"]["calls"]],
    }


def peak_megabytes() -> float:
    """Highest memory of this program; `getrusage` would count what the parent held when it started this one."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
