"""The methods that `./debut bench llm` compares: where each finds the weights, and how one is run by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shop.errors import BadInput

PLAIN, REFERENCE, OURS, LLAMA = "transformers-generate", "transformers", "openvino", "llama.cpp"
EXACT_REFERENCE = "transformers-float32"  # what replies are compared with: bfloat16 decides near ties by its rounding
ONNX_PRECISIONS = {"onnx-int4": "int4", "onnx-int8": "int8", "onnx-fp32": "fp32"}
METHODS = (PLAIN, REFERENCE, OURS, LLAMA, *ONNX_PRECISIONS)
LIMIT_SECONDS = 1800
ROOT = Path(__file__).parents[1]


class Methods:
    """The methods that can run here.

    Args:
        home: Where converted weights are kept.
        llama_python: Python of an environment with `llama_cpp`.
        onnx_python: Python of one with `onnxruntime_genai`, `onnx_ir`, `torch` and `transformers`.

    Raises:
        BadInput: The weights are missing.
    """

    def __init__(self, home: Path, llama_python: Path | None, onnx_python: Path | None) -> None:
        llama_python, onnx_python = (python and python.absolute() for python in (llama_python, onnx_python))
        self._pythons = {LLAMA: llama_python} | dict.fromkeys(ONNX_PRECISIONS, onnx_python)
        needed = {LLAMA: "llama_cpp"} | dict.fromkeys(ONNX_PRECISIONS, "onnxruntime_genai")
        why = {method: _missing(self._pythons[method], module) for method, module in needed.items()}
        self.left_out = {method: f"left out: {reason}" for method, reason in why.items() if reason}
        self.names = [method for method in METHODS if method not in self.left_out]
        self.folders = _folders(home)
        for method in ONNX_PRECISIONS:
            if method in self.names:
                self.folders[method] = self.built(method, Path(self.folders["safetensors"]), home)

    def built(self, method: str, source: Path, home: Path) -> str:
        """A folder of other weights for one of `ONNX_PRECISIONS`."""
        python = self._pythons[method]
        assert python is not None  # it is among the names
        return str(_built_onnx(source, home / "benchmarks", ONNX_PRECISIONS[method], python))

    def run(
        self, method: str, work: Mapping[str, Any], precision: dict[str, str] | None = None, **folders: str
    ) -> dict[str, Any]:
        """What a fresh process measured.

        Args:
            method: One of `names`, or `EXACT_REFERENCE`.
            work: Prompts with their grammars.
            precision: As in `OpenVinoBackend`.
            folders: Where other weights are.

        Raises:
            BadInput: The method fails.
        """
        # The worker stands for the product, which is told the same by its entry point.
        quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        worker = "llm_llama" if method == LLAMA else "llm_onnx" if method in ONNX_PRECISIONS else "llm_worker"
        told = {
            "method": method,
            "folders": self.folders | folders,
            "work": work,
            "precision": precision,
            "started": time.time(),
        }
        done = subprocess.run(
            [str(self._pythons.get(method) or sys.executable), "-m", f"benchmarks.{worker}"],
            cwd=ROOT,  # before anything else on the path, also in an environment that knows nothing of this project
            input=json.dumps(told),
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


def _folders(home: Path) -> dict[str, str]:
    """Where each engine finds the same weights."""
    from agent.models.weights import EMBEDDED, prepare, prepare_compiled

    return {
        "safetensors": str(prepare(home)),
        "openvino": str(prepare_compiled(home)),
        "gguf": str(EMBEDDED.locate()),
    }


def _missing(python: Path | None, module: str) -> str:
    """Why an interpreter cannot be used, empty where it can."""
    if python is None:
        option = "--llama-python" if module == "llama_cpp" else "--onnx-python"
        return f"give {option}, the Python of an environment with {module}"
    if not python.is_file():
        return f"there is no interpreter at {python.name}"
    found = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
    return "" if found.returncode == 0 else f"that Python has no {module}"


def _built_onnx(source: Path, cache: Path, precision: str, python: Path) -> Path:
    """A folder for ONNX Runtime GenAI, made from the exact weights by its own model builder."""
    folder = cache / f"{source.name}-onnx-{precision}"
    if folder.exists():
        return folder
    building = folder.with_suffix(".building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    order = [
        python,
        "-m",
        "onnxruntime_genai.models.builder",
        "-i",
        source,
        "-o",
        building,
        "-p",
        precision,
        "-e",
        "cpu",
    ]
    done = subprocess.run([*map(str, order), "-c", str(building)], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BadInput(f"The model builder of ONNX Runtime GenAI failed ({reason}); leave --onnx-python out.")
    # Its tokenizer knows neither an empty chat template nor the class that transformers writes.
    described = building / "tokenizer_config.json"
    fields = {key: value for key, value in json.loads(described.read_text()).items() if value is not None}
    described.write_text(json.dumps({**fields, "tokenizer_class": "GPT2Tokenizer"}))
    building.rename(folder)
    return folder
