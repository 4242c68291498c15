"""The vectors on disk: one Chroma collection, embedded, which never embeds anything itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.config import Settings
from chromadb.errors import ChromaError

from retrieval.embed import Vectors

COLLECTION = "passages"
BATCH = 1000
# What Chroma raises when its files are damaged, beside its own errors.
DAMAGE = (ChromaError, OSError, ValueError, KeyError, RuntimeError)
Metadata = Mapping[str, str | int | float]


class VectorStore:
    """Unit vectors by passage id with what they can be filtered by; distances are cosine."""

    def __init__(self, folder: Path, create: bool = False) -> None:
        settings = Settings(anonymized_telemetry=False, allow_reset=False)
        self._client = chromadb.PersistentClient(str(folder), settings=settings)
        if create:
            # A stored embedding function would be rebuilt from the file when it is opened: there is none.
            self._collection = self._client.get_or_create_collection(
                COLLECTION,
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "sync_threshold": BATCH, "batch_size": 100}},
            )
        else:
            self._collection = self._client.get_collection(COLLECTION, embedding_function=None)

    def count(self) -> int:
        return int(self._collection.count())

    def hashes(self) -> dict[str, tuple[str, str]]:
        """By id: the hash of the whole passage and of its text alone, as they were when it was stored."""
        found: dict[str, tuple[str, str]] = {}
        for start in range(0, self.count(), 5 * BATCH):
            page = self._collection.get(limit=5 * BATCH, offset=start, include=["metadatas"])
            for key, data in zip(page["ids"], page["metadatas"] or [], strict=True):
                found[key] = (str(data["hash"]), str(data["text_hash"]))
        return found

    def put(self, ids: Sequence[str], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        for rows in _batches(len(ids)):
            self._collection.upsert(ids=list(ids[rows]), embeddings=vectors[rows], metadatas=list(metadata[rows]))

    def relabel(self, ids: Sequence[str], metadata: Sequence[Metadata]) -> None:
        for rows in _batches(len(ids)):
            self._collection.update(ids=list(ids[rows]), metadatas=list(metadata[rows]))

    def delete(self, ids: Sequence[str]) -> None:
        for rows in _batches(len(ids)):
            self._collection.delete(ids=list(ids[rows]))

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """The stored vectors of these passages, in their order, shape (passages, dimensions)."""
        found: dict[str, Any] = {}
        for rows in _batches(len(ids)):
            page = self._collection.get(ids=list(ids[rows]), include=["embeddings"])
            found |= dict(zip(page["ids"], page["embeddings"], strict=True))  # type: ignore[arg-type]
        return np.array([found[key] for key in ids], dtype=np.float32)

    def nearest(self, vector: Vectors, limit: int, where: dict[str, Any] | None) -> list[tuple[str, float]]:
        """Ids and cosines of the passages closest to a vector, best first."""
        found = self._collection.query(
            query_embeddings=vector[np.newaxis], n_results=limit, where=where or None, include=["distances"]
        )
        return [(key, 1.0 - float(d)) for key, d in zip(found["ids"][0], (found["distances"] or [[]])[0], strict=True)]

    def probe(self) -> bool:
        """Whether a stored passage finds itself: false when the graph on disk does not belong to the rows."""
        sample = self._collection.get(limit=3, include=["embeddings"])
        for key, stored in zip(sample["ids"], sample["embeddings"], strict=True):  # type: ignore[arg-type]
            closest = self.nearest(np.asarray(stored, dtype=np.float32), 3, None)
            if not closest or (key not in [k for k, _ in closest] and closest[0][1] < 0.9999):
                return False
        return True


def _batches(count: int) -> Iterator[slice]:
    for start in range(0, count, BATCH):
        yield slice(start, start + BATCH)
