"""What the environment decides, read once at the entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHORT_NAMES = ("demo", "own")


@dataclass(frozen=True)
class Settings:
    """Where things lie and which model speaks.

    Args:
        home: Folder of weights, logs and the two default shops (`DEBUT_HOME`).
        shop: SQLAlchemy URL, or `demo` or `own` for a default shop; empty lets `ui.wiring` choose (`DEBUT_SHOP`).
        model: `embedded`, `hf:NAME`, `openai:URL#NAME`, or several, the first that works (`DEBUT_MODEL`).
        api_key: For model servers that want one (`DEBUT_API_KEY`).
        embedder: `embedded`, or the name or folder of a sentence-transformers model (`DEBUT_EMBEDDER`).
        reranker: Name or folder of a cross-encoder, or empty for none (`DEBUT_RERANKER`).
        image_embedder: Name or folder of a sentence-transformers model that takes pictures, such as CLIP, or empty for
            colour and texture (`DEBUT_IMAGE_EMBEDDER`).
    """

    home: Path
    shop: str = ""
    model: str = "embedded"
    api_key: str = field(default="", repr=False)
    embedder: str = "embedded"
    reranker: str = ""
    image_embedder: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        home = environment.get("DEBUT_HOME") or Path.home() / ".cache" / "debut"
        return cls(
            home=Path(home).expanduser().absolute(),
            shop=environment.get("DEBUT_SHOP", ""),
            model=environment.get("DEBUT_MODEL") or "embedded",
            api_key=environment.get("DEBUT_API_KEY", ""),
            embedder=environment.get("DEBUT_EMBEDDER") or "embedded",
            reranker=environment.get("DEBUT_RERANKER", ""),
            image_embedder=environment.get("DEBUT_IMAGE_EMBEDDER", ""),
        )

    def default_url(self, which: str) -> str:
        """The address of one of the two default shops: `demo`, or `own` for the user's imported data."""
        return f"sqlite:///{self.home / ('demo.db' if which == 'demo' else 'shop.db')}"

    @property
    def log_file(self) -> Path:
        return self.home / "log" / "debut.log"
