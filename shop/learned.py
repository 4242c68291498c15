"""What tools learn from a whole shop's data, kept until the data change."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
_MOST = 48  # values held in memory; a replay asks for one state of the data after another


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How a learned value becomes plain JSON and comes back."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]


class Learned:
    """A small store of learned state, shared by every view of a shop.

    The one mechanism for everything that takes seconds to learn from a whole shop and then answers many questions:
    which method wins per class of series, global models, the recipe of launches. A value is made when it is first asked
    for, never at import; a tool that must not keep a reader waiting can ask for it beforehand. In memory always; also
    as JSON in `folder`, where one is given and the value has a codec. A file holds one value and is overwritten by the
    next state of the data; one written by other code, or for other data, is not read. No pickles: a cache folder must
    not be able to run code.

    Args:
        folder: Where files go; None keeps everything in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def recall(self, shop: str, state: str, name: str, make: Callable[[], T], codec: Codec[T] | None = None) -> T:
        """The value called `name` for this state of the data: from memory, from its file, or made now.

        Args:
            shop: Which shop, for the file's name.
            state: Fingerprint of the data; see `View.fingerprint`.
            name: What was learned; letters, digits and hyphens.
            make: Learns it; its package's sources are a part of the key.
            codec: How to keep it in a file; None keeps it in memory only.
        """
        key = (shop, name, state)
        with self._guard:
            lock = self._locks.setdefault(name, threading.RLock())
        # Two who ask at once share one learning.
        with lock:
            with self._guard:
                if key in self._held:
                    return cast(T, self._held[key])
            value = make() if codec is None or self._folder is None else self._filed(key, make, codec, self._folder)
            with self._guard:
                self._held[key] = value
                while len(self._held) > _MOST:
                    self._held.popitem(last=False)
            return value

    def _filed(self, key: tuple[str, str, str], make: Callable[[], T], codec: Codec[T], folder: Path) -> T:
        shop, name, state = key
        file = folder / f"{name}-{_short(shop)}.json"
        stamp = f"{state}-{_sources(make.__module__.split('.')[0])}"
        value = _read(file, stamp, codec)
        if value is None:
            value = make()
            _write(file, stamp, codec.write(value))
        return value


def _read(file: Path, stamp: str, codec: Codec[T]) -> T | None:
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:  # cut short by a stopped process: made again
        return None
    return codec.read(content["value"]) if content.get("stamp") == stamp else None


def _write(file: Path, stamp: str, value: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{threading.get_ident()}.part")
    part.write_text(json.dumps({"stamp": stamp, "value": value}), encoding="utf-8")
    part.replace(file)


@lru_cache(maxsize=8)
def _sources(package: str) -> str:
    """Short hash of a package's source files: what other code learned is not trusted."""
    folders = [Path(folder) for folder in getattr(sys.modules[package], "__path__", [])]
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    return _short("".join(file.read_text(encoding="utf-8") for file in files))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
