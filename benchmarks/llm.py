"""`./debut bench llm`: how fast the local model's engines are on this machine, and how alike they write.

Every method runs in a process of its own, so that memory and loading are its own, and all of them in each round, so
that what else the machine does meets all alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.models.export import Kind
from benchmarks.llm_prompts import Prompt, call_prompts, free_prompts, shortlist_recall
from benchmarks.result import Result, bootstrap, report
from shop.errors import BadInput

METHODS = ("transformers-generate", "transformers", "openvino", "llama.cpp")
PRECISIONS: tuple[Kind, ...] = ("F16", "Q8_0", "Q4_0")
REFERENCE = "transformers"
QUICK, FULL, ALIKE = 6, 30, 210
LIMIT_SECONDS = 900
ROOT = Path(__file__).parents[1]


def main(
    quick: bool = False,
    home: Path | None = None,
    llama_python: Path | None = None,
    rounds: int = 1,
    agreement: bool = False,
    embedder: bool = True,
) -> dict[str, Any]:
    """Measure the engines and return the report.

    Args:
        quick: A few calls instead of thirty.
        home: Where converted weights are kept; a passing folder without it (converting takes a minute).
        llama_python: Python of an environment with `llama_cpp`; without it llama.cpp is left out and a note says so.
        rounds: How often all methods run; figures are medians over the rounds.
        agreement: Also compile the weights in every precision and compare what they call and write on 210 questions.
        embedder: Rank the shortlist with vectors too.

    Raises:
        BadInput: The weights are missing, or a method fails.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as passing:
        kept = (home or Path(passing)).absolute()
        notes = _unavailable(llama_python)
        folders = _folders(kept)
        work = {
            "calls": _plain(call_prompts(QUICK if quick else FULL)),
            "texts": _plain(free_prompts(2 if quick else 4)),
        }
        runs: dict[str, list[dict[str, Any]]] = {method: [] for method in METHODS if method not in notes}
        for _ in range(rounds):
            for method in runs:
                runs[method].append(_run(method, folders, work, llama_python))
        results = [result for method, measured in runs.items() for result in _figures(method, measured)]
        if agreement:
            results += _agreement(folders, kept)
        results += shortlist_recall(kept if embedder else None)
    machine = {"cores": os.cpu_count()}
    return report("llm", "built in", results, time.perf_counter() - started, machine=machine, notes=notes)


def _folders(home: Path) -> dict[str, str]:
    """Where each engine finds the same weights."""
    from agent.models.weights import EMBEDDED, prepare, prepare_compiled

    return {
        "safetensors": str(prepare(home)),
        "openvino": str(prepare_compiled(home)),
        "gguf": str(EMBEDDED.locate()),
        "kernels": str(home / "models" / "kernels"),
    }


def _unavailable(llama_python: Path | None) -> dict[str, str]:
    """Methods that cannot run here, and why."""
    if llama_python is None:
        return {"llama.cpp": "left out: give --llama-python, the Python of an environment with llama-cpp-python"}
    if not llama_python.is_file():
        return {"llama.cpp": f"left out: there is no interpreter at {llama_python.name}"}
    found = subprocess.run([llama_python, "-c", "import llama_cpp"], capture_output=True)
    return {} if found.returncode == 0 else {"llama.cpp": "left out: that Python has no llama_cpp"}


def _run(method: str, folders: dict[str, str], work: dict[str, Any], llama_python: Path | None) -> dict[str, Any]:
    """What a worker measured, in a fresh process."""
    script = "llm_llama.py" if method == "llama.cpp" else "llm_worker.py"
    python = str(llama_python) if method == "llama.cpp" else sys.executable
    # The worker stands for the product, which is told the same by its entry point.
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(ROOT)}
    order = json.dumps({"method": method, "folders": folders, "work": work, "started": time.time()})
    done = subprocess.run(
        [python, str(ROOT / "benchmarks" / script)],
        input=order,
        capture_output=True,
        text=True,
        env={**os.environ, **quiet},
        timeout=LIMIT_SECONDS,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BadInput(f"The method {method} failed ({reason}); leave it out or repair it.")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _figures(method: str, runs: Sequence[dict[str, Any]]) -> list[Result]:
    """Medians over the rounds, and quantiles over all calls of all rounds."""
    found = []
    for metric in runs[0]:
        if metric in ("calls", "replies"):
            continue
        values = [run[metric] for run in runs]
        found.append(Result(method, metric, float(np.median(values)), min(values), max(values), len(values)))
    calls = np.array([seconds for run in runs for seconds in run["calls"]])
    for share in (50, 95):

        def quantile(sample: Any, share: int = share) -> float:
            return float(np.percentile(sample, share))

        low, high = bootstrap(calls, quantile)
        found.append(Result(method, f"tool_call_p{share}", quantile(calls), low, high, len(calls)))
    return found


def _agreement(folders: dict[str, str], home: Path) -> list[Result]:
    """Size, speed and equality with the reference of the weights in every precision, on the same questions."""
    from agent.models.weights import prepare_precision

    work = {"calls": _plain(call_prompts(ALIKE)), "texts": _plain(free_prompts(4))}
    reference = _run(REFERENCE, folders, work, None)
    results = []
    compiled = {"packaged": Path(folders["openvino"])} | {kind: prepare_precision(home, kind) for kind in PRECISIONS}
    for kind, folder in compiled.items():
        run = _run("openvino", {**folders, "openvino": str(folder)}, work, None)
        same = np.array([a == b for a, b in zip(run["replies"], reference["replies"], strict=True)], float)
        tools = np.array(
            [_tool(a) == _tool(b) for a, b in zip(run["replies"], reference["replies"], strict=True)], float
        )
        size = sum(path.stat().st_size for path in folder.glob("openvino_model.*")) / 1e6
        about = {"weights": kind}
        results += [
            Result("openvino", "size_mb", size, n=1, extra=about),
            Result("openvino", "decode_tokens_per_second", run["decode_tokens_per_second"], n=1, extra=about),
            Result("openvino", "peak_memory_mb", run["peak_memory_mb"], n=1, extra=about),
            Result("openvino", "equal_calls", float(same.mean()), *bootstrap(same), len(same), extra=about),
            Result("openvino", "equal_tools", float(tools.mean()), *bootstrap(tools), len(tools), extra=about),
        ]
    return results


def _tool(reply: str) -> str:
    return reply.partition('"arguments"')[0]


def _plain(prompts: Sequence[Prompt]) -> list[dict[str, str]]:
    return [{"prompt": each.text, "grammar": each.grammar} for each in prompts]
