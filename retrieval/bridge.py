"""Meaning for a language the model does not read: its words take vectors from the texts they stand beside.

A shop's bilingual catalogue pairs the Chinese text of a product with the vector of its English one. Ridge regression
from the words of the one to the other (the linear map between languages of Mikolov, Le & Sutskever 2013, learned from
documents instead of word pairs) gives every word of the catalogue a direction among the English vectors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Vectors = NDArray[np.float32]
LEAST_PRODUCTS = 20  # fewer pairs teach nothing
MOST_PRODUCTS = 5000  # more add time and no new words
LEAST_HOLDING = 2  # products that hold a word before it is learned
RIDGE = 10.0  # chosen on the development half of the demo's questions, as is what `fusion` chose
_FILE = "bridge.npz"


@dataclass(frozen=True)
class Bridge:
    """Words with what each adds to a query's direction, and the middle of the vectors that they were learned from.

    Attributes:
        terms: The words, in the order of the rows.
        directions: Shape (words, dimensions).
        middle: Mean of the products' vectors, shape (dimensions,).
    """

    terms: dict[str, int]
    directions: Vectors
    middle: Vectors

    def vector(self, said: Sequence[str]) -> Vectors | None:
        """The direction of a query's words, shape (dimensions,), of length one; None where none of them is known."""
        known = [self.terms[word] for word in said if word in self.terms]
        if not known:
            return None
        summed: Vectors = self.directions[known].sum(axis=0)
        length = float(np.linalg.norm(summed))
        return summed / length if length else None

    def cosine(self, product: float, vector: Vectors) -> float:
        """The cosine around the middle, from the inner product of a passage's unit vector with a query's direction.

        The distance of a unit vector from the middle hardly differs between passages and is taken as the usual one.
        """
        away = max(1.0 - float(self.middle @ self.middle), 1e-6)
        return (product - float(self.middle @ vector)) / float(np.sqrt(away))

    def save(self, folder: Path) -> None:
        np.savez(folder / _FILE, terms=np.array(list(self.terms)), directions=self.directions, middle=self.middle)

    @classmethod
    def load(cls, folder: Path) -> Bridge | None:
        """The bridge of an index; None where it has none."""
        if not (folder / _FILE).is_file():
            return None
        with np.load(folder / _FILE, allow_pickle=False) as stored:
            terms = {str(term): row for row, term in enumerate(stored["terms"])}
            return cls(terms, stored["directions"], stored["middle"])


def learn(texts: Sequence[Sequence[str]], vectors: Vectors) -> Bridge | None:
    """Learn from products: the words of each in the one language, and the vector of its text in the other.

    Args:
        texts: Words of each product.
        vectors: Of the same products, unit length, shape (products, dimensions).

    Returns:
        None where there are too few products to learn from.
    """
    texts, vectors = texts[:MOST_PRODUCTS], vectors[:MOST_PRODUCTS]
    held = Counter(word for text in texts for word in set(text))
    terms = {word: row for row, word in enumerate(sorted(w for w, count in held.items() if count >= LEAST_HOLDING))}
    if len(texts) < LEAST_PRODUCTS or not terms:
        return None
    rarity = np.array([np.log(1 + (len(texts) - held[w] + 0.5) / (held[w] + 0.5)) for w in terms], dtype=np.float32)
    cells = [(row, terms[word]) for row, text in enumerate(texts) for word in text if word in terms]
    rows, columns = np.array(cells, dtype=int).T
    counted = csr_matrix((rarity[columns], (rows, columns)), shape=(len(texts), len(terms)))
    lengths = np.sqrt(np.asarray(counted.multiply(counted).sum(axis=1)).ravel())
    features = csr_matrix(counted.multiply(1 / np.maximum(lengths, 1e-9)[:, None]))
    middle = vectors.mean(axis=0)
    # The dual form: products are fewer than words.
    kernel = (features @ features.T).toarray() + RIDGE * np.eye(len(texts), dtype=np.float32)
    weights = np.linalg.solve(kernel, vectors - middle)
    directions = rarity[:, None] * np.asarray(features.T @ weights)
    return Bridge(terms, directions.astype(np.float32), middle.astype(np.float32))
