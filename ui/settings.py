"""What the environment decides, read once at the entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

SignIn = Literal["local", "off", "oidc", "proxy"]
CHOICES = "choices.json"  # what was chosen on the settings page for the next start
SHORT_NAMES = ("demo", "own")


@dataclass(frozen=True)
class Settings:
    """Where things lie and which model speaks.

    Args:
        home: Folder of weights, logs and the two default shops (`DEBUT_HOME`).
        shop: SQLAlchemy URL, or `demo` or `own` for a default shop; empty lets `ui.wiring` choose (`DEBUT_SHOP`).
        model: `embedded`, `hf:NAME`, `openai:URL#NAME`, or several, the first that works (`DEBUT_MODEL`, else what was
            chosen on the settings page).
        api_key: For model servers that want one (`DEBUT_API_KEY`).
        embedder: `embedded`, or the name or folder of a sentence-transformers model (`DEBUT_EMBEDDER`).
        reranker: Name or folder of a cross-encoder, or empty for none (`DEBUT_RERANKER`).
        image_embedder: Name or folder of a sentence-transformers model that takes pictures, such as CLIP, or empty for
            colour and texture (`DEBUT_IMAGE_EMBEDDER`).
        sign_in: Who vouches for those who open the pages: `local` accounts, `oidc`, a `proxy`, or `off` for a machine
            that one person alone uses (`DEBUT_SIGN_IN`).
        accounts: SQLAlchemy URL of the accounts; empty for a file in `home` (`DEBUT_ACCOUNTS`).
        oidc_issuer: See `ui.oidc.Issuer`, as for the next four (`DEBUT_OIDC_ISSUER`).
        oidc_client: (`DEBUT_OIDC_CLIENT`).
        oidc_secret: (`DEBUT_OIDC_SECRET`).
        groups: Which groups of the other house have which role, such as `buyers=manager` (`DEBUT_GROUPS`).
        groups_claim: The claim that names them (`DEBUT_OIDC_CLAIM`).
        proxy_secret: What the proxy proves itself by (`DEBUT_PROXY_SECRET`); see `ui.gate.Proxy`.
    """

    home: Path
    shop: str = ""
    model: str = "embedded"
    api_key: str = field(default="", repr=False)
    embedder: str = "embedded"
    reranker: str = ""
    image_embedder: str = ""
    sign_in: SignIn = "local"
    accounts: str = ""
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret: str = field(default="", repr=False)
    groups: str = ""
    groups_claim: str = "groups"
    proxy_secret: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        home = Path(environment.get("DEBUT_HOME") or Path.home() / ".cache" / "debut").expanduser().absolute()
        return cls(
            home=home,
            shop=environment.get("DEBUT_SHOP", ""),
            model=environment.get("DEBUT_MODEL") or chosen_model(home) or "embedded",
            api_key=environment.get("DEBUT_API_KEY", ""),
            embedder=environment.get("DEBUT_EMBEDDER") or "embedded",
            reranker=environment.get("DEBUT_RERANKER", ""),
            image_embedder=environment.get("DEBUT_IMAGE_EMBEDDER", ""),
            sign_in=_sign_in(environment.get("DEBUT_SIGN_IN", "")),
            accounts=environment.get("DEBUT_ACCOUNTS", ""),
            oidc_issuer=environment.get("DEBUT_OIDC_ISSUER", ""),
            oidc_client=environment.get("DEBUT_OIDC_CLIENT", ""),
            oidc_secret=environment.get("DEBUT_OIDC_SECRET", ""),
            groups=environment.get("DEBUT_GROUPS", ""),
            groups_claim=environment.get("DEBUT_OIDC_CLAIM") or "groups",
            proxy_secret=environment.get("DEBUT_PROXY_SECRET", ""),
        )

    def default_url(self, which: str) -> str:
        """The address of one of the two default shops: `demo`, or `own` for the user's imported data."""
        return f"sqlite:///{self.home / ('demo.db' if which == 'demo' else 'shop.db')}"

    @property
    def accounts_url(self) -> str:
        """The address of the accounts."""
        return self.accounts or f"sqlite:///{self.home / 'accounts.db'}"

    @property
    def log_file(self) -> Path:
        return self.home / "log" / "debut.log"


def _sign_in(named: str) -> SignIn:
    # An unknown word must not open the door: it is the safe way that stands.
    return next((known for known in get_args(SignIn) if known == named.strip().lower()), "local")


def chosen_model(home: Path) -> str:
    """The model that was chosen on the page for the next start; empty where none was."""
    file = home / CHOICES
    return str(json.loads(file.read_text(encoding="utf-8")).get("model", "")) if file.exists() else ""


def choose_model(home: Path, setting: str) -> None:
    """Use another model from the next start on."""
    home.mkdir(parents=True, exist_ok=True)
    (home / CHOICES).write_text(json.dumps({"model": setting}), encoding="utf-8")
