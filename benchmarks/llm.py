"""`./debut bench llm`: how fast the local model's engines are on this machine, and how alike they write.

Every method runs in a process of its own, so that memory and loading are its own, and all of them in each round, so
that what else the machine does meets all alike.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.models.export import Kind
from agent.models.select import ADAPTERS, open_model
from benchmarks.llm_methods import EXACT_REFERENCE, ONNX_PRECISIONS, OURS, REFERENCE, Methods
from benchmarks.llm_prompts import Prompt, call_prompts, free_prompts, shortlist_recall
from benchmarks.result import Result, bootstrap, report

PRECISIONS: tuple[Kind, ...] = ("F16", "Q8_0", "Q4_0")
QUICK, FULL, ALIKE = 6, 30, 210
ROUNDED = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "32"}  # and 8-bit keys and values


def main(
    quick: bool = False,
    home: Path | None = None,
    llama_python: Path | None = None,
    onnx_python: Path | None = None,
    rounds: int = 1,
    agreement: bool = False,
    embedder: bool = True,
) -> dict[str, Any]:
    """Measure the engines and return the report.

    Args:
        quick: A few calls instead of thirty.
        home: Where converted weights are kept; a passing folder without it (converting takes a minute).
        llama_python: Python of an environment with `llama_cpp`; without it llama.cpp is left out and a note says so.
        onnx_python: The same with `onnxruntime_genai`, and with what its model builder needs: `onnx_ir`, `torch` and
            `transformers`.
        rounds: How often all methods run; figures are medians over the rounds.
        agreement: Also compile the weights, adapter merged, in every precision and compare their calls on 210
            questions.
        embedder: Rank the shortlist with vectors too.

    Raises:
        BadInput: The weights are missing, or a method fails.
    """
    started = time.perf_counter()
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as passing:
        kept = (home or Path(passing)).absolute()
        methods = Methods(kept, llama_python, onnx_python)
        work = {
            "calls": _plain(call_prompts(QUICK if quick else FULL)),
            "texts": _plain(free_prompts(2 if quick else 4)),
        }
        runs: dict[str, list[dict[str, Any]]] = {method: [] for method in methods.names}
        for _ in range(rounds):
            for method in runs:
                runs[method].append(methods.run(method, work))
                loads.append(os.getloadavg()[0])
        results = [result for method, measured in runs.items() for result in _figures(method, measured)]
        if agreement:
            results += _agreement(methods, kept)
        results += shortlist_recall(kept if embedder else None)
        if embedder:
            results += shortlist_recall(kept, open_model("embedded", kept))
    machine = {"cores": os.cpu_count(), "load_least": min(loads), "load_most": max(loads)}
    seconds = time.perf_counter() - started
    return report("llm", "built in", results, seconds, machine=machine, notes=methods.left_out)


def _figures(method: str, runs: Sequence[dict[str, Any]]) -> list[Result]:
    """Medians over the rounds, and quantiles over all calls of all rounds."""
    found = []
    for metric in runs[0]:
        if metric in ("calls", "cancels", "replies"):
            continue
        values = [run[metric] for run in runs]
        found.append(Result(method, metric, float(np.median(values)), min(values), max(values), len(values)))
    found += _quantiles(method, "tool_call", [seconds for run in runs for seconds in run["calls"]])
    if "cancels" in runs[0]:
        found += _quantiles(method, "cancel_ms", [seconds * 1000 for run in runs for seconds in run["cancels"]])
    return found


def _quantiles(method: str, metric: str, values: Sequence[float]) -> list[Result]:
    found = []
    for share in (50, 95):

        def quantile(sample: Any, share: int = share) -> float:
            return float(np.percentile(sample, share))

        low, high = bootstrap(values, quantile)
        found.append(Result(method, f"{metric}_p{share}", quantile(values), low, high, len(values)))
    return found


def _agreement(methods: Methods, home: Path) -> list[Result]:
    """Size, speed and equality with a float32 reference, in every precision, on the same questions.

    The weights are those with the adapter that ships merged into them, and the tool is the one that answers the
    question: so does the desk ask, and only a model that was taught makes choices that are more than near ties.
    """
    from agent.models.weights import prepare_compiled_merged, prepare_merged

    work = {"calls": _plain(call_prompts(ALIKE, known=True)), "texts": _plain(free_prompts(4))}
    adapter = ADAPTERS / "embedded"
    merged = prepare_merged(home, adapter)
    wanted = methods.run(EXACT_REFERENCE, work, safetensors=str(merged))["replies"]
    compiled = {kind: str(prepare_compiled_merged(home, adapter, kind=kind)) for kind in PRECISIONS}
    runs = [(REFERENCE, "bfloat16 or what the processor has", methods.run(REFERENCE, work, safetensors=str(merged)))]
    runs += [(OURS, kind, methods.run(OURS, work, openvino=folder)) for kind, folder in compiled.items()]
    rounded = methods.run(OURS, work, ROUNDED, openvino=compiled["Q8_0"])
    runs.append((OURS, "Q8_0, activations and memory rounded to 8 bits", rounded))
    for name in (name for name in methods.names if name in ONNX_PRECISIONS):
        run = methods.run(name, work, **{name: methods.built(name, merged, home)})
        runs.append((name, ONNX_PRECISIONS[name], run))
    return [result for method, kind, run in runs for result in _alike(method, kind, run, wanted)] + [
        Result(OURS, "size_mb", _megabytes(Path(folder)), n=1, extra={"weights": kind})
        for kind, folder in compiled.items()
    ]


def _alike(method: str, kind: str, run: dict[str, Any], wanted: Sequence[str]) -> list[Result]:
    about = {"weights": kind}
    calls = np.array([reply == other for reply, other in zip(run["replies"], wanted, strict=True)], float)
    return [
        Result(method, "decode_tokens_per_second", run["decode_tokens_per_second"], n=1, extra=about),
        Result(method, "peak_memory_mb", run["peak_memory_mb"], n=1, extra=about),
        Result(method, "equal_calls", float(calls.mean()), *bootstrap(calls), len(calls), extra=about),
    ]


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.glob("openvino_model.*")) / 1e6


def _plain(prompts: Sequence[Prompt]) -> list[dict[str, str]]:
    return [{"prompt": each.text, "grammar": each.grammar} for each in prompts]
