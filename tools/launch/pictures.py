"""Product pictures as vectors: colour and texture, which need no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tools.demand.panel import Array

SIDE = 64
_COLOURS, _EDGES = 4, 8
_TEXTURE = 0.5  # weight of texture beside colour


def picture_vectors(paths: Sequence[str]) -> Array | None:
    """Unit vectors of pictures (N, P), zero where there is none or it cannot be read; None where nobody has one.

    Shares of 64 colours (four steps of red, green and blue), and of eight edge directions weighted by their strength
    (Dalal & Triggs 2005), both as square roots so that cosines are those of Bhattacharyya.

    Args:
        paths: Files; empty where a product has no picture.
    """
    rows = [_vector(path) for path in paths]
    found = next((row for row in rows if row is not None), None)
    if found is None:
        return None
    return np.stack([np.zeros(len(found)) if row is None else row for row in rows])


def _vector(path: str) -> Array | None:
    from PIL import Image, UnidentifiedImageError

    if not path or not Path(path).is_file():
        return None
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), dtype=float)
    except (UnidentifiedImageError, OSError):
        return None
    step = (pixels / 256 * _COLOURS).astype(int)
    code = step @ np.array([_COLOURS**2, _COLOURS, 1])
    colour = np.sqrt(np.bincount(code.ravel(), minlength=_COLOURS**3) / code.size)
    down, across = np.gradient(pixels.mean(axis=2))
    angle = (np.mod(np.arctan2(down, across), np.pi) / np.pi * _EDGES).astype(int).clip(max=_EDGES - 1)
    strength = np.hypot(down, across)
    edges = np.bincount(angle.ravel(), strength.ravel(), minlength=_EDGES)
    texture = np.sqrt(edges / max(float(edges.sum()), 1e-9))
    vector = np.concatenate([colour, _TEXTURE * texture])
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
