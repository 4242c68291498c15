"""Vectors of pictures by a model such as CLIP or SigLIP, named in the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shop.errors import BadInput

_BATCH = 32


class PictureModel:
    """A sentence-transformers model that takes images.

    Args:
        name: Name or folder of the model.

    Raises:
        BadInput: It cannot be loaded, or takes no images.
    """

    def __init__(self, name: str) -> None:
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(name, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"The picture model {name} cannot be loaded; give the name of a sentence-transformers model such as "
                "CLIP that is within reach, a folder that holds one, or leave DEBUT_IMAGE_EMBEDDER out for colour and "
                "texture."
            ) from error
        if "image" not in self._model.modalities:
            raise BadInput(
                f"The model {name} takes no pictures; give a CLIP or SigLIP model as DEBUT_IMAGE_EMBEDDER, or leave it "
                "out for colour and texture."
            )

    def vectors(self, paths: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors (n, dimensions), zero where there is no picture or it cannot be read; None where none can."""
        from PIL import Image, UnidentifiedImageError

        made: dict[int, NDArray[np.float32]] = {}
        for start in range(0, len(paths), _BATCH):
            images = {}
            for at, path in enumerate(paths[start : start + _BATCH], start):
                if path and Path(path).is_file():
                    try:
                        with Image.open(path) as image:
                            images[at] = image.convert("RGB")
                    except (UnidentifiedImageError, OSError):
                        continue
            if images:
                found = self._model.encode(
                    list(images.values()), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
                )
                made.update(zip(images, np.asarray(found, dtype=np.float32), strict=True))
        if not made:
            return None
        vectors = np.zeros((len(paths), len(next(iter(made.values())))), dtype=np.float32)
        for at, vector in made.items():
            vectors[at] = vector
        return vectors
