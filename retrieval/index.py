"""The index on disk: a cache of the shop's texts that is kept up to date, noticed when damaged, and rebuilt."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from retrieval.bridge import Bridge
from retrieval.bridge import learn as learn_bridge
from retrieval.collect import PASSAGE_COLUMNS, fingerprint
from retrieval.embed import Embedder, Progress, speaks
from retrieval.glossary import Glossary, learn
from retrieval.lexical import Lexical
from retrieval.vectors import DAMAGE, VectorStore
from retrieval.words import words
from shop.errors import BadInput

FORMAT = 1
MANIFEST = "manifest.json"
FILTERABLE = ("kind", "sku", "category", "language", "day", "until", "rating", "price")
EMBED_AT_ONCE = 2000  # stored after each, so that an interrupted run goes on where it stopped
REBUILD = "run `./debut index --rebuild`"


@dataclass(frozen=True)
class Manifest:
    """What the index holds and what made it; written last, so that what it names is whole."""

    format: int
    model: str
    vectors: str  # folders beside it
    lexical: str
    passages: int
    embedded: int


@dataclass(frozen=True)
class Update:
    """What an update did."""

    embedded: int
    relabelled: int
    deleted: int
    unchanged: int


class Snapshot:
    """One state of the index in memory: passages in a fixed order, their words, and the vectors or why there are none.

    `damage` is empty when the vectors can be used; `bridge` leads to them from a language that the model does not read.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        lexical: Lexical,
        glossary: Glossary,
        vectors: VectorStore | None,
        damage: str = "",
        bridge: Bridge | None = None,
    ) -> None:
        self.frame = frame
        self.bridge = bridge
        self.lexical = lexical
        self.glossary = glossary
        self.vectors = vectors
        self.damage = damage
        self.columns = {name: frame[name].to_numpy() for name in FILTERABLE}
        self.position = {key: row for row, key in enumerate(frame["id"])}
        self.products: dict[str, list[int]] = {}  # rows of each product, in every language
        for row, (kind, ref) in enumerate(zip(frame["kind"], frame["ref"], strict=True)):
            if kind == "product":
                self.products.setdefault(ref, []).append(row)
        self.categories = sorted(set(frame["category"]) - {""})


def in_memory(frame: pd.DataFrame, damage: str) -> Snapshot:
    """Passages searchable by words alone, with nothing on disk."""
    return Snapshot(frame, Lexical.build(_searchable(frame)), _glossary(frame), None, damage)


class Index:
    """The index in a folder of its own. One process writes at a time, under a file lock.

    Args:
        folder: Where the index lives; made when first written.
        embedder: What turns texts into vectors; an index made with another one is refused, never mixed.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self.folder = folder
        self.embedder = embedder

    @property
    def exists(self) -> bool:
        return (self.folder / MANIFEST).is_file()

    def stamp(self) -> tuple[int, int]:
        """Changes whenever the index does."""
        status = (self.folder / MANIFEST).stat()
        return status.st_mtime_ns, status.st_ino

    def update(self, frame: pd.DataFrame, progress: Progress | None = None, rebuild: bool = False) -> Update:
        """Bring the index to exactly these passages; unchanged ones cost nothing, vanished ones leave.

        Args:
            frame: `PASSAGE_COLUMNS`, ids unique.
            progress: Told of every batch that was embedded, by its size.
            rebuild: Start from nothing; with false, also done when the vectors turn out to be damaged.

        Raises:
            BadInput: Another process is writing, or the index was made with another model.
        """
        if frame["id"].duplicated().any():
            raise ValueError(f"passage ids are not unique: {frame['id'][frame['id'].duplicated()].iloc[0]}")
        with self._writing():
            manifest = None if rebuild else self._manifest()
            if manifest:
                self._same_model(manifest)
            begun = None if rebuild else self._begun(manifest)
            if begun:
                try:
                    return self._write(frame, begun, progress)
                except (*DAMAGE, sqlite3.Error):
                    pass  # what cannot be brought up to date is made anew
            return self._write(frame, f"{self._stem()}{uuid.uuid4().hex[:8]}", progress)

    def replace(self, kinds: Sequence[str], frame: pd.DataFrame) -> bool:
        """Put these passages in the place of all of their kinds and leave the others; false if nothing changes.

        Args:
            kinds: Kinds of passages.
            frame: `PASSAGE_COLUMNS`, ids unique, of these kinds alone.

        Raises:
            BadInput: There is no index or it is damaged, another process is writing, or another model made it.
        """
        with self._writing():
            manifest = self._named()
            held = self._words(manifest)[0]
            stays = ~held["kind"].isin(kinds)
            if _prints(held[~stays]) == _prints(frame):
                return False
            self._write(pd.concat([held[stays], frame], ignore_index=True), manifest.vectors, None)
            return True

    def load(self) -> Snapshot:
        """The present state; damaged vectors are left out and said so.

        Raises:
            BadInput: There is no index, its words are damaged too, or it was made with another model.
        """
        manifest = self._named()
        frame, lexical, glossary = self._words(manifest)
        vectors, damage = self._open_vectors(manifest)
        return Snapshot(frame, lexical, glossary, vectors, damage, Bridge.load(self.folder / manifest.lexical))

    def check_model(self) -> None:
        """Refuse an index that another embedding model made.

        Raises:
            BadInput: It did.
        """
        manifest = self._manifest()
        if manifest:
            self._same_model(manifest)

    def _named(self) -> Manifest:
        manifest = self._manifest()
        if manifest is None:
            raise BadInput("The shop's texts are not indexed yet; run `./debut index`.")
        self._same_model(manifest)
        return manifest

    def _words(self, manifest: Manifest) -> tuple[pd.DataFrame, Lexical, Glossary]:
        folder = self.folder / manifest.lexical
        try:
            frame = pd.read_parquet(folder / "passages.parquet")
            lexical = Lexical.load(folder, len(frame))
            glossary = Glossary(json.loads((folder / "glossary.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise BadInput(f"The index of the shop's texts is damaged; {REBUILD}.") from error
        return frame, lexical, glossary

    def _stem(self) -> str:
        return f"vectors-{hashlib.sha256(self.embedder.fingerprint.encode()).hexdigest()[:8]}-"

    def _begun(self, manifest: Manifest | None) -> str:
        """Folder of vectors to go on with: the index's, or one that an interrupted first run left; else empty."""
        names = [manifest.vectors] if manifest else [path.name for path in self.folder.glob(f"{self._stem()}*")]
        return next((name for name in names if (self.folder / name / "chroma.sqlite3").is_file()), "")

    def _open_vectors(self, manifest: Manifest) -> tuple[VectorStore | None, str]:
        damage = f"the index of meanings is damaged, so this was found by words alone; {REBUILD}"
        if not (self.folder / manifest.vectors).is_dir():
            return None, damage
        try:
            vectors = VectorStore(self.folder / manifest.vectors)
            whole = vectors.count() == manifest.embedded and vectors.probe()
        except (*DAMAGE, sqlite3.Error):
            return None, damage
        return (vectors, "") if whole else (None, damage)

    def _write(self, frame: pd.DataFrame, vectors: str, progress: Progress | None) -> Update:
        store = VectorStore(self.folder / vectors, create=True)
        embedded = frame[[speaks(self.embedder, language) for language in frame["language"]]]
        change = self._embed(store, embedded, progress)
        if store.count() != len(embedded) or not store.probe():
            raise RuntimeError("the vectors that were written cannot be read back")
        lexical = f"lexical-{uuid.uuid4().hex[:8]}"
        _write_lexical(self.folder / lexical, frame)
        if bridge := self._bridge(store, embedded, frame):
            bridge.save(self.folder / lexical)
        self._commit(Manifest(FORMAT, self.embedder.fingerprint, vectors, lexical, len(frame), len(embedded)))
        return change

    def _embed(self, store: VectorStore, frame: pd.DataFrame, progress: Progress | None) -> Update:
        rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
        for row in rows:
            row["hash"] = fingerprint(row)
            row["text_hash"] = hashlib.sha256(row["text"].encode()).hexdigest()[:16]
        stored = store.hashes()
        fresh = [row for row in rows if stored.get(row["id"], ("", ""))[1] != row["text_hash"]]
        moved = [row for row in rows if row["id"] in stored and stored[row["id"]][1] == row["text_hash"]]
        moved = [row for row in moved if stored[row["id"]][0] != row["hash"]]
        gone = sorted(set(stored) - {row["id"] for row in rows})
        store.delete(gone)
        store.relabel([row["id"] for row in moved], [_metadata(row) for row in moved])
        for start in range(0, len(fresh), EMBED_AT_ONCE):
            batch = fresh[start : start + EMBED_AT_ONCE]
            vectors = self.embedder.passages([row["text"] for row in batch], progress)
            store.put([row["id"] for row in batch], vectors, [_metadata(row) for row in batch])
        return Update(len(fresh), len(moved), len(gone), len(rows) - len(fresh) - len(moved))

    def _bridge(self, store: VectorStore, embedded: pd.DataFrame, frame: pd.DataFrame) -> Bridge | None:
        """From the words of products in languages that the model does not read to the vectors of their other texts."""
        products = frame[frame["kind"] == "product"]
        unread = products[~products["language"].isin(set(embedded["language"]))]
        written = unread.groupby("ref")["text"].agg(" ".join)
        read = embedded[(embedded["kind"] == "product") & embedded["ref"].isin(written.index)]
        first = read.drop_duplicates("ref")
        if first.empty:
            return None
        texts = [words(written[ref]) for ref in first["ref"]]
        return learn_bridge(texts, store.vectors(first["id"].tolist()))

    def _commit(self, manifest: Manifest) -> None:
        half = self.folder / f"{MANIFEST}.half"
        half.write_text(json.dumps(asdict(manifest)), encoding="utf-8")
        half.replace(self.folder / MANIFEST)
        for old in (*self.folder.glob("lexical-*"), *self.folder.glob("vectors-*")):
            if old.name not in (manifest.vectors, manifest.lexical):
                shutil.rmtree(old, ignore_errors=True)

    def _manifest(self) -> Manifest | None:
        try:
            found = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            return Manifest(**found) if found.get("format") == FORMAT else None
        except (OSError, ValueError, TypeError, AttributeError):
            return None  # none, of an older format, or half a file: made anew from the shop

    def _same_model(self, manifest: Manifest) -> None:
        if manifest.model != self.embedder.fingerprint:
            raise BadInput(
                f"The index was made with the embedding model {manifest.model}, and the present one is "
                f"{self.embedder.fingerprint}; {REBUILD} or go back to the first."
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock", timeout=1)
        try:
            with lock:
                yield
        except Timeout as error:
            raise BadInput(
                "Another process is writing this shop's index; wait for it to end, then try again."
            ) from error


def _write_lexical(folder: Path, frame: pd.DataFrame) -> None:
    folder.mkdir()
    frame[list(PASSAGE_COLUMNS)].to_parquet(folder / "passages.parquet", index=False)
    Lexical.build(_searchable(frame)).save(folder)
    pairs = _glossary(frame).pairs
    (folder / "glossary.json").write_text(json.dumps(pairs, ensure_ascii=False), encoding="utf-8")


def _prints(frame: pd.DataFrame) -> set[str]:
    return {fingerprint({str(name): value for name, value in row.items()}) for row in frame.to_dict("records")}


def _searchable(frame: pd.DataFrame) -> list[str]:
    # A SKU is often all a person types.
    return [f"{sku} {text}" if sku else text for sku, text in zip(frame["sku"], frame["text"], strict=True)]


def _glossary(frame: pd.DataFrame) -> Glossary:
    products = frame[frame["kind"] == "product"]
    texts = products.groupby(["ref", "language"])["text"].agg(" ".join).unstack(fill_value="")
    if not {"en", "zh"} <= set(texts.columns):
        return learn([], [])
    return learn(texts["en"].tolist(), texts["zh"].tolist())


def _metadata(row: dict[str, Any]) -> dict[str, str | int | float]:
    kept = {name: row[name] for name in (*FILTERABLE, "hash", "text_hash")}
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in kept.items()}
