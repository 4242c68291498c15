"""One shop's texts, opened when they are first needed: what `ui` wires into the shop and what `./debut index` calls."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from shop.errors import BadInput
from shop.passages import Found, Scope

if TYPE_CHECKING:
    from retrieval.embed import Progress
    from retrieval.index import Index, Update
    from retrieval.pictures import PictureModel
    from retrieval.search import Texts

EMBEDDED = "embedded"


class Library:
    """A shop's searcher with its index under `home`.

    Args:
        engine: The shop's database.
        home: `DEBUT_HOME`: weights under `models`, one index per database under `indexes`.
        model: `embedded`, or the name or folder of a sentence-transformers model.
        reranker: Name or folder of a cross-encoder that reads the best passages again; empty leaves it out.
        picture_model: Name or folder of a sentence-transformers model that takes pictures; empty leaves it out.
    """

    def __init__(
        self, engine: Engine, home: Path, model: str = EMBEDDED, reranker: str = "", picture_model: str = ""
    ) -> None:
        self._engine = engine
        self._home = home
        self._model = model
        self._reranker = reranker
        self.picture_model = picture_model
        self._lock = threading.Lock()
        self._texts: Texts | None = None
        self._pictures: PictureModel | None = None

    @property
    def folder(self) -> Path:
        """Where the index of this database lives; the password is no part of it."""
        url = self._engine.url.render_as_string(hide_password=True)
        return self._home / "indexes" / hashlib.sha256(url.encode()).hexdigest()[:16]

    def search(self, query: str, scope: Scope, limit: int = 10) -> Found:
        """The passages in scope that fit the query best: see `Texts.search`."""
        return self._open().search(query, scope, limit)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors of what texts mean (n, dimensions); None where the model's weights are not here."""
        try:
            return self._open().vectors(texts)
        except BadInput:
            return None

    def pictures(self, paths: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors of pictures: see `PictureModel.vectors`.

        Raises:
            BadInput: No model for pictures is set, or it cannot be loaded.
        """
        from retrieval.pictures import PictureModel

        with self._lock:
            if self._pictures is None:
                self._pictures = PictureModel(self.picture_model)
        return self._pictures.vectors(paths)

    def count(self) -> int:
        """How many passages the shop's texts make."""
        from retrieval.collect import collect

        return len(collect(self._engine))

    def update(self, rebuild: bool = False, progress: Progress | None = None) -> Update:
        """Bring the index up to date with the shop, or make it anew.

        Raises:
            BadInput: Another process is writing, or the index was made with another model and `rebuild` is false.
        """
        from retrieval.collect import collect

        return self._index().update(collect(self._engine), progress, rebuild)

    def _open(self) -> Texts:
        from retrieval.rerank import CrossEncoder
        from retrieval.search import Texts  # the vector store and the model take seconds to load

        with self._lock:
            if self._texts is None:
                again = CrossEncoder(self._reranker) if self._reranker else None
                self._texts = Texts(self._engine, self._index(), again)
            return self._texts

    def _index(self) -> Index:
        from retrieval.embed import open_embedder
        from retrieval.index import Index

        return Index(self.folder, open_embedder(self._home, self._model))
