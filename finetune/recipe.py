"""A recipe: everything that decides what a training run makes, in one TOML file that is stored with the adapter."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from shop import BadInput

RECIPES = Path(__file__).with_name("recipes")


@dataclass(frozen=True)
class Recipe:
    """How an adapter is trained.

    `base` is `embedded`, a folder, or a name on a hub. `template` is `debut` (ours, which the grammar follows) or
    `own` (the base's, for models that were taught tools already). `minutes`, or `tokens` read, end a run early, zero
    never: the rate then falls with them, so what was learned is kept. It falls to `lowest` of itself; one keeps it for
    a sitting after which another follows. A pack holds `pack_tokens`, an optimiser step `packs_per_step`.
    """

    name: str
    base: str = "embedded"
    template: Literal["debut", "own"] = "debut"
    rank: int = 32
    alpha: int = 32
    dropout: float = 0.0
    rate: float = 1e-3
    warmup: int = 20
    lowest: float = 0.02
    weight_decay: float = 0.0
    clip: float = 1.0
    epochs: int = 1
    pack_tokens: int = 1024
    packs_per_step: int = 4
    minutes: float = 0.0
    tokens: int = 0
    checkpoint_minutes: float = 3.0
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Preference(Recipe):
    """How an adapter is held from its own mistakes.

    `beta` says how dearly a distance from the adapter it began as is bought, `supervised` what the right reply's own
    loss weighs, `questions` how many are put to the adapter to find its mistakes.
    """

    beta: float = 0.1
    supervised: float = 1.0
    questions: int = 3000


Kind = TypeVar("Kind", bound=Recipe)


def read_recipe(path: Path, kind: type[Kind] = Recipe) -> Kind:  # type: ignore[assignment]
    """A recipe from its file, or from the name of one that ships.

    Args:
        path: The file, or the name.
        kind: Of recipe.

    Raises:
        BadInput: There is none, or it names something that no recipe has.
    """
    file = path if path.is_file() else RECIPES / f"{path.stem}.toml"
    if not file.is_file():
        names = ", ".join(sorted(each.stem for each in RECIPES.glob("*.toml")))
        raise BadInput(f"There is no recipe {path}; name a file, or one of {names}.")
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"The recipe {file.name} is not TOML ({error}); correct it.") from error
    known = {each.name for each in fields(kind)}
    unknown = sorted(set(written) - known)
    if unknown:
        raise BadInput(f"The recipe {file.name} has {unknown[0]}, which no recipe has; the keys are {sorted(known)}.")
    return kind(**{"name": file.stem, **written})
